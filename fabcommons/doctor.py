"""``fabcommons doctor``: what is wrong here, and the fix."""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from controller.adapters.broker import find_mosquitto
from controller.adapters.slicer import find_slicer
from dashboards.api import STATIC
from fabcommons import doctor_site
from fabcommons.client import FAILED, OK, USAGE, Client, CliError
from fabcommons.finding import BAD, GOOD, HINT, Finding
from fabcommons.floor import find_micropython
from fabcommons.options import add_common

_MIN_FREE_BYTES = 500_000_000
_OLD_CLOCK_S = 1_750_000_000


def add(commands: Any) -> None:
    """Add the command to the command line."""
    doctor = commands.add_parser(
        "doctor",
        help="find what is wrong and say the fix",
        epilog="exit 0 when nothing is bad, else 1. example: fabcommons doctor --site site.yml",
    )
    doctor.add_argument("--site", type=Path, help="site.yml: look at everything of this site")
    doctor.add_argument("--broker", help="HOST:PORT of the MQTT broker to look at")
    doctor.add_argument("--folder", type=Path, default=Path("."), help="where the site keeps files")
    add_common(doctor)
    doctor.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print every finding; exit 1 when one is bad."""
    found = [look() for look in _looks(options)]
    if options.site:
        found += doctor_site.findings(options.site, doctor_site.now_ms())
    if options.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            print(f"{finding.state:4}  {finding.what:12} {finding.text}")
            if finding.fix:
                print(f"      {'':12} fix: {finding.fix}")
    return FAILED if any(finding.state == BAD for finding in found) else OK


def _looks(options: argparse.Namespace) -> list[Callable[[], Finding]]:
    looks: list[Callable[[], Finding]] = [
        python,
        micropython,
        mosquitto,
        slicer,
        page,
        clock,
        lambda: disk(options.folder),
        lambda: controller(options.url),
        lambda: people(options.url),
        lambda: proxies(options.url),
        lambda: influx(options.url),
    ]
    if options.broker:
        looks.append(lambda: broker(options.broker))
    return looks


def python() -> Finding:
    """Which Python runs this; the package does not install on one that is too old."""
    return Finding("python", GOOD, ".".join(map(str, sys.version_info[:3])))


def micropython() -> Finding:
    """Whether the firmware can run on MicroPython here."""
    found = find_micropython()
    if found:
        return Finding("micropython", GOOD, found)
    return Finding("micropython", HINT, "not installed, CPython runs the firmware", "make setup")


def mosquitto() -> Finding:
    """Whether a broker is installed."""
    found = find_mosquitto()
    if found:
        return Finding("mosquitto", GOOD, found)
    text = "not installed, amqtt inside the controller stands in"
    return Finding("mosquitto", HINT, text, "apt-get install mosquitto, for more than a demo")


def slicer() -> Finding:
    """Whether meshes can be sliced."""
    with tempfile.TemporaryDirectory() as folder:
        found = find_slicer(Path(folder))
    if found is not None:
        return Finding("slicer", GOOD, "PrusaSlicer is installed")
    text = "not installed, designs need programs beside their meshes"
    return Finding("slicer", HINT, text, "apt-get install prusa-slicer")


def page() -> Finding:
    """Whether the page is built."""
    if (STATIC / "index.html").is_file():
        return Finding("page", GOOD, "built")
    return Finding("page", BAD, "not built", "make setup (needs npm)")


def clock() -> Finding:
    """Whether this computer knows roughly what time it is."""
    now_s = time.time_ns() // 1_000_000_000
    if now_s > _OLD_CLOCK_S:
        return Finding("clock", GOOD, time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now_s)))
    return Finding(
        "clock", BAD, "the clock is years behind", "switch on NTP: timedatectl set-ntp on"
    )


def disk(folder: Path) -> Finding:
    """Whether there is room for the store."""
    free = shutil.disk_usage(folder if folder.exists() else Path(".")).free
    text = f"{free // 1_000_000} MB free"
    if free > _MIN_FREE_BYTES:
        return Finding("disk", GOOD, text)
    return Finding("disk", BAD, text, "make room: a full disk stops every commit")


def controller(url: str) -> Finding:
    """Whether a controller answers, and what it counts as trouble."""
    try:
        counters = Client(url).get("/api/floor")["floor"]["counters"]
    except CliError as error:
        if error.exit_code == FAILED:
            return Finding("controller", BAD, str(error), "see its log")
        if error.exit_code == USAGE:
            fix = "export FABCOMMONS_API_TOKEN (fabcommons account token ... --scope read)"
            return Finding("controller", HINT, f"answers at {url}, but: {error}", fix)
        return Finding("controller", HINT, f"none at {url}", "fabcommons controller site.yml")
    trouble = {name: count for name, count in counters.items() if count and name != "open_needs"}
    if not trouble:
        return Finding("controller", GOOD, f"answers at {url}")
    words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in trouble.items())
    return Finding("controller", HINT, f"answers at {url}; it counts {words}", "look at its page")


def people(url: str) -> Finding:
    """Who may come in."""
    try:
        me = Client(url).get("/api/me")
    except CliError:
        return Finding("people", HINT, "unknown, no controller answers")
    if me["log_in"]:
        return Finding("people", GOOD, "everybody logs in")
    text = "no accounts: everybody on this computer is the admin"
    return Finding("people", HINT, text, "fabcommons account add site.yml NAME --role admin")


def proxies(url: str) -> Finding:
    """Whether requests come through a proxy that the settings do not name."""
    try:
        unnamed = Client(url).get("/healthz").get("proxy_unnamed", False)
    except CliError:
        return Finding("proxy", HINT, "unknown, no controller answers")
    if not unnamed:
        return Finding("proxy", GOOD, "nobody came through a proxy that is not named")
    text = "requests came through a proxy nobody named: nobody knows from where, none may stop"
    fix = "access.proxies: [its address], and let it send X-Forwarded-For; or shut its way here"
    return Finding("proxy", HINT, text, fix)


def influx(url: str) -> Finding:
    """How the controller's copy of telemetry in InfluxDB goes."""
    try:
        found = Client(url).get("/healthz")["influx"]
    except CliError:
        return Finding("influx", HINT, "unknown, no controller answers")
    if found["state"] == "off":
        return Finding("influx", GOOD, "off, telemetry stays in the site's own store")
    text = f"{found['state']}: {found['sent']} lines sent, {found['waiting_bytes']} B wait"
    if found["rejected"] or found["dropped"]:
        text += f", {found['rejected']} rejected, {found['dropped']} dropped"
    if found["state"] == "misconfigured":
        fix = "correct influx: in site.yml, or `fabcommons telemetry setup site.yml`"
        return Finding("influx", BAD, f"{text}. {found['error']}", fix)
    if found["state"] == "down":
        return Finding("influx", HINT, f"{text}. {found['error']}", "start it; nothing is lost")
    return Finding("influx", HINT if found["rejected"] or found["dropped"] else GOOD, text)


def broker(address: str) -> Finding:
    """Whether something listens where the broker should be."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return Finding("broker", BAD, f"{address} is not HOST:PORT", "e.g. --broker pi:1883")
    try:
        with socket.create_connection((host, int(port)), timeout=5):
            return Finding("broker", GOOD, f"listens at {address}")
    except OSError as error:
        text = f"does not answer at {address}: {error}"
        return Finding("broker", BAD, text, "start it, open its port, or correct the address")

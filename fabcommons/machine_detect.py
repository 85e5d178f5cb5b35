"""``fabcommons machine detect``: asks a machine what it is and proposes its settings."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from fabcommons import machine_hosts
from fabcommons.client import FAILED, OK, USAGE, CliError
from fabcommons.detecting import BAUDS, LIMIT_S, Line, NotDetected, Told, interview
from fabcommons.options import command
from firmware.pc import ports

Open = Callable[[str, int], Line]
_NOTE = """\
It asks $I, $$ and M115, which move nothing. But opening a port resets most boards: what they were
doing is lost. Do it while the machine stands idle; a port another program holds is left alone.

examples:
  fabcommons machine detect /dev/ttyUSB0
  fabcommons machine detect --tcp 192.0.2.7:23 --json
  fabcommons machine detect --all
  fabcommons machine detect --url http://octopi.local --key-env OCTO_KEY"""


class Detector:
    """Asks ports at several baud rates, ``limit_s`` each; ``clock`` gives seconds."""

    def __init__(
        self,
        bauds: Sequence[int],
        limit_s: float,
        opener: Open = ports.Port,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bauds = bauds
        self._limit_s = limit_s
        self._open = opener
        self._clock = clock

    def survey(self, names: Sequence[str]) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
        """Proposals for the machines at ports, one by one, and why there is none at others."""
        found: list[dict[str, Any]] = []
        silent: list[dict[str, str]] = []
        for port in names:
            try:
                told, baud = self.detect(port)
            except NotDetected as error:
                silent.append({"port": port, "why": str(error)})
                continue
            number = 1 + sum(other["dialect"] == told.dialect for other in found)
            found.append(proposal(port, baud, told, number))
        return found, silent

    def detect(self, port: str) -> tuple[Told, int]:
        """What is at a port, and its baud rate; raise NotDetected with the reason at each rate."""
        tcp = port.startswith("tcp:")
        reasons: list[str] = []
        for baud in self._bauds[:1] if tcp else self._bauds:
            rate = "" if tcp else f" at {baud} baud"
            print(f"asks {port}{rate}", file=sys.stderr, flush=True)
            try:
                line = self._open(port, baud)
            except (OSError, ValueError) as error:
                raise NotDetected(_cannot_open(error)) from error
            try:
                return interview(line, self._clock, self._limit_s), baud
            except NotDetected as error:
                reasons.append(f"{error}{rate}")
            except OSError as error:
                raise NotDetected(f"the line went away: {error}") from error
            finally:
                line.close()
        raise NotDetected("; ".join(reasons))


def add(verbs: Any) -> None:
    """Add the verb to the command line."""
    detect = command(verbs, "detect", "ask what is at a port; propose its settings", _NOTE)
    way = detect.add_mutually_exclusive_group(required=True)
    way.add_argument("port", nargs="?", help="serial port, e.g. /dev/ttyUSB0")
    way.add_argument("--tcp", metavar="HOST:PORT", help="serial line over TCP")
    way.add_argument("--all", action="store_true", help="every serial port of this computer")
    machine_hosts.add(detect, way)
    option = detect.add_argument
    option("--baud", type=int, help=f"only this baud rate (default: {', '.join(map(str, BAUDS))})")
    option("--limit-s", type=float, default=LIMIT_S, help="seconds per rate (default %(default)s)")
    option("--json", action="store_true", help="print JSON for programs")
    detect.set_defaults(run=run_detect)


def run_detect(options: argparse.Namespace) -> int:
    """Ask the port named, or all; 1 when no machine was made out."""
    if options.url:
        return machine_hosts.run(options)
    bauds = BAUDS if options.baud is None else (options.baud,)
    found, silent = Detector(bauds, options.limit_s).survey(_ports(options))
    if options.json:
        print(json.dumps({"machines": found, "not_detected": silent}, indent=2))
    else:
        print("\n\n".join(map(words, found)), end="\n" if found else "")
    for one in silent:
        print(f"{one['port']}: {one['why']}", file=sys.stderr)
    return OK if found else FAILED


def _ports(options: argparse.Namespace) -> list[str]:
    if options.limit_s <= 0:
        raise CliError("--limit-s: must be above 0", USAGE)
    if options.tcp:
        host, _, number = options.tcp.rpartition(":")
        if not host or not number.isdigit():
            raise CliError(f"--tcp {options.tcp}: must be HOST:PORT", USAGE)
        return [f"tcp:{options.tcp}"]
    if options.port:
        return [options.port]
    names = ports.names()
    if not names:
        raise CliError("this computer has no serial port: is the cable in?", FAILED)
    return names


def _cannot_open(error: Exception) -> str:
    text = str(error)
    if "exclusively lock" in text:
        return "another program uses it (fabcommons machine run?): end that first"
    if "Permission denied" in text:
        return f"{text}; let your user into the group of serial ports, often dialout"
    return text


def proposal(port: str, baud: int, told: Told, number: int) -> dict[str, Any]:
    """Settings to propose: the machine's entry in the site file, part of its own configuration."""
    kind = {"marlin": "printer", "grbl": "mill"}[told.dialect]
    capability: dict[str, Any] = {"process": ["fdm" if kind == "printer" else "mill"]}
    if told.volume_um:
        capability["volume_um"] = list(told.volume_um)
    if told.spindle_rpm:
        capability["spindle_rpm"] = told.spindle_rpm
    serial_line: dict[str, Any] = {"port": port}
    if not port.startswith("tcp:"):
        serial_line["baud"] = baud
    entry = {"id": f"{kind}-{number}", "kind": kind, "link": "mqtt", "capability": capability}
    return {
        "port": port,
        "dialect": told.dialect,
        "firmware": told.firmware,
        "version": told.version,
        "name": told.name,
        "extruders": told.extruders,
        "notes": list(told.notes),
        "site": {**entry, "name": told.name} if told.name else entry,
        "config": {"serial": serial_line, "dialect": told.dialect},
    }


def words(found: dict[str, Any]) -> str:
    """A proposal for people: what was told, lines for site.yml, JSON of the machine's settings."""
    config, port = found["config"], found["port"]
    baud = config["serial"].get("baud")
    rate = f" at {baud} baud" if baud else ""
    is_tcp = port.startswith("tcp:")
    way = f"--tcp {port[4:]}" if is_tcp else f"--serial {port} --baud {baud}"
    return "\n".join(
        [
            f"{port}: {found['firmware']} {found['version']}{rate}, dialect {found['dialect']}",
            *[f"  {note}" for note in found["notes"]],
            "",
            "site.yml, where the site is (choose the id; # is for you to fill in):",
            "machines:",
            *_entry(found["site"]),
            "",
            "settings of the machine (fabcommons machine enrol writes them):",
            json.dumps(config),
            "",
            f"then: fabcommons machine enrol --code CODE --url URL {way} "
            f"--dialect {found['dialect']}",
        ]
    )


def _entry(site: dict[str, Any]) -> list[str]:
    """Lines of YAML; strings as JSON, which YAML contains."""
    capability = site["capability"]
    open_lines = {
        "printer": ["# nozzle_um: 400", "# filament_diameter_um: 1750"],
        "mill": ["# tool_um: 3000"],
    }[site["kind"]]
    if "volume_um" not in capability:
        open_lines.append("# volume_um: [X, Y, Z]   (um; it does not tell)")
    if site["kind"] == "mill" and "spindle_rpm" not in capability:
        open_lines.append("# spindle_rpm: 24000     (it does not tell)")
    name = [f"    name: {json.dumps(site['name'])}"] if "name" in site else []
    return [
        f"  - id: {site['id']}",
        f"    kind: {site['kind']}",
        f"    link: {site['link']}",
        *name,
        "    capability:",
        *[f"      {field}: {json.dumps(value)}" for field, value in capability.items()],
        *[f"      {line}" for line in open_lines],
    ]

"""``fabcommons machine``: list machines; run the firmware for one attached to this computer."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from fabcommons import (
    machine_calibrate,
    machine_detect,
    machine_enrol,
    machine_run,
    machine_update,
    settings_files,
)
from fabcommons.client import FAILED, OK, USAGE, Client, CliError
from fabcommons.floor import firmware_command
from fabcommons.options import add_common, command, show
from fabcommons.processes import Children, ProcessError
from fabcommons.tables import moment, table

_EXAMPLES = """\
examples:
  fabcommons machine list
  fabcommons machine run printer-1 --site workshop --serial /dev/ttyUSB0 --dialect marlin
  fabcommons machine run p-1 p-2 --site workshop --serial /dev/ttyUSB0 --serial /dev/ttyUSB1 \
      --dialect marlin
  fabcommons machine run mill-1 --site workshop --tcp 192.0.2.7:23 --dialect grbl --broker pi:1883
  fabcommons machine run                  every machine enrolled on this computer
  fabcommons machine run printer-9 --site demo --simulate printer --broker 127.0.0.1:1883"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    machine = command(
        commands,
        "machine",
        "list machines; run firmware for a serial port or a simulator",
        _EXAMPLES,
    )
    verbs = machine.add_subparsers(metavar="VERB", required=True)
    lister = verbs.add_parser("list", help="machines and what they do")
    add_common(lister)
    lister.set_defaults(run=run_list)
    _add_run(verbs)
    machine_update.add(verbs)
    machine_enrol.add(verbs)
    machine_detect.add(verbs)
    machine_calibrate.add(verbs)


def _add_run(verbs: Any) -> None:
    runner = command(verbs, "run", "run the firmware for one machine until Ctrl-C", _EXAMPLES)
    option = runner.add_argument
    option("machine", nargs="*", help="ids of enrolled machines (none: all), or one with --site")
    option("--folder", type=Path, default=settings_files.HOME, help="settings of enrolled machines")
    option("--site", help="id of the site, for a machine that is not enrolled")
    option("--broker", default="127.0.0.1:1883", help="HOST:PORT (default %(default)s)")
    way = runner.add_mutually_exclusive_group()
    way.add_argument(
        "--serial",
        metavar="PORT",
        action="append",
        help="serial port, e.g. /dev/ttyUSB0; once for each machine named, in one process",
    )
    way.add_argument("--tcp", metavar="HOST:PORT", help="serial line over TCP")
    way.add_argument("--simulate", choices=("printer", "mill"), help="a machine that is not there")
    option("--baud", type=int, default=115200)
    option("--dialect", choices=("marlin", "grbl"), help="language (default: by --simulate)")
    option("--flash", type=Path, help="folder of its journal (default ~/.fabcommons/MACHINE)")
    option("--firmware", choices=("auto", "micropython", "cpython"), default="cpython")
    option("--time-scale", type=int, default=1, help="with --simulate: floor seconds per second")
    runner.set_defaults(run=run_firmware)


def run_list(options: argparse.Namespace) -> int:
    """Print the machines of the site."""
    return show(options, Client(options.url).get("/api/machines"), _machines)


def _machines(machines: dict[str, Any]) -> str:
    rows = [
        (
            machine["id"],
            machine["kind"],
            machine["state"],
            machine.get("label", ""),
            f"{machine['percent']} %" if "percent" in machine else "",
            moment(machine.get("eta_at")),
            machine.get("why", ""),
        )
        for machine in machines.values()
    ]
    return table(("machine", "kind", "state", "order", "done", "ends", "why"), rows)


def run_firmware(options: argparse.Namespace) -> int:
    """Run the firmware until Ctrl-C or a signal; 1 when it ends by itself."""
    way = options.serial or options.tcp or options.simulate
    if not way and not options.site:
        return machine_run.run(options.folder, options.machine)
    wanted = len(options.serial or [way])
    if not way or not options.site or len(options.machine) != wanted:
        text = "--site, a machine for each --serial, or one for --tcp or --simulate go together"
        raise CliError(text, USAGE)
    if wanted > 1:
        return _run_several(options)
    options.machine = options.machine[0]
    dialect = options.dialect or {"printer": "marlin", "mill": "grbl"}.get(options.simulate or "")
    if not dialect:
        raise CliError("--dialect marlin or --dialect grbl is needed", USAGE)
    flash = options.flash or Path.home() / ".fabcommons" / options.machine
    flash.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, Children(Path(name)) as children:
        folder = Path(name)
        port = _port(options, children, folder)
        config = folder / "machine.json"
        config.write_text(json.dumps(_config(options, dialect, flash, port)))
        return _supervise([*firmware_command(options.firmware), str(config)])


def _run_several(options: argparse.Namespace) -> int:
    """Run a machine for each serial port in this process."""
    if not options.dialect:
        raise CliError("--dialect marlin or --dialect grbl is needed", USAGE)
    flash = options.flash or Path.home() / ".fabcommons"
    with tempfile.TemporaryDirectory() as name:
        for machine, port in zip(options.machine, options.serial, strict=True):
            one = argparse.Namespace(**{**vars(options), "machine": machine})
            settings = _config(one, options.dialect, flash / machine, port)
            (Path(name) / f"{machine}.json").write_text(json.dumps(settings))
        return machine_run.run(Path(name), options.machine)


def _port(options: argparse.Namespace, children: Children, folder: Path) -> str:
    if options.serial:
        return str(options.serial[0])
    if options.tcp:
        return f"tcp:{options.tcp}"
    line = folder / "line"
    command = [sys.executable, "-m", "simulators", options.simulate, "--link", str(line)]
    children.start("simulator", [*command, "--time-scale", str(options.time_scale)])
    try:
        children.wait_for_file("simulator", line)
    except ProcessError as error:
        raise CliError(str(error), FAILED) from error
    return str(line)


def _config(options: argparse.Namespace, dialect: str, flash: Path, port: str) -> dict[str, Any]:
    host, _, number = options.broker.rpartition(":")
    if not host or not number.isdigit():
        raise CliError(f"--broker {options.broker}: must be HOST:PORT", USAGE)
    return {
        "site": options.site,
        "machine": options.machine,
        "broker": {"host": host, "port": int(number)},
        "serial": {"port": port, "baud": options.baud},
        "dialect": dialect,
        "flash": str(flash),
    }


def _supervise(command: list[str]) -> int:
    """Run the firmware in the foreground; hand signals on to it."""
    child = subprocess.Popen(command)
    asked = threading.Event()

    def on_signal(number: int, _frame: object) -> None:
        asked.set()
        child.send_signal(number)

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, on_signal)
    code = child.wait()
    return OK if asked.is_set() else (code or FAILED)

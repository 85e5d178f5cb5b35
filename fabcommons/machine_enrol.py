"""``fabcommons machine enrol`` and ``revoke``: credentials by a one-time code, boards over USB."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from controller.adapters.codes import BadCode, stretch, unseal
from fabcommons import settings_files
from fabcommons.client import FAILED, OK, USAGE, Client, CliError
from fabcommons.firmware import put_base, put_slot
from fabcommons.options import add_common, command

Run = Callable[[Sequence[str]], None]
_EXAMPLES = """\
1. where the site is:      fabcommons machine enrol printer-1
                           prints a code, good once, for 15 minutes
2. where the machine is:   fabcommons machine enrol --code K7QF2-M9XTB --url http://pi:8010 \\
                               --serial /dev/ttyUSB0 --dialect marlin
                           writes ~/.fabcommons/machines/printer-1.json
   or, for a board at USB: ... --usb /dev/ttyACM0 --pins esp32-s3 --wifi NAME --wifi-key-file FILE
                           copies firmware and settings onto it, and restarts it
3.                         fabcommons machine run

fabcommons machine revoke printer-1     puts it out; enrol it again for new credentials"""


def add(verbs: Any) -> None:
    """Add the verbs to the command line."""
    enrol = command(verbs, "enrol", "let a machine in: make a code, or use one", _EXAMPLES)
    option = enrol.add_argument
    option("machine", nargs="?", help="id of the machine, to make a code for")
    option("--code", help="code to use here")
    option("--serial", metavar="PORT", help="line to the machine, e.g. /dev/ttyUSB0")
    option("--tcp", metavar="HOST:PORT", help="line to the machine over TCP")
    option("--baud", type=int, default=115200)
    option("--dialect", choices=("marlin", "grbl"))
    option("--usb", metavar="PORT", help="board that is to drive the machine")
    option("--pins", help="pin map of the board: esp32, esp32-s3 or rp2350")
    option("--wifi", metavar="NAME", help="network of the board")
    option("--wifi-key-file", type=Path, metavar="FILE", help="file that holds the network's key")
    option("--update-key", help="public key of firmware releases, from fabcommons firmware keygen")
    option("--folder", type=Path, default=settings_files.HOME, help="default %(default)s")
    option("--who", default="someone at the command line")
    add_common(enrol)
    enrol.set_defaults(run=run_enrol)
    revoke = verbs.add_parser("revoke", help="take a machine's credentials away, put it out")
    revoke.add_argument("machine")
    revoke.add_argument("--who", default="someone at the command line")
    add_common(revoke)
    revoke.set_defaults(run=run_revoke)


def run_revoke(options: argparse.Namespace) -> int:
    """Put a machine out."""
    Client(options.url).post(f"/api/machines/{options.machine}/revoke", {"who": options.who})
    print(f"{options.machine} is out: its credentials are worth nothing from now on")
    return OK


def run_enrol(options: argparse.Namespace) -> int:
    """Make a code, or use one."""
    if bool(options.machine) == bool(options.code):
        raise CliError("name a machine to make a code for, or --code to use one", USAGE)
    if options.machine:
        path = f"/api/machines/{options.machine}/enrol"
        code = Client(options.url).post(path, {"who": options.who})["code"]
        print(code)
        print("good once, for 15 minutes; where the machine is:", file=sys.stderr)
        print(f"  fabcommons machine enrol --code {code} --url {options.url}", file=sys.stderr)
        return OK
    _check(options)
    settings = complete(options, _redeem(options))
    path = options.folder / f"{settings['machine']}.json"
    if options.usb:
        with tempfile.TemporaryDirectory() as folder:
            flash_board(options.usb, settings, Path(folder), _mpremote())
        print(f"{settings['machine']}: the board at {options.usb} has its firmware and settings")
        return OK
    settings_files.write(path, settings)
    print(f"{path}: written; start it with fabcommons machine run {settings['machine']}")
    return OK


def _check(options: argparse.Namespace) -> None:
    """Raise CliError before a code is spent when an option is missing."""
    missing = "" if options.dialect else "--dialect marlin or --dialect grbl"
    if options.usb and not (options.pins and options.wifi and options.wifi_key_file):
        missing = missing or "--pins, --wifi and --wifi-key-file for a board"
    if not options.usb and not (options.serial or options.tcp):
        missing = missing or "--serial, --tcp or --usb"
    if missing:
        raise CliError(f"{missing} is needed (fabcommons machine detect finds out)", USAGE)


def _redeem(options: argparse.Namespace) -> dict[str, Any]:
    name, key = stretch(options.code)
    answer = Client(options.url).post("/api/enrol", {"name": name})
    try:
        return unseal(key, answer["sealed"])
    except BadCode as error:
        text = f"--code: {error}; is {options.url} really your site?"
        raise CliError(text, FAILED) from error


def complete(options: argparse.Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    """What the site told, completed by what is known where the machine is."""
    broker = settings["broker"]
    broker["host"] = broker["host"] or str(urlsplit(str(options.url)).hostname)
    port = f"tcp:{options.tcp}" if options.tcp else options.serial
    settings["serial"] = {"port": port or "uart", "baud": options.baud}
    settings["dialect"] = options.dialect
    settings["flash"] = str(options.folder / f"{settings['machine']}.flash")
    if options.usb:
        key = options.wifi_key_file.read_text().strip()
        settings["flash"] = "/fab"
        settings["pins"] = options.pins
        settings["wifi"] = {"ssid": options.wifi, "password": key}
        if options.update_key:
            settings["update"] = {"root": "", "key": options.update_key}
    return settings


def _mpremote() -> Run:
    program = shutil.which("mpremote", path=str(Path(sys.executable).parent))
    program = program or shutil.which("mpremote")
    if program is None:
        raise CliError("--usb: mpremote is not installed (make setup)", FAILED)

    def run(words: Sequence[str]) -> None:
        done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise CliError(f"mpremote {' '.join(words)}: {' '.join(said)}", FAILED)

    return run


def flash_board(port: str, settings: dict[str, Any], folder: Path, run: Run) -> None:
    """Put loader, slot a and settings onto a board, settings last; then restart it."""
    put_base(folder)
    put_slot(folder / "a")
    settings_files.write(folder / "config.json", settings)
    (folder / "config.json").write_text(json.dumps(settings))
    for name in ("a", "slots.py", "flash.py", "main.py", "config.json"):
        recursive = ["-r"] if (folder / name).is_dir() else []
        run(["connect", port, "fs", "cp", *recursive, str(folder / name), ":"])
    run(["connect", port, "reset"])

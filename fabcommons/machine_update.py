"""``fabcommons machine update``: have idle machines install a signed firmware release."""

from __future__ import annotations

import argparse
import secrets
import threading
from typing import Any

from fabcommons.client import FAILED, OK, Client, CliError
from fabcommons.options import add_common, command

_PAUSE_S = 1.0
_EXAMPLES = """\
A machine takes an update only when it is idle. It checks the signature, installs into the slot it
does not run from, restarts, and takes orders again after 60 s in which all was well. A release
that does not come up healthy in 3 starts is rolled back by the machine itself.

examples:
  fabcommons machine update --list
  fabcommons machine update printer-1                   the newest release
  fabcommons machine update printer-1 --version 0.2.0 --wait 300"""


def add(verbs: Any) -> None:
    """Add the verb to the command line."""
    update = command(
        verbs, "update", "install a signed firmware release on idle machines", _EXAMPLES
    )
    update.add_argument("machine", nargs="*", help="ids of machines")
    update.add_argument("--version", default="", help="release (default: the newest here)")
    update.add_argument("--list", action="store_true", help="releases here, newest first")
    update.add_argument("--wait", type=int, default=0, metavar="S", help="wait for the end so long")
    update.add_argument("--who", default="someone at the command line")
    add_common(update)
    update.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask each machine; 1 when one refuses or does not confirm in time."""
    client = Client(options.url)
    releases = client.get("/api/firmware")
    if options.list or not options.machine:
        for release in releases:
            print(f"{release['version']:10} {release['size']} B manifest")
        if not releases:
            print("no signed release here: see fabcommons firmware --help")
        return OK
    failed = 0
    for machine in options.machine:
        body = {"who": options.who, "version": options.version}
        try:
            answer = client.post(f"/api/machines/{machine}/update", body, secrets.token_hex(12))
            print(answer["message"])
        except CliError as error:
            print(f"{machine}: {error}")
            failed += 1
    wanted = options.version or (releases[0]["version"] if releases else "")
    if options.wait and not failed:
        failed = _wait(client, options.machine, wanted, options.wait)
    return FAILED if failed else OK


def _wait(client: Client, machines: list[str], version: str, limit_s: int) -> int:
    """Wait until every machine runs a version and takes orders; how many do not."""
    pause = threading.Event()
    missing = list(machines)
    for _ in range(int(limit_s / _PAUSE_S)):
        floor = {seen["id"]: seen for seen in client.get("/api/firmware/machines")}
        for machine in list(missing):
            seen = floor.get(machine, {})
            if seen.get("fw") == version and seen.get("state") != "maintenance":
                print(f"{machine} runs {version}")
                missing.remove(machine)
        if not missing:
            return 0
        pause.wait(_PAUSE_S)
    for machine in missing:
        print(f"{machine} does not run {version} after {limit_s} s: see its notices on the page")
    return len(missing)

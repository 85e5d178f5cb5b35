"""``fabcommons machine detect --url``: which program answers there, and its lines for site.yml."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from controller.adapters.hosts.contract import Kind, Lost, Refusal, Settings
from controller.adapters.hosts.registry import KINDS
from fabcommons.client import FAILED, OK, USAGE, CliError
from fabcommons.options import secret

ASKED = ("moonraker", "prusalink", "octoprint", "mtconnect")  # some answer as OctoPrint as well
LIMIT_S = 5.0


def add(parser: argparse.ArgumentParser, way: Any) -> None:
    """Add the options to ``machine detect``; ``--url`` is one of its ways."""
    way.add_argument("--url", help="Moonraker, OctoPrint, PrusaLink or an MTConnect agent")
    option = parser.add_argument
    option("--key-env", default="", help="with --url: variable that holds the API key")
    option("--user", default="", help="with --url: user of PrusaLink")
    option("--password-env", default="", help="with --url: variable that holds the password")


def run(options: argparse.Namespace) -> int:
    """Ask an address; 1 when nothing known answers."""
    if not options.url.startswith(("http://", "https://")):
        raise CliError(f"--url {options.url}: must begin with http:// or https://", USAGE)
    known = Settings(
        url=options.url,
        key=secret("--key-env", options.key_env),
        user=options.user,
        password=secret("--password-env", options.password_env),
        timeout_s=LIMIT_S,
    )
    reasons: dict[str, str] = {}
    for link in ASKED:
        print(f"asks for {KINDS[link].about}", file=sys.stderr, flush=True)
        try:
            found = ask(KINDS[link], known)
        except (Lost, Refusal) as error:
            reasons[link] = str(error)
            if getattr(error, "barred", False):
                reasons[link] += "; name its variable with --key-env or --password-env"
            continue
        proposal = {"software": found["software"], "site": entry(link, options, found["kind"])}
        print(json.dumps(proposal, indent=2) if options.json else words(options.url, proposal))
        return OK
    for link, why in reasons.items():
        print(f"not {KINDS[link].about}: {why}", file=sys.stderr)
    return FAILED


def ask(kind: Kind, settings: Settings) -> dict[str, Any]:
    """What a program says of itself; raise Lost or Refusal when it is not there."""
    adapter = kind.open(settings)
    try:
        seen = adapter.look("")
    finally:
        adapter.close()
    mills = kind.suffix != ".gcode"
    return {"software": seen.software, "kind": "mill" if mills else "printer"}


def entry(link: str, options: argparse.Namespace, kind: str) -> dict[str, str]:
    """The machine's entry in the site file."""
    found = {"id": f"{kind}-1", "kind": kind, "link": link, "url": options.url}
    for name in ("key_env", "user", "password_env"):
        if getattr(options, name):
            found[name] = getattr(options, name)
    return found


def words(url: str, proposal: dict[str, Any]) -> str:
    """A proposal for people."""
    fields = [f"    {name}: {json.dumps(text)}" for name, text in proposal["site"].items()]
    fields[0] = "  - " + fields[0].strip()
    open_lines = [
        "    capability:",
        "      # nozzle_um: 400",
        "      # volume_um: [X, Y, Z]   (um)",
    ]
    if proposal["site"]["kind"] == "mill":
        open_lines[1] = "      # tool_um: 3000"
    head = f"{url}: {proposal['software']}"
    note = "site.yml, where the site is (choose the id; # is for you to fill in):"
    return "\n".join([head, "", note, "machines:", *fields, *open_lines])

"""``fabcommons community``: communities of a site, and the members they admit."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from fabcommons.client import OK, USAGE, Client, CliError
from fabcommons.options import add_common, add_token, command, show, token_of
from fabcommons.tables import table

_EXAMPLES = """\
examples:
  fabcommons community list
  fabcommons community put north --name "North Workshop" --members 120
  fabcommons community admit north --count 20 --out tokens.json    one token each, shown once
  fabcommons community admit north --steward --out steward.json    may attest urgent needs
  fabcommons community leave --token-file my-token"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    community = command(commands, "community", "communities, and the members they admit", _EXAMPLES)
    verbs = community.add_subparsers(metavar="VERB", required=True)
    lister = verbs.add_parser("list", help="communities, their part, what they owe")
    lister.set_defaults(run=run_list)
    putter = verbs.add_parser("put", help="add a community or change it")
    putter.add_argument("community", help="its id")
    putter.add_argument("--name", required=True)
    putter.add_argument("--members", type=int, required=True, help="how many people it counts")
    putter.add_argument("--weight", type=int, help="agreed need weight (default: its members)")
    putter.set_defaults(run=run_put)
    admitter = verbs.add_parser("admit", help="new members with their tokens")
    admitter.add_argument("community", help="its id")
    admitter.add_argument("--count", type=int, default=1)
    admitter.add_argument("--steward", action="store_true", help="on duty for urgent needs")
    admitter.add_argument("--out", type=Path, required=True, help="new file for the tokens")
    admitter.set_defaults(run=run_admit)
    leaver = verbs.add_parser("leave", help="a member leaves; their token ends")
    add_token(leaver)
    leaver.set_defaults(run=run_leave)
    for parser in (lister, putter, admitter, leaver):
        add_common(parser)


def run_list(options: argparse.Namespace) -> int:
    """Print the communities."""
    return show(options, Client(options.url).get("/api/communities"), _communities)


def run_put(options: argparse.Namespace) -> int:
    """Add a community or change it."""
    body = {"id": options.community, "name": options.name, "members": options.members}
    if options.weight is not None:
        body["need_weight"] = options.weight
    answer = Client(options.url).post("/api/communities", body)
    return show(options, {answer["id"]: answer}, _communities)


def run_admit(options: argparse.Namespace) -> int:
    """Admit members and write their tokens into a file that only its owner can read."""
    try:
        handle = os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CliError(f"{options.out}: {error.strerror}", USAGE) from error
    try:
        with os.fdopen(handle, "w") as file:
            body = {"count": options.count, "steward": options.steward}
            client = Client(options.url)
            admitted = client.post(f"/api/communities/{options.community}/members", body)
            json.dump(admitted, file, indent=2)
    except CliError:
        options.out.unlink()
        raise
    print(f"{len(admitted)} members admitted; their tokens are in {options.out}, nowhere else")
    return OK


def run_leave(options: argparse.Namespace) -> int:
    """End a membership."""
    answer = Client(options.url, token_of(options)).post("/api/members/leave", {})
    return show(options, {answer["id"]: answer}, _communities)


def _communities(found: dict[str, Any]) -> str:
    rows = [
        (
            key,
            c["name"],
            c["members"],
            c["need_weight"],
            f"{c['part_ppm'] / 10_000:.1f} %",
            c["admitted"],
            c["stewards"],
            ", ".join(f"{amount} {r}" for r, amount in sorted(c["debits"].items())) or "-",
        )
        for key, c in sorted(found.items())
    ]
    head = ("community", "name", "members", "weight", "part", "admitted", "stewards", "owes")
    return table(head, rows) if rows else "no communities"

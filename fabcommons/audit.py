"""``fabcommons audit``: who did what, when, from where, and what came of it."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fabcommons.account import opened
from fabcommons.client import OK
from fabcommons.options import command

_EXAMPLES = """\
examples:
  fabcommons audit site.yml                    the last 50 lines, newest first
  fabcommons audit site.yml --who anna         of one account
  fabcommons audit site.yml --before 1200      older ones"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    audit = command(commands, "audit", "who did what, when, from where", _EXAMPLES)
    audit.add_argument("settings", type=Path, help="site.yml")
    audit.add_argument("--who", default="", help="only of this account")
    audit.add_argument("--before", type=int, default=0, help="only lines before this number")
    audit.add_argument("--limit", type=int, default=50)
    audit.add_argument("--json", action="store_true", help="print JSON for programs")
    audit.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print lines of the audit log, newest first."""
    with opened(options.settings) as store, store.read() as tx:
        lines = tx.people.audit_page(max(1, options.limit), options.before, options.who)
    if options.json:
        print(json.dumps([asdict(line) for line in lines]))
        return OK
    for line in lines:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(line.at / 1000))
        where = line.address or "-"
        print(
            f"{line.id:6}  {when}Z  {line.outcome:4}  {line.who} ({line.how}, {where})  {line.what}"
        )
    return OK

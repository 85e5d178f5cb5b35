"""``fabcommons ledger``: the economic events, what every lot holds."""

from __future__ import annotations

import argparse
from typing import Any
from urllib.parse import urlencode

from fabcommons import ledger_files
from fabcommons.client import Client
from fabcommons.options import add_common, command, show
from fabcommons.tables import grams, moment, table

_EXAMPLES = """\
examples:
  fabcommons ledger                    the newest 40 economic events
  fabcommons ledger --need NEED        everything one need took and gave
  fabcommons ledger --lots             what every lot holds
  fabcommons ledger export --out ledger.jsonld     ValueFlows 1.0.0 as JSON-LD
  fabcommons ledger check ledger.jsonld            what breaks its vocabulary"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    ledger = command(commands, "ledger", "economic events and what every lot holds", _EXAMPLES)
    ledger.add_argument("--need", default="", help="only events of this need")
    ledger.add_argument("--order", default="", help="only events of this job order")
    ledger.add_argument("--limit", type=int, default=40)
    ledger.add_argument("--lots", action="store_true", help="lots instead of events")
    add_common(ledger)
    ledger.set_defaults(run=run)
    ledger_files.add(ledger.add_subparsers(metavar="VERB", required=False))


def run(options: argparse.Namespace) -> int:
    """Print events or lots."""
    client = Client(options.url)
    if options.lots:
        return show(options, client.get("/api/lots"), _lots)
    query = {"need": options.need, "order": options.order, "limit": options.limit}
    return show(options, client.get(f"/api/ledger?{urlencode(query)}"), _events)


def _lots(lots: dict[str, Any]) -> str:
    rows = [
        (
            key,
            lot["kind"],
            lot["material"],
            grams(lot["mass_mg"]),
            lot.get("pieces", ""),
            f"{lot['machine']} channel {lot.get('ch', 0)}" if "machine" in lot else "",
        )
        for key, lot in sorted(lots.items())
    ]
    return (
        table(("lot", "kind", "material", "mass", "pieces", "where"), rows) if rows else "no lots"
    )


def _events(events: list[dict[str, Any]]) -> str:
    rows = [
        (
            event["id"],
            moment(event["happened_at"]),
            event["action"],
            event.get("lot", ""),
            grams(event["mass_mg"]) if "mass_mg" in event else "",
            event.get("pieces", ""),
            event["measure"],
            event.get("order", ""),
            event.get("note", ""),
        )
        for event in events
    ]
    head = ("event", "happened", "action", "lot", "mass", "pieces", "measure", "order", "note")
    return table(head, rows) if rows else "no economic events"

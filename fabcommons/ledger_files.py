"""``fabcommons ledger export`` and ``check``: the ledger as a JSON-LD file in ValueFlows 1.0.0."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from controller.ledger.conformance import Unreadable, breaches, triples
from fabcommons.client import FAILED, OK, USAGE, Client, CliError
from fabcommons.options import add_common

PAGE = 2000
SHOWN = 40


def add(verbs: Any) -> None:
    """Add the verbs to the ``ledger`` command."""
    exporter = verbs.add_parser("export", help="the whole ledger as JSON-LD (ValueFlows 1.0.0)")
    exporter.add_argument("--out", type=Path, help="file to write (default: standard output)")
    add_common(exporter)
    exporter.set_defaults(run=run_export)
    checker = verbs.add_parser("check", help="what breaks the vocabulary in an exported file")
    checker.add_argument("file", type=Path, help="a JSON-LD file of `ledger export`")
    checker.add_argument("--json", action="store_true", help="print JSON for programs")
    checker.set_defaults(run=run_check)


def run_export(options: argparse.Namespace) -> int:
    """Write every economic event and all they name as one document."""
    document = collect(Client(options.url))
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if options.out is None:
        print(text, end="")
        return OK
    try:
        options.out.write_text(text)
    except OSError as error:
        raise CliError(f"{options.out}: {error.strerror}", USAGE) from error
    events = sum("action" in n and n["type"] == "EconomicEvent" for n in document["@graph"])
    print(f"{events} economic events, {len(document['@graph'])} nodes in {options.out}")
    return OK


def collect(client: Client) -> dict[str, Any]:
    """The pages of the ledger joined; a node that is on several is kept once, as told last."""
    nodes: dict[str, dict[str, Any]] = {}
    context: Any = None
    after = 0
    while True:
        page = client.get(f"/api/ledger.jsonld?after={after}&limit={PAGE}")
        context = page["@context"]
        events = [n for n in page["@graph"] if n["type"] == "EconomicEvent" and "action" in n]
        for node in page["@graph"]:
            if len(node) > 2 or node["id"] not in nodes:  # a corrected event is named bare
                nodes[node["id"]] = node
        if not events:
            return {"@context": context, "@graph": list(nodes.values())}
        after = max(int(node["id"].rpartition(":")[2]) for node in events)


def run_check(options: argparse.Namespace) -> int:
    """Print every breach of ValueFlows' domains and ranges; exit code 0 only without any."""
    try:
        document = json.loads(options.file.read_bytes())
    except OSError as error:
        raise CliError(f"{options.file}: {error.strerror}", USAGE) from error
    except (ValueError, RecursionError) as error:
        raise CliError(f"{options.file}: is no JSON: {error}", USAGE) from error
    try:
        found = breaches(triples(document))
    except Unreadable as error:
        raise CliError(f"{options.file}: {error}", FAILED) from error
    if options.json:
        print(json.dumps(found))
    elif found:
        more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        print("\n".join([*found[:SHOWN], *more]))
    else:
        print(f"conformant: {len(document['@graph'])} nodes, no domain or range is broken")
    return FAILED if found else OK

"""verify_file: everything that is wrong with a published round, in words; nothing means correct.

Checked: the inputs' hash; the ballots and .pb files against the inputs; stage 0 and stage 2 by
doing them again; every payment of stage 1 exactly, in one step per approval and resource; that
each purchase was the cheapest, and that nothing more could be paid; what the next round starts
from; that every need has the decision the certificate gives it; and, in an addendum beside it,
what reserve released in mid-round gave.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.rounds_verify import addendum
from controller.rounds_verify.ballots import check_ballots
from controller.rounds_verify.files import check_files
from controller.rounds_verify.payments import Replay, check_purchases
from controller.rounds_verify.reading import (
    FORMAT,
    Certified,
    Finding,
    Malformed,
    Stated,
    get,
    read_certified,
    read_stated,
    rows,
    table,
    text,
)
from controller.rounds_verify.sharing import (
    check_carried,
    check_decisions,
    check_floor,
    check_spill,
)


def verify_file(path: Path, inputs_sha256: str | None = None) -> list[Finding]:
    """Findings about a round.json and the .pb files beside it.

    `inputs_sha256` is the hash made public when the ballot closed, if you have it: with it, nobody
    can have changed needs, capacities or ballots since.
    """
    try:
        value = table(json.loads(path.read_bytes()), "document")
        names = [
            text(get(table(row, "pb"), "file", "pb"), "pb.file")
            for row in rows(get(value, "pb", "document"), "pb")
        ]
        if "ballots" in value:
            names.append(text(get(table(value["ballots"], "ballots"), "file", "ballots"), "file"))
    except (OSError, ValueError, RecursionError) as error:
        return [Finding("unreadable", str(path), str(error))]
    except Malformed as error:
        return [error.finding]
    files: dict[str, bytes] = {}
    for name in names:
        if name == Path(name).name and (path.parent / name).is_file():
            files[name] = (path.parent / name).read_bytes()
    found = verify_round(value, files, inputs_sha256)
    return found or _check_addendum(value, path.parent / addendum.NAME)


def _check_addendum(value: dict[str, Any], path: Path) -> list[Finding]:
    """Findings about what was released in mid-round, where it was."""
    if not path.is_file():
        return []
    try:
        return addendum.verify_addendum(value, json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        return [Finding("unreadable", str(path), str(error))]


def verify_round(
    value: dict[str, Any], files: Mapping[str, bytes], inputs_sha256: str | None = None
) -> list[Finding]:
    """Findings about a parsed round.json and its .pb files by name."""
    try:
        if get(value, "format", "document") != FORMAT:
            raise Malformed("format", f"is not {FORMAT}")
        stated = read_stated(get(value, "inputs", "document"))
        certified = read_certified(value, stated)
        found = _check_hash(value, inputs_sha256)
        found += check_files(value, stated, certified, files)
        found += check_ballots(value, files)
        return found + _check_stages(stated, certified)
    except Malformed as error:
        return [error.finding]


def _check_hash(value: dict[str, Any], published: str | None) -> list[Finding]:
    options: dict[str, Any] = {"sort_keys": True, "ensure_ascii": False}
    content = json.dumps(value["inputs"], separators=(",", ":"), **options).encode()
    digest = hashlib.sha256(content).hexdigest()
    found: list[Finding] = []
    if value.get("inputs_sha256") != digest:
        found.append(Finding("hash", "inputs_sha256", f"the inputs have {digest}"))
    if published is not None and published.lower() != digest:
        found.append(Finding("hash", "inputs", "are not the inputs made public before"))
    return found


def _check_stages(stated: Stated, certified: Certified) -> list[Finding]:
    found, shared = check_floor(stated, certified)
    if found:
        return found
    replay = Replay(stated, shared, certified.purchases, set(certified.floor))
    found = check_purchases(replay, certified) or check_spill(replay, certified)
    found = found or check_carried(replay, certified)
    return found or check_decisions(replay, certified)

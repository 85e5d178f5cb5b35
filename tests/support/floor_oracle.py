"""What must hold after a round on real processes: the books against machines, flashes, keys.

``fabcommons.verdict`` compares orders and ledger with what the simulated machines physically did.
Here its sentences are sorted under the headings of the campaign, and the reports are compared: what
is whole on a machine's flash, and every number up to it, must be in the store, once, as it was.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabcommons.verdict import Rows, findings
from firmware.segment import body_of, split_event
from support.chaos_oracle import KINDS

_RAN = re.compile(r"physically ran (\d+) programs.* for (\d+) started orders")


@dataclass
class Flash:
    """A machine's journal as a power cut would find it: what is whole, and its last number."""

    jid: str = ""
    hi: int = 0
    events: dict[int, bytes] = field(default_factory=dict[int, bytes])


def flash_of(folder: Path) -> Flash:
    """Read the journal on a machine's flash; a torn line ends its segment."""
    found = Flash()
    for path in sorted(folder.glob("j-*.log")):
        try:
            lines = path.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:  # trimmed meanwhile
            continue
        for line in lines:
            body = body_of(line)
            if body is None:
                break
            _fold(found, body)
    return found


def _fold(found: Flash, body: bytes) -> None:
    if body[:2] == b"S ":
        said = json.loads(body[2:])
        if said["jid"] != found.jid:
            found.events = {}
        found.jid, found.hi = said["jid"], said["s"]
        found.events = {s: e for s, e in found.events.items() if s <= found.hi}  # disowned above
    elif body[:2] == b"E ":
        s, event, _ = split_event(body)
        found.hi, found.events[s] = s, event


@dataclass
class Found:
    """Sentences by heading, and figures of a round."""

    words: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    figures: Counter[str] = field(default_factory=Counter[str])

    def add(self, kind: str, text: str) -> None:
        self.words[kind].append(text)

    def all(self) -> list[str]:
        return [f"{kind}: {text}" for kind, texts in self.words.items() for text in texts]


def judge(rows: Rows, truths: Mapping[str, Any], found: Found) -> None:
    """Orders, starts, needs and grams."""
    for text in findings(rows, truths):
        found.add(_heading(text), text)
    good = Counter(order.operation for order in rows.orders if order.result == "good")
    for operation, times in good.items():
        if times > 1:
            found.add("lost or doubled reports", f"{operation} is good {times} times")
    figures = found.figures
    figures["job orders"] += sum(order.machine in truths for order in rows.orders)
    figures["physical starts"] += sum(map(_starts, truths.values()))
    figures["needs"] += len(rows.needs)


def _starts(truth: Mapping[str, Any]) -> int:
    return len(truth["programs"]) if "programs" in truth else int(truth["programs_ended"])


def _heading(text: str) -> str:
    ran = _RAN.search(text)
    if ran is not None:
        return "double starts" if int(ran[1]) > int(ran[2]) else "lost orders"
    if text.startswith(("need ", "job order ")):
        return "lost orders"
    return "grams unaccounted" if "ledger" in text else "other"


def judge_reports(tx: Any, flashes: Mapping[str, Flash], found: Found) -> None:
    """Every event of each machine's journal, in the inbox once and as it was written."""
    for machine, flash in sorted(flashes.items()):
        row = tx.machines.get(machine)
        if row is None or (row.jid, row.acked_s) != (flash.jid, flash.hi):
            at = "nothing" if row is None else f"{row.jid}/{row.acked_s}"
            text = f"{machine} wrote {flash.jid}/{flash.hi}, {at} is committed"
            found.add("lost or doubled reports", text)
        for s in range(1, flash.hi + 1):
            kept = tx.inbox.sha(machine, flash.jid, s)
            event = flash.events.get(s)
            found.figures["reports"] += 1
            if kept is None:
                found.add("lost or doubled reports", f"{machine}: event {s} is not in the inbox")
            elif event is not None and kept != hashlib.sha256(event).hexdigest():
                found.add("lost or doubled reports", f"{machine}: event {s} differs")


def judge_keys(rows: Rows, stated: Iterable[str], found: Found) -> None:
    """Each need that was accepted is there, once; and none that nobody stated."""
    keys = Counter(need.key.partition("/")[0] for need in rows.needs)
    for key in sorted({*keys, *stated}):
        if keys[key] != 1:
            found.add("lost orders", f"the need {key} is there {keys[key]} times")

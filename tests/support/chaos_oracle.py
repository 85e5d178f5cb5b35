"""What must hold at the end of a campaign: the controller's books against what machines did.

Pure but for reading the store. Every finding is a sentence under one of the headings of ``KINDS``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from controller.ledger.balance import check
from controller.ledger.discrepancies import IDENTITY
from protocols.orders import FINAL
from support.chaos_board import Board
from support.chaos_people import drawn_mg, ledger_mg, lot_of

KINDS = ("double starts", "lost orders", "lost or doubled reports", "grams unaccounted", "guesses",
         "full beds", "other")  # fmt: skip


@dataclass
class Findings:
    """Sentences by heading, and figures."""

    words: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    figures: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, text: str) -> None:
        self.words[kind].append(text)

    def all(self) -> list[str]:
        return [f"{kind}: {text}" for kind, texts in self.words.items() for text in texts]


@dataclass
class Starts:
    """Physical starts as they happen."""

    findings: Findings
    by_ep: dict[int, list[str]] = field(default_factory=dict)
    operation_of: dict[str, str] = field(default_factory=dict)
    at_work: dict[str, Any] = field(default_factory=dict)  # operation: iron last at it

    def began(self, iron: Any, run: Any) -> None:
        places = self.by_ep.setdefault(run.ep, [])
        places.append(iron.name)
        self.findings.figures["physical starts"] += 1
        if len(places) > 1:
            self.findings.add("double starts", f"epoch {run.ep} began on {places}")
        if iron.bed is not None:
            left = iron.bed.order
            self.findings.add("full beds", f"{run.order} began on {iron.name} over {left}")


def judge(tx: Any, boards: dict[str, Board], world: Any) -> None:
    """Compare; adds to ``world.findings``."""
    found: Findings = world.findings
    orders = tx.orders.all()
    found.figures["job orders"] += len(orders)
    for order in orders:
        found.figures[f"orders {order.state}"] += 1
    _orders(found, orders, world)
    _needs(found, tx)
    _reports(found, tx, boards, world)
    for board in boards.values():
        _mass(found, tx, board)
    distrusted = world.people.counts.get("released from quarantine", 0)
    if distrusted and not world.identities:
        text = f"{distrusted} times a journal contradicted what was heard from it"
        found.add("lost or doubled reports", text)
    for text in map(str, check(tx)):
        found.add("grams unaccounted", f"the ledger does not balance: {text}")
    for letter in tx.dead.page(10_000):
        found.figures[f"letters {letter.code}"] += 1


def _orders(found: Findings, orders: list[Any], world: Any) -> None:
    runs = {run.ep: run for board in world.irons for run in board.runs}
    for order in orders:
        run = runs.pop(order.ep, None)
        if order.state not in FINAL:
            found.add("lost orders", f"{order.id} on {order.machine} is still {order.state}")
        if run is None and order.state == "SUCCEEDED":
            found.add("lost orders", f"{order.id} succeeded and never moved anything")
        if run is not None:
            _guess(found, order, run)
    if not world.restored:
        for run in runs.values():
            found.add("lost orders", f"{run.order} moved a machine and is not in the store")


def _guess(found: Findings, order: Any, run: Any) -> None:
    """What a machine or the controller said of an order that physically ran, without a person."""
    if order.state == "WITHDRAWN":
        found.add("guesses", f"{order.id} was withdrawn and physically started")
    if order.state == "SUCCEEDED" and not run.whole:
        found.add("guesses", f"{order.id} succeeded, only {run.lines} lines were executed")


def _needs(found: Findings, tx: Any) -> None:
    good = Counter(o.operation for o in tx.orders.all() if o.result == "good")
    for need in tx.needs.all():
        found.figures[f"needs {need.state}"] += 1
        if need.state not in ("delivered", "withdrawn"):
            found.add("lost orders", f"need {need.id} is {need.state}: {need.reason}")
        for operation in tx.operations.of_need(need.id):
            if operation.state == "done" and good[operation.id] != 1:
                times = good[operation.id]
                found.add("lost or doubled reports", f"{operation.id} is good {times} times")


def _reports(found: Findings, tx: Any, boards: dict[str, Board], world: Any) -> None:
    for name, events in world.durable.items():
        board = boards[name]
        life = board.life
        jid = life.app.journal.jid if life is not None else ""
        for (of, s), body in sorted(events.items()):
            if of != jid or (name, (of, s)) in world.forgiven:
                continue  # of a flash that was destroyed, or by a store that was taken back
            kept = tx.inbox.sha(name, of, s)
            found.figures["reports"] += 1
            if kept is None:
                found.add("lost or doubled reports", f"{name}: event {of}/{s} is not in the inbox")
            elif kept != hashlib.sha256(body).hexdigest() and asked_of(tx, name):
                found.figures["reports a person was asked for"] += 1
            elif kept != hashlib.sha256(body).hexdigest():
                found.add("lost or doubled reports", f"{name}: event {of}/{s} differs")
        if life is not None and life.app.journal.acked != life.app.journal.hi:
            found.add("lost or doubled reports", f"{name}: not everything is acknowledged")


def asks_scale(tx: Any, machine: str) -> bool:
    """Whether a doubt about who drew from a machine's lot is open: people were told to weigh it."""
    kind = IDENTITY + lot_of(machine)
    return any(one.kind == kind for one in tx.ledger.discrepancies())


def asked_of(tx: Any, machine: str) -> bool:
    """Whether people were told that what is said under a name contradicts."""
    told = (f"{machine} is in quarantine", machine)
    notices = tx.notice_room.since(0, 20_000)
    return any((n.text.partition(":")[0], n.subject) == told for n in notices)


def _mass(found: Findings, tx: Any, board: Board) -> None:
    ledger, uncertain = ledger_mg(tx, board.name)
    drawn, before_drawn = drawn_mg(board), board.ref[0]
    off = (ledger - board.ref[1]) - (drawn - before_drawn)
    declared = uncertain - board.ref[2]
    found.figures["mg drawn"] += drawn
    found.figures["mg in the ledger"] += ledger
    found.figures["mg declared uncertain"] += uncertain
    slack = 1 if board.ref[0] else 0  # two roundings down
    slack += sum(iron.name == board.name for iron in board.floor.irons) - 1
    if asks_scale(tx, board.name):
        found.figures["mg a person was asked for"] += abs(off)
    elif not -slack <= off <= declared + slack:
        found.add(
            "grams unaccounted",
            f"{board.name} drew {drawn - before_drawn} mg, the ledger says "
            f"{ledger - board.ref[1]} mg, {declared} mg of it uncertain",
        )

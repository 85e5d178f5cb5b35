"""People of the campaign: they see pages and machines, and do what the pages ask. Never a guess.

A person looks at the machine before saying anything about it: whether it moves, whether its display
says that it holds an order, and what lies on its bed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controller import execution, resources
from controller.app import Site
from controller.commands import Asker
from controller.values import JobOrder, Machine, Refused
from support.chaos_board import Board
from support.chaos_desk import Away, Desk

WHO = "simulated technician"
DOUBT_MS = 300_000
UG_PER_M = 3_054_738
PIECE_MG = 38_000
SPOOL_MG = 2_000_000_000


def drawn_mg(board: Board) -> int:
    """What the boards of a name really drew of its lot, all of them together."""
    irons = [iron for iron in board.floor.irons if iron.name == board.name]
    if board.kind == "mill":
        return sum(iron.pieces for iron in irons) * PIECE_MG
    return sum(iron.high_nm * UG_PER_M // 1_000_000_000_000 for iron in irons)


@dataclass
class Seen:
    """What the pages show at one look."""

    machines: dict[str, Machine]
    open: dict[str, JobOrder]
    unsettled: dict[str, JobOrder]
    held: list[str]


class People:
    """``look`` does what is due; ``verdicts`` is what was said of each epoch's part."""

    def __init__(self, desk: Desk, boards: dict[str, Board], now: Callable[[], float]) -> None:
        self._desk, self._boards, self._now = desk, boards, now
        self.clones: list[Board] = []
        self.verdicts: dict[int, bool] = {}
        self.counts: dict[str, int] = {}
        self._since: dict[str, float] = {}

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def look(self) -> None:
        """Go round once."""
        try:
            seen = self._desk.ask(_see)
        except Away:
            return
        for name, board in self._boards.items():
            if name in seen.machines:
                try:
                    self._attend(board, seen.machines[name], seen)
                except Refused as refused:
                    self._count(f"refused: {refused.code}")
                except Away:
                    self._count("no answer")
        for operation in seen.held:
            self._try(lambda site, o=operation: site.submit(lambda tx: _retry(tx, o)))

    def _try(self, verb: Callable[[Site], Any]) -> None:
        try:
            self._desk.ask(verb)
        except (Away, Refused):
            self._count("no answer")

    def _attend(self, board: Board, row: Machine, seen: Seen) -> None:
        order = seen.open.get(board.name)
        if row.quarantine:
            self._release(board, row)
        elif order is not None and order.state in ("UNKNOWN", "IN_DOUBT"):
            self._resolve(board, order)
        elif order is not None and order.state == "PAUSED":
            self._desk.ask(lambda site: site.command(board.name, "resume", Asker(WHO)))
        elif order is None or order.state == "OFFERED":
            self._clear(board, row, seen.unsettled.get(board.name))
        if board.weigh_me:
            self._weigh(board, row)

    # what lies on a machine --------------------------------------------------------------------
    def _busy(self, board: Board, ep: int = 0) -> bool:
        """Whether it moves, or its display says that it holds an order (``ep``, any if 0)."""
        held = board.order()
        return board.iron.moving() or (held is not None and ep in (0, held["ep"]))

    def _judge(self, board: Board, ep: int) -> bool:
        """Look at the bed, take off what lies there; whether the part of an epoch is good."""
        bed = board.iron.bed
        if bed is not None and bed.ep == ep:
            self.verdicts.setdefault(ep, bed.whole)
        board.iron.bed = None
        return self.verdicts.setdefault(ep, False)

    def _clear(self, board: Board, row: Machine, unsettled: JobOrder | None) -> None:
        if board.life is None or row.state in ("off", "busy", "paused"):
            return
        faulty = row.state in ("fault", "stopped") or bool(board.iron.halted)
        if self._busy(board) or (row.ready and unsettled is None and not faulty):
            return
        board.iron.halted = ""
        good = self._judge(board, unsettled.ep if unsettled is not None else 0)
        self._confirm(board, "good" if good and unsettled is not None else "bad")

    def _confirm(self, board: Board, result: str) -> None:
        pieces = None if result == "good" else 0
        self._desk.ask(lambda site: site.confirm_clear(board.name, result, pieces, Asker(WHO)))

    def _resolve(self, board: Board, order: JobOrder) -> None:
        since = self._since.setdefault(order.id, self._now())
        if board.life is None or self._busy(board, order.ep):
            return
        if order.state == "IN_DOUBT" and self._now() - since < DOUBT_MS:
            return
        self._count(f"asked: {order.state}")
        good = self._judge(board, order.ep)
        board.iron.halted = ""
        try:
            self._confirm(board, "good" if good else "bad")
        except Refused:
            result = "good" if good else "bad"
            self._desk.ask(lambda site: site.resolve(order.id, result, WHO))

    # machines that are not trusted -------------------------------------------------------------
    def _release(self, board: Board, row: Machine) -> None:
        """Find the second board and take it away; a journal that contradicts is begun anew."""
        if board.life is None or self._busy(board):
            return
        for clone in [c for c in self.clones if c.name == board.name and not c.gone]:
            clone.gone = True
            clone.cut(iron_too=True, off_ms=1e12)
        if "two boards" not in row.quarantine:
            self.replace_flash(board)
        self._count("released from quarantine")
        self._desk.ask(
            lambda site: site.submit(lambda tx: execution.release_machine(tx, board.name, WHO))
        )
        board.weigh_me = True

    def replace_flash(self, board: Board) -> None:
        """A new board is put in: blank flash, the filament pushed to the nozzle by hand."""
        board.cut(iron_too=True, off_ms=5000)
        board.flash = board.floor.new_flash()
        board.iron.net_nm = board.iron.high_nm
        board.weigh_me = True

    def _weigh(self, board: Board, row: Machine) -> None:
        """Put the lot on the scale once nothing about it is under way."""
        if not board.quiet() or row.quarantine:
            return
        drawn, lot = drawn_mg(board), lot_of(board.name)
        life = board.life
        assert life is not None
        if (row.jid, row.acked_s) != (life.app.journal.jid, life.app.journal.hi):
            return
        key = f"weigh-{board.name}-{int(self._now())}"

        def weigh(site: Site) -> tuple[int, int, bool]:
            site.submit(lambda tx: resources.weigh(tx, lot, SPOOL_MG - drawn, WHO, key))
            with site.read() as tx:
                doubts = [one.lot for one in tx.ledger.discrepancies()]
                return (*ledger_mg(tx, board.name), lot in doubts)

        ledger, uncertain, doubted = self._desk.ask(weigh)
        board.ref = (drawn, ledger, uncertain)
        board.weigh_me = doubted and not board.floor.calm  # again, once it reported
        self._count("weighed")


def lot_of(machine: str) -> str:
    """The lot that is loaded in a machine."""
    return f"lot-{machine}"


def ledger_mg(tx: Any, machine: str) -> tuple[int, int]:
    """What the ledger says a machine drew of its lot, and how much of it is uncertain."""
    lines = [
        e for e in tx.ledger.all()
        if e.action == "consume" and e.lot == lot_of(machine) and e.provider == machine
    ]  # fmt: skip
    uncertain = sum(e.mass_mg for e in lines if e.measure == "uncertain")
    return sum(e.mass_mg for e in lines), uncertain


def _see(site: Site) -> Seen:
    with site.read() as tx:
        return Seen(
            {m.id: m for m in tx.machines.all()},
            {o.machine: o for o in tx.orders.open()},
            {o.machine: o for o in reversed(tx.orders.unsettled())},
            [op.id for op in tx.operations.in_state("held")],
        )


def _retry(tx: Any, operation: str) -> None:
    found = tx.operations.get(operation)
    if found is not None and found.state == "held":
        execution.retry(tx, operation, WHO)

"""Genealogy and bills of materials, read from ledger lines: what went into what, and where it is.

A part's lot was produced by job orders that consumed other lots; those that are parts were produced
in turn, down to spools and plates. Shares go by pieces, as the ledger took them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.routed import Numbered, SignOff
from controller.values import STOCK_KINDS, EconomicEvent, Lot, Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx

MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Line:
    """One lot in a part's making, ``depth`` steps before it: mass of it, the order that took it."""

    depth: int
    lot: str
    material: str
    kind: str
    mass_mg: int
    pieces: int
    order: str
    machine: str
    step: str


@dataclass(frozen=True, slots=True)
class PartHistory:
    """A numbered part: every lot that went into it, and what people found on the way."""

    part: Numbered
    lines: tuple[Line, ...]
    signed: tuple[SignOff, ...]

    def stock(self) -> dict[str, int]:
        """Mass by lot of stock that went in, mg; scrap on the way included."""
        found: dict[str, int] = {}
        for line in self.lines:
            if line.kind in STOCK_KINDS:
                found[line.lot] = found.get(line.lot, 0) + line.mass_mg
        return found


@dataclass(frozen=True, slots=True)
class BomLine:
    """One material of a need: what went in, mg, and what of it is scrap."""

    material: str
    kind: str
    measured_mg: int = 0
    uncertain_mg: int = 0
    counted_mg: int = 0
    pieces: int = 0
    scrap_mg: int = 0
    lots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bom:
    """Bill of materials of a need with its mass balance, mg: in = out + what is still there.

    ``from_others_mg``: parts made for other needs (a shared plate); ``to_others_mg``: given.
    """

    lines: tuple[BomLine, ...]
    in_mg: int
    from_others_mg: int
    scrap_mg: int
    delivered_mg: int
    to_others_mg: int
    lying_mg: int
    in_work_mg: int

    @property
    def off_mg(self) -> int:
        """What the balance is off; 0 on a sound ledger."""
        out = self.scrap_mg + self.delivered_mg + self.to_others_mg + self.lying_mg
        return self.in_mg + self.from_others_mg - out - self.in_work_mg


def history(tx: "Tx", part: Numbered) -> PartHistory:
    """Everything that went into a numbered part."""
    lines: list[Line] = []
    operations: dict[str, Operation] = {}
    _trace(tx, (part.lot, 0), lines, operations)
    signed = [sign for name in operations for sign in tx.routes.signed_of(name)]
    return PartHistory(part, tuple(lines), tuple(sorted(signed, key=lambda s: s.at)))


def _trace(
    tx: "Tx", at: tuple[str, int], lines: list[Line], operations: dict[str, Operation]
) -> None:
    lot, depth = at
    operation = tx.operations.get(lot.removeprefix("p-"))
    if operation is None or operation.id in operations or depth > MAX_DEPTH:
        return
    operations[operation.id] = operation
    for order in tx.orders.of_operation(operation.id):
        for event in tx.ledger.of_order(order.id):
            if event.action != "consume" or event.lot is None:
                continue
            taken = tx.lots.get(event.lot)
            if taken is not None:
                lines.append(_line(depth + 1, taken, event, operation))
                if taken.kind == "part":
                    _trace(tx, (taken.id, depth + 1), lines, operations)


def _line(depth: int, lot: Lot, event: EconomicEvent, operation: Operation) -> Line:
    return Line(
        depth,
        lot.id,
        lot.material,
        lot.kind,
        event.mass_mg,
        event.pieces,
        event.order_id or "",
        event.provider,
        operation.step,
    )


def bom(tx: "Tx", need: str) -> Bom:
    """What a need took and what became of it."""
    own = {f"p-{op.id}" for op in tx.operations.of_need(need)}
    events = tx.ledger.of_need(need)
    kinds = {e.lot: tx.lots.get(e.lot) for e in events if e.lot is not None}
    rows: dict[str, BomLine] = {}
    names = ("in", "others", "scrap", "delivered", "used")
    sums: dict[str, int] = dict.fromkeys(names, 0)
    for event in events:
        lot = kinds.get(event.lot) if event.lot is not None else None
        if lot is None:
            continue
        if event.action == "transfer":
            sums["delivered"] += event.mass_mg
        elif event.action == "consume":
            _consumed(event, lot, own, rows, sums)
        elif event.action == "produce":
            _produced(event, lot, rows, sums)
    lying = sum(tx.ledger.balance(lot).mass_mg for lot in own)
    return Bom(
        tuple(rows[name] for name in sorted(rows)),
        sums["in"],
        sums["others"],
        sums["scrap"],
        sums["delivered"],
        tx.routes.given_mg(own, need),
        lying,
        _in_work(tx, events),
    )


def _in_work(tx: "Tx", events: list[EconomicEvent]) -> int:
    """Mass inside orders that are not settled."""
    found = 0
    for order_id in {e.order_id for e in events if e.order_id is not None}:
        order = tx.orders.get(order_id)
        if order is not None and order.settled_at is None:
            own = [e for e in events if e.order_id == order_id]
            found += sum(e.mass_mg for e in own if e.action == "consume")
            found -= sum(e.mass_mg for e in own if e.action == "produce")
    return found


def _consumed(
    event: EconomicEvent, lot: Lot, own: set[str], rows: dict[str, BomLine], sums: dict[str, int]
) -> None:
    if lot.kind == "part":
        sums["used" if lot.id in own else "others"] += event.mass_mg
        return
    sums["in"] += event.mass_mg
    row = rows.get(lot.material, BomLine(lot.material, lot.kind))
    measure = event.measure if event.measure in ("measured", "uncertain") else "counted"
    rows[lot.material] = BomLine(
        row.material,
        row.kind,
        row.measured_mg + (event.mass_mg if measure == "measured" else 0),
        row.uncertain_mg + (event.mass_mg if measure == "uncertain" else 0),
        row.counted_mg + (event.mass_mg if measure == "counted" else 0),
        row.pieces + event.pieces,
        row.scrap_mg,
        tuple(sorted({*row.lots, lot.id})),
    )


def _produced(
    event: EconomicEvent, lot: Lot, rows: dict[str, BomLine], sums: dict[str, int]
) -> None:
    if lot.kind != "scrap":
        return
    sums["scrap"] += event.mass_mg
    row = rows.get(lot.material, BomLine(lot.material, lot.kind))
    rows[lot.material] = BomLine(
        row.material,
        row.kind,
        row.measured_mg,
        row.uncertain_mg,
        row.counted_mg,
        row.pieces,
        row.scrap_mg + event.mass_mg,
        row.lots,
    )

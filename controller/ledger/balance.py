"""Conservation: kept balances against the lines, and mass in against mass out of every order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.ledger.actions import effects
from controller.values import EconomicEvent

if TYPE_CHECKING:
    from controller.adapters.store import Tx


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Two figures that must be equal and are not."""

    subject: str
    what: str
    kept: int
    derived: int


@dataclass(frozen=True, slots=True)
class OrderMass:
    """Mass that went into an order and came out, mg; measured and uncertain apart."""

    measured_mg: int = 0
    uncertain_mg: int = 0
    counted_mg: int = 0
    part_mg: int = 0
    scrap_mg: int = 0

    @property
    def consumed_mg(self) -> int:
        """Everything that went in."""
        return self.measured_mg + self.uncertain_mg + self.counted_mg


@dataclass(frozen=True, slots=True)
class Totals:
    """Mass of the whole floor, mg; ``in_work`` went into orders and did not come out yet."""

    raised_mg: int
    lowered_mg: int
    consumed_mg: int
    produced_mg: int
    held_mg: int

    @property
    def in_work_mg(self) -> int:
        """Mass inside orders that are not settled."""
        return self.consumed_mg - self.produced_mg


def derive(sums: Iterable[tuple[str, str | None, str | None, int, int]]) -> dict[str, list[int]]:
    """[mass_mg, pieces] of every lot from lines summed by (action, lot, to_lot)."""
    held: dict[str, list[int]] = {}
    for action, lot, to_lot, mass_mg, pieces in sums:
        for place, amount in enumerate((mass_mg, pieces)):
            for name, change in effects(action, lot, to_lot, amount):
                held.setdefault(name, [0, 0])[place] += change
    return held


def mass_of(events: Iterable[EconomicEvent], scrap_lots: frozenset[str]) -> OrderMass:
    """Mass balance of one order's lines."""
    found = {"measured": 0, "uncertain": 0, "counted": 0, "part": 0, "scrap": 0}
    for event in events:
        if event.action == "consume":
            kind = event.measure if event.measure in ("measured", "uncertain") else "counted"
            found[kind] += event.mass_mg
        elif event.action == "produce":
            found["scrap" if event.lot in scrap_lots else "part"] += event.mass_mg
    return OrderMass(
        found["measured"], found["uncertain"], found["counted"], found["part"], found["scrap"]
    )


def order_mass(tx: "Tx", order: str) -> OrderMass:
    """Mass balance of one order, mg."""
    scrap = frozenset(b.lot.id for b in tx.lots.balances("scrap"))
    return mass_of(tx.ledger.of_order(order), scrap)


def totals(tx: "Tx") -> Totals:
    """Mass of the whole floor, mg."""
    by_action: dict[str, int] = {}
    for action, _, _, mass_mg, _ in tx.ledger.sums():
        by_action[action] = by_action.get(action, 0) + mass_mg
    return Totals(
        raised_mg=by_action.get("raise", 0),
        lowered_mg=by_action.get("lower", 0),
        consumed_mg=by_action.get("consume", 0),
        produced_mg=by_action.get("produce", 0),
        held_mg=sum(b.mass_mg for b in tx.ledger.balances().values()),
    )


def check(tx: "Tx") -> list[Discrepancy]:
    """Everything that does not balance; empty on a sound ledger."""
    return _lots(tx) + _orders(tx) + _whole(tx)


def _lots(tx: "Tx") -> list[Discrepancy]:
    kept = tx.ledger.balances()
    derived = derive(tx.ledger.sums())
    found: list[Discrepancy] = []
    for lot in sorted(kept.keys() | derived.keys()):
        mass_mg, pieces = derived.get(lot, [0, 0])
        held = kept.get(lot)
        kept_mg, kept_n = (held.mass_mg, held.pieces) if held else (0, 0)
        if kept_mg != mass_mg:
            found.append(Discrepancy(lot, "mass_mg", kept_mg, mass_mg))
        if kept_n != pieces:
            found.append(Discrepancy(lot, "pieces", kept_n, pieces))
    return found


def _orders(tx: "Tx") -> list[Discrepancy]:
    into: dict[str, int] = {}
    out_of: dict[str, int] = {}
    for order, action, _, mass_mg in tx.ledger.order_sums():
        if action == "consume":
            into[order] = into.get(order, 0) + mass_mg
        elif action == "produce":
            out_of[order] = out_of.get(order, 0) + mass_mg
    return [
        Discrepancy(order.id, "order mass_mg", out_of.get(order.id, 0), into.get(order.id, 0))
        for order in tx.orders.all()
        if order.settled_at is not None and into.get(order.id, 0) != out_of.get(order.id, 0)
    ]


def _whole(tx: "Tx") -> list[Discrepancy]:
    whole = totals(tx)
    expected = whole.raised_mg - whole.lowered_mg - whole.in_work_mg
    if whole.held_mg == expected:
        return []
    return [Discrepancy("site", "mass_mg", whole.held_mg, expected)]

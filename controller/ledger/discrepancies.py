"""Discrepancies of job orders: figures that a person must look at, and how they are settled.

An order's mass always balances in the ledger: what was consumed is part or scrap. Whether the
figures are true is another question. They are doubted when an order that ran drew nothing or far
more or less than its program takes, and when a lot gave more than it held. Nothing is clamped or
guessed: the doubt stays open until a person says what the scale says, or that it was so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from controller.commons.records import OrderDiscrepancy
from controller.ledger.post import correct
from controller.values import EconomicEvent, JobOrder, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx

TOLERANCE_PPM = 200_000
TOLERANCE_LEAST_MG = 2_000
IDENTITY = "identity:"
AS_IT_IS, WEIGHED = "as it is", "weighed"


class Expected(NamedTuple):
    """Mass an order's program takes as far as it ran, mg (0: not known), and if it ended well."""

    mass_mg: int
    ended_well: bool


def tolerance(expected_mg: int) -> int:
    """How far a measured mass may be from the expected one, mg."""
    return max(TOLERANCE_LEAST_MG, expected_mg * TOLERANCE_PPM // 1_000_000)


def look_at(tx: Tx, order: JobOrder, expected: Expected) -> list[OrderDiscrepancy]:
    """Open what is doubtful about an order that was just settled."""
    found = [*_of_mass(tx, order, expected), *_of_lots(tx, order)]
    for one in found:
        tx.ledger.put_discrepancy(one)
        tx.notice("attention", order.id, f"{order.label or order.id}: {one.words}")
    return found


def _drawn(tx: Tx, order: str) -> list[EconomicEvent]:
    return [
        line
        for line in tx.ledger.of_order(order)
        if line.action == "consume" and line.measure in ("measured", "uncertain")
    ]


def _of_mass(tx: Tx, order: JobOrder, expected: Expected) -> Iterator[OrderDiscrepancy]:
    if not expected.mass_mg:
        return
    found_mg = sum(line.mass_mg for line in _drawn(tx, order.id))
    slack = tolerance(expected.mass_mg)
    if found_mg > expected.mass_mg + slack and found_mg > slack:
        words = f"{found_mg} mg were drawn, its program takes {expected.mass_mg} mg"
    elif expected.mass_mg - found_mg > slack or (found_mg == 0 and expected.ended_well):
        words = f"only {found_mg} mg were drawn, its program takes {expected.mass_mg} mg"
    else:
        return
    yield OrderDiscrepancy(order.id, "mass", expected.mass_mg, found_mg, words, tx.now_ms)


def _of_lots(tx: Tx, order: JobOrder) -> Iterator[OrderDiscrepancy]:
    for lot in sorted({line.lot for line in _drawn(tx, order.id) if line.lot is not None}):
        held = tx.ledger.balance(lot).mass_mg
        if held < 0:
            words = f"lot {lot} gave {-held} mg more than it held: is it the lot that was loaded?"
            kind = f"lot:{lot}"
            yield OrderDiscrepancy(order.id, kind, 0, held, words, tx.now_ms, lot)


def doubt_identity(tx: Tx, machine: str, why: str) -> None:
    """Open a doubt for every lot a machine drew from: who drew since its last report is not known.

    It hangs at the machine's newest order and ends when the lot is weighed, or by a person's word.
    """
    order = tx.orders.newest_on(machine)
    if order is None:
        return
    open_now = {(one.order_id, one.kind) for one in tx.ledger.discrepancies()}
    for lot in sorted({counter.lot for counter in tx.machines.counters(machine)}):
        kind = IDENTITY + lot
        if any(of == kind for _, of in open_now):
            continue
        held = tx.ledger.balance(lot).mass_mg
        words = f"{machine}: {why}; what was drawn of lot {lot} is not known for certain: weigh it"
        tx.ledger.put_discrepancy(
            OrderDiscrepancy(order.id, kind, held, held, words, tx.now_ms, lot)
        )
        tx.notice("attention", order.id, words)


def weighed(tx: Tx, lot: str, who: str) -> None:
    """The scale said what a lot holds: doubts about who drew from it end, machines trusted again.

    Those of a machine that is in quarantine, or whose counter begins at its next report, stay: what
    it drew meanwhile comes after the scale.
    """
    for one in tx.ledger.discrepancies():
        if one.kind != IDENTITY + lot:
            continue
        order = tx.orders.get(one.order_id)
        machine = tx.machines.get(order.machine) if order is not None else None
        if machine is None or not (machine.quarantine or _begins_anew(tx, machine.id, lot)):
            held = tx.ledger.balance(lot).mass_mg
            done = replace(one, found_mg=held, resolved_at=tx.now_ms, resolved_by=who)
            tx.ledger.put_discrepancy(replace(done, note=f"{lot} was weighed"))


def _begins_anew(tx: Tx, machine: str, lot: str) -> bool:
    return any(one.lot == lot and one.cum_mg < 0 for one in tx.machines.counters(machine))


def settle(tx: Tx, order: str, kind: str, who: str, weighed_mg: int | None) -> OrderDiscrepancy:
    """A person's word on a discrepancy: what the order really drew, or None: it is as it is.

    Raises Refused when there is none open. Corrections are new lines; the order balances after.
    """
    found = next((d for d in tx.ledger.discrepancies(order) if d.kind == kind), None)
    if found is None:
        raise Refused("unknown-discrepancy", "order", f"{order} has no open discrepancy {kind!r}")
    if weighed_mg is not None:
        if kind != "mass":
            raise Refused("bad-kind", "weighed_mg", "weigh the lot itself to settle what it holds")
        if weighed_mg < 0:
            raise Refused("bad-mass", "weighed_mg", "must not be negative")
        _correct(tx, order, weighed_mg - found.found_mg, who)
    note = AS_IT_IS if weighed_mg is None else f"{WEIGHED}: {weighed_mg} mg"
    settled = replace(found, resolved_at=tx.now_ms, resolved_by=who, note=note)
    tx.ledger.put_discrepancy(settled)
    tx.notice("order", order, f"{who} settled a discrepancy of {order}: {note}")
    return settled


def _correct(tx: Tx, order: str, change_mg: int, who: str) -> None:
    """Correct what was drawn, and what came out of it, by the same mass."""
    drawn = _drawn(tx, order)
    made = [line for line in tx.ledger.of_order(order) if line.action == "produce"]
    if not drawn or not made:
        words = "the machine named no lot it drew from: post the stock-take of the lot instead"
        raise Refused("no-line", "order", words)
    for lines in (drawn, made):
        number = max(lines, key=lambda line: (line.mass_mg, -(line.id or 0))).id
        assert number is not None  # it was read from the ledger
        correct(tx, number, change_mg, 0, f"{who} weighed it (order {order})")

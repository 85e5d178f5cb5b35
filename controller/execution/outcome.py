"""Outcome: what an ended order made and what it wasted, in the ledger and on its operation."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.execution import rework
from controller.execution.delivery import deliver_if_done, number
from controller.execution.material import scrap_lot
from controller.execution.steps import complete, operation_of, try_again
from controller.keeping import part_lot
from controller.ledger.discrepancies import Expected, look_at
from controller.ledger.post import need_lot, post
from controller.values import EconomicEvent, JobOrder, Lot, Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person (or a sensor) says of an ended order; pieces None means all of them.

    ``mend``: what is not good goes to the rework its design has, if any; ``why`` in words.
    """

    good: bool
    who: str
    pieces: int | None = None
    mend: bool = False
    why: str = ""


def settle(tx: "Tx", order: JobOrder, verdict: Verdict) -> None:
    """Post what an order made, close it, and move its operation on; once only."""
    if order.settled_at is not None:
        return
    operation = operation_of(tx, order)
    if not verdict.good and verdict.mend and rework.possible(tx, operation):
        settle_failed(tx, order, verdict.who)
        rework.send(tx, operation, verdict.why or f"sent to rework by {verdict.who}")
        return
    made = _pieces(operation, verdict)
    _use_inputs(tx, order, operation)
    consumed = _consumed(tx, order)
    part_mg = _part_mass(operation, sum(consumed.values()), made)
    if made:
        _produce_part(tx, order, operation, (part_mg, made))
    _produce_scrap(tx, order, operation, _share(consumed, sum(consumed.values()) - part_mg))
    _efforts(tx, order, operation, verdict.who)
    _close(tx, order, "good" if made else "bad", verdict.who)
    look_at(tx, order, Expected(_estimate(tx, operation), True))
    if tx.ledger.balance(part_lot(operation.id)).pieces >= operation.pieces:
        complete(tx, operation)
        number(tx, operation)
        deliver_if_done(tx, operation.need)
    elif made:
        try_again(tx, operation, f"{made} of {operation.pieces} pieces were good")
    else:
        scrapped = f"scrapped by {verdict.who}" + (f": {verdict.why}" if verdict.why else "")
        try_again(tx, operation, scrapped)


def settle_failed(tx: "Tx", order: JobOrder, who: str = "") -> None:
    """Post what a failed or cancelled order wasted and close it; its inputs are still whole."""
    if order.settled_at is not None:
        return
    operation = operation_of(tx, order)
    _produce_scrap(tx, order, operation, _consumed(tx, order))
    _efforts(tx, order, operation, who)
    _close(tx, order, "bad", who or order.machine)
    run_mg = _estimate(tx, operation) * order.done_ppm // 1_000_000
    look_at(tx, order, Expected(run_mg, False))


def _close(tx: "Tx", order: JobOrder, result: str, who: str) -> None:
    tx.orders.change(order.id, result=result, resolved_by=who, settled_at=tx.now_ms)
    tx.touch(order.machine)


def _estimate(tx: "Tx", operation: Operation) -> int:
    """Filament an operation takes by its program's slicer, else by its profile, mg."""
    program = tx.designs.program(operation.program_sha) if operation.program_sha else None
    if program is not None and program.mass_mg:
        return program.mass_mg
    return sum(int(m.get("mass_mg", 0)) for m in operation.materials)


def _pieces(operation: Operation, verdict: Verdict) -> int:
    if not verdict.good:
        return 0
    return operation.pieces if verdict.pieces is None else min(verdict.pieces, operation.pieces)


def _line(order: JobOrder, operation: Operation, key: str, action: str) -> EconomicEvent:
    return EconomicEvent(
        key=f"{order.id}:{key}",
        action=action,
        provider=order.machine,
        receiver=order.machine,
        happened_at=order.ended_at or order.offered_at,
        order_id=order.id,
        need=operation.need,
        operation=operation.id,
        measure="counted",
    )


def _use_inputs(tx: "Tx", order: JobOrder, operation: Operation) -> None:
    """Parts made by earlier operations go into this one, with their share of their lot's mass."""
    for before, pieces in tx.operations.inputs(operation.id):
        lot = part_lot(before)
        held = tx.ledger.balance(lot)
        taken = min(pieces, held.pieces)
        if taken == 0:
            continue
        mass_mg = held.mass_mg * taken // held.pieces
        line = _line(order, operation, f"in:{before}", "consume")
        post(tx, replace(line, lot=lot, mass_mg=mass_mg, pieces=taken))


def _consumed(tx: "Tx", order: JobOrder) -> dict[str, int]:
    """Mass that went into an order, mg by material."""
    found: dict[str, int] = {}
    for event in tx.ledger.of_order(order.id):
        if event.action == "consume" and event.lot is not None:
            lot = tx.lots.get(event.lot)
            material = lot.material if lot else "unknown"
            found[material] = found.get(material, 0) + event.mass_mg
    return found


def _part_mass(operation: Operation, consumed_mg: int, made: int) -> int:
    """Mass of the good pieces: what the profile says stays of the stock, else all that went in."""
    stays = sum(m.get("part_mg", 0) for m in operation.materials)
    whole = min(stays, consumed_mg) if stays else consumed_mg
    return whole * made // operation.pieces


def _share(consumed: dict[str, int], scrap_mg: int) -> dict[str, int]:
    """Scrap by material in proportion to what went in; the last takes the remainder."""
    total = sum(consumed.values())
    shares: dict[str, int] = {}
    left = scrap_mg
    for material in sorted(consumed)[:-1]:
        shares[material] = scrap_mg * consumed[material] // total if total else 0
        left -= shares[material]
    if consumed:
        shares[max(consumed)] = left
    return shares


def _produce_part(tx: "Tx", order: JobOrder, operation: Operation, amount: tuple[int, int]) -> None:
    need = tx.needs.get(operation.need)
    note = f"{operation.step} of {operation.need}"
    material = need.part if need else "part"
    lot = Lot(part_lot(operation.id), material, "part", created_at=tx.now_ms, note=note)
    line = _line(order, operation, "part", "produce")
    post(tx, replace(line, lot=need_lot(tx, lot), mass_mg=amount[0], pieces=amount[1]))


def _produce_scrap(tx: "Tx", order: JobOrder, operation: Operation, scrap: dict[str, int]) -> None:
    for material, mass_mg in sorted(scrap.items()):
        if mass_mg:
            line = _line(order, operation, f"scrap:{material}", "produce")
            post(tx, replace(line, lot=scrap_lot(tx, material), mass_mg=mass_mg))


def _efforts(tx: "Tx", order: JobOrder, operation: Operation, who: str) -> None:
    use = _line(order, operation, "use", "use")
    post(tx, replace(use, duration_ms=order.run_ms or 0, measure="measured"))
    if who:
        post(tx, replace(_line(order, operation, "work", "work"), provider=who))

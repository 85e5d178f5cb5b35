"""Plates: runs of one program that are not full are put together, over needs, where a design says.

Done for accepted needs, before a run is ordered, and only while nothing of the two kits lies in a
place, so that the joined kit is one that has taken no credit yet (controller/places.py).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from controller.places import room_of
from controller.values import Operation, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def merge(tx: "Tx") -> set[str]:
    """Join runs that fit on one plate; operations that changed must be planned again."""
    groups: dict[tuple[str, str | None], list[Operation]] = {}
    for op in tx.routes.shared_runs():
        if op.pieces < op.work["yields"] and op.attempts == 0:
            need = tx.needs.get(op.need)
            if need is not None and need.state in ("accepted", "making"):
                groups.setdefault((op.step, op.program_sha), []).append(op)
    changed: set[str] = set()
    for runs in groups.values():
        changed |= _join_all(tx, runs)
    return changed


def _join_all(tx: "Tx", runs: list[Operation]) -> set[str]:
    """First fit: each run goes on the first plate with room for it."""
    plates: list[Operation] = []
    changed: set[str] = set()
    for run in runs:
        for place, plate in enumerate(plates):
            fits = plate.pieces + run.pieces <= plate.work["yields"] and plate.need != run.need
            if fits and _join(tx, plate, run):
                after = tx.operations.get(plate.id)
                assert after is not None
                plates[place] = after
                changed |= {plate.id, run.id}
                break
        else:
            plates.append(run)
    if changed:
        tx.effects.replan = True
    return changed


def _join(tx: "Tx", plate: Operation, run: Operation) -> bool:
    """Put a run on a plate; False, and nothing changed, when no room could hold the joined kit."""
    try:
        with tx.savepoint():
            _move(tx, plate, run)
            joined = room_of(tx, _needs_around(tx, (plate, run)))
            if joined.too_large() or any(_holds(kit.held) for kit in joined.kits):
                raise Refused("no-room", "", "the joined kit is too large")
    except Refused:
        return False
    tx.notice("operation", plate.id, f"{run.need} is made with {plate.need} on one plate")
    return True


def _holds(held: dict[str, int]) -> bool:
    return any(held.values())


def _needs_around(tx: "Tx", runs: Iterable[Operation]) -> set[str]:
    """Needs whose operations hang together with these runs."""
    found = {run.need for run in runs}
    for run in runs:
        found |= {op.need for op in tx.operations.after(run.id)}
    return found


def _move(tx: "Tx", plate: Operation, run: Operation) -> None:
    for before, pieces in tx.operations.inputs(run.id):
        tx.routes.unlink(before, run.id)
        tx.routes.link(before, plate.id, pieces)
    for after, pieces in tx.routes.takers(run.id):
        tx.routes.unlink(run.id, after)
        tx.routes.link(plate.id, after, pieces)
    tx.operations.change(plate.id, pieces=plate.pieces + run.pieces)
    tx.operations.change(
        run.id, state="cancelled", machine=None, reason=f"made with {plate.need} on one plate"
    )


def hand_over(tx: "Tx", operation: Operation) -> bool:
    """A plate of a need taken back goes on for another need that waits for it, if there is one."""
    for taker, _ in tx.routes.takers(operation.id):
        found = tx.operations.get(taker)
        if found is None or found.need == operation.need:
            continue
        need = tx.needs.get(found.need)
        if need is not None and need.state in ("accepted", "making"):
            tx.operations.change(operation.id, need=need.id)
            return True
    return False

"""Planning loop's two ends: what a plan changes in the store, and what is offered by it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controller import dispatching, ways
from controller.picture import Assignment, FloorPicture, FloorPlan, PlanChange
from controller.picturing import floor_picture
from controller.places import NO_ROOM, room_of
from controller.plates import merge
from controller.values import Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx


MOVED_MS = 60_000  # a planned time that moves by less is not written again
TOLD_MS = 5 * 60_000  # nor is one told to people that moves by less than this
DUE_MS = 30_000  # an operation is offered from so long before its planned start
OPEN = ("waiting", "ready", "planned")


def apply_plan(tx: "Tx", plan: FloorPlan, barred: Mapping[str, str] | None = None) -> int:
    """Store where and when operations are planned, why others are not; offer what can go now.

    barred: machines that take no order now for another reason than their own, in words.
    """
    moved = merge(tx) | ways.take(tx)
    picture = floor_picture(tx)
    placed = {a.operation: a for a in plan.assignments if a.operation not in moved}
    decisions = _decide(tx, plan, picture, list(placed.values()), barred or {})
    reasons = {**plan.reasons, **decisions.reasons}
    told: list[PlanChange] = []
    for operation in picture.operations:
        if operation.state in OPEN:
            item = placed.get(operation.id)
            changes = _changes(operation, item, reasons.get(operation.id, ""))
            if changes:
                tx.operations.change(operation.id, **changes)
            told += _told(picture, operation, item, plan)
    tx.plans.add(told)
    _note(tx, plan)
    for chosen in decisions.offers:
        dispatching.offer(tx, chosen)
    return len(decisions.offers)


def _decide(
    tx: "Tx",
    plan: FloorPlan,
    picture: FloorPicture,
    assignments: list[Assignment],
    barred: Mapping[str, str],
) -> dispatching.Decisions:
    """What can be offered now: its turn has come, its inputs are there, its machine is free."""
    open_now = {op.id for op in picture.operations if op.state in ("ready", "planned")}
    until = picture.at + DUE_MS
    ready = [a for a in assignments if a.operation in open_now]
    due = [a for a in ready if a.start_at <= until]
    found = _try(tx, (picture, plan), due, barred)
    # what waits for room must not keep its machine from what would make room
    stuck = {a.machine for a in due if NO_ROOM in found.reasons.get(a.operation, "")}
    later = [a for a in ready if a.start_at > until and a.machine in stuck]
    if later:
        found = _try(tx, (picture, plan), due + later, barred)
    for operation, lot in plan.loads.items():
        if found.reasons.get(operation, "").startswith("needs "):
            found.reasons[operation] += f"; {lot}"
    return found


def _try(
    tx: "Tx",
    of: tuple[FloorPicture, FloorPlan],
    assignments: list[Assignment],
    barred: Mapping[str, str],
) -> dispatching.Decisions:
    picture, plan = of
    orders = tx.orders
    held = {
        a.operation: dispatching.held_until(orders.of_operation(a.operation)) for a in assignments
    }
    return dispatching.decide(picture, assignments, held, room_of(tx), barred, plan.margin_permille)


def _changes(operation: Operation, item: Assignment | None, reason: str) -> dict[str, object]:
    if item is None:
        return _unplanned(operation, reason)
    changes: dict[str, object] = {}
    if reason and reason != operation.reason:
        changes["reason"] = reason
    if operation.machine != item.machine or _moved_ms(operation, item) >= MOVED_MS:
        changes["machine"] = item.machine
        changes["planned_start_at"] = item.start_at
        changes["planned_end_at"] = item.end_at
    if operation.state == "ready":
        changes["state"] = "planned"
    return changes


def _moved_ms(operation: Operation, item: Assignment) -> int:
    moved = abs((operation.planned_start_at or 0) - item.start_at)
    return max(moved, abs((operation.planned_end_at or 0) - item.end_at))


def _unplanned(operation: Operation, reason: str) -> dict[str, object]:
    changes: dict[str, object] = {}
    if operation.machine is not None:
        changes.update(machine=None, planned_start_at=None, planned_end_at=None)
    if operation.state == "planned":
        changes["state"] = "ready"
    if reason and reason != operation.reason:
        changes["reason"] = reason
    return changes


def _told(
    picture: FloorPicture, operation: Operation, item: Assignment | None, plan: FloorPlan
) -> list[PlanChange]:
    """One line where something moved that people had been told."""
    was, start_at = operation.machine, operation.planned_start_at
    if was is None or start_at is None:
        return []
    names = {machine.id: machine.name for machine in picture.machines}
    if item is None:
        text = f"{operation.step} {operation.id} left the plan"
    else:
        text = _movement(operation, item, start_at, names)
    if not text:
        return []
    why = plan.causes.get(operation.id) or plan.cause
    if item is None:
        why = plan.reasons.get(operation.id, "") or why
    return [PlanChange(picture.at, operation.id, operation.need, text, why)]


def _movement(operation: Operation, item: Assignment, start_at: int, names: dict[str, str]) -> str:
    """What moved, in words; "" when it is too little to tell."""
    shift_ms = item.start_at - max(start_at, 0)
    minutes, way = abs(shift_ms) // 60_000, "later" if shift_ms > 0 else "earlier"
    shift = f"{minutes} min {way}" if minutes else "at the same time"
    label = f"{operation.step} {operation.id}"
    if operation.machine != item.machine:
        was = names.get(operation.machine or "", operation.machine)
        return f"{label} moved from {was} to {names.get(item.machine, item.machine)}, {shift}"
    return f"{label} starts {shift}" if abs(shift_ms) >= TOLD_MS else ""


def _note(tx: "Tx", plan: FloorPlan) -> None:
    """Keep how the plan was made, when that is news."""
    if not plan.made:
        return
    known = tx.plans.made()
    same = all(known.get(name) == plan.made.get(name) for name in ("by", "problems", "lost"))
    if not same or tx.now_ms - known["at"] >= TOLD_MS:
        tx.plans.note({**plan.made, "at": tx.now_ms})

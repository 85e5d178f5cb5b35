"""Planning loop's two ends: what a plan changes in the store, and what is offered by it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controller import dispatching, ways
from controller.places import room_of
from controller.plates import merge
from controller.values import Assignment, FloorPicture, FloorPlan, Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx


MOVED_MS = 60_000  # a planned time that moves by less is not written again


def apply_plan(tx: "Tx", plan: FloorPlan, barred: Mapping[str, str] | None = None) -> int:
    """Store where and when operations are planned, why others are not; offer what can go now.

    barred: machines that take no order now for another reason than their own, in words.
    """
    moved = merge(tx) | ways.take(tx)
    picture = tx.picture()
    by_operation = {a.operation: a for a in plan.assignments if a.operation not in moved}
    for operation in picture.operations:
        if operation.state in ("waiting", "ready", "planned"):
            item = by_operation.get(operation.id)
            changes = _changes(operation, item, plan.reasons.get(operation.id, ""))
            if changes:
                tx.operations.change(operation.id, **changes)
    return _offer(tx, picture, list(by_operation.values()), barred or {})


def _changes(operation: Operation, item: Assignment | None, reason: str) -> dict[str, object]:
    if item is None:
        return _unplanned(operation, reason)
    moved = abs((operation.planned_start_at or 0) - item.start_at) >= MOVED_MS
    if operation.machine == item.machine and not moved and operation.state != "ready":
        return {}
    where: dict[str, object] = {
        "machine": item.machine,
        "planned_start_at": item.start_at,
        "planned_end_at": item.end_at,
    }
    if operation.state == "waiting":
        return where
    return {**where, "state": "planned", "reason": reason or operation.reason}


def _unplanned(operation: Operation, reason: str) -> dict[str, object]:
    changes: dict[str, object] = {}
    if operation.machine is not None:
        changes.update(machine=None, planned_start_at=None, planned_end_at=None)
    if operation.state == "planned":
        changes["state"] = "ready"
    if reason and reason != operation.reason:
        changes["reason"] = reason
    return changes


def _offer(
    tx: "Tx",
    picture: FloorPicture,
    assignments: list[Assignment],
    barred: Mapping[str, str],
) -> int:
    open_now = {op.id: op for op in picture.operations if op.state in ("ready", "planned")}
    due = [a for a in assignments if a.operation in open_now]
    held = {a.operation: dispatching.held_until(tx.orders.of_operation(a.operation)) for a in due}
    decisions = dispatching.decide(picture, due, held, room_of(tx), barred)
    for chosen in decisions.offers:
        dispatching.offer(tx, chosen)
    for operation, reason in decisions.reasons.items():
        if open_now[operation].reason != reason:
            tx.operations.change(operation, reason=reason)
    return len(decisions.offers)

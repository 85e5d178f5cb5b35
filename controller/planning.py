"""Planning loop's two ends: what a plan changes in the store, and what is offered by it."""

from typing import TYPE_CHECKING

from controller import dispatching
from controller.values import Assignment, FloorPicture, FloorPlan, Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def apply_plan(tx: "Tx", plan: FloorPlan) -> int:
    """Store where and when operations are planned, why others are not; offer what can go now."""
    picture = tx.picture()
    by_operation = {a.operation: a for a in plan.assignments}
    for operation in picture.operations:
        if operation.state in ("waiting", "ready", "planned"):
            _store_plan(tx, operation, by_operation.get(operation.id), plan.reasons)
    return _offer(tx, picture, plan)


def _store_plan(
    tx: "Tx", operation: Operation, item: Assignment | None, reasons: dict[str, str]
) -> None:
    changes: dict[str, object] = {}
    where = (None, None, None) if item is None else (item.machine, item.start_at, item.end_at)
    if (operation.machine, operation.planned_start_at, operation.planned_end_at) != where:
        changes.update(machine=where[0], planned_start_at=where[1], planned_end_at=where[2])
    if operation.state != "waiting":
        state = "ready" if item is None else "planned"
        if state != operation.state:
            changes["state"] = state
        reason = reasons.get(operation.id, "") or (operation.reason if item is None else "")
        if item is None and reason != operation.reason:
            changes["reason"] = reason
    if changes:
        tx.operations.change(operation.id, **changes)


def _offer(tx: "Tx", picture: FloorPicture, plan: FloorPlan) -> int:
    due = {a.operation for a in plan.assignments}
    waiting = [op for op in picture.operations if op.id in due and op.state in ("ready", "planned")]
    held = {op.id: dispatching.held_until(tx.orders.of_operation(op.id)) for op in waiting}
    decisions = dispatching.decide(picture, plan.assignments, held)
    for chosen in decisions.offers:
        dispatching.offer(tx, chosen)
    reason_of = {op.id: op.reason for op in waiting}
    for operation, reason in decisions.reasons.items():
        if reason_of[operation] != reason:
            tx.operations.change(operation, reason=reason)
    return len(decisions.offers)

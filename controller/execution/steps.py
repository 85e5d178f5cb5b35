"""Steps of orders and operations that every report and every person's word comes down to."""

from typing import TYPE_CHECKING

from controller.execution.relink import take_out_before
from controller.keeping import leave, leave_inputs, part_lot
from controller.values import JobOrder, Operation
from protocols.orders import step

if TYPE_CHECKING:
    from controller.adapters.store import Tx

MAX_ATTEMPTS = 3


def advance(tx: "Tx", order: JobOrder, event: str, **changes: object) -> JobOrder:
    """Move an order by one event of the table; IllegalEvent changes nothing."""
    after = step(order.state, event)
    tx.orders.change(order.id, state=after, **changes)
    tx.touch(order.machine)
    found = tx.orders.get(order.id)
    assert found is not None
    return found


def operation_of(tx: "Tx", order: JobOrder) -> Operation:
    """The operation an order is an attempt of."""
    found = tx.operations.get(order.operation)
    assert found is not None  # foreign key
    return found


def give_back(tx: "Tx", operation: Operation, reason: str) -> None:
    """An operation whose order came to nothing is ready again, unless its need was withdrawn."""
    tx.effects.replan = True
    need = tx.needs.get(operation.need)
    if need is None or need.state == "withdrawn":
        tx.operations.change(operation.id, state="cancelled", machine=None, reason="need withdrawn")
    else:
        tx.operations.change(operation.id, state="ready", machine=None, reason=reason)
    leave(tx, operation)


def try_again(tx: "Tx", operation: Operation, reason: str) -> None:
    """Count a failed attempt; ready again, or held for a person when attempts are used up."""
    attempts = operation.attempts + 1
    tx.operations.change(operation.id, attempts=attempts)
    if attempts >= MAX_ATTEMPTS:
        held = f"failed {attempts} times, last: {reason}; look at it, then release it"
        tx.operations.change(operation.id, state="held", machine=None, reason=held)
        leave(tx, operation)
        tx.notice("attention", operation.id, f"{operation.step} of {operation.need} {held}")
        tx.effects.replan = True
        return
    give_back(tx, operation, reason)
    missing_inputs(tx, operation, reason)


def missing_inputs(tx: "Tx", operation: Operation, reason: str) -> None:
    """Parts an operation needs and that were used up must be made again first."""
    take_out_before(tx, operation.id)
    missing = [
        before
        for before, pieces in tx.operations.inputs(operation.id)
        if tx.ledger.balance(part_lot(before)).pieces < pieces
    ]
    for before in missing:
        earlier = tx.operations.get(before)
        if earlier is not None and earlier.state == "done":
            give_back(tx, earlier, f"made again: {reason}")
            missing_inputs(tx, earlier, reason)
    if missing:
        tx.operations.change(
            operation.id, state="waiting", reason=f"waits for {' and '.join(missing)} made again"
        )


def complete(tx: "Tx", operation: Operation) -> None:
    """An operation is done; what waited for it may be ready."""
    tx.operations.change(operation.id, state="done", reason="", done_at=tx.now_ms)
    tx.effects.replan = True
    leave_inputs(tx, operation.id)
    for later in tx.operations.after(operation.id):
        if later.state != "waiting":
            continue
        before = tx.operations.before(later.id)
        open_before = [op for op in before if op.state not in ("done", "cancelled")]
        if open_before:
            steps = " and ".join(sorted({op.step for op in open_before}))
            tx.operations.change(later.id, reason=f"waits for {steps}")
        else:
            tx.operations.change(later.id, state="ready", reason="not planned yet")

"""Rework along a route: an operation is put between another and its inputs, and taken out again."""

from typing import TYPE_CHECKING

from controller.keeping import part_lot
from controller.values import Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx

REWORK_OF = "rework_of"


def reworks_of(tx: "Tx", operation: Operation) -> list[Operation]:
    """Rework operations that were put before an operation, oldest first."""
    found = tx.operations.of_need(operation.need)
    return [op for op in found if op.work.get(REWORK_OF) == operation.id]


def put_before(tx: "Tx", operation: Operation, rework: Operation) -> None:
    """Store a rework operation that takes an operation's inputs and hands them on to it."""
    inputs = tx.operations.inputs(operation.id)
    links = [(before, rework.id, pieces) for before, pieces in inputs]
    tx.operations.add([rework], links)
    for before, _ in inputs:
        tx.routes.unlink(before, operation.id)
    tx.routes.link(rework.id, operation.id, rework.pieces)


def take_out_before(tx: "Tx", operation: str) -> None:
    """Take out rework whose result is used up: what came before it hands on directly again."""
    for name, pieces in tx.operations.inputs(operation):
        found = tx.operations.get(name)
        if found is None or found.work.get(REWORK_OF) != operation:
            continue
        if tx.ledger.balance(part_lot(name)).pieces >= pieces:
            continue
        for before, taken in tx.operations.inputs(name):
            tx.routes.unlink(before, name)
            tx.routes.link(before, operation, taken)
        tx.routes.unlink(name, operation)
        tx.operations.change(
            name, state="cancelled", machine=None, place=None, reason="what it mended was scrapped"
        )

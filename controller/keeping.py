"""Keeping: slots of places are given back when nothing of an operation lies there any more."""

from typing import TYPE_CHECKING

from controller.values import Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def part_lot(operation: str) -> str:
    """Id of the lot that holds what an operation made."""
    return f"p-{operation}"


def leave(tx: "Tx", operation: Operation) -> None:
    """Give back the slots of an operation that made nothing (or of which nothing is left)."""
    if operation.place is None or tx.ledger.balance(part_lot(operation.id)).pieces > 0:
        return
    _free(tx, operation.id)


def leave_inputs(tx: "Tx", operation: str) -> None:
    """Give back the slots of inputs whose takers are all done."""
    for before, _ in tx.operations.inputs(operation):
        if _taken(tx, before):
            _free(tx, before)


def leave_need(tx: "Tx", need: str) -> None:
    """Give back every slot of a need that is delivered or given up."""
    for operation in tx.operations.of_need(need):
        if operation.place is not None and _taken(tx, operation.id):
            _free(tx, operation.id)


def _taken(tx: "Tx", operation: str) -> bool:
    takers = (tx.operations.get(taker) for taker, _ in tx.routes.takers(operation))
    return all(taker is None or taker.state in ("done", "cancelled") for taker in takers)


def _free(tx: "Tx", operation: str) -> None:
    tx.operations.change(operation, place=None)
    tx.effects.replan = True

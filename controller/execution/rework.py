"""Rework: what failed inspection goes through the step its design names, and is looked at again."""

from typing import TYPE_CHECKING

from controller.execution.relink import REWORK_OF, put_before, reworks_of
from controller.execution.steps import give_back
from controller.values import Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def possible(tx: "Tx", operation: Operation) -> bool:
    """Whether the design has rework for what fails here, and it was not tried too often."""
    spec = operation.work.get("rework")
    if spec is None or not tx.operations.inputs(operation.id):
        return False
    return len(reworks_of(tx, operation)) < int(spec.get("at_most", 1))


def send(tx: "Tx", operation: Operation, reason: str) -> None:
    """Put the rework step before an operation; its inputs go there first."""
    spec = operation.work["rework"]
    number = len(tx.operations.of_need(operation.need)) + 1
    taken = tx.operations.inputs(operation.id)
    slots = [found.slots for name, _ in taken if (found := tx.operations.get(name)) is not None]
    rework = Operation(
        id=f"{operation.need}-{number}",
        need=operation.need,
        unit=operation.unit,
        step=spec["step"],
        process=spec["process"],
        requires=spec.get("requires", {}),
        program_sha=None,
        duration_s=spec["duration_s"],
        materials=spec.get("materials", []),
        instructions=spec.get("instructions", ""),
        state="ready",
        pieces=operation.pieces,
        title=spec.get("title", spec["step"]),
        reason=reason,
        work={**spec.get("work", {}), REWORK_OF: operation.id},
        slots=max(slots, default=1),
    )
    put_before(tx, operation, rework)
    give_back(tx, operation, reason)
    tx.operations.change(operation.id, state="waiting", reason=f"waits for {rework.step}: {reason}")
    tx.notice("operation", operation.id, f"{operation.need}: {operation.step}, {reason}")

"""Tracking: the public record of the parts of a need, read from what was committed; pure reading.

What happened is told by ledger lines and orders, never by plans: a mass is measured or uncertain as
its machine reported it, who tended is who the ledger credits with the work.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.values import Community, DesignRow, EconomicEvent, JobOrder, Need, Operation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller.adapters.store import Tx


@dataclass(frozen=True, slots=True)
class Attempt:
    """One job order: what was measured of it, and who tended it."""

    order: JobOrder
    measured_mg: int
    uncertain_mg: int
    tended_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One operation with its attempts, oldest first."""

    operation: Operation
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class PartRecord:
    """Everything public about the parts made for one need."""

    need: Need
    community: Community | None
    design: DesignRow | None
    steps: tuple[Step, ...]
    lines: tuple[EconomicEvent, ...]

    def deliveries(self) -> list[EconomicEvent]:
        """Ledger lines that handed parts to the community."""
        return [line for line in self.lines if line.action == "transfer"]

    def credits(self) -> list[EconomicEvent]:
        """Ledger lines that credit the authors of the design."""
        return [line for line in self.lines if line.action == "cite"]


def record_of(tx: "Tx", need: Need) -> PartRecord:
    """The record of a need as it stands."""
    lines = tuple(tx.ledger.of_need(need.id))
    steps = (
        Step(op, tuple(_attempt(order, lines) for order in tx.orders.of_operation(op.id)))
        for op in tx.operations.of_need(need.id)
    )
    return PartRecord(
        need,
        tx.communities.get(need.community),
        tx.designs.get(need.design),
        tuple(steps),
        lines,
    )


def _attempt(order: JobOrder, lines: tuple[EconomicEvent, ...]) -> Attempt:
    own = [line for line in lines if line.order_id == order.id]
    measured_mg, uncertain_mg = measured_of(own)
    tended = dict.fromkeys(line.provider for line in own if line.action == "work")
    return Attempt(order, measured_mg, uncertain_mg, tuple(tended))


def measured_of(lines: "Iterable[EconomicEvent]") -> tuple[int, int]:
    """Mass one order's lines consumed, mg: measured, uncertain."""
    mass = {"measured": 0, "uncertain": 0}
    for line in lines:
        if line.action == "consume" and line.measure in mass:
            mass[line.measure] += line.mass_mg
    return mass["measured"], mass["uncertain"]

"""Cells to the site: what the OPC UA adapter sees goes the way of any machine's messages."""

from collections.abc import Callable
from typing import TypeVar

from controller import execution
from controller.adapters.opcua.mapping import Difference
from controller.adapters.store import Tx
from controller.app import Site
from controller.joints import handovers, picks
from controller.values import JobOrder, Json

T = TypeVar("T")


class CellSite:
    """The site as the cell adapter asks for it; each report also counts as being heard."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def submit(self, run: Callable[[Tx], T]) -> T:
        """Run a function on the writer inside a transaction; return once that is committed."""
        return self._site.submit(run)

    def apply_event(self, tx: Tx, machine: str, event: Json) -> str:
        """Take an ``up/ev``."""
        self._site.watch.heard(machine)
        return execution.apply_event(tx, machine, event)

    def hear_state(self, tx: Tx, machine: str, state: Json) -> None:
        """Take an ``up/state``."""
        if state["on"]:
            self._site.watch.heard(machine)
            self._site.watch.booted(machine, state["bn"])
        execution.hear_state(tx, machine, state)

    def answer_command(self, tx: Tx, machine: str, answer: Json) -> None:
        """Take an ``up/rsp``."""
        execution.answer_command(tx, machine, answer)

    def hear_telemetry(self, machine: str, record: Json) -> None:
        """Take an ``up/tele``; returns at once."""
        self._site.receive(machine, "up/tele", record)

    def picks_differ(self, tx: Tx, order: str, found: Difference) -> None:
        """Keep that a cell took other pieces than planned, until a person has counted."""
        picks.differ(tx, order, found.lot, found.planned, found.taken)

    def errand(self, tx: Tx, machine: str) -> JobOrder | None:
        """The errand a cell has, as a job order; None for none."""
        return handovers.errand_of(tx, machine)

    def errand_event(self, tx: Tx, machine: str, event: Json, run: str) -> None:
        """Take what a look in a run of the cell's server means for its errand."""
        handovers.take_event(tx, machine, event, run)

    def is_errand(self, order: str) -> bool:
        """Whether a job order's name is an errand's."""
        return order.startswith(handovers.ERRAND)

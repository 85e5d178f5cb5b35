"""Makes a need on the small floor, step by step, as its machines and people would."""

from __future__ import annotations

from typing import Any

from controller import execution, planning
from controller.execution.outcome import Verdict
from controller.picturing import floor_picture
from support import small_floor

GOOD = Verdict(good=True, who="simulated technician")
BAD = Verdict(good=False, who="simulated technician")


def order_on(floor: Any, machine: str, jid: str) -> Any:
    """Let the floor plan; the order offered to the machine."""
    report = small_floor.state_report(jid=jid, bn="b-" + machine)
    floor.do(execution.hear_state, machine, report)
    with floor.store.write() as tx:
        planning.apply_plan(tx, small_floor.plan(floor_picture(tx)))
        return tx.orders.open_on(machine)


def tell(floor: Any, machine: str, *events: Any) -> list[str]:
    """Hand a machine's events over; what became of each."""
    return [floor.do(execution.apply_event, machine, event) for event in events]


def run(floor: Any, machine: str, journal: Any, lot: str = "", mass_mg: int = 0) -> Any:
    """Run what is ready on a machine to its good end; the order."""
    order = order_on(floor, machine, journal.jid)
    tell(floor, machine, *journal.run(order, lot, mass_mg))
    floor.do(execution.confirm_clear, machine, GOOD)
    return order


def make(floor: Any) -> str:
    """State a need and make it: print, mill, assemble; its id."""
    need = floor.state(stated_by="the north workshop")
    run(floor, "printer-1", small_floor.Journal("jp"), "spool-1", 4300)
    run(floor, "mill-1", small_floor.Journal("jm"), "plate-1", 30_000)
    run(floor, "station-1", small_floor.Journal("js"))
    return need

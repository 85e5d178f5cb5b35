"""Cases that the fault campaign found; each is named after what happened there."""

from __future__ import annotations

from typing import Any

from controller import dispatching, planning
from controller.dispatching import MAX_BACKOFF_MS
from support.cutflash import CutFlash
from support.machine import Machine
from support.small_floor import plan, print_only, state_report

DAY_MS = 86_400_000


def offered(floor: Any) -> Any:
    """Plan once more; the open order of the printer, or None."""
    floor.do(lambda tx: planning.apply_plan(tx, plan(tx.picture())))
    return floor.do(lambda tx: tx.orders.open_on("printer-1"))


def test_a_clock_that_ran_ahead_by_a_day_holds_nothing_back_for_a_day(floor: Any) -> None:
    """An offer is withdrawn while the clock is a day ahead; then the clock is set right."""
    from controller import inbound

    floor.do(lambda tx: inbound.take(tx, "printer-1", "up/state", state_report()))
    floor.state(print_only)
    floor.clock.advance_ms(DAY_MS)
    order = offered(floor)
    floor.do(lambda tx: dispatching.withdraw(tx, order, "nobody took it"))
    floor.clock.advance_ms(-DAY_MS)
    again = offered(floor)
    assert again is not None and again.ep > order.ep
    floor.do(lambda tx: dispatching.withdraw(tx, again, "nobody took it"))
    assert offered(floor) is None, "an honest hold still holds"
    floor.clock.advance_ms(MAX_BACKOFF_MS)
    assert offered(floor) is not None


def test_a_controller_that_forgot_what_it_acknowledged_hears_a_hello() -> None:
    """A restored store acknowledges less than before; what was trimmed cannot be sent again."""
    machine = Machine(CutFlash())
    machine.start(1)
    ack = {"v": 1, "term": 1, "jid": machine.journal.jid}
    machine.hear("dn/ack", {**ack, "s": machine.journal.hi})
    machine.done.clear()
    machine.hear("dn/ack", {**ack, "s": 1})
    hellos = [action for action in machine.done if action[:2] == ("say", "up/hello")]
    assert [h[2]["lo"] for h in hellos] == [machine.journal.hi + 1]
    machine.done.clear()
    machine.hear("dn/ack", {**ack, "s": machine.journal.hi})
    assert machine.done == []

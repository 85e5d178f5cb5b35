"""Cases that the fault campaign found; each is named after what happened there."""

from __future__ import annotations

from typing import Any

from controller import commands, dispatching, execution, inbound, planning
from controller.dispatching import MAX_BACKOFF_MS
from controller.picturing import floor_picture
from firmware import reports
from support.cutflash import CutFlash
from support.machine import Machine
from support.small_floor import Journal, hello, plan, print_only, state_report

DAY_MS = 86_400_000


def offered(floor: Any) -> Any:
    """Plan once more; the open order of the printer, or None."""
    floor.do(lambda tx: planning.apply_plan(tx, plan(floor_picture(tx))))
    return floor.do(lambda tx: tx.orders.open_on("printer-1"))


def test_a_clock_that_ran_ahead_by_a_day_holds_nothing_back_for_a_day(floor: Any) -> None:
    """An offer is withdrawn while the clock is a day ahead; then the clock is set right."""
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
    assert machine.done == [("hello",)]
    assert reports.hello(machine.agent)["lo"] == machine.journal.hi + 1
    machine.done.clear()
    machine.hear("dn/ack", {**ack, "s": machine.journal.hi})
    assert machine.done == []


def test_a_hello_that_comes_again_after_later_reports_is_no_contradiction(floor: Any) -> None:
    """Killed between commit and acknowledgement, a controller gets hello and reports once more."""
    journal = Journal()
    floor.do(execution.hear_hello, "printer-1", hello(hi=0))
    fault = {"code": "c", "msg": "m"}
    for _ in range(3):
        floor.do(execution.apply_event, "printer-1", journal.event("fault", **fault))
    floor.do(execution.hear_hello, "printer-1", hello(hi=0))
    assert floor.do(lambda tx: tx.machines.get("printer-1").quarantine) == ""


def set_back(floor: Any) -> Any:
    """A board comes up again that has forgotten the last of three reports; what it is answered."""
    journal = Journal()
    floor.do(execution.hear_hello, "printer-1", hello(hi=0))
    for _ in range(3):
        floor.do(execution.apply_event, "printer-1", journal.event("fault", code="c", msg="m"))

    def answered(tx: Any) -> Any:
        execution.hear_hello(tx, "printer-1", hello("b2", hi=2))
        return tx.effects.acks["printer-1"]

    return floor.do(answered)


def test_a_flash_that_was_set_back_is_told_what_it_lacks(floor: Any) -> None:
    assert set_back(floor) == ("j1", 3)


def test_what_a_machine_counted_and_no_report_tells_of_is_booked_from_its_hello(floor: Any) -> None:
    """The store was set back behind reports that the machine has trimmed since."""
    counter = {"ch": 0, "lot": "spool-1", "cum_mg": 2927, "unc_mg": 27}
    said = hello("b1", lo=9, hi=8, ctr=[counter])
    for _ in range(2):
        floor.do(execution.hear_hello, "printer-1", said)
    lines = floor.do(lambda tx: [e for e in tx.ledger.all() if e.action == "consume"])
    assert sorted((e.measure, e.mass_mg, e.lot) for e in lines) == [
        ("measured", 2900, "spool-1"),
        ("uncertain", 27, "spool-1"),
    ]
    notices = floor.do(lambda tx: [n.text for n in tx.notice_room.page(20)])
    assert "printer-1 drew 2927 mg of spool-1 that no report tells of" in notices


def test_what_a_report_on_its_way_will_tell_is_not_booked_from_a_hello(floor: Any) -> None:
    counter = {"ch": 0, "lot": "spool-1", "cum_mg": 2927, "unc_mg": 0}
    floor.do(execution.hear_hello, "printer-1", hello("b1", lo=1, hi=8, ctr=[counter]))
    assert floor.do(lambda tx: [e for e in tx.ledger.all() if e.action == "consume"]) == []


def test_a_flash_that_was_set_back_is_found_out_by_its_first_report_too(floor: Any) -> None:
    set_back(floor)
    other = Journal("j1", 2).event("fault", code="c", msg="again")
    assert floor.do(execution.apply_event, "printer-1", other) == "quarantined"
    why = floor.do(lambda tx: tx.machines.get("printer-1").quarantine)
    assert why.startswith("sent two different events under number 3")


def test_reports_that_overtake_the_hello_of_their_start_are_no_contradiction(floor: Any) -> None:
    journal = Journal()
    floor.do(execution.hear_hello, "printer-1", hello("b1", hi=0))
    for _ in range(3):
        floor.do(execution.apply_event, "printer-1", journal.event("fault", code="c", msg="m"))
    floor.do(execution.hear_state, "printer-1", state_report("b2", hi=3))
    floor.do(execution.hear_hello, "printer-1", hello("b2", hi=1))
    assert floor.do(lambda tx: tx.machines.get("printer-1").quarantine) == ""


def test_a_released_machine_is_heard_though_the_board_taken_away_was_heard_last(
    floor: Any,
) -> None:
    two_boards(floor)
    assert "two boards" in floor.do(lambda tx: tx.machines.get("printer-1").quarantine)
    floor.do(execution.release_machine, "printer-1", "somebody")
    for _ in range(4):
        floor.do(execution.hear_state, "printer-1", stamped(floor, "b1"))
    machine = floor.do(lambda tx: tx.machines.get("printer-1"))
    assert (machine.quarantine, machine.bn, machine.ready) == ("", "b1", True)


def stamped(floor: Any, bn: str) -> Any:
    return state_report(bn, tq="synced", t=floor.clock.now_ms())


def two_boards(floor: Any) -> None:
    for bn in ("b1", "b2", "b1", "b1", "b1"):
        floor.do(execution.hear_state, "printer-1", stamped(floor, bn))


def test_a_journal_that_contradicts_what_is_kept_is_found_out_in_quarantine_too(floor: Any) -> None:
    """A twin was heard first under a number; the board that stays must not be trusted again."""
    event = Journal().event("fault", code="c", msg="m")
    floor.do(execution.apply_event, "printer-1", event)
    two_boards(floor)
    assert floor.do(execution.apply_event, "printer-1", {**event, "msg": "own"}) == "quarantined"
    why = floor.do(lambda tx: tx.machines.get("printer-1").quarantine)
    assert why.startswith("sent two different events under number 1")
    before = floor.do(lambda tx: tx.notice_room.last())
    floor.do(execution.apply_event, "printer-1", {**event, "msg": "own"})
    assert floor.do(lambda tx: tx.notice_room.last()) == before, "said once"


def test_nothing_is_acknowledged_to_a_machine_in_quarantine(floor: Any) -> None:
    """Of two boards with one journal, one would take it for its own and trim what nobody has."""
    floor.do(execution.quarantine, "printer-1", "two boards speak under its name")
    acks = floor.do(lambda tx: execution.hear_hello(tx, "printer-1", hello()) or tx.effects.acks)
    assert acks == {}


def test_what_was_drawn_after_a_release_is_in_the_ledger(floor: Any) -> None:
    body = {"ch": 0, "lot": "spool-1", "unc_mg": 0, "src": "lines"}
    journal = Journal()
    events = [journal.event("material", cum_mg=mg, **body) for mg in (500, 800)]
    floor.do(execution.apply_event, "printer-1", events[0])
    for who in ("somebody", "somebody else"):
        two_boards(floor)
        floor.do(execution.release_machine, "printer-1", who)
    floor.do(execution.apply_event, "printer-1", events[1])
    assert floor.do(lambda tx: tx.lots.with_balance("spool-1").mass_mg) == 1_000_000 - 800


def test_a_clear_says_up_to_which_order_it_vouches(floor: Any) -> None:
    """One came 88 s late, after a clock that was set back, and the next order began on a part."""

    def upto() -> int:
        clear = {"id": f"c{len(sent)}", "do": "clear", "who": "somebody"}
        sent.append(floor.do(commands.send, "printer-1", clear).body)
        return sent[-1]["upto"]

    sent: list[Any] = []
    floor.do(lambda tx: inbound.take(tx, "printer-1", "up/state", state_report()))
    floor.do(lambda tx: tx.site.raise_to("epoch", 7))
    assert upto() == 7, "no order is open: whatever a machine did before"
    floor.state(print_only)
    order = offered(floor)
    assert (order.ep, upto()) == (8, 7), "not what may be done meanwhile"

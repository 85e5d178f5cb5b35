"""Execution on a real store: one machine's events into state and ledger."""

from controller import dispatching, execution, needs, planning
from controller.execution.outcome import Verdict
from controller.ledger.balance import check, order_mass, totals
from controller.picturing import floor_picture

GOOD = Verdict(good=True, who="simulated technician")
BAD = Verdict(good=False, who="simulated technician")


def wake(floor, small_floor, machine="printer-1", **fields):
    floor.do(execution.hear_state, machine, small_floor.state_report(**fields))


def offer(floor, small_floor, machine="printer-1"):
    """Plan and offer; the order the machine is offered."""
    with floor.store.write() as tx:
        planning.apply_plan(tx, small_floor.plan(floor_picture(tx)))
        return tx.orders.open_on(machine)


def feed(floor, machine, events):
    return [floor.do(execution.apply_event, machine, event) for event in events]


def sound(floor):
    with floor.store.read() as tx:
        assert check(tx) == []


def make(floor, small_floor, machine, journal, lot="", mass_mg=0):
    """One operation of a machine from offer to a judged part."""
    wake(floor, small_floor, machine, jid=journal.jid, bn="b-" + machine)
    order = offer(floor, small_floor, machine)
    assert feed(floor, machine, journal.run(order, lot, mass_mg)) == ["applied"] * (
        4 if mass_mg else 3
    )
    floor.do(execution.confirm_clear, machine, GOOD)
    return order


def test_a_need_is_made_and_delivered(floor, small_floor):
    need = floor.state()
    make(floor, small_floor, "printer-1", small_floor.Journal("jp"), "spool-1", 4300)
    make(floor, small_floor, "mill-1", small_floor.Journal("jm"), "plate-1", 30_000)
    last = make(floor, small_floor, "station-1", small_floor.Journal("js"))
    with floor.store.read() as tx:
        assert tx.needs.get(need).state == "delivered"
        delivered = tx.lots.with_balance(f"d-{need}")
        assert (delivered.mass_mg, delivered.pieces) == (4300 + 21_000, 1)
        assert tx.lots.with_balance("spool-1").mass_mg == 1_000_000 - 4300
        assert tx.lots.with_balance("plate-1").pieces == 9
        assert tx.lots.with_balance("scrap-mdf-6").mass_mg == 9000
        mass = order_mass(tx, last.id)
        assert (mass.counted_mg, mass.part_mg) == (25_300, 25_300)
        assert totals(tx).in_work_mg == 0
        assert {e.action for e in tx.ledger.of_need(need)} == {
            "consume", "produce", "use", "work", "transfer", "cite"
        }  # fmt: skip
    sound(floor)


def test_the_same_event_again_changes_nothing(floor, small_floor):
    floor.state(small_floor.print_only)
    journal = small_floor.Journal()
    wake(floor, small_floor)
    order = offer(floor, small_floor)
    events = journal.run(order, "spool-1", 4000)
    feed(floor, "printer-1", events)
    assert set(feed(floor, "printer-1", events)) == {"duplicate"}
    with floor.store.read() as tx:
        assert tx.lots.with_balance("spool-1").mass_mg == 1_000_000 - 4000
    sound(floor)


def test_an_event_after_a_gap_is_neither_kept_nor_acknowledged(floor, small_floor):
    floor.state(small_floor.print_only)
    journal = small_floor.Journal()
    wake(floor, small_floor)
    events = journal.run(offer(floor, small_floor), "spool-1", 4000)
    assert feed(floor, "printer-1", [events[0], events[2]]) == ["applied", "gap"]
    with floor.store.write() as tx:
        execution.apply_event(tx, "printer-1", events[2])
        assert tx.effects.acks == {}
        assert tx.machines.get("printer-1").acked_s == 1
    assert feed(floor, "printer-1", events[1:]) == ["applied"] * 3


def test_two_events_under_one_number_quarantine_the_machine(floor, small_floor):
    floor.state(small_floor.print_only)
    journal = small_floor.Journal()
    wake(floor, small_floor)
    event = journal.run(offer(floor, small_floor))[0]
    feed(floor, "printer-1", [event])
    assert feed(floor, "printer-1", [{**event, "t": 2}]) == ["quarantined"]
    with floor.store.read() as tx:
        assert "number 1" in tx.machines.get("printer-1").quarantine


def test_a_counter_that_falls_quarantines_and_changes_no_balance(floor, small_floor):
    wake(floor, small_floor)
    journal = small_floor.Journal()
    body = {"ch": 0, "lot": "spool-1", "unc_mg": 0, "src": "lines"}
    first = journal.event("material", cum_mg=500, **body)
    lower = journal.event("material", cum_mg=400, **body)
    assert feed(floor, "printer-1", [first, lower]) == ["applied", "quarantined"]
    with floor.store.read() as tx:
        assert tx.lots.with_balance("spool-1").mass_mg == 1_000_000 - 500
    floor.do(execution.release_machine, "printer-1", "simulated technician")
    again = journal.event("material", cum_mg=450, **body)
    assert feed(floor, "printer-1", [lower, again]) == ["applied", "applied"]
    with floor.store.read() as tx:
        assert tx.lots.with_balance("spool-1").mass_mg == 1_000_000 - 550
    sound(floor)


def test_unknown_and_stale_events_are_kept_and_flagged(floor, small_floor):
    floor.state(small_floor.print_only)
    journal = small_floor.Journal()
    wake(floor, small_floor)
    order = offer(floor, small_floor)
    strange = journal.event("sings")
    stale = journal.event("claim", order=order.id, ep=order.ep + 7)
    illegal = journal.event("resumed", order=order.id, ep=order.ep)
    assert feed(floor, "printer-1", [strange, stale, illegal]) == ["flagged"] * 3
    with floor.store.read() as tx:
        codes = [letter.code for letter in tx.dead.page(9)]
        assert codes == ["illegal", "stale-epoch", "unknown-event"]
        assert tx.machines.get("printer-1").acked_s == 3
        assert tx.orders.get(order.id).state == "OFFERED"


def test_a_failed_order_scraps_and_is_tried_again_under_a_new_epoch(floor, small_floor):
    floor.state(small_floor.print_only)
    journal = small_floor.Journal()
    orders = []
    for _ in range(3):
        wake(floor, small_floor)
        order = offer(floor, small_floor)
        orders.append(order)
        head = {"order": order.id, "ep": order.ep}
        feed(
            floor,
            "printer-1",
            [
                journal.event("claim", **head),
                journal.event("started", **head, sha=small_floor.SHA_PRINT),
                journal.material(order, 100, "spool-1"),
                journal.finished(order, ok=False, why="thermal runaway"),
            ],
        )
    assert [o.ep for o in orders] == [1, 2, 3]
    with floor.store.read() as tx:
        operation = tx.operations.get(orders[0].operation)
        assert operation.state == "held"
        assert "failed 3 times" in operation.reason
        assert tx.lots.with_balance("scrap-petg").mass_mg == 300
    sound(floor)
    assert offer(floor, small_floor) is None
    floor.do(execution.retry, operation.id, "simulated technician")
    wake(floor, small_floor)
    assert offer(floor, small_floor).ep == 4


def test_an_interrupted_order_waits_for_a_person(floor, small_floor):
    need = floor.state(small_floor.print_only)
    journal = small_floor.Journal()
    wake(floor, small_floor)
    order = offer(floor, small_floor)
    head = {"order": order.id, "ep": order.ep}
    feed(
        floor,
        "printer-1",
        [
            journal.event("claim", **head),
            journal.event("started", **head, sha=small_floor.SHA_PRINT),
            journal.material(order, 3000, "spool-1", unc_mg=1000),
            journal.event("interrupted", **head, lines=700, why="power cut"),
        ],
    )
    assert offer(floor, small_floor).state == "UNKNOWN"
    floor.do(execution.resolve, order.id, GOOD)
    with floor.store.read() as tx:
        mass = order_mass(tx, order.id)
        assert (mass.measured_mg, mass.uncertain_mg, mass.part_mg) == (2000, 1000, 3000)
        assert tx.needs.get(need).state == "delivered"
    sound(floor)


def test_silence_after_the_grant_is_doubt_and_nothing_is_sent_again(floor, small_floor):
    floor.state(small_floor.print_only)
    journal = small_floor.Journal()
    wake(floor, small_floor)
    order = offer(floor, small_floor)
    feed(floor, "printer-1", journal.run(order)[:2])
    floor.do(execution.mark_silent, "printer-1", "printer-1 is silent")
    with floor.store.read() as tx:
        assert tx.orders.get(order.id).state == "IN_DOUBT"
        assert "in doubt" in tx.operations.get(order.operation).reason
    assert offer(floor, small_floor).id == order.id
    report = {"order": order.id, "ep": order.ep, "st": "running", "done_ppm": 5}
    wake(floor, small_floor, st="busy", ready=False, order=report)
    with floor.store.read() as tx:
        assert tx.orders.get(order.id).state == "RUNNING"


def test_a_new_journal_puts_a_bound_order_in_doubt(floor, small_floor):
    floor.state(small_floor.print_only)
    wake(floor, small_floor)
    order = offer(floor, small_floor)
    feed(floor, "printer-1", small_floor.Journal().run(order)[:2])
    floor.do(execution.hear_hello, "printer-1", small_floor.hello("b2", "j2"))
    with floor.store.read() as tx:
        assert tx.orders.get(order.id).state == "IN_DOUBT"
        assert tx.machines.get("printer-1").acked_s == 0


def test_two_boards_under_one_name_are_quarantined(floor, small_floor):
    for bn in ("b1", "b2", "b1", "b1", "b1"):
        said = small_floor.state_report(bn, tq="synced", t=floor.clock.now_ms())
        floor.do(execution.hear_state, "printer-1", said)
    with floor.store.read() as tx:
        assert "two boards" in tx.machines.get("printer-1").quarantine


def test_the_last_will_of_an_earlier_boot_is_ignored(floor, small_floor):
    wake(floor, small_floor, bn="b1")
    wake(floor, small_floor, bn="b2")
    wake(floor, small_floor, bn="b1", on=False)
    with floor.store.read() as tx:
        assert tx.machines.get("printer-1").online
    wake(floor, small_floor, bn="b2", on=False)
    with floor.store.read() as tx:
        assert not tx.machines.get("printer-1").online


def test_hello_raises_epoch_and_term_above_what_the_machine_saw(floor, small_floor):
    floor.state(small_floor.print_only)
    floor.do(execution.hear_hello, "printer-1", small_floor.hello(last_ep=41, term=7))
    wake(floor, small_floor)
    assert offer(floor, small_floor).ep == 42
    with floor.store.read() as tx:
        assert tx.site.number("term") == 7


def test_an_order_whose_reports_are_gone_waits_for_a_person(floor, small_floor):
    """The store was set back: the machine has trimmed what it did and holds the order no more."""
    floor.state(small_floor.print_only)
    journal = small_floor.Journal()
    wake(floor, small_floor, jid=journal.jid)
    order = offer(floor, small_floor)
    assert feed(floor, "printer-1", journal.run(order)[:2]) == ["applied", "applied"]
    held = {"order": order.id, "ep": order.ep, "st": "running", "done_ppm": 0}
    said = {"jid": journal.jid, "lo": 6, "hi": 5, "last_ep": order.ep}
    floor.do(execution.hear_hello, "printer-1", small_floor.hello(**said, order=held))
    assert state_of(floor, order) == "RUNNING"  # it holds it: what it did is still to come
    early = small_floor.state_report(jid=journal.jid, hi=4, last_ep=order.ep)
    floor.do(execution.hear_state, "printer-1", early)
    assert state_of(floor, order) == "RUNNING"  # said before its last event
    floor.do(execution.hear_state, "printer-1", {**early, "hi": 5})
    assert state_of(floor, order) == "UNKNOWN"
    floor.do(execution.confirm_clear, "printer-1", BAD)
    assert state_of(floor, order) == "FAILED"
    sound(floor)


def test_an_offer_a_machine_has_not_taken_is_not_lost(floor, small_floor):
    floor.state(small_floor.print_only)
    wake(floor, small_floor)
    order = offer(floor, small_floor)
    floor.do(execution.hear_hello, "printer-1", small_floor.hello())
    idle = small_floor.state_report(hi=0, last_ep=order.ep - 1)
    floor.do(execution.hear_state, "printer-1", idle)
    assert state_of(floor, order) == "OFFERED"
    floor.do(execution.hear_state, "printer-1", {**idle, "last_ep": order.ep})
    assert state_of(floor, order) == "UNKNOWN"


def state_of(floor, order):
    with floor.store.read() as tx:
        return tx.orders.get(order.id).state


def test_a_withdrawn_need_takes_its_offer_back(floor, small_floor):
    need = floor.state(small_floor.print_only)
    wake(floor, small_floor)
    order = offer(floor, small_floor)
    context = dispatching.WantContext(1, "http://x/programs")
    with floor.store.write() as tx:
        assert dispatching.settle_want(tx, "printer-1", context)["ph"] == "offer"
        assert dispatching.settle_want(tx, "printer-1", context) is None
        needs.withdraw(tx, need, "simulated technician")
        assert dispatching.settle_want(tx, "printer-1", context)["ph"] == "idle"
    journal = small_floor.Journal()
    assert feed(floor, "printer-1", journal.run(order)[:1]) == ["applied"]
    with floor.store.read() as tx:
        assert tx.orders.get(order.id).state == "WITHDRAWN"
        assert tx.operations.get(order.operation).state == "cancelled"


def test_a_scrapped_assembly_makes_its_parts_again(floor, small_floor):
    need = floor.state()
    printer, mill, bench = (small_floor.Journal(j) for j in ("jp", "jm", "js"))
    make(floor, small_floor, "printer-1", printer, "spool-1", 4300)
    make(floor, small_floor, "mill-1", mill, "plate-1", 30_000)
    wake(floor, small_floor, "station-1", jid="js", bn="bs")
    feed(floor, "station-1", bench.run(offer(floor, small_floor, "station-1")))
    floor.do(execution.confirm_clear, "station-1", BAD)
    with floor.store.read() as tx:
        assert [op.state for op in tx.operations.of_need(need)] == ["ready", "ready", "waiting"]
    make(floor, small_floor, "printer-1", printer, "spool-1", 4300)
    make(floor, small_floor, "mill-1", mill, "plate-1", 30_000)
    make(floor, small_floor, "station-1", bench)
    with floor.store.read() as tx:
        assert tx.needs.get(need).state == "delivered"
    sound(floor)


def test_an_operation_declined_waits_before_it_is_offered_again(floor, small_floor):
    floor.state(small_floor.print_only)
    journal = small_floor.Journal()
    wake(floor, small_floor)
    order = offer(floor, small_floor)
    body = {"order": order.id, "ep": order.ep, "why": "program too long"}
    feed(floor, "printer-1", [{**journal.event("declined", **body), "t": floor.clock.now_ms()}])
    assert offer(floor, small_floor) is None
    with floor.store.read() as tx:
        assert "program too long; tried again in" in tx.operations.get(order.operation).reason
    floor.clock.advance_ms(dispatching.BACKOFF_MS)
    assert offer(floor, small_floor).ep == 2

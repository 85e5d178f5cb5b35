"""Four published ways in which fleet controllers mis-account material, replayed here.

Each name says what happened elsewhere; each test, that the ledger is right or a person is asked.
"""

import pytest

from controller import execution, resources
from controller.ledger.balance import check, order_mass, totals
from controller.ledger.discrepancies import settle
from controller.values import Lot, Refused
from support.making import BAD, GOOD, order_on, tell

SPOOL_MG = 1_000_000


def balance(floor, lot):
    with floor.store.read() as tx:
        return tx.ledger.balance(lot).mass_mg


def doubts(floor):
    with floor.store.read() as tx:
        assert check(tx) == []
        return [(d.kind, d.expected_mg, d.found_mg) for d in tx.ledger.discrepancies()]


@pytest.fixture
def order(floor, small_floor):
    """A print on printer-1 and the journal that will tell of it."""
    floor.state(small_floor.print_only)
    journal = small_floor.Journal("jp")
    return order_on(floor, "printer-1", "jp"), journal


def begin(journal, order):
    head = {"order": order.id, "ep": order.ep}
    return [journal.event("claim", **head), journal.event("started", **head, sha="a" * 64)]


def test_double_charge_of_one_print(floor, order):
    """The same use was charged twice: a time-out after the commit, then the report again."""
    order, journal = order
    events = [*begin(journal, order), journal.material(order, 4210, "spool-1")]
    events.append(journal.finished(order))
    assert tell(floor, "printer-1", *events) == ["applied"] * 4
    for again in (events, events[2:], events[:3]):
        assert set(tell(floor, "printer-1", *again)) == {"duplicate"}
    floor.do(execution.confirm_clear, "printer-1", GOOD)
    floor.do(execution.confirm_clear, "printer-1", GOOD)
    assert balance(floor, "spool-1") == SPOOL_MG - 4210
    assert doubts(floor) == []


def test_wrong_spool_after_a_change_in_mid_print(floor, order):
    """387.87 g went on spool A, 0 on B after run-out, so that A gave more than it held."""
    order, journal = order
    lots = {"spool-a": 100_000, "spool-b": 900_000}
    for name, mass_mg in lots.items():
        made = Lot(name, "petg", "spool", ug_per_m=3_030_000)
        floor.do(resources.create_lot, made, mass_mg, 0, "t")
    first = journal.material(order, 100_000, "spool-a")
    journal.cum = 0  # counted per lot: the second spool begins anew
    events = [
        *begin(journal, order),
        journal.event("load", ch=0, lot="spool-a"),
        first,
        journal.event("paused", order=order.id, ep=order.ep, why="filament out"),
        journal.event("unload", ch=0, lot="spool-a"),
        journal.event("load", ch=0, lot="spool-b"),
        journal.event("resumed", order=order.id, ep=order.ep),
        journal.material(order, 287_870, "spool-b"),
        journal.finished(order),
    ]
    for s, event in enumerate(events, 1):
        event["s"] = s
    assert set(tell(floor, "printer-1", *events)) == {"applied"}
    floor.do(execution.confirm_clear, "printer-1", GOOD)
    assert balance(floor, "spool-a") == 0
    assert balance(floor, "spool-b") == 900_000 - 287_870
    with floor.store.read() as tx:
        assert order_mass(tx, order.id).consumed_mg == order_mass(tx, order.id).part_mg == 387_870


def test_a_spool_that_gives_more_than_it_held_is_not_clamped_but_asked_about(floor, order):
    """Elsewhere the spool stops at 0, or goes to -101 kg, and nobody is told."""
    order, journal = order
    made = Lot("spool-a", "petg", "spool", ug_per_m=3_030_000)
    floor.do(resources.create_lot, made, 3_000, 0, "t")
    events = [*begin(journal, order), journal.material(order, 4_210, "spool-a")]
    tell(floor, "printer-1", *events, journal.finished(order))
    floor.do(execution.confirm_clear, "printer-1", GOOD)
    assert doubts(floor) == [("lot:spool-a", 0, -1_210)]
    settled = floor.do(settle, order.id, "lot:spool-a", "sam", None)
    assert (settled.resolved_by, settled.note) == ("sam", "as it is")
    assert doubts(floor) == []


def test_failed_calibration_charged_as_a_whole_kilogram(floor, order):
    """A failed calibration took 1 kg from each spool: the estimate was charged, not the use."""
    order, journal = order
    floor.do(lambda tx: tx.operations.change(order.operation, materials=[
        {"material": "petg", "mass_mg": 1_000_000}]))  # fmt: skip
    events = [*begin(journal, order), journal.finished(order, ok=False, why="calibration failed")]
    tell(floor, "printer-1", *events)
    assert balance(floor, "spool-1") == SPOOL_MG
    assert doubts(floor) == []


def test_a_kilogram_reported_for_a_small_part_is_asked_about(floor, order):
    """The same case reported by the machine itself: believed in the ledger, doubted at once."""
    order, journal = order
    events = [*begin(journal, order), journal.material(order, 1_000_000, "spool-1")]
    tell(floor, "printer-1", *events, journal.finished(order))
    floor.do(execution.confirm_clear, "printer-1", GOOD)
    assert doubts(floor) == [("mass", 4210, 1_000_000)]
    floor.do(settle, order.id, "mass", "sam", 4_300)
    assert balance(floor, "spool-1") == SPOOL_MG - 4_300
    with floor.store.read() as tx:
        assert order_mass(tx, order.id).part_mg == 4_300
        assert totals(tx).in_work_mg == 0
    assert doubts(floor) == []


def test_failed_print_charged_as_nothing(floor, order):
    """A failed print counted 0 g; here it counts what was drawn, all of it scrap."""
    order, journal = order
    events = [*begin(journal, order), journal.material(order, 1_700, "spool-1")]
    events.append(journal.finished(order, ok=False, why="nozzle blocked"))
    tell(floor, "printer-1", *events)
    assert balance(floor, "spool-1") == SPOOL_MG - 1_700
    assert balance(floor, "scrap-petg") == 1_700
    with floor.store.read() as tx:
        assert order_mass(tx, order.id).scrap_mg == 1_700
    assert doubts(floor) == []


def test_a_finished_print_that_drew_nothing_is_asked_about(floor, order):
    """Not charged by guess: the order's figures stay open until a person settles them."""
    order, journal = order
    tell(floor, "printer-1", *begin(journal, order), journal.finished(order))
    floor.do(execution.confirm_clear, "printer-1", BAD)
    assert doubts(floor) == [("mass", 4210, 0)]
    with pytest.raises(Refused, match="named no lot"):
        floor.do(settle, order.id, "mass", "sam", 4_210)
    assert doubts(floor) == [("mass", 4210, 0)]
    floor.do(settle, order.id, "mass", "sam", None)
    with pytest.raises(Refused, match="no open discrepancy"):
        floor.do(settle, order.id, "mass", "sam", None)

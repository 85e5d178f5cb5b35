"""Two boards with one identity: each journal counts, or a person is asked to weigh."""

from __future__ import annotations

from typing import Any

import pytest

from controller import execution, planning, resources
from controller.execution.presence import CLONED, MAX_LATE_MS, TWO_BOARDS
from controller.ledger.discrepancies import IDENTITY
from controller.picturing import floor_picture
from support.small_floor import Journal, hello, plan, print_only, state_report

SPOOL_MG = 1_000_000


def doubts(floor: Any) -> list[str]:
    with floor.store.read() as tx:
        return [one.kind for one in tx.ledger.discrepancies() if one.kind.startswith(IDENTITY)]


def quarantine_of(floor: Any) -> str:
    with floor.store.read() as tx:
        return tx.machines.get("printer-1").quarantine


def held_mg(floor: Any) -> int:
    with floor.store.read() as tx:
        return tx.ledger.balance("spool-1").mass_mg


@pytest.fixture
def order(floor: Any) -> Any:
    """An order offered to the printer."""
    floor.do(execution.hear_hello, "printer-1", hello())
    floor.do(execution.hear_state, "printer-1", state_report())
    floor.state(print_only)
    floor.do(lambda tx: planning.apply_plan(tx, plan(floor_picture(tx))))
    return floor.do(lambda tx: tx.orders.open_on("printer-1"))


def take(floor: Any, event: Any) -> str:
    return floor.do(execution.apply_event, "printer-1", event)


def alternate(floor: Any, jid: str) -> None:
    """A second board comes up, the first goes on: until they are found out."""
    floor.do(execution.hear_hello, "printer-1", hello("b2", jid))
    floor.do(execution.hear_state, "printer-1", state_report("b2", jid))
    for _ in range(3):
        said = state_report("b1", "j1", tq="synced", t=floor.clock.now_ms())
        floor.do(execution.hear_state, "printer-1", said)


def test_each_journal_of_two_boards_is_charged_for_itself(floor: Any, order: Any) -> None:
    first, second = Journal("j1"), Journal("j2")
    for event in first.run(order, "spool-1", 1000):
        assert take(floor, event) == "applied"
    alternate(floor, "j2")
    assert quarantine_of(floor) == TWO_BOARDS
    late, others = first.material(order, 500, "spool-1"), second.material(order, 70, "spool-1")
    assert (take(floor, late), take(floor, others)) == ("quarantined", "quarantined")
    assert doubts(floor) == [IDENTITY + "spool-1"]
    floor.do(execution.release_machine, "printer-1", "ada")
    assert (take(floor, late), take(floor, others)) == ("applied", "applied")
    assert held_mg(floor) == SPOOL_MG - 1000 - 500 - 70
    assert doubts(floor) == [IDENTITY + "spool-1"]  # what the board taken away still held
    floor.do(resources.weigh, "spool-1", SPOOL_MG - 1600, "ada", "w1")
    assert (doubts(floor), held_mg(floor)) == ([], SPOOL_MG - 1600)


def test_of_a_copied_journal_the_second_report_is_kept_and_the_scale_asked_for(
    floor: Any, order: Any
) -> None:
    first = Journal("j1")
    for event in first.run(order, "spool-1", 1000):
        take(floor, event)
    clone = Journal("j1", first.s)
    clone.cum = first.cum
    assert take(floor, clone.material(order, 300, "spool-1")) == "applied"
    assert take(floor, first.material(order, 40, "spool-1")) == "quarantined"
    with floor.store.read() as tx:
        (letter,) = tx.dead.page(10)
    assert (letter.code, '"cum_mg":1040' in letter.payload) == ("twin", True)
    floor.do(resources.weigh, "spool-1", SPOOL_MG - 1340, "ada", "w1")
    assert doubts(floor) == [IDENTITY + "spool-1"]  # it is not trusted, it may report more
    floor.do(execution.release_machine, "printer-1", "ada")
    floor.do(resources.weigh, "spool-1", SPOOL_MG - 1350, "ada", "w2")
    assert doubts(floor) == [IDENTITY + "spool-1"]  # its counter begins at the next report
    assert take(floor, clone.material(order, 25, "spool-1")) == "applied"
    floor.do(resources.weigh, "spool-1", SPOOL_MG - 1375, "ada", "w3")
    assert (doubts(floor), held_mg(floor)) == ([], SPOOL_MG - 1375)


def test_boots_of_one_journal_are_told_from_boards_of_two(floor: Any, order: Any) -> None:
    alternate(floor, "j1")
    assert quarantine_of(floor) == CLONED
    assert doubts(floor) == []  # nothing was drawn yet


def test_a_new_journal_asks_for_the_scale_when_the_old_one_drew(floor: Any, order: Any) -> None:
    for event in Journal("j1").run(order, "spool-1", 1000):
        take(floor, event)
    floor.do(execution.hear_hello, "printer-1", hello("b2", "j2"))
    assert doubts(floor) == [IDENTITY + "spool-1"]
    with floor.store.read() as tx:
        (doubt,) = tx.ledger.discrepancies(order.id)
    assert "its journal j1 gave way to j2" in doubt.words
    assert "weigh it" in doubt.words


def says(floor: Any, bn: str, said_at: int | None) -> None:
    stamp: dict[str, Any] = {"tq": "none"} if said_at is None else {"tq": "synced", "t": said_at}
    floor.do(execution.hear_state, "printer-1", state_report(bn, **stamp))


def comes_up(floor: Any, bn: str) -> None:
    floor.do(execution.hear_hello, "printer-1", hello(bn))
    says(floor, bn, None)


@pytest.mark.parametrize(
    ("after_ms", "found"),
    [
        (-1, ""),  # said before the present start was heard, kept under way
        (-MAX_LATE_MS, ""),
        (-MAX_LATE_MS - 1, CLONED),  # no network keeps a word so long: a clock was wrong
        (0, CLONED),  # and who still speaks afterwards is a second board
        (None, CLONED),  # or may be
    ],
)
def test_late_words_of_an_earlier_start_are_no_second_board(
    floor: Any, after_ms: int | None, found: str
) -> None:
    for bn in ("b1", "b2"):
        comes_up(floor, bn)
    heard_at = floor.clock.now_ms()
    floor.clock.advance_ms(60_000)
    for _ in range(3):
        says(floor, "b1", None if after_ms is None else heard_at + after_ms)
    assert quarantine_of(floor) == found


def test_a_second_board_is_found_though_its_first_words_were_late(floor: Any) -> None:
    for bn in ("b1", "b2"):
        comes_up(floor, bn)
    heard_at = floor.clock.now_ms()
    floor.clock.advance_ms(60_000)
    for at in (-2, -1, 1, 2):
        says(floor, "b1", heard_at + at)
    assert quarantine_of(floor) == ""
    says(floor, "b1", heard_at + 3)
    assert quarantine_of(floor) == CLONED


def followed(floor: Any) -> str | None:
    with floor.store.read() as tx:
        return tx.machines.get("printer-1").bn


def test_a_hello_does_not_say_when_it_was_so_late_ones_prove_nothing(floor: Any) -> None:
    for bn in ("b1", "b2"):
        comes_up(floor, bn)
    for _ in range(5):
        floor.do(execution.hear_hello, "printer-1", hello("b1"))
    assert (quarantine_of(floor), followed(floor)) == ("", "b2")


def test_a_hello_that_comes_after_the_start_it_preceded_is_undone_by_who_speaks(floor: Any) -> None:
    comes_up(floor, "b2")
    floor.do(execution.hear_hello, "printer-1", hello("b1"))  # of a start that ended at once
    for _ in range(5):
        floor.clock.advance_ms(15_000)
        says(floor, "b2", floor.clock.now_ms())
    assert (quarantine_of(floor), followed(floor)) == ("", "b2")


def test_a_clock_that_is_ahead_does_not_undo_a_start(floor: Any) -> None:
    comes_up(floor, "b1")
    floor.do(execution.hear_hello, "printer-1", hello("b2"))
    says(floor, "b1", floor.clock.now_ms() + 86_400_000)
    assert followed(floor) == "b2"


@pytest.mark.parametrize("stays", ["b1", "b2", "b3"])
def test_the_board_that_stays_is_followed_and_late_words_of_the_other_are_not(
    floor: Any, order: Any, stays: str
) -> None:
    alternate(floor, "j2")
    floor.clock.advance_ms(600_000)
    floor.do(execution.release_machine, "printer-1", "ada")
    released_at = floor.clock.now_ms()
    if stays == "b3":
        floor.do(execution.hear_hello, "printer-1", hello("b3"))
    for bn in ("b1", "b2"):
        floor.do(execution.hear_hello, "printer-1", hello(bn))
        says(floor, bn, released_at - 1)
    floor.clock.advance_ms(15_000)
    for _ in range(5):
        says(floor, stays, floor.clock.now_ms())
    assert (quarantine_of(floor), followed(floor)) == ("", stays)

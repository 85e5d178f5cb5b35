"""The order tables keep the promises the architecture makes."""

from __future__ import annotations

import pytest

from protocols import orders


def reachable(start: str, skip: frozenset[str] = frozenset()) -> set[str]:
    seen, todo = {start}, [start]
    while todo:
        for event, after in orders.ORDER_STATES[todo.pop()].items():
            if event not in skip and after not in seen:
                seen.add(after)
                todo.append(after)
    return seen


def test_every_state_is_reached_and_every_target_exists() -> None:
    assert reachable("OFFERED") == set(orders.ORDER_STATES)
    assert set(orders.OPC_STATES) == set(orders.ORDER_STATES)


@pytest.mark.parametrize("state", sorted(orders.BOUND))
def test_a_bound_order_is_never_withdrawn_by_the_controller(state: str) -> None:
    assert "withdraw" not in orders.ORDER_STATES[state]
    assert state not in orders.FINAL


def test_silence_ends_nothing() -> None:
    for events in orders.ORDER_STATES.values():
        assert events.get("silence") in (None, "IN_DOUBT")


def test_unknown_is_left_by_a_person_or_the_machine_alone() -> None:
    for event in orders.ORDER_STATES["UNKNOWN"]:
        assert event.startswith(("resolved_", "finished_"))


def test_no_order_runs_without_a_grant() -> None:
    assert "RUNNING" not in reachable("OFFERED", skip=frozenset({"grant"}))


def test_an_illegal_event_raises_and_says_both() -> None:
    with pytest.raises(orders.IllegalEvent) as caught:
        orders.step("SUCCEEDED", "started")
    assert (caught.value.state, caught.value.event) == ("SUCCEEDED", "started")


def test_the_machine_starts_only_what_it_claimed() -> None:
    starts = [s for s, events in orders.MACHINE_ORDER.items() if "started" in events]
    assert starts == ["claimed"]
    assert orders.machine_step("claimed", "started") == "running"


@pytest.mark.parametrize(
    ("ok", "cancelled", "event"),
    [
        (True, False, "finished_ok"),
        (False, False, "finished_bad"),
        (False, True, "finished_cancelled"),
        (True, True, "finished_ok"),
    ],
)
def test_how_an_end_is_named(ok: bool, cancelled: bool, event: str) -> None:
    assert orders.finished_event(ok, cancelled) == event

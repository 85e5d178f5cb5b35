"""U1 to U4: urgent needs start soon, are charged, cannot be abused, and displace only at last."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.allocation.inputs import Need, NeedClass
from controller.allocation.urgent import Duty, Lane, UrgentPool, admit, place_urgent, release

DUTY = Duty({"s1": "north", "s2": "river", "s3": "hill", "s4": "north"}, quorum=2)
CAP = {"north": {"pla": 500}, "river": {"pla": 500}}


def urgent(amount: int, *attested_by: str, community: str = "north", id: str = "u1") -> Need:
    return Need(id, community, "Splint", {"pla": amount}, NeedClass.URGENT, attested_by)


def pool(reserve: int = 300, unstarted: tuple[Need, ...] = ()) -> UrgentPool:
    return UrgentPool({"pla": reserve}, {}, CAP, unstarted)


@pytest.mark.parametrize(
    ("attested_by", "told"),
    [
        ((), "waiting: 0 of 2 duty stewards have attested it"),
        (("s1",), "waiting: 1 of 2 duty stewards have attested it"),
        (("s2", "nobody"), "waiting: 1 of 2 duty stewards have attested it"),
        (("s1", "s4"), "waiting: 0 of 2 attesting stewards come from other communities, not most"),
        (("s1", "s2"), "waiting: 1 of 2 attesting stewards come from other communities, not most"),
    ],
)
def test_it_takes_enough_stewards_most_from_elsewhere(attested_by: tuple[str], told: str) -> None:
    admission = admit(urgent(10, *attested_by), DUTY, pool())
    assert (admission.admitted, admission.reason) == (False, told)
    assert admission.pool == pool()


def test_an_admitted_need_draws_on_the_reserve_and_is_charged_back() -> None:
    admission = admit(urgent(200, "s2", "s3"), DUTY, pool())
    assert admission.reason == "accepted: attested as urgent, served from the urgent reserve"
    assert admission.pool.reserve == {"pla": 100}
    assert admission.pool.debits == {"north": {"pla": 200}}
    assert admission.displaced == ()


def test_debts_end_at_the_cap() -> None:
    admission = admit(urgent(501, "s2", "s3"), DUTY, pool(reserve=1000))
    told = "waiting: its community would owe more pla than the debt cap allows"
    assert (admission.admitted, admission.reason) == (False, told)


def test_u4_only_a_short_reserve_displaces_the_last_accepted_and_tells_it() -> None:
    accepted = (urgent(80, id="n1"), Need("n2", "hill", "Other", {"mill": 5}), urgent(90, id="n3"))
    within = admit(urgent(300, "s2", "s3"), DUTY, pool(300, accepted))
    assert within.admitted and within.displaced == ()
    beyond = admit(urgent(350, "s2", "s3"), DUTY, pool(300, accepted))
    assert [d.need for d in beyond.displaced] == ["n3"]
    assert beyond.displaced[0].reason == "displaced by urgent u1: the reserve of pla is used"
    assert [need.id for need in beyond.pool.unstarted] == ["n1", "n2"]
    assert beyond.pool.reserve["pla"] == 40
    never = admit(urgent(480, "s2", "s3"), DUTY, pool(300, accepted))
    assert not never.admitted and never.pool.unstarted == accepted


def test_unused_reserve_is_released_to_the_next_stage() -> None:
    rest, given_back = release(pool(), {"pla": 1000, "mill": 5})
    assert (rest.reserve, given_back) == ({"pla": 0}, {"mill": 0, "pla": 300})


entries = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 90), st.just(False)), max_size=4
)
lanes = st.lists(
    st.builds(
        lambda name, running, queue: Lane(name, running, tuple(queue)),
        st.sampled_from(["p1", "p2", "p3"]),
        st.integers(0, 100),
        entries,
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda lane: lane.machine,
)


@given(lanes)
def test_u1_an_urgent_operation_waits_at_most_for_a_running_one(found: list[Lane]) -> None:
    placed, start = place_urgent("u", 5, found)
    before = next(lane for lane in found if lane.machine == placed.machine)
    assert start == min(lane.running_ms for lane in found)
    assert placed.running_ms == before.running_ms, "running operations are never aborted"
    assert placed.queue == (("u", 5, True), *before.queue), "and nothing queued is lost"


def test_u1_urgent_operations_keep_their_order_among_themselves() -> None:
    lane = Lane("p1", 10, (("n", 50, False),))
    lane, first = place_urgent("u1", 5, [lane])
    lane, second = place_urgent("u2", 5, [lane])
    assert (first, second) == (10, 15)
    assert [entry[0] for entry in lane.queue] == ["u1", "u2", "n"]


@given(st.lists(st.tuples(st.integers(1, 200), st.booleans()), max_size=30), st.integers(0, 3000))
@settings(deadline=None)
def test_u2_u3_marking_everything_urgent_gains_at_most_the_cap(
    stated: list[tuple[int, bool]], reserve: int
) -> None:
    """Whatever a community states, what it holds beyond paid-back endowments is at most the cap."""
    state = pool(reserve)
    taken = paid_back = 0
    for at, (amount, pays) in enumerate(stated):
        admission = admit(urgent(amount, "s2", "s3", id=f"u{at}"), DUTY, state)
        state = admission.pool
        taken += amount if admission.admitted else 0
        owed = state.debits.get("north", {}).get("pla", 0)
        if pays and owed:
            paid_back += min(owed, 100)
            debits = {"north": {"pla": owed - min(owed, 100)}}
            state = UrgentPool(state.reserve, debits, CAP, state.unstarted)
        assert taken - paid_back == state.debits.get("north", {}).get("pla", 0)
        assert taken <= paid_back + CAP["north"]["pla"]
        assert taken <= reserve

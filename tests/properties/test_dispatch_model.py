"""Every order of events of small floors keeps the invariants of dispatch; planted faults do not."""

from __future__ import annotations

import pytest

from support.dispatch_model import Bugs, Limits, explore


@pytest.mark.parametrize(
    "limits", [Limits(machines=1, epochs=2, cuts=2), Limits(machines=2, epochs=2, cuts=0)]
)
def test_no_order_of_events_breaks_an_invariant_or_ends_in_a_dead_end(limits: Limits) -> None:
    found = explore(limits)
    assert (found.broken, found.way) == ("", ())
    assert found.stuck == 0
    assert found.worlds > 1000


@pytest.mark.parametrize(
    ("bugs", "invariant"),
    [
        (Bugs(motion_before_journal=True), "Durable"),
        (Bugs(any_grant=True), "Granted"),
        (Bugs(any_grant=True, forgets_epoch=True), "Granted"),
        (Bugs(ack_before_commit=True), "EveryReport"),
        (Bugs(withdraws_granted=True), "Granted"),
        (Bugs(resolved_unseen=True), "OneAtWork"),
    ],
)
def test_a_planted_fault_is_found(bugs: Bugs, invariant: str) -> None:
    machines = 2 if bugs.resolved_unseen else 1
    found = explore(Limits(machines=machines, epochs=2, cuts=0 if machines == 2 else 1), bugs)
    assert found.broken.startswith(invariant), found
    assert found.way


def test_the_epoch_and_the_quoted_claim_are_two_locks() -> None:
    limits = Limits(machines=1, epochs=2, cuts=2)
    assert explore(limits, Bugs(forgets_epoch=True)).broken == "", "the quoted claim still holds"

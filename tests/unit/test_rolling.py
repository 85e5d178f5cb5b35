"""Whatever happens, the plan holds, what was sent stays, what is promised moves for gains only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.scheduling.planner import plan
from controller.scheduling.problem import Operation
from controller.scheduling.rolling import Care, Known, roll
from controller.scheduling.schedule import Plan, value, violations
from controller.scheduling.solver import Budget
from support.replans import EVENTS, Morning, morning

CARE = Care(budget=Budget(0.0))


@pytest.fixture(scope="module")
def now() -> Morning:
    return morning(8, 60)


@pytest.mark.parametrize("event", EVENTS)
def test_after_anything_the_plan_holds_and_nothing_sent_moves(now: Morning, event: str) -> None:
    problem = EVENTS[event](now)
    step = roll(problem, Known(now.running), CARE)
    made = Plan(step.assignments)
    assert violations(problem, made) == []
    assert {a.operation for a in made.assignments} == {o.name for o in problem.operations}
    places = {a.operation: a for a in made.assignments}
    for operation in problem.operations:
        if operation.fixed is not None:
            place = places[operation.name]
            assert (place.machine, place.start_s, place.end_s) == (
                operation.fixed.machine, operation.fixed.start_s, operation.fixed.end_s,
            )  # fmt: skip
        else:
            assert operation.name in step.bindings, "nothing waits without a reason"


def test_a_quiet_floor_keeps_its_plan_to_the_second(now: Morning) -> None:
    step = roll(now.problem, Known(now.running), Care(threshold=10.0, budget=Budget(0.0)))
    assert step.by == "kept"
    was = {a.operation: (a.machine, a.start_s) for a in now.running.assignments}
    for one in step.assignments:
        machine, start_s = was[one.operation]
        assert one.machine == machine
        assert one.start_s <= max(0, start_s), "only what can start sooner moves"


def test_a_breakdown_moves_what_the_machine_had_and_little_else(now: Morning) -> None:
    problem = EVENTS["breakdown"](now)
    broken = next(m.name for m in problem.machines if m.closed)
    step = roll(problem, Known(now.running), Care(threshold=10.0, budget=Budget(0.0)))
    assert step.by == "kept"
    was = {a.operation: a.machine for a in now.running.assignments}
    serves = {o.name: set(o.eligible) - {broken} for o in problem.operations}
    for one in step.assignments:
        if was[one.operation] != broken:
            assert one.machine == was[one.operation]
        elif serves[one.operation]:
            assert one.machine != broken or one.start_s >= 30 * 86_400


def test_a_proposal_is_taken_when_it_gains_and_left_when_it_does_not(now: Morning) -> None:
    better = plan(now.problem, 1, Budget(rounds=60), now.running)
    ruled = roll(now.problem, Known(), CARE)
    gained = roll(now.problem, Known(Plan(ruled.assignments), better), CARE)
    assert value(now.problem, better) < ruled.worth, "the search found nothing: widen this test"
    assert gained.by == "search"
    assert gained.was == ruled.worth
    stays = roll(now.problem, Known(Plan(ruled.assignments), better), replace_threshold(50.0))
    assert stays.by == "kept"


def replace_threshold(threshold: float) -> Care:
    return CARE._replace(threshold=threshold)


def test_bad_operations_are_named_and_the_rest_rolls_on(now: Morning) -> None:
    bad = Operation("bad", now.problem.jobs[0].name, {"nowhere": 60})
    problem = replace(now.problem, operations=(*now.problem.operations, bad))
    step = roll(problem, Known(now.running), CARE)
    assert [(p.operation, p.code) for p in step.problems if p.code != "impossible_due"] == [
        ("bad", "no_machine")
    ]
    assert "bad" in step.blocked
    assert len(step.assignments) == len(now.problem.operations)

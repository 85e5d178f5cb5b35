"""Any problem gives a valid plan, and the checker catches every planted violation."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.scheduling.planner import Budget, plan
from controller.scheduling.problem import Problem
from controller.scheduling.schedule import Assignment, Plan, value, violations
from support.problems import random_problem

seeds = st.integers(0, 10**6)
FIRST_ONLY = Budget(0.0)


@given(seeds)
@settings(max_examples=150, deadline=None)
def test_any_problem_gives_a_valid_plan(seed: int) -> None:
    problem = random_problem(seed)
    made = plan(problem, budget=FIRST_ONLY)
    assert violations(problem, made) == []
    planned = {assignment.operation for assignment in made.assignments}
    left = {operation.name for operation in problem.operations} - planned
    assert left <= set(made.reasons), "nothing is left out without a reason"
    fixed = {operation.name for operation in problem.operations if operation.fixed}
    assert planned - fixed <= set(made.reasons)


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_the_same_problem_gives_the_same_plan(seed: int) -> None:
    problem = random_problem(seed)
    assert plan(problem, budget=FIRST_ONLY) == plan(problem, budget=FIRST_ONLY)


def moved(plan_: Plan, i: int, **changes: object) -> Plan:
    assignments = list(plan_.assignments)
    assignments[i] = assignments[i]._replace(**changes)
    return replace(plan_, assignments=tuple(assignments))


def check_planted(seed: int, plant: Callable[[Problem, Plan, int], Plan | None]) -> bool:
    """Plant one violation in a valid plan; True when there was somewhere to plant it."""
    problem = random_problem(seed)
    good = plan(problem, budget=FIRST_ONLY)
    fixed = {operation.name for operation in problem.operations if operation.fixed}
    for i, assignment in enumerate(good.assignments):
        if assignment.operation in fixed:
            continue
        bad = plant(problem, good, i)
        if bad is not None:
            assert violations(problem, bad), assignment
            return True
    return False


def earlier_than_possible(problem: Problem, good: Plan, i: int) -> Plan | None:
    """Plans are left-shifted: whatever starts one second earlier breaks something."""
    one = good.assignments[i]
    last_on_machine = all(
        a.start_s <= one.start_s for a in good.assignments if a.machine == one.machine
    )
    rationed = any(o.name == one.operation and o.materials for o in problem.operations)
    if one.start_s == 0 or rationed or not last_on_machine:
        return None
    return moved(good, i, start_s=one.start_s - 1, end_s=one.end_s - 1)


def longer(problem: Problem, good: Plan, i: int) -> Plan | None:
    return moved(good, i, end_s=good.assignments[i].end_s + 1)


def elsewhere(problem: Problem, good: Plan, i: int) -> Plan | None:
    return moved(good, i, machine="nowhere")


def twice(problem: Problem, good: Plan, i: int) -> Plan | None:
    return replace(good, assignments=(*good.assignments, good.assignments[i]))


def without_predecessor(problem: Problem, good: Plan, i: int) -> Plan | None:
    name = good.assignments[i].operation
    planned = {a.operation for a in good.assignments}
    for operation in problem.operations:
        if name in operation.after and operation.name in planned and not operation.fixed:
            return replace(good, assignments=good.assignments[:i] + good.assignments[i + 1 :])
    return None


def on_top_of_another(problem: Problem, good: Plan, i: int) -> Plan | None:
    one = good.assignments[i]
    for other in good.assignments:
        if other.machine == one.machine and other.start_s < one.start_s and other[2] < other[3]:
            length = one.end_s - one.start_s
            return moved(good, i, start_s=other.start_s, end_s=other.start_s + length)
    return None


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_the_checker_catches_planted_violations(seed: int) -> None:
    check_planted(seed, longer)
    check_planted(seed, elsewhere)
    check_planted(seed, twice)
    check_planted(seed, without_predecessor)
    check_planted(seed, on_top_of_another)
    check_planted(seed, earlier_than_possible)


def test_each_kind_of_violation_was_really_planted() -> None:
    plants = (
        longer,
        elsewhere,
        twice,
        without_predecessor,
        on_top_of_another,
        earlier_than_possible,
    )
    for plant in plants:
        assert sum(check_planted(seed, plant) for seed in range(60)) > 5, plant.__name__


def test_value_counts_what_was_not_planned_first() -> None:
    problem = random_problem(7)
    made = plan(problem, budget=FIRST_ONLY)
    fewer = replace(made, assignments=made.assignments[:-1])
    assert value(problem, made) < value(problem, fewer)
    assert isinstance(made.assignments[0], Assignment)

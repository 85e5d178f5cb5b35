"""The compiled search: valid plans, deterministic by rounds, known optima, honest bounds."""

import pytest

from controller.scheduling.generate import fab_day
from controller.scheduling.planner import LARGE, Budget, plan
from controller.scheduling.problem import Problem
from controller.scheduling.readers import from_text
from controller.scheduling.rolling import Care, Known, roll
from controller.scheduling.schedule import makespan, value, violations
from support.problems import random_problem

# two jobs that fit together in 11 s on two machines: found by hand, equal to the load bound
SMALL = """2 2
3 2 0 4 1 6 1 1 3 2 0 2 1 2
2 1 0 5 2 0 6 1 4
"""

MT06 = """6 6
6 1 2 1 1 0 3 1 1 6 1 3 7 1 5 3 1 4 6
6 1 1 8 1 2 5 1 4 10 1 5 10 1 0 10 1 3 4
6 1 2 5 1 3 4 1 5 8 1 0 9 1 1 1 1 4 7
6 1 1 5 1 0 5 1 2 5 1 3 3 1 4 8 1 5 9
6 1 2 9 1 1 3 1 4 5 1 5 4 1 0 3 1 3 1
6 1 1 3 1 3 3 1 5 9 1 0 10 1 4 4 1 2 1
"""


def test_the_classic_6x6_job_shop_is_solved_to_its_optimum() -> None:
    problem = from_text(MT06, "mt06")
    made = plan(problem, seed=1, budget=Budget(rounds=40))
    assert violations(problem, made) == []
    assert makespan(made) == 55
    assert 0 < made.bound_s <= 55


def test_the_bound_holds_and_stops_the_search() -> None:
    problem = from_text(SMALL, "small")
    made = plan(problem, budget=Budget(rounds=1000))
    assert violations(problem, made) == []
    assert made.bound_s <= makespan(made) <= 11


@pytest.mark.parametrize("problem", [from_text(MT06, "mt06"), fab_day(6, 40, 3)])
def test_same_seed_and_rounds_give_the_same_plan(problem: Problem) -> None:
    first = plan(problem, seed=5, budget=Budget(rounds=6))
    assert plan(problem, seed=5, budget=Budget(rounds=6)) == first


@pytest.mark.parametrize("seed", range(60))
def test_searched_plans_of_anything_are_valid_and_no_worse_than_the_rule(seed: int) -> None:
    problem = random_problem(seed)
    rule = plan(problem, budget=Budget(0.0))
    made = plan(problem, seed=seed, budget=Budget(rounds=3))
    assert violations(problem, made) == []
    assert value(problem, made) <= value(problem, rule)


def test_a_fab_day_gets_much_better_than_the_rule() -> None:
    problem = fab_day(8, 60, 2)
    rule = value(problem, plan(problem, budget=Budget(0.0)))
    made = plan(problem, seed=1, budget=Budget(rounds=30))
    assert violations(problem, made) == []
    searched = value(problem, made)
    assert rule.late_urgent + rule.weighted_tardiness > 0
    assert searched < rule


def test_the_running_plan_is_a_warm_start() -> None:
    problem = fab_day(6, 40, 3)
    running = plan(problem, seed=1, budget=Budget(rounds=20))
    again = plan(problem, seed=2, budget=Budget(rounds=1), running=running)
    assert value(problem, again) <= value(problem, running)


def test_a_large_floor_begins_with_compiled_rules_and_holds() -> None:
    problem = fab_day(200, 1200, 1)
    assert sum(len(o.eligible) for o in problem.operations) > LARGE
    ruled = plan(problem, budget=Budget(0.0))
    assert violations(problem, ruled) == []
    assert len(ruled.assignments) == len(problem.operations)
    searched = plan(problem, budget=Budget(rounds=2))
    assert violations(problem, searched) == []
    step = roll(problem, Known(ruled), Care(budget=Budget(0.0)))
    assert len(step.assignments) == len(problem.operations)

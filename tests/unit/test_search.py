"""The compiled search: plans hold, the same seed and rounds give the same, more never is worse."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest

from controller.scheduling.annealing import best_rule, improve, price
from controller.scheduling.arrays import Instance, number
from controller.scheduling.effort import Budget
from controller.scheduling.generate import Shop, fab_day, shop
from controller.scheduling.kernels.compiled import array
from controller.scheduling.kernels.dispatch import Index, dispatch, new_desk
from controller.scheduling.kernels.floor import fill, new_floor
from controller.scheduling.kernels.graph import change_over, seconds
from controller.scheduling.kernels.starts import work_left
from controller.scheduling.kernels.tabu import empty_solution
from controller.scheduling.planner import plan
from controller.scheduling.problem import Job, Machine, Operation, Problem
from controller.scheduling.schedule import makespan, value, violations

DAY = fab_day(6, 60, 3, 0.8)
PLAIN, WITH_SETUPS = shop(Shop(8, 5, 5, 3), 1), shop(Shop(6, 4, 4, 2, 30), 2)
MILL = {"mill": 100}
RULE = Index(1.0, 0.5, 4000.0, 600.0)


def closed_and_manual(day: Problem) -> Problem:
    """The same day with breaks on machines and nobody there at noon."""
    machines = tuple(
        replace(m, closed=((5000, 9000), (40_000, 42_000)), manual=i % 2 == 0)
        for i, m in enumerate(day.machines)
    )
    return replace(day, machines=machines, unstaffed=((20_000, 30_000),))


@pytest.mark.parametrize("problem", [DAY, closed_and_manual(DAY), PLAIN, WITH_SETUPS])
def test_plans_hold_repeat_and_gain_with_rounds(problem: Problem) -> None:
    few, many, again = (plan(problem, 5, Budget(rounds=r)) for r in (2, 12, 12))
    assert many == again
    for made in (few, many):
        assert violations(problem, made) == []
        assert len(made.assignments) == len(problem.operations)
    dated = any(job.due_s is not None for job in problem.jobs)
    if dated:
        assert value(problem, many)[:4] <= value(problem, few)[:4]
    else:
        assert makespan(many) <= makespan(few)
        assert makespan(many) >= many.bound_s > 0


def test_annealing_cost_is_what_the_plan_costs() -> None:
    instance = number(closed_and_manual(DAY), {}).instance
    ruled = best_rule(instance, lambda: 0.0)
    shares = iter([0.0, 0.3, 0.6, 0.9, 1.0])
    better = improve(instance, (ruled.best.solution,), 1, lambda: next(shares))
    again = price(instance, new_floor(instance), better.solution)
    assert better.cost <= ruled.best.cost
    assert again.cost == pytest.approx(better.cost)


@pytest.mark.parametrize("seed", range(4))
def test_a_free_machine_takes_the_best_index_of_all_that_wait(seed: int) -> None:
    instance = number(fab_day(5, 50, seed, 0.9), {}).instance
    desk, made = new_desk(instance), empty_solution(len(instance.release))
    work_left(instance, desk.left)
    dispatch(instance, desk, RULE, made)
    floor = new_floor(instance)
    fill(instance, floor, made)
    left = [float(one) for one in array(desk.left)]
    end = {o: floor.head[o] + floor.time[o] for o in range(len(left))}
    end[-1] = 0
    ready = [ready_at(instance, end, o) for o in range(len(left))]
    taken_at = [max(end[floor.before[o]], ready[o]) for o in range(len(left))]
    seen = 0
    for o, m in enumerate(floor.machine.tolist()):
        before, now = floor.before[o], taken_at[o]
        if ready[o] >= now:
            continue  # it came to an idle machine, or just when this one became free
        own = index(instance, (o, m, before), now, left)
        for other in range(len(left)):
            if ready[other] < now < taken_at[other] and m in machines_of(instance, other):
                assert own >= index(instance, (other, m, before), now, left) - 1e-3
                seen += 1
    assert seen > 20, "hardly anything waited: widen this test"


def machines_of(instance: Instance, o: int) -> list[int]:
    return instance.elig_machine[instance.elig_from[o] : instance.elig_to[o]].tolist()


def ready_at(instance: Instance, end: dict[int, int], o: int) -> int:
    before = instance.pred[instance.pred_from[o] : instance.pred_from[o + 1]].tolist()
    return max([instance.release[o], *(end[p] for p in before)])


def index(instance: Instance, at: tuple[int, int, int], now: int, left: list[float]) -> float:
    """The logarithm of ATCS, written out."""
    o, m, before = at
    entry = instance.elig_from[o] + machines_of(instance, o).index(m)
    slack = max(0.0, instance.due[instance.job[o]] - left[o] - now)
    weight = instance.weight[instance.job[o]]
    gain = log(weight / max(1, seconds(instance, o, entry)))
    setup = change_over(instance, m, before, o)
    return gain - slack / (RULE.k1 * RULE.mean_s) - setup / (RULE.k2 * RULE.mean_setup_s)


def test_more_waiting_than_any_list_could_hold() -> None:
    """One machine, 900 operations at once: the most valuable goes first however late it comes."""
    jobs = tuple(Job(f"j{i}", due_s=10, weight=1 + (i == 899)) for i in range(900))
    steps = tuple(Operation(job.name, job.name, MILL) for job in jobs)
    instance = number(Problem((Machine("mill"),), jobs, steps), {}).instance
    desk, made = new_desk(instance), empty_solution(900)
    work_left(instance, desk.left)
    dispatch(instance, desk, RULE, made)
    assert made.order[0] == 899

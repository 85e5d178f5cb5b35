"""Least weighted tardiness: the best tuned rule, then annealing while the budget lasts.

The same seed and the same number of stretches give the same plan.
"""

from collections.abc import Callable
from math import isqrt
from typing import NamedTuple

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.anneal import Heat, anneal, total_cost
from controller.scheduling.kernels.compiled import array, floats, ints
from controller.scheduling.kernels.dispatch import Index, dispatch, new_desk
from controller.scheduling.kernels.floor import Floor, fill, new_floor
from controller.scheduling.kernels.starts import work_left
from controller.scheduling.kernels.tabu import Solution, empty_solution, seed_with

GRID = tuple((k1, k2) for k1 in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0) for k2 in (0.1, 0.25, 0.5, 1.0))
FIRST = (1.0, 0.5)
STRETCH = 2000
SETUP_COST = 0.05
URGENT = 1000.0
HOT = 0.2
COLD = 0.002
SOFT = 4.0
FULL_FROM = 0.5

Share = Callable[[], float]


class Priced(NamedTuple):
    """A plan and its cost."""

    cost: float
    solution: Solution


class Ruled(NamedTuple):
    """The best plan by rule, and how many rules were tried."""

    best: Priced
    tried: int


def best_rule(instance: Instance, used: Share) -> Ruled:
    """The best ATCS plan of the grid; the first is always made, more while ``used()`` < 1."""
    desk = new_desk(instance)
    work_left(instance, desk.left)
    floor = new_floor(instance)
    best: Priced | None = None
    tried = 0
    for k1, k2 in (FIRST, *GRID):
        if best is not None and used() >= 1.0:
            break
        solution = empty_solution(len(instance.release))
        dispatch(instance, desk, _index(instance, k1, k2), solution)
        priced = price(instance, floor, solution)
        tried += 1
        if best is None or priced.cost < best.cost:
            best = priced
    if best is None:
        raise ValueError("no rule was tried")
    return Ruled(best, tried)


def price(instance: Instance, floor: Floor, solution: Solution) -> Priced:
    """The cost of a plan, which is left in the floor."""
    fill(instance, floor, solution)
    return Priced(total_cost(instance, floor, SETUP_COST), solution)


def _usual_lateness(instance: Instance, floor: Floor) -> float:
    """Mean weighted tardiness of late needs neither urgent nor hard, of the plan in the floor."""
    weight, due, end = array(instance.weight), array(instance.due), array(floor.job_end)
    late = (weight * np.maximum(0, end - due))[(weight < URGENT) & (end > due)]
    return float(late.mean()) if late.size else 0.0


def _index(instance: Instance, k1: float, k2: float) -> Index:
    setups = array(instance.setup)
    setups = setups[setups > 0]
    mean_setup_s = float(setups.mean()) if setups.size else 1.0
    return Index(k1, k2, _mean_seconds(instance), max(1.0, mean_setup_s))


def _mean_seconds(instance: Instance) -> float:
    rates = array(instance.rate)[array(instance.elig_from)] * array(instance.scale) / 1000.0
    return max(1.0, float(rates.mean())) if len(rates) else 1.0


def improve(instance: Instance, given: tuple[Solution, ...], seed: int, used: Share) -> Priced:
    """Anneal from the best plan given until ``used()`` (share of the budget) reaches 1."""
    seed_with(seed)
    floor = new_floor(instance)
    best = min((price(instance, floor, plan) for plan in given), key=lambda priced: priced.cost)
    price(instance, floor, best.solution)
    hot = HOT * _usual_lateness(instance, floor)
    most = 200 + 20 * isqrt(len(instance.release))
    while (share := used()) < 1.0 and best.cost > 0.0:
        heat = Heat(max(1e-6, hot * COLD**share), STRETCH, SETUP_COST, most)
        anneal(softened(instance, share), floor, heat)
        cost = total_cost(instance, floor, SETUP_COST)
        if cost < best.cost * (1.0 - 1e-9):
            best = Priced(cost, _copy(floor))
    return best


def softened(instance: Instance, share: float) -> Instance:
    """Urgent needs and deadlines weigh a little more at first and all of it once it grows cold.

    At full weight from the start every way to a better plan for them would be a wall.
    """
    factor = SOFT * (URGENT / SOFT) ** min(1.0, share / FULL_FROM)
    weight = array(instance.weight)
    hard, urgent = weight >= URGENT**2, weight >= URGENT
    softer = np.where(hard, (factor / URGENT) ** 2, np.where(urgent, factor / URGENT, 1.0))
    return instance._replace(weight=floats(weight * softer))


def _copy(floor: Floor) -> Solution:
    """The plan in the floor; its order follows starts, then ends, then numbers (topological)."""
    head, time = array(floor.head), array(floor.time)
    order = np.lexsort((np.arange(len(head)), head + time, head))
    return Solution(floor.entry.copy(), ints(order))

"""Least weighted tardiness: the best tuned rule, then annealing while the budget lasts.

The same seed and the same number of stretches give the same plan.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.anneal import Heat, anneal, total_cost
from controller.scheduling.kernels.compiled import Floats
from controller.scheduling.kernels.dispatch import Index, dispatch, new_desk
from controller.scheduling.kernels.floor import Floor, fill, new_floor
from controller.scheduling.kernels.starts import work_left
from controller.scheduling.kernels.tabu import Solution, empty_solution, seed_with

GRID = tuple((k1, k2) for k1 in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0) for k2 in (0.1, 0.25, 0.5, 1.0))
FIRST = (1.0, 0.5)
STRETCH = 2000
SETUP_COST = 0.001

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
        fill(instance, floor, solution)
        cost = total_cost(instance, floor, SETUP_COST)
        tried += 1
        if best is None or cost < best.cost:
            best = Priced(cost, solution)
    if best is None:
        raise ValueError("no rule was tried")
    return Ruled(best, tried)


def _index(instance: Instance, k1: float, k2: float) -> Index:
    setups = instance.setup[1:]
    return Index(
        k1, k2, _mean_seconds(instance), max(1.0, float(setups.mean()) if setups.size else 1.0)
    )


def _mean_seconds(instance: Instance) -> float:
    rates: Floats = instance.rate[instance.elig_from] * instance.scale / 1000.0
    return max(1.0, float(rates.mean())) if len(rates) else 1.0


def improve(instance: Instance, start: Solution, seed: int, used: Share) -> Priced:
    """Anneal from a plan until ``used()`` (share of the budget, growing) reaches 1."""
    seed_with(seed)
    floor = new_floor(instance)
    fill(instance, floor, start)
    cost = total_cost(instance, floor, SETUP_COST)
    best = Priced(cost, start)
    hot = 0.2 * float(np.median(instance.weight[instance.job])) * _mean_seconds(instance)
    most = 200 + 20 * int(np.sqrt(len(instance.release)))
    while (share := used()) < 1.0 and best.cost > 0.0:
        heat = Heat(max(1e-6, hot * 0.002**share), STRETCH, SETUP_COST, most)
        cost += anneal(instance, floor, heat)
        if cost < best.cost * (1.0 - 1e-9):
            best = Priced(cost, _copy(floor))
    return best


def _copy(floor: Floor) -> Solution:
    """The plan in the floor; its order follows starts, then ends, then numbers (topological)."""
    order = np.lexsort((floor.time == 0, floor.head))
    if bool((floor.time == 0).any()):
        order = np.lexsort((np.arange(len(order)), floor.head + floor.time, floor.head))
    return Solution(floor.entry.copy(), order.astype(np.int64))

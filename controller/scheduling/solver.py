"""Look for a better plan than the rule's: by annealing where there are dues, else by breeding."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from controller.scheduling.annealing import best_rule, improve
from controller.scheduling.arrays import Numbered, number
from controller.scheduling.bounds import lower_bound
from controller.scheduling.decode import decode, encode
from controller.scheduling.kernels.tabu import Solution
from controller.scheduling.memetic import Memetic
from controller.scheduling.problem import Problem
from controller.scheduling.schedule import Assignment


class Budget(NamedTuple):
    """CPU seconds to look for better plans, or rounds of search where > 0 (then deterministic)."""

    cpu_s: float = 1.0
    rounds: int = 0


class Better(NamedTuple):
    """Assignments found and a proven lower bound of the makespan (0 = none)."""

    assignments: list[Assignment]
    bound_s: int


Progress = Callable[[float, int], None]


class _Meter:
    """Share of a budget used up, by rounds or by CPU time."""

    def __init__(self, budget: Budget, clock: Callable[[], float]) -> None:
        self._budget, self._clock = budget, clock
        self._begun_s = clock()
        self._rounds = 0

    def used(self) -> float:
        """Share used; every question counts as a round."""
        self._rounds += 1
        if self._budget.rounds:
            return (self._rounds - 1) / self._budget.rounds
        if self._budget.cpu_s <= 0.0:
            return 1.0
        return (self._clock() - self._begun_s) / self._budget.cpu_s

    def open(self, _rounds: int, _makespan: int) -> bool:
        """Whether something is left of the budget."""
        return self.used() < 1.0


def better(
    problem: Problem,
    releases: Mapping[str, int],
    given: list[Assignment],
    seed: int,
    budget: Budget,
    clock: Callable[[], float] = time.process_time,
) -> Better:
    """Plans no worse than any it was given, for a sound problem in topological order."""
    numbered = number(problem, releases)
    if not numbered.operations:
        return Better(given, 0)
    meter = _Meter(budget, clock)
    start = (encode(numbered, given),) if given else ()
    if any(job.due_s is not None for job in problem.jobs):
        solution = _least_tardiness(numbered, start, seed, meter)
        return Better(decode(problem, numbered, solution, dict(releases)), 0)
    bound = lower_bound(numbered.instance)
    found = Memetic(numbered.instance, seed).run(meter.open, bound, start)
    return Better(decode(problem, numbered, found.solution, dict(releases)), bound)


def _least_tardiness(
    numbered: Numbered, start: tuple[Solution, ...], seed: int, meter: _Meter
) -> Solution:
    """The best of the rules and the plan given, annealed."""
    ruled = best_rule(numbered.instance, lambda: 4.0 * meter.used())
    return improve(numbered.instance, (ruled.best.solution, *start), seed, meter.used).solution

"""Shortest makespan: a small population of plans, each improved by tabu search.

Children take runs of operations from two parents and are improved in turn; a child replaces the
worst plan, or the one it resembles. When the population has become one plan, it starts again
around the best. The same seed and the same number of rounds give the same plan.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import array, ints, zeros
from controller.scheduling.kernels.graph import new_graph
from controller.scheduling.kernels.moves import new_scratch
from controller.scheduling.kernels.starts import (
    Listing,
    construct,
    cross,
    difference,
    new_listing,
    work_left,
)
from controller.scheduling.kernels.tabu import (
    Search,
    Solution,
    empty_solution,
    load,
    seed_with,
    tabu,
)


class Tuning(NamedTuple):
    """How wide and how deep to look; the same for every problem."""

    population: int = 10
    patience: int = 1500
    noise: float = 0.3
    alike: float = 0.02


class Member(NamedTuple):
    """A plan in the population; its order follows the starts."""

    makespan: int
    solution: Solution


class Found(NamedTuple):
    """The best plan, what it takes, and how much was looked at."""

    makespan: int
    solution: Solution
    rounds: int
    iterations: int


Go = Callable[[int, int], bool]
TUNING = Tuning()


class Memetic:
    """One run; ``go(rounds, makespan)`` says whether to go on."""

    def __init__(self, instance: Instance, seed: int, tuning: Tuning = TUNING) -> None:
        n, m = len(instance.release), len(instance.free)
        self.instance, self.tuning = instance, tuning
        self.random = np.random.default_rng(seed)
        self.search = Search(new_graph(n, m), new_scratch(n), zeros(n * m), empty_solution(n))
        self.listing: Listing = new_listing(n, m)
        self.members: list[Member] = []
        self.best: Member | None = None
        self.rounds = 0
        self.iterations = 0
        seed_with(seed)
        work_left(instance, self.listing.left)

    def run(self, go: Go, target: int, given: tuple[Solution, ...] = ()) -> Found:
        """Look until ``go`` says no or ``target`` is met, beginning with the plans given."""
        for solution in (*given, self._constructed(0.0)):
            self._improve(solution, target)
        while self._record() > target and go(self.rounds, self._record()):
            if len(self.members) < self.tuning.population:
                self._improve(self._constructed(self.tuning.noise), target)
            else:
                self._generation(target)
        if self.best is None:
            raise ValueError("nothing was given")
        return Found(self.best.makespan, self.best.solution, self.rounds, self.iterations)

    def _record(self) -> int:
        return self.best.makespan if self.best else 1 << 60

    def _constructed(self, noise: float) -> Solution:
        solution = empty_solution(len(self.instance.release))
        construct(self.instance, self.listing, noise, solution)
        return solution

    def _improve(self, solution: Solution, target: int) -> None:
        """Tabu search from a plan; the result joins the population."""
        limits = (1 << 40, self.tuning.patience, target)
        makespan, iterations = tabu(self.instance, self.search, solution, limits)
        self.rounds += 1
        self.iterations += iterations
        member = Member(makespan, self._by_start(self.search.best))
        if makespan < self._record():
            self.best = member
        self._join(member)

    def _by_start(self, solution: Solution) -> Solution:
        """A copy whose order follows the starts."""
        load(self.instance, self.search.graph, solution)
        graph = self.search.graph
        order = np.lexsort((array(graph.place), array(graph.head)))
        return Solution(solution.entry.copy(), ints(order))

    def _join(self, member: Member) -> None:
        if len(self.members) < self.tuning.population:
            self.members.append(member)
            return
        limit = self.tuning.alike * len(member.solution.entry)
        for i, other in enumerate(self.members):
            same = other.makespan == member.makespan
            if same and difference(other.solution, member.solution) <= limit:
                self.members[i] = member
                return
        worst = max(range(len(self.members)), key=lambda i: self.members[i].makespan)
        if member.makespan <= self.members[worst].makespan:
            self.members[worst] = member

    def _generation(self, target: int) -> None:
        pair: list[int] = self.random.choice(len(self.members), 2, replace=False).tolist()
        child = empty_solution(len(self.instance.release))
        longest = max(1, len(child.order) // 4)
        one, other = self.members[pair[0]].solution, self.members[pair[1]].solution
        cross(one, other, self.listing.missing, longest, child)
        self._improve(child, target)

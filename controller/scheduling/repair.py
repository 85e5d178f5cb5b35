"""The plan in force, fitted to what is so now: same machines and sequences, times as they follow.

What is new goes where the rule would put it; what lost its machine goes to the one that ends it
first, in its old turn. The result is always valid and complete, so a floor never loses its plan.
"""

import heapq
from collections.abc import Mapping

from controller.scheduling.problem import Operation, Problem
from controller.scheduling.rationing import Ration
from controller.scheduling.rules import Floor
from controller.scheduling.schedule import Assignment, Plan


def repaired(
    problem: Problem, shares: Ration, running: Plan, ruled: Plan
) -> tuple[Assignment, ...]:
    """A plan of a sound problem that keeps ``running`` where it still can; by start.

    ``ruled`` is a complete plan by rule: it gives new operations their turn.
    """
    places = {a.operation: a for a in ruled.assignments}
    kept = {a.operation: a for a in running.assignments if a.operation in places}
    return _Fitting(problem, shares.release_s, {**places, **kept}, set(kept)).run()


class _Fitting:
    """Operations taken in the order of their planned starts as their inputs become known."""

    def __init__(
        self,
        problem: Problem,
        releases: Mapping[str, int],
        turns: Mapping[str, Assignment],
        kept: set[str],
    ) -> None:
        self.floor = Floor(problem)
        self.turns, self.kept = turns, kept
        self.operations = {o.name: o for o in problem.operations}
        released = {job.name: job.release_s for job in problem.jobs}
        self.ready = {
            o.name: max(o.release_s, released[o.job], releases.get(o.name, 0), 0)
            for o in problem.operations
        }
        self.missing = {o.name: len(o.after) for o in problem.operations}
        self.followers: dict[str, list[str]] = {name: [] for name in self.operations}
        for operation in problem.operations:
            for before in operation.after:
                self.followers[before].append(operation.name)
        self.out: list[Assignment] = []
        self.open: list[tuple[int, str]] = []

    def run(self) -> tuple[Assignment, ...]:
        """The whole plan, by start."""
        for name, count in self.missing.items():
            if count == 0:
                self._offer(name)
        fixed = [(o.fixed, o) for o in self.operations.values() if o.fixed is not None]
        fixed.sort(key=lambda pair: (pair[0].start_s, pair[0].end_s))
        for place, operation in fixed:
            self._put(Assignment(operation.name, place.machine, place.start_s, place.end_s))
        while self.open:
            _, name = heapq.heappop(self.open)
            self._put(self._placed(self.operations[name]))
        return tuple(sorted(self.out, key=lambda a: (a.start_s, a.operation)))

    def _placed(self, operation: Operation) -> Assignment:
        machine = self.turns[operation.name].machine
        ready = self.ready[operation.name]
        stays = operation.name in self.kept and machine in operation.eligible
        if stays and machine in self.floor.machines:
            place = self.floor.place_on(operation, machine, ready)
        else:
            place = self.floor.best(operation, ready)
        return Assignment(operation.name, place.machine, place.start_s, place.end_s)

    def _offer(self, name: str) -> None:
        if self.operations[name].fixed is None:
            heapq.heappush(self.open, (self.turns[name].start_s, name))

    def _put(self, one: Assignment) -> None:
        self.out.append(one)
        self.floor.occupy(self.operations[one.operation], one.machine, one.end_s)
        for follower in self.followers[one.operation]:
            self.ready[follower] = max(self.ready[follower], one.end_s)
            self.missing[follower] -= 1
            if self.missing[follower] == 0:
                self._offer(follower)

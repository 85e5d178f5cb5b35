"""Look for a better plan than the rule's: by annealing where there are dues, else by breeding."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from controller.scheduling.annealing import best_rule, improve
from controller.scheduling.arrays import Instance, Numbered, number
from controller.scheduling.bounds import lower_bound
from controller.scheduling.decode import decode, encode
from controller.scheduling.effort import Budget, Effort
from controller.scheduling.kernels.graph import new_graph
from controller.scheduling.kernels.tabu import Proof, Solution, load
from controller.scheduling.memetic import Memetic
from controller.scheduling.problem import Problem
from controller.scheduling.schedule import Assignment


class Better(NamedTuple):
    """Assignments found and a proven lower bound of the makespan (0 = none)."""

    assignments: list[Assignment]
    bound_s: int


PROVABLE = 100
SEARCH_FIRST, THEN_PROVE = 0.25, 0.35


class _Meter:
    """Share of a budget used up, by rounds or by CPU time."""

    def __init__(self, budget: Budget, clock: Callable[[], float], share: float = 1.0) -> None:
        self._budget = Budget(budget.cpu_s * share, budget.rounds)
        self._clock = clock
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
    effort: Effort,
) -> Better:
    """Plans no worse than any it was given, for a sound problem in topological order."""
    numbered = number(problem, releases)
    if not numbered.operations:
        return Better(given, 0)
    start = (encode(numbered, given),) if given else ()
    if any(job.due_s is not None for job in problem.jobs):
        meter = _Meter(effort.budget, effort.clock)
        solution = _least_tardiness(numbered, start, effort.seed, meter)
        return Better(decode(problem, numbered, solution, dict(releases)), 0)
    solution, bound = _least_makespan(numbered, start, effort)
    return Better(decode(problem, numbered, solution, dict(releases)), bound)


def by_compiled_rules(
    problem: Problem, releases: Mapping[str, int], effort: Effort
) -> list[Assignment]:
    """The best of the tuned rules that fit the budget, for a sound problem with dues."""
    numbered = number(problem, releases)
    meter = _Meter(effort.budget, effort.clock)
    ruled = best_rule(numbered.instance, meter.used)
    return decode(problem, numbered, ruled.best.solution, dict(releases))


def _least_makespan(
    numbered: Numbered, start: tuple[Solution, ...], effort: Effort
) -> tuple[Solution, int]:
    """Bred plans; a small problem goes to CP-SAT in between, for a proof or a better plan."""
    instance, budget = numbered.instance, effort.budget
    bound = lower_bound(instance)
    whole = _Meter(budget, effort.clock)
    if not effort.exact or len(instance.release) > PROVABLE or budget.rounds:
        return Memetic(instance, effort.seed).run(whole.open, bound, start).solution, bound
    first = _Meter(budget, effort.clock, SEARCH_FIRST)
    found = Memetic(instance, effort.seed).run(first.open, bound, start)
    solution, makespan = found.solution, found.makespan
    if makespan > bound:
        proof = _prove(instance, solution, effort)
        bound = max(bound, proof.bound_s)
        if proof.solution is not None and proof.makespan_s < makespan:
            solution, makespan = proof.solution, proof.makespan_s
    if makespan > bound:
        again = Memetic(instance, effort.seed + 1)
        solution = again.run(whole.open, bound, (solution,)).solution
    return solution, bound


def _prove(instance: Instance, solution: Solution, effort: Effort) -> Proof:
    from controller.scheduling.exact import prove

    graph = new_graph(len(instance.release), len(instance.free))
    load(instance, graph, solution)
    seconds = effort.budget.cpu_s * THEN_PROVE
    return prove(instance, solution, graph.head.tolist(), effort.seed, seconds)


def _least_tardiness(
    numbered: Numbered, start: tuple[Solution, ...], seed: int, meter: _Meter
) -> Solution:
    """The best of the rules and the plan given, annealed."""
    ruled = best_rule(numbered.instance, lambda: 4.0 * meter.used())
    return improve(numbered.instance, (ruled.best.solution, *start), seed, meter.used).solution

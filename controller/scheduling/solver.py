"""Look for a better plan than the rule's: by annealing where there are dues, else by breeding."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from controller.scheduling.annealing import best_rule, improve
from controller.scheduling.arrays import Numbered, number
from controller.scheduling.bounds import lower_bound
from controller.scheduling.decode import decode, encode
from controller.scheduling.kernels.graph import new_graph
from controller.scheduling.kernels.tabu import Solution, load
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


class Effort(NamedTuple):
    """Seed, budget, whether to spend a part on proofs, and the clock that counts CPU seconds."""

    seed: int
    budget: Budget
    exact: bool
    clock: Callable[[], float]


PROVABLE = 100
PROOF_SHARE = 0.25


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


def _least_makespan(
    numbered: Numbered, start: tuple[Solution, ...], effort: Effort
) -> tuple[Solution, int]:
    """Bred plans; small problems are then given to CP-SAT for a proof or a better plan."""
    instance = numbered.instance
    bound = lower_bound(instance)
    provable = effort.exact and len(instance.release) <= PROVABLE and not effort.budget.rounds
    share = 1.0 - PROOF_SHARE if provable else 1.0
    meter = _Meter(effort.budget, effort.clock, share)
    found = Memetic(instance, effort.seed).run(meter.open, bound, start)
    if not provable or found.makespan <= bound:
        return found.solution, bound
    graph = new_graph(len(instance.release), len(instance.free))
    load(instance, graph, found.solution)
    from controller.scheduling.exact import prove

    seconds = effort.budget.cpu_s * PROOF_SHARE
    proof = prove(instance, found.solution, graph.head.tolist(), effort.seed, seconds)
    better_one = proof.solution is not None and proof.makespan_s < found.makespan
    solution = proof.solution if better_one and proof.solution else found.solution
    return solution, max(bound, proof.bound_s)


def _least_tardiness(
    numbered: Numbered, start: tuple[Solution, ...], seed: int, meter: _Meter
) -> Solution:
    """The best of the rules and the plan given, annealed."""
    ruled = best_rule(numbered.instance, lambda: 4.0 * meter.used())
    return improve(numbered.instance, (ruled.best.solution, *start), seed, meter.used).solution

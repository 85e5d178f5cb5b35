"""From a problem to a plan: examine, ration material, best rule, improve, give reasons. Pure."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from controller.scheduling.effort import Budget, Effort
from controller.scheduling.energy import cheaper
from controller.scheduling.examine import examine
from controller.scheduling.problem import PlanProblem, Problem
from controller.scheduling.rationing import Ration, ration
from controller.scheduling.reasons import reasons
from controller.scheduling.repair import repaired
from controller.scheduling.rules import RULES, Rule, dispatch, prepare
from controller.scheduling.schedule import Plan, value

DEFAULT_BUDGET = Budget()
LEAST_SEARCH_S = 0.5
LARGE = 5000  # operations from which the compiled rules begin, as plain Python would take long


def plan(
    problem: Problem,
    seed: int = 1,
    budget: Budget = DEFAULT_BUDGET,
    running: Plan | None = None,
    exact: bool = False,
    cpu_clock: Callable[[], float] = time.process_time,
) -> Plan:
    """The best plan found; what is wrong is listed and the rest is planned all the same.

    ``running`` is the plan in force: a warm start where it still holds. ``exact`` spends a part on
    proving bounds. Under half a second the dispatch rules alone decide, in plain
    Python, so that nothing is compiled or loaded while a floor waits.
    """
    known = sound(problem)
    best = _search(known, running, Effort(seed, budget, exact, cpu_clock))
    return explained(known, cheaper(known.problem, best))


class Sound(NamedTuple):
    """The part of a problem that can be planned (topological), and what is wrong with the rest."""

    problem: Problem
    shares: Ration
    blocked: Mapping[str, str]
    problems: tuple[PlanProblem, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """Names in a topological order."""
        return tuple(operation.name for operation in self.problem.operations)


def sound(problem: Problem) -> Sound:
    """Examine a problem and ration its material."""
    examined = examine(problem)
    shares = ration(problem, examined.order)
    order, why_not = _without_lacking(problem, examined.order, shares)
    lacking = [PlanProblem(name, "no_material", text) for name, text in shares.lacking.items()]
    return Sound(
        restricted(problem, order),
        shares,
        {**examined.blocked, **why_not},
        (*examined.problems, *lacking),
    )


def explained(known: Sound, made: Plan) -> Plan:
    """The same plan with a reason for each operation that waits, and what was wrong."""
    found = reasons(known.problem, made.assignments, known.shares)
    return replace(made, reasons={**known.blocked, **found}, problems=known.problems)


def _search(known: Sound, running: Plan | None, effort: Effort) -> Plan:
    """Rule, then search while the budget lasts; the better of both by value."""
    large = len(known.problem.operations) > LARGE
    if effort.budget.cpu_s < LEAST_SEARCH_S and not effort.budget.rounds and not large:
        return rules_only(known, effort)
    from controller.scheduling.solver import better  # compiled code: seconds to load

    if large and running is None:
        found = better(known.problem, known.shares.release_s, [], effort)
        return Plan(tuple(sorted(found.assignments, key=_by_start)), bound_s=found.bound_s)
    start = by_rule(known)
    if running is not None:
        fitted = Plan(repaired(known.problem, known.shares, running, start))
        start = min(fitted, start, key=lambda made: _worth(known.problem, made))
    found = better(known.problem, known.shares.release_s, list(start.assignments), effort)
    searched = Plan(tuple(sorted(found.assignments, key=_by_start)), bound_s=found.bound_s)
    start = replace(start, bound_s=found.bound_s)
    return min(searched, start, key=lambda made: _worth(known.problem, made))


def rules_only(known: Sound, effort: Effort) -> Plan:
    """The best of the dispatch rules that fit the budget; the first is always made."""
    begun_s = effort.clock()
    best = by_rule(known)
    worth = value(known.problem, best)
    orders = prepare(known.problem, known.order, known.shares)
    for rule in RULES if _dated(known.problem) else ():
        if effort.clock() - begun_s >= effort.budget.cpu_s:
            break
        made = Plan(tuple(sorted(dispatch(known.problem, orders, rule), key=_by_start)))
        if value(known.problem, made) < worth:
            best, worth = made, value(known.problem, made)
    return best


def _worth(problem: Problem, made: Plan) -> tuple[int, ...]:
    """The value where there are dues; else the makespan comes first, as nothing can be late."""
    worth = value(problem, made)
    return worth if _dated(problem) else (worth.unplanned, worth.makespan_s, *worth)


def _dated(problem: Problem) -> bool:
    return any(job.due_s is not None for job in problem.jobs)


def by_rule(known: Sound) -> Plan:
    """The plan of the dispatch rule: ATCS where there are dues, else most work remaining."""
    rule = Rule("atcs", 1.0, 0.5) if _dated(known.problem) else Rule("mwkr")
    made = dispatch(known.problem, prepare(known.problem, known.order, known.shares), rule)
    return Plan(tuple(sorted(made, key=_by_start)))


def _by_start(assignment: tuple[str, str, int, int]) -> tuple[int, str]:
    return assignment[2], assignment[0]


def _without_lacking(
    problem: Problem, order: tuple[str, ...], shares: Ration
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The order without operations that get no material, and without what comes after them."""
    why_not = dict(shares.lacking)
    index = {operation.name: operation for operation in problem.operations}
    for name in order:
        for before in index[name].after:
            if before in why_not and name not in why_not:
                why_not[name] = f"{name} waits for {before}, which has no plan"
    return tuple(name for name in order if name not in why_not), why_not


def restricted(problem: Problem, order: tuple[str, ...]) -> Problem:
    """The same problem with only the operations named in ``order``, in that order."""
    index = {operation.name: operation for operation in problem.operations}
    return replace(problem, operations=tuple(index[name] for name in order))

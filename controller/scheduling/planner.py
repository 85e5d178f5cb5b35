"""From a problem to a plan: examine, ration material, best rule, improve, give reasons. Pure."""

import time
from collections.abc import Callable
from dataclasses import replace

from controller.scheduling.effort import Budget, Effort
from controller.scheduling.examine import examine
from controller.scheduling.problem import PlanProblem, Problem
from controller.scheduling.rationing import Ration, ration
from controller.scheduling.reasons import reasons
from controller.scheduling.rules import RULES, Rule, dispatch, prepare
from controller.scheduling.schedule import Assignment, Plan, value, violations

DEFAULT_BUDGET = Budget()
LEAST_SEARCH_S = 0.5


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
    examined = examine(problem)
    shares = ration(problem, examined.order)
    order, why_not = _without_lacking(problem, examined.order, shares)
    blocked = {**examined.blocked, **why_not}
    sound = restricted(problem, order)
    best = _search(sound, (order, shares), running, Effort(seed, budget, exact, cpu_clock))
    lacking = [PlanProblem(name, "no_material", text) for name, text in shares.lacking.items()]
    return replace(
        best,
        reasons={**blocked, **reasons(sound, best.assignments, shares)},
        problems=(*examined.problems, *lacking),
    )


def _search(
    problem: Problem,
    known: tuple[tuple[str, ...], Ration],
    running: Plan | None,
    effort: Effort,
) -> Plan:
    """Rule, then search while the budget lasts; the better of both by value."""
    order, shares = known
    if effort.budget.cpu_s < LEAST_SEARCH_S and not effort.budget.rounds:
        return _rules_only(problem, (order, shares), effort)
    from controller.scheduling.solver import better  # compiled code: seconds to load

    given = _still_holds(problem, running) or list(by_rule(problem, order, shares).assignments)
    found = better(problem, shares.release_s, given, effort)
    searched = Plan(tuple(sorted(found.assignments, key=_by_start)), bound_s=found.bound_s)
    start = Plan(tuple(sorted(given, key=_by_start)), bound_s=found.bound_s)
    return min(searched, start, key=lambda made: value(problem, made))


def _still_holds(problem: Problem, running: Plan | None) -> list[Assignment]:
    """The running plan when it breaks nothing and leaves nothing out; else nothing."""
    if running is None:
        return []
    names = {operation.name for operation in problem.operations}
    kept = [assignment for assignment in running.assignments if assignment.operation in names]
    complete = len(kept) == len(names)
    return kept if complete and not violations(problem, Plan(tuple(kept))) else []


def _rules_only(problem: Problem, known: tuple[tuple[str, ...], Ration], effort: Effort) -> Plan:
    """The best of the dispatch rules that fit the budget; the first is always made."""
    begun_s = effort.clock()
    best = by_rule(problem, *known)
    worth = value(problem, best)
    orders = prepare(problem, *known)
    for rule in RULES if _dated(problem) else ():
        if effort.clock() - begun_s >= effort.budget.cpu_s:
            break
        made = Plan(tuple(sorted(dispatch(problem, orders, rule), key=_by_start)))
        if value(problem, made) < worth:
            best, worth = made, value(problem, made)
    return best


def _dated(problem: Problem) -> bool:
    return any(job.due_s is not None for job in problem.jobs)


def by_rule(problem: Problem, order: tuple[str, ...], shares: Ration) -> Plan:
    """The plan of the dispatch rule: ATCS where there are dues, else most work remaining."""
    rule = Rule("atcs", 1.0, 0.5) if _dated(problem) else Rule("mwkr")
    made = dispatch(problem, prepare(problem, order, shares), rule)
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

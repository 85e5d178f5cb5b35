"""From a problem to a plan: examine, ration material, best rule, improve, give reasons. Pure."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from controller.scheduling.examine import examine
from controller.scheduling.problem import PlanProblem, Problem
from controller.scheduling.rationing import Ration, ration
from controller.scheduling.reasons import reasons
from controller.scheduling.rules import RULES, Rule, dispatch, prepare
from controller.scheduling.schedule import Plan, Value, value


class Budget(NamedTuple):
    """How long to look for a better plan: CPU seconds; the first plan is always made."""

    cpu_s: float = 1.0


DEFAULT_BUDGET = Budget()


def plan(
    problem: Problem,
    seed: int = 1,
    budget: Budget = DEFAULT_BUDGET,
    cpu_clock: Callable[[], float] = time.process_time,
) -> Plan:
    """The best plan found; what is wrong is listed and the rest is planned all the same."""
    examined = examine(problem)
    shares = ration(problem, examined.order)
    order, why_not = _without_lacking(problem, examined.order, shares)
    blocked = {**examined.blocked, **why_not}
    sound = restricted(problem, order)
    best = best_rule(sound, order, shares, deadline_s=cpu_clock() + budget.cpu_s, clock=cpu_clock)
    lacking = [PlanProblem(name, "no_material", text) for name, text in shares.lacking.items()]
    return replace(
        best,
        reasons={**blocked, **reasons(sound, best.assignments, shares)},
        problems=(*examined.problems, *lacking),
    )


def best_rule(
    problem: Problem,
    order: tuple[str, ...],
    shares: Ration,
    deadline_s: float,
    clock: Callable[[], float],
) -> Plan:
    """The best of the dispatch rules that fit before ``deadline_s``; the first always does."""
    orders = prepare(problem, order, shares)
    best: tuple[Value, Plan] | None = None
    for rule in _rules_for(problem):
        if best is not None and clock() > deadline_s:
            break
        made = Plan(tuple(sorted(dispatch(problem, orders, rule), key=_by_start)))
        worth = value(problem, made)
        if best is None or worth < best[0]:
            best = (worth, made)
    return best[1] if best else Plan(())


def _rules_for(problem: Problem) -> tuple[Rule, ...]:
    """ATCS first where there are dues; work remaining first where there are none."""
    if all(job.due_s is None for job in problem.jobs):
        return RULES[1:2]
    return (Rule("atcs", 0.5, 0.5), *RULES)


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

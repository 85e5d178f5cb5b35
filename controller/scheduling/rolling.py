"""One step of the rolling horizon: fit the plan in force to the floor, and leave it only for more.

Three plans meet: the one in force (fitted to what is so now), the rule's, and one a search proposed
a while ago (fitted as well). What is promised moves only for a gain over the threshold.
"""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from controller.scheduling.effort import Budget, Effort
from controller.scheduling.energy import cheaper
from controller.scheduling.online import promised
from controller.scheduling.planner import Sound, rules_only, sound
from controller.scheduling.problem import PlanProblem, Problem
from controller.scheduling.reasons import PLAIN, Binding, Names, bindings
from controller.scheduling.repair import repaired
from controller.scheduling.schedule import Assignment, Plan, Value, value


class Step(NamedTuple):
    """The plan to go by, how it came about ("kept", "rule" or "search"), and what it is worth.

    ``was`` is what keeping the plan in force would have been worth; ``blocked`` and ``problems``
    say what could not be planned.
    """

    assignments: tuple[Assignment, ...]
    by: str
    worth: Value
    was: Value | None
    bindings: Mapping[str, Binding]
    blocked: Mapping[str, str]
    problems: tuple[PlanProblem, ...]


class Known(NamedTuple):
    """Plans made before, seconds from the problem's zero: in force, and proposed by a search."""

    running: Plan | None = None
    proposal: Plan | None = None


class Care(NamedTuple):
    """How much a gain must be to move what is promised, the rules' CPU, and names for people."""

    threshold: float = 0.05
    budget: Budget = Budget(0.2)
    clock: Callable[[], float] = time.process_time
    names: Names = PLAIN


CARE = Care()


class _Offer(NamedTuple):
    by: str
    plan: Plan
    worth: Value


def roll(problem: Problem, known: Known, care: Care = CARE) -> Step:
    """The plan to go by from now."""
    part = sound(problem)
    ruled = rules_only(part, Effort(1, care.budget, False, care.clock))
    offers = [_offer("rule", part, ruled)]
    searched = _fitted(part, known.proposal, ruled, "search")
    kept = _fitted(part, known.running, ruled, "kept")
    best = min([*offers, *searched], key=lambda offer: offer.worth)
    if kept and promised(part.problem, kept[0].plan, best.plan, care.threshold) is kept[0].plan:
        best = kept[0]
    found = bindings(part.problem, best.plan.assignments, part.shares, care.names)
    return Step(
        best.plan.assignments,
        best.by,
        best.worth,
        kept[0].worth if kept else None,
        found,
        part.blocked,
        part.problems,
    )


def _fitted(part: Sound, made: Plan | None, ruled: Plan, by: str) -> list[_Offer]:
    """A plan made before, fitted to the floor as it is; nothing when there is none."""
    if made is None or not made.assignments:
        return []
    return [_offer(by, part, Plan(repaired(part.problem, part.shares, made, ruled)))]


def _offer(by: str, part: Sound, made: Plan) -> _Offer:
    """A plan in its cheapest hours, and its worth."""
    plan = cheaper(part.problem, made)
    return _Offer(by, plan, value(part.problem, plan))

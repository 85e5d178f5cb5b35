"""The planner of a site: the rule at once, a search in a process beside it, one plan in force.

The plan in force stands in the store; each look fits it to the floor, hears what the search found
and asks it again when something changed. Where the search is slow, dead or off, the rule decides.
"""

from dataclasses import replace
from typing import NamedTuple

from controller.joints.causes import happened, in_short
from controller.joints.changeovers import House, WhyNot, to_load
from controller.joints.plans import PLANNABLE, Posed, in_force, pose
from controller.picture import Assignment, FloorPicture, FloorPlan
from controller.scheduling.effort import Budget
from controller.scheduling.rolling import Care, Known, Step, roll
from controller.scheduling.schedule import Assignment as Placed
from controller.scheduling.schedule import Plan
from controller.scheduling.spools import Waste
from controller.scheduling.worker import Question, Worker
from controller.values import Json

SEARCH = Budget(cpu_s=1.0)
LEAST_OPERATIONS = 4
SOON_MS = 3_600_000
SEARCHES = 3  # of the same floor, each from what the one before found


class _Asked(NamedTuple):
    """What the search is busy with: since when (floor ms), and what the floor was."""

    at: int
    floor: int


class Rolling:
    """Plans a floor each time it is called; for one thread. ``worker`` None = the rule alone."""

    def __init__(
        self, why_not: WhyNot, house: House, worker: Worker | None, search: Budget = SEARCH
    ) -> None:
        self._why_not, self._house, self._worker, self._search = why_not, house, worker, search
        self._before: FloorPicture | None = None
        self._asked: _Asked | None = None
        self._searches = 0
        self._floor = 0

    def __call__(self, picture: FloorPicture) -> FloorPlan:
        """The plan to go by now."""
        posed = pose(picture, self._why_not, self._house)
        known = Known(in_force(picture), self._proposal(picture))
        step = roll(posed.problem, known, Care(names=posed.names))
        self._ask(picture, posed, step)
        events = [] if self._before is None else happened(self._before, picture)
        self._before = picture
        made = self._made(step, _problems(picture, posed, step))
        plan = _floor_plan(picture, posed, step, _cause(step, events), made)
        waste = self._house.waste
        return replace(
            plan, loads=_loads(picture, plan, waste), margin_permille=waste.margin_permille
        )

    def close(self) -> None:
        """End the search's process."""
        if self._worker is not None:
            self._worker.close()

    def _proposal(self, picture: FloorPicture) -> Plan | None:
        """What the search found, counted from the picture's ``at``."""
        made = None if self._worker is None else self._worker.answer()
        if made is None or self._asked is None:
            return None
        shift_s = (picture.at - self._asked.at) // 1000
        return Plan(
            tuple(
                Placed(a.operation, a.machine, a.start_s - shift_s, a.end_s - shift_s)
                for a in made.assignments
            )
        )

    def _ask(self, picture: FloorPicture, posed: Posed, step: Step) -> None:
        """Have the plan looked at while there is something to win and something new to look at."""
        worth = step.worth
        moving = sum(op.state in PLANNABLE for op in picture.operations)
        late = worth.late_hard_s + worth.late_urgent + worth.weighted_tardiness
        if self._worker is None or moving < LEAST_OPERATIONS or not late + worth.setup_s:
            return
        floor = _likeness(posed)
        if floor != self._floor:
            self._floor, self._searches = floor, 0
        if self._searches >= SEARCHES:
            return
        running = Plan(step.assignments)
        if self._worker.ask(Question(posed.problem, 1 + self._searches, self._search, running)):
            self._searches += 1
            self._asked = _Asked(picture.at, floor)

    def _made(self, step: Step, problems: list[Json]) -> Json:
        made: Json = {"by": step.by, "worth": step.worth._asdict(), "problems": problems}
        made["search"] = "off" if self._worker is None else self._worker.state
        made["lost"] = 0 if self._worker is None else self._worker.lost
        return made


def _problems(picture: FloorPicture, posed: Posed, step: Step) -> list[Json]:
    """What is wrong with the input, each with its operation; implied dues are nobody's promise."""
    need_of = {op.id: op.need for op in picture.operations}
    stated = {need.id for need in picture.needs if need.due_at is not None}
    return [
        {"operation": p.operation, "code": p.code, "text": p.text}
        for p in step.problems
        if p.code != "impossible_due" or need_of.get(p.operation) in stated - posed.aged
    ]


def _likeness(posed: Posed) -> int:
    """A number that stays while the floor asks the same question, whatever the time."""
    return hash(
        (
            tuple((o.name, tuple(o.eligible), o.fixed is None) for o in posed.problem.operations),
            tuple((j.name, j.weight, j.need_class) for j in posed.problem.jobs),
            tuple(posed.problem.stock),
        )
    )


def _loads(picture: FloorPicture, plan: FloorPlan, waste: Waste) -> dict[str, str]:
    """What to load for operations whose turn has come and whose machine lacks something."""
    operations = {op.id: op for op in picture.operations}
    turns = [a for a in plan.assignments if a.start_at <= picture.at + SOON_MS]
    words = {
        a.operation: to_load(operations[a.operation], a.machine, picture, waste) for a in turns
    }
    return {operation: text for operation, text in words.items() if text}


def _cause(step: Step, events: list[str]) -> str:
    """Why the plan is another than the one before."""
    if step.by != "kept" and step.was is not None and step.was != step.worth:
        for name, was, now in zip(step.worth._fields, step.was, step.worth, strict=True):
            if was != now:
                better = f"a better plan by {step.by}: {name.replace('_', ' ')} {was} to {now}"
                return in_short([*events, better])
    return in_short(events) or "times as they turned out"


def _floor_plan(
    picture: FloorPicture, posed: Posed, step: Step, cause: str, made: Json
) -> FloorPlan:
    """The step in floor time, with reasons for what waits and what is left out."""
    moving = {op.id for op in picture.operations if op.state in PLANNABLE}
    assignments = tuple(
        Assignment(
            a.operation, a.machine, picture.at + a.start_s * 1000, picture.at + a.end_s * 1000
        )
        for a in step.assignments
        if a.operation in moving
    )
    reasons = {
        name: binding.cause.text if binding.start_s > 0 else f"can start now on {binding.machine}"
        for name, binding in step.bindings.items()
    }
    return FloorPlan(assignments, {**reasons, **step.blocked, **posed.reasons}, cause, made=made)

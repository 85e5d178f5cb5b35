"""A rolling plan beside the floor: a worker process that may crash or hang and harms nothing.

``Worker.ask`` hands a problem over and returns at once; ``Worker.answer`` gives the plan when it is
there. Whoever runs the floor uses ``promised`` to decide whether the new plan is worth moving what
people were told: a gain under the threshold moves nothing. ``aged`` bounds waiting: the
oldest need of each community counts as urgent once it is past the bound.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from controller.scheduling.effort import Budget
from controller.scheduling.planner import plan
from controller.scheduling.problem import Problem
from controller.scheduling.schedule import Plan, Value, value, violations


class Question(NamedTuple):
    """What a worker is asked."""

    problem: Problem
    seed: int
    budget: Budget
    running: Plan | None = None


Planner = Callable[[Question], Plan]


def make_plan(question: Question) -> Plan:
    """The planner a worker runs unless it is given another."""
    return plan(question.problem, question.seed, question.budget, question.running)


class Worker:
    """One process that plans; replaced when it dies or is late."""

    def __init__(self, clock: Callable[[], float], late_s: float, planner: Planner = make_plan):
        self._clock, self._late_s, self._planner = clock, late_s, planner
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._asked_s: float | None = None
        self.lost = 0

    def ask(self, question: Question) -> bool:
        """Hand a question over; False when one is still being answered."""
        self._bury()
        if self._asked_s is not None:
            return False
        if self._pipe is None:
            self._begin()
        if self._pipe is None:
            return False
        self._pipe.send(question)
        self._asked_s = self._clock()
        return True

    def answer(self) -> Plan | None:
        """The plan, once; None while there is none. A dead or late worker is counted, and gone."""
        self._bury()
        if self._asked_s is None or self._pipe is None or not self._pipe.poll():
            return None
        made: Plan = self._pipe.recv()
        self._asked_s = None
        return made

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = self._asked_s = None

    def _begin(self) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._planner), daemon=True)
        self._process.start()
        theirs.close()

    def _bury(self) -> None:
        """Clear away a worker that died, or that has not answered in time."""
        if self._process is None or self._pipe is None:
            return
        answered = self._asked_s is not None and self._process.is_alive() and self._pipe.poll()
        late = self._asked_s is not None and self._clock() - self._asked_s > self._late_s
        if not self._process.is_alive() or (late and not answered):
            self.lost += 1
            self.close()


def _serve(pipe: Connection, planner: Planner) -> None:
    while True:
        try:
            question: Question = pipe.recv()
        except EOFError:
            return
        pipe.send(planner(question))


def promised(problem: Problem, running: Plan, new: Plan, threshold: float) -> Plan:
    """``new`` when it gains more than that share of the first value that differs, else ``running``.

    A running plan that no longer holds (breakdown, new or cancelled operations) is always left.
    """
    names = {operation.name for operation in problem.operations}
    if violations(problem, running) or {a.operation for a in running.assignments} != names:
        return new
    return new if _gain(value(problem, running), value(problem, new)) > threshold else running


def _gain(old: Value, new: Value) -> float:
    """Share won in the first field that differs; negative when lost."""
    for before, after in zip(old, new, strict=True):
        if before != after:
            return (before - after) / max(before, after)
    return 0.0


def moved(old: Plan, new: Plan) -> list[str]:
    """What a change of plan moved, one sentence an operation, in the order of the new starts."""
    before = {assignment.operation: assignment for assignment in old.assignments}
    out: list[str] = []
    for one in new.assignments:
        was = before.get(one.operation)
        if was is None:
            out.append(f"{one.operation} is new on {one.machine}")
        elif was.machine != one.machine:
            out.append(f"{one.operation} moved from {was.machine} to {one.machine}")
        elif was.start_s != one.start_s:
            shift = one.start_s - was.start_s
            way = "later" if shift > 0 else "earlier"
            out.append(f"{one.operation} starts {-(-abs(shift) // 60)} min {way}")
    return out


class Waits(NamedTuple):
    """How long each need has waited, and each community since it last got a machine (if ever)."""

    need_s: Mapping[str, int]
    unserved_s: Mapping[str, int]


def aged(problem: Problem, waits: Waits, bound_s: int) -> Problem:
    """The oldest need of each community, past the bound, is urgent and due now.

    Whose community has gone without a machine longest weighs most, so that whoever queued much
    delays another by one operation of theirs, not by all.
    """
    oldest: dict[str, str] = {}
    for job in problem.jobs:
        waited = waits.need_s.get(job.name, 0)
        best = oldest.get(job.community)
        if waited > bound_s and (best is None or waited > waits.need_s[best]):
            oldest[job.community] = job.name
    weights = {
        name: 1 + min(waits.need_s[name], waits.unserved_s.get(community, 1 << 40)) // 60
        for community, name in oldest.items()
    }
    jobs = tuple(
        replace(job, need_class="urgent", due_s=0, weight=weights[job.name])
        if job.name in weights
        else job
        for job in problem.jobs
    )
    return replace(problem, jobs=jobs)

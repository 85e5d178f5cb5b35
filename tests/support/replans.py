"""A day's floor in the middle of the morning, and everything that can happen to its plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from controller.scheduling.generate import fab_day
from controller.scheduling.planner import plan
from controller.scheduling.problem import Fixed, Job, Operation, Problem, Stock, Window
from controller.scheduling.rules import Rule
from controller.scheduling.schedule import Assignment, Plan
from controller.scheduling.solver import Budget

__all__ = ["EVENTS", "Morning", "Rule", "morning", "shifted"]
AT_S = 4 * 3600
REST: tuple[Window, ...] = tuple((d * 86_400 + 43_200, d * 86_400 + 64_800) for d in range(8))


class Morning:
    """A floor ``AT_S`` after a plan was made: ``problem`` as it is now, ``running`` in force."""

    def __init__(self, problem: Problem, running: Plan) -> None:
        self.problem, self.running = problem, running

    def with_operations(self, change: Callable[[Operation], Operation | None]) -> Problem:
        """The problem with every operation passed through ``change`` (None = it is gone)."""
        found = (change(operation) for operation in self.problem.operations)
        return replace(self.problem, operations=tuple(o for o in found if o is not None))


def morning(machines: int, operations: int, seed: int = 1) -> Morning:
    """Plan a day by rule, then let four hours pass as planned."""
    day = fab_day(machines, operations, seed)
    staffed = replace(
        day,
        machines=tuple(replace(m, manual=m.name.startswith("mill")) for m in day.machines),
        operations=tuple(replace(o, materials=_drawn(o)) for o in day.operations),
        stock={"petg": Stock(10**9), "mdf": Stock(10**6)},
        unstaffed=REST,
    )
    made = plan(staffed, budget=Budget(0.0))
    return shifted(staffed, made, AT_S)


def _drawn(operation: Operation) -> tuple[tuple[str, int], ...]:
    kind = operation.setup_class.split()[0]
    return {"print": (("petg", 1000),), "mill": (("mdf", 1),)}.get(kind, ())


def shifted(problem: Problem, made: Plan, at_s: int) -> Morning:
    """What is left at ``at_s``: done operations gone, started ones fixed, times counted anew."""
    places = {a.operation: a for a in made.assignments}
    done = {name for name, a in places.items() if a.end_s <= at_s}
    left: list[Operation] = []
    for operation in problem.operations:
        place = places[operation.name]
        if operation.name in done:
            continue
        after = tuple(name for name in operation.after if name not in done)
        fixed = None
        if place.start_s <= at_s:
            fixed = Fixed(place.machine, 0, place.end_s - at_s)
        released = max(0, operation.release_s - at_s)
        left.append(replace(operation, after=after, fixed=fixed, release_s=released))
    here = {operation.job for operation in left}
    jobs = tuple(_job(job, at_s) for job in problem.jobs if job.name in here)
    held = _held(problem, made, at_s)
    machines = tuple(replace(m, setup_class=held.get(m.name, "")) for m in problem.machines)
    away = tuple((max(0, a - at_s), b - at_s) for a, b in problem.unstaffed if b > at_s)
    now = replace(problem, machines=machines, jobs=jobs, operations=tuple(left), unstaffed=away)
    still = {operation.name for operation in left}
    kept = (
        Assignment(a.operation, a.machine, a.start_s - at_s, a.end_s - at_s)
        for a in made.assignments
        if a.operation in still
    )
    return Morning(now, Plan(tuple(kept)))


def _job(job: Job, at_s: int) -> Job:
    due = None if job.due_s is None else max(0, job.due_s - at_s)
    return replace(job, release_s=max(0, job.release_s - at_s), due_s=due)


def _held(problem: Problem, made: Plan, at_s: int) -> dict[str, str]:
    classes = {operation.name: operation.setup_class for operation in problem.operations}
    started = sorted((a for a in made.assignments if a.start_s <= at_s), key=lambda a: a.start_s)
    return {a.machine: classes[a.operation] for a in started}


def _busiest(now: Morning) -> str:
    count: dict[str, int] = {}
    for one in now.running.assignments:
        count[one.machine] = count.get(one.machine, 0) + 1
    return max(sorted(count), key=lambda name: count[name])


def new_need(now: Morning) -> Problem:
    """An urgent need of two operations comes in."""
    like = next(o for o in now.problem.operations if o.fixed is None)
    job = Job("new", due_s=7200, weight=8, need_class="urgent")
    first = replace(like, name="new 1", job="new", after=(), release_s=0)
    then = replace(like, name="new 2", job="new", after=("new 1",), release_s=0)
    return replace(
        now.problem,
        jobs=(*now.problem.jobs, job),
        operations=(*now.problem.operations, first, then),
    )


def breakdown(now: Morning) -> Problem:
    """The machine with most to do breaks; what runs on it must be done again elsewhere."""
    broken = _busiest(now)

    def change(operation: Operation) -> Operation:
        if operation.fixed is not None and operation.fixed.machine == broken:
            operation = replace(operation, fixed=None)
        return operation

    changed = now.with_operations(change)
    closed = ((0, 30 * 86_400),)
    return replace(
        changed,
        machines=tuple(
            replace(m, closed=closed) if m.name == broken else m for m in changed.machines
        ),
    )


def failed_part(now: Morning) -> Problem:
    """What runs on one machine came out bad: it is to be made again."""
    name = next(o.name for o in now.problem.operations if o.fixed is not None)
    return now.with_operations(lambda o: replace(o, fixed=None) if o.name == name else o)


def late_operation(now: Morning) -> Problem:
    """What runs on one machine takes two hours longer."""
    one = next(o for o in now.problem.operations if o.fixed is not None)
    assert one.fixed is not None
    later = replace(one.fixed, end_s=one.fixed.end_s + 7200)
    return now.with_operations(lambda o: replace(o, fixed=later) if o.name == one.name else o)


def spool_empty(now: Morning) -> Problem:
    """Little filament is left, more is promised in six hours."""
    stock = {**now.problem.stock, "petg": Stock(20_000, ((6 * 3600, 10**9),))}
    return replace(now.problem, stock=stock)


def delivered(now: Morning) -> Problem:
    """What was promised is there: more than enough of everything."""
    return replace(now.problem, stock={"petg": Stock(10**10), "mdf": Stock(10**7)})


def shift_change(now: Morning) -> Problem:
    """Whoever changes tools goes home two hours earlier than planned."""
    start, end = now.problem.unstaffed[0]
    return replace(now.problem, unstaffed=((start - 7200, end), *now.problem.unstaffed[1:]))


def cancelled_need(now: Morning) -> Problem:
    """A need nobody began for is taken back."""
    begun = {o.job for o in now.problem.operations if o.fixed is not None}
    gone = next(job.name for job in now.problem.jobs if job.name not in begun)
    changed = now.with_operations(lambda o: None if o.job == gone else o)
    return replace(changed, jobs=tuple(job for job in changed.jobs if job.name != gone))


EVENTS: dict[str, Callable[[Morning], Problem]] = {
    "new need": new_need,
    "breakdown": breakdown,
    "failed part": failed_part,
    "late operation": late_operation,
    "material delivered": delivered,
    "spool empty": spool_empty,
    "shift change": shift_change,
    "cancelled need": cancelled_need,
}

"""A plan as a value, what it is worth, and an independent checker that shares no code with solvers.

The value is compared field by field, first field first (lexicographic): what was not planned, hard
deadlines, urgent needs, weighted tardiness, change-overs, what energy costs by the curve, energy,
makespan. Smaller is better.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from controller.scheduling.problem import (
    Curve,
    Machine,
    Operation,
    PlanProblem,
    Problem,
    Window,
)


class Assignment(NamedTuple):
    """One operation on one machine from start to end, seconds from the plan's zero."""

    operation: str
    machine: str
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Assignments by start, why each operation waits (in words), and what was wrong."""

    assignments: tuple[Assignment, ...]
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    problems: tuple[PlanProblem, ...] = ()
    bound_s: int = 0


class Value(NamedTuple):
    """What a plan is worth; smaller is better, earlier fields first."""

    unplanned: int
    late_hard_s: int
    late_urgent: int
    weighted_tardiness: int
    setup_s: int
    energy_cost: int
    energy_wh: int
    makespan_s: int


def makespan(plan: Plan) -> int:
    """Latest end in seconds; 0 for an empty plan."""
    return max((assignment.end_s for assignment in plan.assignments), default=0)


def value(problem: Problem, plan: Plan) -> Value:
    """The plan's value under the floor's own objective."""
    ends: dict[str, int] = {}
    index = {operation.name: operation for operation in problem.operations}
    watts = {machine.name: machine.power_w for machine in problem.machines}
    energy_ws, energy_cost = 0, 0
    for assignment in plan.assignments:
        job = index[assignment.operation].job
        ends[job] = max(ends.get(job, 0), assignment.end_s)
        watt = watts[assignment.machine]
        energy_ws += watt * (assignment.end_s - assignment.start_s)
        energy_cost += watt * _priced_s(problem.energy, assignment)
    late = {"hard": 0, "urgent": 0, "other": 0}
    for job in problem.jobs:
        if job.due_s is None or job.name not in ends:
            continue
        kind = "hard" if job.hard else "urgent" if job.need_class == "urgent" else "other"
        late[kind] += job.weight * max(0, ends[job.name] - job.due_s)
    return Value(
        unplanned=len(problem.operations) - len(plan.assignments),
        late_hard_s=late["hard"],
        late_urgent=late["urgent"],
        weighted_tardiness=late["other"],
        setup_s=sum(setup for _, _, setup in _change_overs(problem, plan)),
        energy_cost=energy_cost // 3_600_000,
        energy_wh=energy_ws // 3600,
        makespan_s=makespan(plan),
    )


def _priced_s(curve: Curve, run: Assignment) -> int:
    """Seconds of a run, each times the price in force (the first step's before it)."""
    total = 0
    for i, (from_s, price) in enumerate(curve):
        begin = run.start_s if i == 0 else max(run.start_s, from_s)
        end = run.end_s if i + 1 == len(curve) else min(run.end_s, curve[i + 1][0])
        total += price * max(0, end - begin)
    return total


def violations(problem: Problem, plan: Plan) -> list[str]:
    """Every rule the plan breaks, one sentence each; [] for a valid plan."""
    index = {operation.name: operation for operation in problem.operations}
    releases = {job.name: job.release_s for job in problem.jobs}
    placed: dict[str, Assignment] = {}
    found: list[str] = []
    for assignment in plan.assignments:
        if assignment.operation not in index:
            found.append(f"{assignment.operation} is not in the problem")
        elif assignment.operation in placed:
            found.append(f"{assignment.operation} is planned twice")
        else:
            placed[assignment.operation] = assignment
    for name, assignment in placed.items():
        found.extend(_wrong_alone(index[name], assignment, releases))
        found.extend(_wrong_order(index[name], assignment, placed))
    found.extend(_wrong_calendar(problem, placed))
    found.extend(_wrong_sequence(problem, plan))
    found.extend(_wrong_material(problem, placed))
    return found


def _wrong_alone(
    operation: Operation, assignment: Assignment, releases: Mapping[str, int]
) -> Iterator[str]:
    """Eligibility, length, release, frozen operations."""
    name, machine, start, end = assignment
    if operation.fixed is not None:
        fixed = operation.fixed
        if (machine, start, end) != (fixed.machine, fixed.start_s, fixed.end_s):
            yield f"{name} was moved though it is fixed"
        return
    if machine not in operation.eligible:
        yield f"{name} is on {machine}, which cannot do it"
    elif end - start != (operation.eligible[machine] * operation.scale_permille + 999) // 1000:
        yield f"{name} lasts {end - start} s on {machine}, which is wrong"
    release = max(operation.release_s, releases[operation.job])
    if start < release:
        yield f"{name} starts at {start} s before its release at {release} s"


def _wrong_order(
    operation: Operation, assignment: Assignment, placed: Mapping[str, Assignment]
) -> Iterator[str]:
    if operation.fixed is not None:
        return
    for before in operation.after:
        if before not in placed:
            yield f"{operation.name} is planned but {before}, which comes before, is not"
        elif placed[before].end_s > assignment.start_s:
            yield f"{operation.name} starts before {before} has ended"


def _wrong_calendar(problem: Problem, placed: Mapping[str, Assignment]) -> Iterator[str]:
    fixed = {operation.name for operation in problem.operations if operation.fixed is not None}
    closed = {machine.name: machine.closed for machine in problem.machines}
    for name, assignment in placed.items():
        if name in fixed:
            continue
        for start, end in closed.get(assignment.machine, ()):
            if start < max(assignment.end_s, assignment.start_s + 1) and end > assignment.start_s:
                yield f"{name} runs while {assignment.machine} is closed from {start} to {end} s"


def _change_overs(problem: Problem, plan: Plan) -> Iterator[tuple[Assignment, int, int]]:
    """(assignment, end of the one before it on its machine, seconds of change-over)."""
    classes = {operation.name: operation.setup_class for operation in problem.operations}
    machines = {machine.name: machine for machine in problem.machines}
    free = {machine.name: (0, machine.setup_class) for machine in problem.machines}
    for assignment in sorted(plan.assignments, key=lambda a: (a.start_s, a.end_s)):
        machine = machines.get(assignment.machine)
        if machine is None:
            continue
        end, held = free[machine.name]
        wanted = classes.get(assignment.operation, "")
        yield assignment, end, _change_over_s(machine, held, wanted)
        free[machine.name] = (max(end, assignment.end_s), wanted or held)


def _change_over_s(machine: Machine, held: str, wanted: str) -> int:
    table = machine.setups
    if table is None or held not in table.classes or wanted not in table.classes:
        return 0
    return table.seconds[table.classes.index(held)][table.classes.index(wanted)]


def _wrong_sequence(problem: Problem, plan: Plan) -> Iterator[str]:
    """Overlap, and change-overs that are too short or happen when nobody is there."""
    fixed = {operation.name for operation in problem.operations if operation.fixed is not None}
    manual = {machine.name for machine in problem.machines if machine.manual}
    away = sorted(window for window in problem.unstaffed if window[1] > window[0])
    last_is_fixed: dict[str, bool] = {}
    for assignment, free_s, setup_s in _change_overs(problem, plan):
        is_fixed = assignment.operation in fixed
        after_fixed = last_is_fixed.get(assignment.machine, True)
        last_is_fixed[assignment.machine] = is_fixed
        if assignment.start_s < free_s and not (is_fixed and after_fixed):
            yield f"{assignment.operation} overlaps another operation on {assignment.machine}"
        if is_fixed:
            continue
        ready = free_s + setup_s
        if setup_s and assignment.machine in manual:
            ready = _attended_end(free_s, setup_s, away)
        if assignment.start_s < ready:
            yield f"{assignment.operation} starts before its change-over can end at {ready} s"


def _attended_end(from_s: int, length_s: int, away: list[Window]) -> int:
    """End of the first ``length_s`` seconds from ``from_s`` that no window in ``away`` touches."""
    for start, end in away:
        if start < from_s + length_s and end > from_s:
            from_s = end
    return from_s + length_s


def _wrong_material(problem: Problem, placed: Mapping[str, Assignment]) -> Iterator[str]:
    """Stock and deliveries up to each start must cover everything started by then."""
    taken = {material: stock.amount for material, stock in problem.stock.items()}
    events = [
        (at, 0, material, amount, "")
        for material, stock in problem.stock.items()
        for at, amount in stock.deliveries
    ]
    for operation in problem.operations:
        if operation.name in placed and operation.fixed is None:
            start = placed[operation.name].start_s
            events += [(start, 1, m, -amount, operation.name) for m, amount in operation.materials]
    for at, _, material, amount, name in sorted(events):
        taken[material] = taken.get(material, 0) + amount
        if name and taken[material] < 0:
            yield f"{name} starts at {at} s without enough {material}"

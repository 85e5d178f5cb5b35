"""Why each operation waits: the one reason that binds, and the earliest start, in words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from controller.scheduling.calendars import earliest_fit, in_words, merged
from controller.scheduling.energy import run_cost
from controller.scheduling.problem import Machine, Operation, Problem, Window
from controller.scheduling.rationing import Ration
from controller.scheduling.schedule import Assignment


class Before(NamedTuple):
    """The operation before on the machine, and when it ends."""

    operation: str
    end_s: int


class Cause(NamedTuple):
    """Until when something binds an operation, what it is, and what leads to its time in words."""

    until_s: int
    text: str
    lead: str = ""

    @property
    def when(self) -> str:
        """The time in words, behind its lead."""
        return f"{self.lead}{in_words(self.until_s)}" if self.lead else ""


class Binding(NamedTuple):
    """The earliest start of an operation, where, and the one thing that binds it."""

    start_s: int
    machine: str
    cause: Cause

    def sentence(self) -> str:
        """For people, times counted from the plan's zero."""
        if self.start_s <= 0:
            return f"can start now on {self.machine}"
        starts = f"earliest start {in_words(self.start_s)} on {self.machine}"
        return f"{starts}: {self.cause.text}{self.cause.when}"


Names = Mapping[str, str]
PLAIN: Names = {}


def reasons(problem: Problem, assignments: Iterable[Assignment], ration: Ration) -> dict[str, str]:
    """One sentence for each planned operation that is not fixed."""
    found = bindings(problem, assignments, ration)
    return {operation: binding.sentence() for operation, binding in found.items()}


def bindings(
    problem: Problem,
    assignments: Iterable[Assignment],
    ration: Ration,
    names: Names = PLAIN,
) -> dict[str, Binding]:
    """What binds each planned operation that is not fixed; ``names`` as people say them."""
    index = {operation.name: operation for operation in problem.operations}
    machines = {m.name: replace(m, closed=merged(m.closed)) for m in problem.machines}
    job_release = {job.name: job.release_s for job in problem.jobs}
    ordered = sorted(assignments, key=lambda a: (a.start_s, a.end_s))
    ends = {assignment.operation: assignment.end_s for assignment in ordered}
    away = merged(problem.unstaffed)
    last: dict[str, Before] = {}
    out: dict[str, Binding] = {}
    for assignment in ordered:
        operation = index[assignment.operation]
        machine = machines[assignment.machine]
        before = last.get(assignment.machine)
        if operation.fixed is None:
            causes = [
                *_causes(operation, ends, ration, names),
                _released(operation, job_release[operation.job]),
                *_machine_causes(machine, before, assignment, names),
                *_person_causes(machine, before, away, names),
            ]
            causes += _price_causes(problem, machine, assignment, causes)
            out[operation.name] = _binding(assignment, causes, names)
        last[assignment.machine] = Before(operation.name, assignment.end_s)
    return out


def _causes(
    operation: Operation, ends: Mapping[str, int], ration: Ration, names: Names
) -> Iterator[Cause]:
    """Inputs and material."""
    for b in operation.after:
        yield Cause(ends[b], f"waits for {names.get(b, b)}", ", which ends ")
    material_s = ration.release_s.get(operation.name, 0)
    if material_s:
        material = ration.binding[operation.name]
        yield Cause(material_s, f"waits for {material}", ", promised ")


def _released(operation: Operation, job_release_s: int) -> Cause:
    release_s = max(operation.release_s, job_release_s)
    return Cause(release_s, "is not released", " until ")


def _machine_causes(
    machine: Machine, before: Before | None, assignment: Assignment, names: Names
) -> Iterator[Cause]:
    """What is on the machine before, and its closed windows (merged)."""
    name = names.get(machine.name, machine.name)
    if before:
        busy = names.get(before.operation, before.operation)
        yield Cause(before.end_s, f"waits for {name}, busy with {busy}", ", free ")
    length = assignment.end_s - assignment.start_s
    for start, end in machine.closed:
        if start < assignment.start_s and end <= assignment.start_s < end + length:
            yield Cause(end, f"waits for {name}, which opens", " ")


def _person_causes(
    machine: Machine, before: Before | None, away: tuple[Window, ...], names: Names
) -> Iterator[Cause]:
    if not machine.manual:
        return
    free_s = before.end_s if before else 0
    staffed_s = earliest_fit(free_s, 1, away)
    if staffed_s > free_s:
        name = names.get(machine.name, machine.name)
        yield Cause(staffed_s, f"waits for a person to change over {name}", ", there ")


def _price_causes(
    problem: Problem, machine: Machine, assignment: Assignment, others: Iterable[Cause]
) -> Iterator[Cause]:
    """A start that waits for a price: a kWh costs less there than where it could have begun."""
    if not problem.energy or not machine.power_w:
        return
    longest_s = (
        max((max(row) for row in machine.setups.seconds), default=0) if machine.setups else 0
    )
    ready_s = max(one.until_s for one in others) + longest_s
    at_s = assignment.start_s
    length_s, curve = assignment.end_s - at_s, problem.energy
    if ready_s < at_s and run_cost(curve, at_s, length_s) < run_cost(curve, ready_s, length_s):
        yield Cause(at_s, "waits for cheaper energy", ", from ")


def _binding(assignment: Assignment, causes: Iterable[Cause], names: Names) -> Binding:
    cause = max(causes, key=lambda one: one.until_s)
    machine = names.get(assignment.machine, assignment.machine)
    if cause.until_s <= 0:
        cause = Cause(assignment.start_s, f"waits for the change-over of {machine}")
    return Binding(assignment.start_s, machine, cause)

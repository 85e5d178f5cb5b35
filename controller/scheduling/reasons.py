"""Why each operation waits: the one reason that binds, and the earliest start, in words."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from controller.scheduling.calendars import earliest_fit, merged
from controller.scheduling.problem import Machine, Operation, Problem, Window
from controller.scheduling.rationing import Ration
from controller.scheduling.schedule import Assignment


class Before(NamedTuple):
    """The operation before on the machine, and when it ends."""

    operation: str
    end_s: int


def in_words(seconds: int) -> str:
    """A time span for people: "now", "in 40 min", "in 3 h 20 min", "in 2 d 4 h"."""
    minutes = -(-seconds // 60)
    if minutes <= 0:
        return "now"
    if minutes < 60:
        return f"in {minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"in {hours} h {minutes} min" if minutes else f"in {hours} h"
    days, hours = divmod(hours, 24)
    return f"in {days} d {hours} h" if hours else f"in {days} d"


def reasons(problem: Problem, assignments: Iterable[Assignment], ration: Ration) -> dict[str, str]:
    """One sentence for each planned operation that is not fixed."""
    index = {operation.name: operation for operation in problem.operations}
    machines = {machine.name: machine for machine in problem.machines}
    job_release = {job.name: job.release_s for job in problem.jobs}
    ordered = sorted(assignments, key=lambda a: (a.start_s, a.end_s))
    ends = {assignment.operation: assignment.end_s for assignment in ordered}
    away = merged(problem.unstaffed)
    last: dict[str, Before] = {}
    out: dict[str, str] = {}
    for assignment in ordered:
        operation = index[assignment.operation]
        before = last.get(assignment.machine)
        if operation.fixed is None:
            causes = _causes(operation, ends, ration, job_release[operation.job])
            causes += _machine_causes(machines[assignment.machine], before, assignment, away)
            out[operation.name] = _sentence(assignment, causes)
        last[assignment.machine] = Before(operation.name, assignment.end_s)
    return out


def _causes(
    operation: Operation, ends: Mapping[str, int], ration: Ration, job_release_s: int
) -> list[tuple[int, str]]:
    """(from when it no longer binds, in words) for inputs, material and release."""
    causes = [(ends[b], f"waits for {b}, which ends {in_words(ends[b])}") for b in operation.after]
    material_s = ration.release_s.get(operation.name, 0)
    if material_s:
        material = ration.binding[operation.name]
        causes.append((material_s, f"waits for {material}, promised {in_words(material_s)}"))
    release_s = max(operation.release_s, job_release_s)
    causes.append((release_s, f"is not released until {in_words(release_s)}"))
    return causes


def _machine_causes(
    machine: Machine, before: Before | None, assignment: Assignment, away: tuple[Window, ...]
) -> list[tuple[int, str]]:
    free_s = before.end_s if before else 0
    causes: list[tuple[int, str]] = []
    if before:
        text = f"waits for {machine.name}, busy with {before.operation}, free {in_words(free_s)}"
        causes.append((free_s, text))
    if machine.manual:
        staffed_s = earliest_fit(free_s, 1, away)
        if staffed_s > free_s:
            text = f"waits for a person to change over {machine.name}, there {in_words(staffed_s)}"
            causes.append((staffed_s, text))
    length = assignment.end_s - assignment.start_s
    for start, end in merged(machine.closed):
        if start < assignment.start_s and end <= assignment.start_s < end + length:
            causes.append((end, f"waits for {machine.name}, which opens {in_words(end)}"))
    return causes


def _sentence(assignment: Assignment, causes: list[tuple[int, str]]) -> str:
    bound_s, text = max(causes, key=lambda cause: cause[0])
    where = f"on {assignment.machine}"
    if assignment.start_s <= 0:
        return f"can start now {where}"
    starts = f"earliest start {in_words(assignment.start_s)} {where}"
    if bound_s <= 0:
        return f"{starts}: waits for the change-over of {assignment.machine}"
    return f"{starts}: {text}"

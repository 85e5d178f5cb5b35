"""Numbers back to a plan, and a plan to numbers: the twins at the border of the compiled search."""

from collections.abc import Iterable

from controller.scheduling.arrays import Numbered
from controller.scheduling.kernels.graph import entry_of
from controller.scheduling.kernels.tabu import Solution, empty_solution
from controller.scheduling.problem import Problem
from controller.scheduling.rules import Floor
from controller.scheduling.schedule import Assignment


def decode(
    problem: Problem, numbered: Numbered, solution: Solution, releases: dict[str, int]
) -> list[Assignment]:
    """Every operation as early as calendars, change-overs and its place in the order allow.

    ``releases`` are the earliest starts by material; fixed operations come first on their machine.
    """
    floor = Floor(problem)
    ends: dict[str, int] = {}
    out: list[Assignment] = []
    started = [(o.fixed, o) for o in problem.operations if o.fixed is not None]
    started.sort(key=lambda pair: (pair[0].start_s, pair[0].end_s))
    for place, operation in started:
        out.append(Assignment(operation.name, place.machine, place.start_s, place.end_s))
        floor.occupy(operation, place.machine, place.end_s)
        ends[operation.name] = place.end_s
    job_release = {job.name: job.release_s for job in problem.jobs}
    for number in solution.order.tolist():
        operation = numbered.operations[number]
        entry = int(solution.entry[number])
        machine = numbered.machines[int(numbered.instance.elig_machine[entry])].name
        release = (operation.release_s, job_release[operation.job], releases.get(operation.name, 0))
        ready = max(*release, *(ends[before] for before in operation.after), 0)
        spot = floor.place_on(operation, machine, ready)
        out.append(Assignment(operation.name, machine, spot.start_s, spot.end_s))
        floor.occupy(operation, machine, spot.end_s)
        ends[operation.name] = spot.end_s
    return out


def encode(numbered: Numbered, assignments: Iterable[Assignment]) -> Solution:
    """The plan as numbers; every moving operation must be in it, on an eligible machine."""
    index = {operation.name: i for i, operation in enumerate(numbered.operations)}
    machines = {machine.name: i for i, machine in enumerate(numbered.machines)}
    solution = empty_solution(len(numbered.operations))
    place = {name: i for i, name in enumerate(index)}
    ordered = sorted(
        (a for a in assignments if a.operation in index),
        key=lambda a: (a.start_s, a.end_s, place[a.operation]),
    )
    for k, assignment in enumerate(ordered):
        number = index[assignment.operation]
        solution.order[k] = number
        solution.entry[number] = entry_of(numbered.instance, number, machines[assignment.machine])
    return solution

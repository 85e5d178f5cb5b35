"""Bad input, found before planning: each error names its operation; the rest is still planned."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from controller.scheduling.pools import Pools
from controller.scheduling.problem import Job, Machine, Operation, PlanProblem, Problem


class Examined(NamedTuple):
    """Errors in the order of operations, and the names that can be planned, in a valid order."""

    problems: tuple[PlanProblem, ...]
    order: tuple[str, ...]
    blocked: dict[str, str]


def examine(problem: Problem) -> Examined:
    """Every error of the input; ``order`` is topological; ``blocked`` says why per operation."""
    index = {operation.name: operation for operation in problem.operations}
    jobs = {job.name: job for job in problem.jobs}
    pools = Pools({machine.name for machine in problem.machines})
    found: list[PlanProblem] = []
    seen: set[str] = set()
    for operation in problem.operations:
        found.extend(_own_errors(operation, jobs, pools, problem))
        found.extend(_link_errors(operation, index))
        if operation.name in seen:
            found.append(
                PlanProblem(operation.name, "duplicate", f"{operation.name} is listed twice")
            )
        seen.add(operation.name)
    found.extend(_machine_errors(problem.machines))
    blocked = {error.operation: error.text for error in found}
    order, cyclic = topological(index)
    for name in cyclic:
        text = f"{name} waits for itself through: {' -> '.join(_cycle(name, index))}"
        found.append(PlanProblem(name, "cycle", text))
        blocked.setdefault(name, text)
    _inherit(index, blocked)
    plannable = tuple(name for name in order if name not in blocked)
    found.extend(_impossible_dues(plannable, index, jobs, pools))
    return Examined(tuple(found), plannable, blocked)


def topological(index: dict[str, Operation]) -> tuple[list[str], list[str]]:
    """Names in an order that respects ``after``, and the names that are on a cycle."""
    waiting = {name: sum(b in index for b in op.after) for name, op in index.items()}
    followers = _followers(index)
    order = [name for name, count in waiting.items() if count == 0]
    for name in order:
        for follower in followers.get(name, ()):
            waiting[follower] -= 1
            if waiting[follower] == 0:
                order.append(follower)
    return order, [name for name, count in waiting.items() if count and _cycle(name, index)]


def _followers(index: dict[str, Operation]) -> dict[str, list[str]]:
    followers: dict[str, list[str]] = {}
    for name, operation in index.items():
        for before in operation.after:
            followers.setdefault(before, []).append(name)
    return followers


def _inherit(index: dict[str, Operation], blocked: dict[str, str]) -> None:
    """Block every operation that comes after a blocked one."""
    followers = _followers(index)
    stack = list(blocked)
    while stack:
        before = stack.pop()
        for name in followers.get(before, ()):
            if name not in blocked:
                blocked[name] = f"{name} waits for {before}, which has no plan"
                stack.append(name)


def _cycle(name: str, index: dict[str, Operation]) -> list[str]:
    """The way from an operation back to itself, both ends named; [] when there is none."""
    came_from: dict[str, str] = {}
    stack = [name]
    while stack:
        at = stack.pop()
        for before in index[at].after:
            if before == name:
                way = [name]
                while at != name:
                    way.append(at)
                    at = came_from[at]
                return [*way, name]
            if before in index and before not in came_from:
                came_from[before] = at
                stack.append(before)
    return []


def _own_errors(
    operation: Operation, jobs: dict[str, Job], pools: Pools, problem: Problem
) -> Iterator[PlanProblem]:
    name = operation.name
    if operation.job not in jobs:
        yield PlanProblem(name, "unknown_job", f"{name} belongs to unknown job {operation.job!r}")
    elif min(jobs[operation.job].release_s, jobs[operation.job].due_s or 0) < 0:
        yield PlanProblem(name, "negative_time", f"{name}: its job's release or due is negative")
    pool = pools.of(operation)
    if not pool.here and operation.fixed is None:
        yield PlanProblem(name, "no_machine", f"{name}: no machine here can do it")
    if min(pool.least_of_all, operation.release_s, operation.scale_permille) < 0:
        yield PlanProblem(name, "negative_time", f"{name} has a negative time")
    if operation.fixed is not None:
        yield from _fixed_errors(operation, pools)
    yield from _material_errors(operation, problem)


def _material_errors(operation: Operation, problem: Problem) -> Iterator[PlanProblem]:
    name = operation.name
    for material, amount in operation.materials:
        if material not in problem.stock:
            text = f"{name} needs unknown material {material!r}"
            yield PlanProblem(name, "unknown_material", text)
        if amount < 0:
            yield PlanProblem(name, "negative_amount", f"{name}: negative amount of {material}")


def _fixed_errors(operation: Operation, pools: Pools) -> Iterator[PlanProblem]:
    fixed = operation.fixed
    if fixed is None:
        return
    if not pools.knows(fixed.machine):
        text = f"{operation.name} is fixed to unknown machine {fixed.machine!r}"
        yield PlanProblem(operation.name, "unknown_machine", text)
    if fixed.end_s < fixed.start_s:
        text = f"{operation.name} is fixed to end before it starts"
        yield PlanProblem(operation.name, "negative_time", text)


def _link_errors(operation: Operation, index: dict[str, Operation]) -> Iterator[PlanProblem]:
    for before in operation.after:
        if before not in index:
            text = f"{operation.name} comes after unknown operation {before!r}"
            yield PlanProblem(operation.name, "unknown_operation", text)


def _machine_errors(machines: Iterable[Machine]) -> Iterator[PlanProblem]:
    for machine in machines:
        if any(end < start for start, end in machine.closed):
            text = f"machine {machine.name}: a closed window ends before it starts"
            yield PlanProblem("", "negative_time", text)


def _impossible_dues(
    order: Iterable[str], index: dict[str, Operation], jobs: dict[str, Job], pools: Pools
) -> Iterator[PlanProblem]:
    """Dues no plan can meet, by release and shortest times alone; those are planned late."""
    soonest: dict[str, int] = {}
    last: dict[str, str] = {}
    for name in order:
        operation = index[name]
        job = jobs[operation.job]
        start = max([operation.release_s, job.release_s, *(soonest[b] for b in operation.after)])
        if operation.fixed is not None:
            soonest[name] = operation.fixed.end_s
        else:
            soonest[name] = start + pools.shortest_s(operation)
        if soonest[name] >= soonest.get(last.get(job.name, ""), 0):
            last[job.name] = name
    for job_name, name in last.items():
        due = jobs[job_name].due_s
        if due is not None and soonest[name] > due:
            text = f"{name} cannot end before {soonest[name]} s; {job_name} is due at {due} s"
            yield PlanProblem(name, "impossible_due", text)

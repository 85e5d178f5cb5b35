"""A plan with calendars, changed one move at a time: starts follow by propagation, undo by log.

Starts are exact: release, what comes before, change-overs (attended where the machine is manual)
and closed windows. ``log`` remembers the starts a move changed, so that it can be taken back.
"""

from itertools import accumulate
from typing import NamedTuple

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import Ints, compiled, ints, zeros
from controller.scheduling.kernels.graph import change_over, insert, seconds
from controller.scheduling.kernels.tabu import Solution


class Floor(NamedTuple):
    """The plan: fields shared with ``Graph`` by name, starts in ``head``, and scratch space.

    ``late`` holds the jobs that were late when a stretch of moves began, ``lates[0]`` how many.
    """

    machine: Ints
    time: Ints
    before: Ints
    after: Ints
    first: Ints
    head: Ints
    entry: Ints
    last: Ints
    queue: Ints
    queued: Ints
    log_op: Ints
    log_head: Ints
    job_from: Ints
    job_ops: Ints
    job_end: Ints
    touched: Ints
    job_log: Ints
    late: Ints
    lates: Ints


def new_floor(instance: Instance) -> Floor:
    """Room for a plan of that instance; ``job_ops`` are the last operations of each job."""
    n, m, jobs = len(instance.release), len(instance.free), len(instance.due)
    last = [o for o in range(n) if instance.succ_from[o] == instance.succ_from[o + 1]]
    of_job: list[list[int]] = [[] for _ in range(jobs)]
    for o in last:
        of_job[int(instance.job[o])].append(o)
    starts = ints(list(accumulate((len(ops) for ops in of_job), initial=0)))
    flat = ints([o for ops in of_job for o in ops])

    per_operation = [zeros(n) for _ in range(9)]
    return Floor(
        machine=per_operation[0],
        time=per_operation[1],
        before=per_operation[2],
        after=per_operation[3],
        first=zeros(m),
        head=per_operation[4],
        entry=per_operation[5],
        last=zeros(m),
        queue=zeros(n + 1),
        queued=per_operation[6],
        log_op=per_operation[7],
        log_head=per_operation[8],
        job_from=starts,
        job_ops=flat,
        job_end=zeros(jobs),
        touched=zeros(jobs),
        job_log=zeros(jobs),
        late=zeros(jobs),
        lates=zeros(1),
    )


@compiled
def fit(windows: Ints, span: tuple[int, int], at: int, length: int) -> int:
    """Earliest start >= ``at`` of ``length`` between the closed windows in that span of pairs."""
    low, high = span[0] // 2, span[1] // 2
    while low < high:
        middle = (low + high) // 2
        if windows[2 * middle + 1] <= at:
            low = middle + 1
        else:
            high = middle
    while low < span[1] // 2 and windows[2 * low] < at + max(length, 1):
        at = max(at, windows[2 * low + 1])
        low += 1
    return at


@compiled
def start_of(instance: Instance, floor: Floor, o: int) -> int:
    """Earliest start of an operation from what comes before it and the calendars."""
    start = instance.release[o]
    for i in range(instance.pred_from[o], instance.pred_from[o + 1]):
        p = instance.pred[i]
        start = max(start, floor.head[p] + floor.time[p])
    m, b = floor.machine[o], floor.before[o]
    ready = instance.free[m] if b < 0 else floor.head[b] + floor.time[b]
    setup = change_over(instance, m, b, o)
    if setup > 0 and instance.manual[m] == 1:
        ready = fit(instance.away, (0, len(instance.away)), ready, setup)
    span = (instance.closed_from[m], instance.closed_from[m + 1])
    start = max(start, ready + setup)
    if span[0] == span[1]:
        return start
    return fit(instance.closed, span, start, floor.time[o])


@compiled
def fill(instance: Instance, floor: Floor, solution: Solution) -> None:
    """Build the plan of a solution with all starts and job ends."""
    floor.first[:] = -1
    floor.last[:] = -1
    floor.queued[:] = 0
    for i in range(len(solution.order)):
        o = solution.order[i]
        entry = solution.entry[o]
        m = instance.elig_machine[entry]
        insert(floor, o, m, floor.last[m])
        floor.last[m] = o
        floor.entry[o] = entry
        floor.time[o] = seconds(instance, o, entry)
        floor.head[o] = start_of(instance, floor, o)
    for j in range(len(floor.job_end)):
        floor.job_end[j] = end_of_job(floor, j)
    floor.touched[:] = 0


@compiled
def end_of_job(floor: Floor, job: int) -> int:
    """Latest end of a job's last operations; 0 when nothing of it moves."""
    end = 0
    for i in range(floor.job_from[job], floor.job_from[job + 1]):
        o = floor.job_ops[i]
        end = max(end, floor.head[o] + floor.time[o])
    return end


@compiled
def _push(floor: Floor, o: int, tail: int) -> int:
    if o < 0 or floor.queued[o] == 1:
        return tail
    floor.queued[o] = 1
    floor.queue[tail] = o
    return (tail + 1) % len(floor.queue)


@compiled
def propagate(
    instance: Instance, floor: Floor, seeds: tuple[int, int, int], limits: tuple[int, float]
) -> int:
    """Bring all starts up to date behind up to three operations (-1 = none).

    The number of starts changed, kept in the log; negative (minus one) when it took more looks or
    made jobs later by more than ``limits`` say, then the caller must undo.
    """
    head, tail = 0, 0
    for o in seeds:
        tail = _push(floor, o, tail)
    logged, looks, later = 0, 0, 0.0
    while head != tail:
        o = floor.queue[head]
        head = (head + 1) % len(floor.queue)
        floor.queued[o] = 0
        looks += 1
        start = start_of(instance, floor, o)
        if start == floor.head[o] and looks > 3:
            continue
        later += _later(instance, floor, o, start)
        if looks > limits[0] or later > limits[1] or logged == len(floor.log_op):
            _drain(floor, head, tail)
            return -logged - 1
        floor.log_op[logged], floor.log_head[logged] = o, floor.head[o]
        logged += 1
        floor.head[o] = start
        for i in range(instance.succ_from[o], instance.succ_from[o + 1]):
            tail = _push(floor, instance.succ[i], tail)
        tail = _push(floor, floor.after[o], tail)
    return logged


@compiled
def _later(instance: Instance, floor: Floor, o: int, start: int) -> float:
    """Weighted seconds a job gets later by a new start of its last operation (0 of others)."""
    if instance.succ_from[o] < instance.succ_from[o + 1]:
        return 0.0
    job, time = instance.job[o], floor.time[o]
    due = instance.due[job]
    was = floor.head[o] + time - due
    return instance.weight[job] * (max(0, start + time - due) - max(0, was))


@compiled
def _drain(floor: Floor, head: int, tail: int) -> None:
    while head != tail:
        floor.queued[floor.queue[head]] = 0
        head = (head + 1) % len(floor.queue)


@compiled
def take_back(floor: Floor, logged: int) -> None:
    """Restore the starts in the log, newest first."""
    for i in range(logged - 1, -1, -1):
        floor.head[floor.log_op[i]] = floor.log_head[i]

"""Simulated annealing on the floor's own objective: move one operation of what makes a job late.

From a late job's last operation the walk goes back along what binds it (its inputs or the machine);
an operation on that way is put elsewhere, on any eligible machine, around the time its inputs are
there. Cost = weighted tardiness (deadlines and urgent needs weigh far more) + a little for
change-overs. Starts tell which places are free of cycles: x may precede ``v`` if it starts before
every successor of ``v`` ends, y may follow if it ends after every predecessor starts.
"""

from math import log
from typing import NamedTuple

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import Ints, compiled
from controller.scheduling.kernels.floor import (
    Floor,
    end_of_job,
    propagate,
    take_back,
)
from controller.scheduling.kernels.graph import change_over, insert, remove, seconds

WINDOW = 6
NEAR = 2
HOPE = 3.0
ANY_JOB = 8
FAR = 1 << 60


class Heat(NamedTuple):
    """How one stretch of annealing goes; ``setup_cost`` per second, ``most`` looks per move."""

    temperature: float
    moves: int
    setup_cost: float
    most: int


@compiled
def tardiness(instance: Instance, job: int, end: int) -> float:
    """Weighted seconds a job is late."""
    return instance.weight[job] * max(0, end - instance.due[job])


@compiled
def total_cost(instance: Instance, floor: Floor, setup_cost: float) -> float:
    """Cost of the whole plan."""
    cost = 0.0
    for j in range(len(floor.job_end)):
        cost += tardiness(instance, j, floor.job_end[j])
    for o in range(len(floor.machine)):
        cost += setup_cost * change_over(instance, floor.machine[o], floor.before[o], o)
    return cost


@compiled
def _list_late(instance: Instance, floor: Floor) -> None:
    """Write down the jobs that are late now."""
    count = 0
    for job in range(len(floor.job_end)):
        if floor.job_end[job] > instance.due[job]:
            floor.late[count] = job
            count += 1
    floor.lates[0] = count


@compiled
def _late_job(instance: Instance, floor: Floor) -> int:
    """A late job, now and then any job."""
    count = floor.lates[0]
    if count > 0 and np.random.randint(ANY_JOB) > 0:
        for _ in range(4):
            job = floor.late[np.random.randint(count)]
            if floor.job_end[job] > instance.due[job]:
                return job
    return instance.job[np.random.randint(len(instance.job))]


@compiled
def _on_the_way(instance: Instance, floor: Floor, job: int) -> int:
    """An operation on the way that binds the end of a job."""
    begin, end = floor.job_from[job], floor.job_from[job + 1]
    if begin == end:
        return np.random.randint(len(floor.machine))
    o = floor.job_ops[begin + np.random.randint(end - begin)]
    for _ in range(np.random.randint(8)):
        back = _binding(instance, floor, o)
        if back < 0:
            break
        o = back
    return o


@compiled
def _binding(instance: Instance, floor: Floor, o: int) -> int:
    """What ends last before an operation: an input, or the one before on its machine."""
    b = floor.before[o]
    bind, latest = -1, -1
    if b >= 0:
        setup = change_over(instance, floor.machine[o], b, o)
        bind, latest = b, floor.head[b] + floor.time[b] + setup
    for i in range(instance.pred_from[o], instance.pred_from[o + 1]):
        p = instance.pred[i]
        if floor.head[p] + floor.time[p] >= latest:
            bind, latest = p, floor.head[p] + floor.time[p]
    return bind


@compiled
def _bounds(instance: Instance, floor: Floor, v: int) -> tuple[int, int, int]:
    """(inputs there, y must end after this, x must start before this)."""
    ready, latest_start, first_end = instance.release[v], -1, FAR
    for i in range(instance.pred_from[v], instance.pred_from[v + 1]):
        p = instance.pred[i]
        ready = max(ready, floor.head[p] + floor.time[p])
        latest_start = max(latest_start, floor.head[p])
    for i in range(instance.succ_from[v], instance.succ_from[v + 1]):
        s = instance.succ[i]
        first_end = min(first_end, floor.head[s] + floor.time[s])
    return ready, latest_start, first_end


@compiled
def _linked(ops: Ints, begin: int, end: int, o: int) -> bool:
    while begin < end and ops[begin] != o:
        begin += 1
    return begin < end


@compiled
def _first_place(
    instance: Instance, floor: Floor, v: int, machine: int, bounds: tuple[int, int, int]
) -> int:
    """The last operation on a machine that must or should stay before ``v`` (-1 = none)."""
    x, y = -1, floor.first[machine]
    while y >= 0:
        if y != v:
            is_input = _linked(instance.pred, instance.pred_from[v], instance.pred_from[v + 1], y)
            if not is_input and floor.head[y] + floor.time[y] > max(bounds[0], bounds[1]):
                break
            x = y
        y = floor.after[y]
    return x


@compiled
def _choose_place(
    instance: Instance, floor: Floor, v: int, machine: int, bounds: tuple[int, int, int]
) -> int:
    """An operation to come after on a machine (-1 = first), or -2 when no place is free.

    One of the places near when the inputs are there, near where ``v`` is now, or beside its class.
    """
    way = np.random.randint(5)
    beside = way == 0 and instance.table[machine] != 0
    window = FAR if beside else WINDOW if way < 3 else NEAR
    if way >= 3:
        late = floor.head[v] + floor.time[v] // 2 - bounds[0]
        pivot = bounds[0] + np.random.randint(max(1, late))
        bounds = (max(pivot, bounds[0]), bounds[1], bounds[2])
    x = _first_place(instance, floor, v, machine, bounds)
    chosen, seen = -2, 0
    while x < 0 or floor.head[x] < bounds[2]:
        if x >= 0 and _linked(instance.succ, instance.succ_from[v], instance.succ_from[v + 1], x):
            break
        y = floor.first[machine] if x < 0 else floor.after[x]
        if y == v:
            y = floor.after[y]
        moves = x != floor.before[v] or machine != floor.machine[v]
        if moves and (not beside or _same_class(instance, v, x) or _same_class(instance, v, y)):
            seen += 1
            if np.random.randint(seen) == 0:
                chosen = x
        x = y
        if x < 0 or seen >= window:
            break
    return chosen


@compiled
def _same_class(instance: Instance, v: int, o: int) -> bool:
    return o >= 0 and instance.op_class[o] == instance.op_class[v]


@compiled
def _setup_around(instance: Instance, floor: Floor, o: int) -> int:
    """Change-overs into an operation and into the one behind it."""
    m, a = floor.machine[o], floor.after[o]
    both = change_over(instance, m, floor.before[o], o)
    return both if a < 0 else both + change_over(instance, m, o, a)


@compiled
def _relocate(instance: Instance, floor: Floor, v: int, to: tuple[int, int]) -> int:
    """Put ``v`` after x on the machine of a pool entry; the change-over seconds won or lost."""
    old = _setup_around(instance, floor, v)
    m, b, a = floor.machine[v], floor.before[v], floor.after[v]
    joined = 0 if a < 0 else change_over(instance, m, b, a)
    remove(floor, v)
    entry, x = to
    k = instance.elig_machine[entry]
    y = floor.first[k] if x < 0 else floor.after[x]
    split = 0 if y < 0 else change_over(instance, k, x, y)
    insert(floor, v, k, x)
    floor.entry[v] = entry
    floor.time[v] = seconds(instance, v, entry)
    return joined - old + _setup_around(instance, floor, v) - split


@compiled
def _job_changes(instance: Instance, floor: Floor, logged: int) -> tuple[float, int]:
    """(change of tardiness, jobs touched); new ends go to ``job_end``, old ones to the log."""
    delta, count = 0.0, 0
    for i in range(logged):
        o = floor.log_op[i]
        job = instance.job[o]
        if instance.succ_from[o] == instance.succ_from[o + 1] and floor.touched[job] == 0:
            floor.touched[job] = 1
            floor.job_log[count] = job
            count += 1
    for i in range(count):
        job = floor.job_log[i]
        floor.touched[job] = 0
        delta -= tardiness(instance, job, floor.job_end[job])
        floor.job_end[job] = end_of_job(floor, job)
        delta += tardiness(instance, job, floor.job_end[job])
    return delta, count


@compiled
def _undo(instance: Instance, floor: Floor, v: int, was: tuple[int, int], logged: int) -> None:
    """Put ``v`` back and restore starts and job ends."""
    _relocate(instance, floor, v, was)
    take_back(floor, logged)
    for i in range(logged):
        o = floor.log_op[i]
        if instance.succ_from[o] == instance.succ_from[o + 1]:
            floor.job_end[instance.job[o]] = end_of_job(floor, instance.job[o])


@compiled
def _try(instance: Instance, floor: Floor, heat: Heat) -> float:
    """One move, kept or taken back; the change of cost."""
    job = _late_job(instance, floor)
    v = _on_the_way(instance, floor, job)
    begin, end = instance.elig_from[v], instance.elig_to[v]
    entry = begin + np.random.randint(end - begin)
    if np.random.randint(3) == 0:
        entry = floor.entry[v]
    bounds = _bounds(instance, floor, v)
    x = _choose_place(instance, floor, v, instance.elig_machine[entry], bounds)
    if x == -2:
        return 0.0
    was = (floor.entry[v], floor.before[v])
    behind = floor.after[v]
    allowed = -heat.temperature * log(1.0 - np.random.random())
    cutoff = allowed + HOPE * tardiness(instance, job, floor.job_end[job])
    setup = _relocate(instance, floor, v, (entry, x))
    logged = propagate(instance, floor, (v, behind, floor.after[v]), (heat.most, cutoff))
    if logged < 0:
        _undo(instance, floor, v, was, -logged - 1)
        return 0.0
    delta, _ = _job_changes(instance, floor, logged)
    delta += heat.setup_cost * setup
    if delta <= allowed:
        return delta
    _undo(instance, floor, v, was, logged)
    return 0.0


@compiled
def anneal(instance: Instance, floor: Floor, heat: Heat) -> float:
    """A stretch of moves at one temperature; the change of cost."""
    _list_late(instance, floor)
    changed = 0.0
    for _ in range(heat.moves):
        changed += _try(instance, floor, heat)
    return changed

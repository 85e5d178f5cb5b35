"""ATCS dispatch compiled: a machine that becomes free takes the waiting operation of best index.

Time goes from event to event: an operation's inputs are there, or a machine is free. An operation
that finds idle machines goes to the one that ends it first, else it waits in the queue of its pool
(operations with the same eligible machines). Lee, Bhaskaran and Pinedo (1997).
"""

from itertools import accumulate
from math import exp
from typing import NamedTuple

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import (
    Floats,
    Ints,
    array,
    compiled,
    floats,
    ints,
    zeros,
)
from controller.scheduling.kernels.floor import fit
from controller.scheduling.kernels.graph import change_over, seconds
from controller.scheduling.kernels.tabu import Solution

LOOK = 600
NEVER_MORE = 1.01  # pressure and change-over lift no index above weight over seconds


class Desk(NamedTuple):
    """Room for one dispatch: events, machines, and the queue of each pool as a chain."""

    left: Floats
    pool: Ints
    serves_from: Ints
    serves: Ints
    ready: Ints
    missing: Ints
    keys: Ints
    heap: Ints
    size: Ints
    free: Ints
    last: Ints
    idle: Ints
    queue_first: Ints
    queue_last: Ints
    behind: Ints


class Index(NamedTuple):
    """ATCS: look-ahead, weight of change-overs, and the means they scale."""

    k1: float
    k2: float
    mean_s: float
    mean_setup_s: float


def new_desk(instance: Instance) -> Desk:
    """Room for that instance; pools are told by where they begin."""
    n, m = len(instance.release), len(instance.free)
    begins, pool = np.unique(array(instance.elig_from), return_inverse=True)
    ends = np.zeros(len(begins), np.int64)
    ends[pool] = array(instance.elig_to)
    served: list[list[int]] = [[] for _ in range(m)]
    for i, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        for machine in instance.elig_machine[begin:end].tolist():
            served[machine].append(i)
    starts = ints(list(accumulate((len(pools) for pools in served), initial=0)))
    flat = ints([i for pools in served for i in pools])

    return Desk(
        floats([0.0] * n),
        ints(pool),
        starts,
        flat,
        zeros(n),
        zeros(n),
        zeros(n + m + 1),
        zeros(n + m + 1),
        zeros(1),
        zeros(m),
        zeros(m),
        zeros(m),
        zeros(len(begins)),
        zeros(len(begins)),
        zeros(n),
    )


@compiled
def push(desk: Desk, key: int, event: int) -> None:
    """Add an event; machines are told from operations by -1 - machine."""
    i = desk.size[0]
    desk.size[0] += 1
    while i > 0 and desk.keys[(i - 1) // 2] > key:
        desk.keys[i], desk.heap[i] = desk.keys[(i - 1) // 2], desk.heap[(i - 1) // 2]
        i = (i - 1) // 2
    desk.keys[i], desk.heap[i] = key, event


@compiled
def pop(desk: Desk) -> int:
    """Take the event with the smallest key off the heap."""
    top = desk.heap[0]
    desk.size[0] -= 1
    size = desk.size[0]
    key, event = desk.keys[size], desk.heap[size]
    i = 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and desk.keys[child + 1] < desk.keys[child]:
            child += 1
        if desk.keys[child] >= key:
            break
        desk.keys[i], desk.heap[i] = desk.keys[child], desk.heap[child]
        i = child
    desk.keys[i], desk.heap[i] = key, event
    return top


@compiled
def begin_on(instance: Instance, desk: Desk, o: int, entry: int) -> int:
    """When an operation would start on a pool entry, behind what is there."""
    m = instance.elig_machine[entry]
    setup = change_over(instance, m, desk.last[m], o)
    ready = desk.free[m]
    if setup > 0 and instance.manual[m] == 1:
        ready = fit(instance.away, (0, len(instance.away)), ready, setup)
    span = (instance.closed_from[m], instance.closed_from[m + 1])
    start = max(desk.ready[o], ready + setup)
    return fit(instance.closed, span, start, seconds(instance, o, entry))


@compiled
def _idle_entry(instance: Instance, desk: Desk, o: int) -> int:
    """The idle pool entry that ends an operation first; -1 = all are busy."""
    chosen, best = -1, 0
    for entry in range(instance.elig_from[o], instance.elig_to[o]):
        if desk.idle[instance.elig_machine[entry]] == 1:
            end = begin_on(instance, desk, o, entry) + seconds(instance, o, entry)
            if chosen < 0 or end < best:
                chosen, best = entry, end
    return chosen


@compiled
def _index_of(instance: Instance, desk: Desk, o: int, at: tuple[int, int], rule: Index) -> float:
    """How much an operation deserves (pool entry, now)."""
    job, m = instance.job[o], instance.elig_machine[at[0]]
    slack = instance.due[job] - desk.left[o] - at[1]
    pressure = exp(-max(0.0, slack) / (rule.k1 * rule.mean_s)) + 1e-12 * desk.left[o]
    change = change_over(instance, m, desk.last[m], o) / (rule.k2 * rule.mean_setup_s)
    return instance.weight[job] / max(1, seconds(instance, o, at[0])) * pressure * exp(-change)


@compiled
def _entry_on(instance: Instance, o: int, machine: int) -> int:
    """The pool entry of an eligible operation on a machine."""
    entry = instance.elig_from[o]
    while instance.elig_machine[entry] != machine:
        entry += 1
    return entry


@compiled
def _best_in(
    instance: Instance, desk: Desk, pool: int, at: tuple[int, int], rule: Index
) -> tuple[float, int, int, int]:
    """The best waiting in a pool for (machine, now): (index, operation, the one before, entry)."""
    before, o = -1, desk.queue_first[pool]
    best, chosen, chosen_before, chosen_entry = -1.0, -1, -1, -1
    entry = _entry_on(instance, o, at[0]) if o >= 0 else -1
    looks = 0
    while o >= 0 and looks < LOOK:
        if NEVER_MORE * instance.weight[instance.job[o]] > best * seconds(instance, o, entry):
            index = _index_of(instance, desk, o, (entry, at[1]), rule)
            if index > best:
                best, chosen, chosen_before, chosen_entry = index, o, before, entry
        before, o = o, desk.behind[o]
        looks += 1
    return best, chosen, chosen_before, chosen_entry


@compiled
def _take(instance: Instance, desk: Desk, machine: int, now: int, rule: Index) -> tuple[int, int]:
    """Take (operation, pool entry) of best index for a free machine off its queue; -1 = none."""
    best, chosen, before, entry = -1.0, -1, -1, -1
    for i in range(desk.serves_from[machine], desk.serves_from[machine + 1]):
        pool = desk.serves[i]
        if desk.queue_first[pool] >= 0:
            found = _best_in(instance, desk, pool, (machine, now), rule)
            if found[0] > best:
                best, chosen, before, entry = found
    if chosen >= 0:
        pool = desk.pool[chosen]
        if before < 0:
            desk.queue_first[pool] = desk.behind[chosen]
        else:
            desk.behind[before] = desk.behind[chosen]
        if desk.queue_last[pool] == chosen:
            desk.queue_last[pool] = before
    return chosen, entry


@compiled
def _enqueue(desk: Desk, o: int) -> None:
    pool = desk.pool[o]
    desk.behind[o] = -1
    if desk.queue_first[pool] < 0:
        desk.queue_first[pool] = o
    else:
        desk.behind[desk.queue_last[pool]] = o
    desk.queue_last[pool] = o


@compiled
def _open(instance: Instance, desk: Desk) -> None:
    desk.size[0] = 0
    desk.queue_first[:] = -1
    for m in range(len(desk.free)):
        desk.free[m], desk.last[m], desk.idle[m] = instance.free[m], -1, 0
        push(desk, 2 * desk.free[m] + 1, -1 - m)
    for o in range(len(desk.left)):
        desk.ready[o] = instance.release[o]
        desk.missing[o] = instance.pred_from[o + 1] - instance.pred_from[o]
        if desk.missing[o] == 0:
            push(desk, 2 * desk.ready[o], o)


@compiled
def _start(instance: Instance, desk: Desk, o: int, entry: int) -> None:
    """Put an operation on its machine and tell what comes after it."""
    m = instance.elig_machine[entry]
    end = begin_on(instance, desk, o, entry) + seconds(instance, o, entry)
    desk.free[m], desk.last[m], desk.idle[m] = end, o, 0
    push(desk, 2 * end + 1, -1 - m)
    for i in range(instance.succ_from[o], instance.succ_from[o + 1]):
        s = instance.succ[i]
        desk.ready[s] = max(desk.ready[s], end)
        desk.missing[s] -= 1
        if desk.missing[s] == 0:
            push(desk, 2 * desk.ready[s], s)


@compiled
def dispatch(instance: Instance, desk: Desk, rule: Index, out: Solution) -> None:
    """A plan of everything by one rule; ``desk.left`` holds the work left."""
    _open(instance, desk)
    placed = 0
    while desk.size[0] > 0:
        now = desk.keys[0] // 2
        event = pop(desk)
        if event >= 0:
            o = event
            entry = _idle_entry(instance, desk, o)
            if entry < 0:
                _enqueue(desk, o)
        else:
            o, entry = _take(instance, desk, -1 - event, now, rule)
            if o < 0:
                desk.idle[-1 - event] = 1
        if entry >= 0:
            out.order[placed], out.entry[o] = o, entry
            placed += 1
            _start(instance, desk, o, entry)

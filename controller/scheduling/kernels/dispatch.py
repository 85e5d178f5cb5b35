"""ATCS dispatch compiled: a machine that becomes free takes the waiting operation of best index.

Time goes from event to event: an operation's inputs are there, or a machine is free. An operation
that finds idle machines goes to the one that ends it first, else it waits in the queue of its group
(same eligible machines, same class of change-over). Lee, Bhaskaran and Pinedo (1997).

Within a group and for one machine the index falls into two orders that time does not change: of
operations with slack, log(weight / work) - (due - work left) / K, and of those without, log(weight
/ work). So a group is two heaps, an operation moves to the second when its slack is used up, and a
free machine looks at the heads only.
"""

from itertools import accumulate
from math import log
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
from controller.scheduling.kernels.queues import Queue, merge, new_queue, without_top
from controller.scheduling.kernels.tabu import Solution

NO_DUE = 1 << 40
NOTHING = -1e300
SLACK, LATE = 1, 2


class Desk(NamedTuple):
    """Room for one dispatch: events, machines, the pools each serves, the groups of each pool."""

    left: Floats
    merit: Floats
    pool: Ints
    serves_from: Ints
    serves: Ints
    serves_entry: Ints
    group: Ints
    group_from: Ints
    ready: Ints
    missing: Ints
    keys: Ints
    heap: Ints
    size: Ints
    free: Ints
    last: Ints
    idle: Ints
    idle_in: Ints
    waiting_in: Ints
    waits: Ints
    queue: Queue


class Index(NamedTuple):
    """ATCS: look-ahead, weight of change-overs, and the means they scale."""

    k1: float
    k2: float
    mean_s: float
    mean_setup_s: float


def new_desk(instance: Instance) -> Desk:
    """Room for that instance; pools are told by where they begin; ``left`` is to be filled."""
    n, m = len(instance.release), len(instance.free)
    begins, pool = np.unique(array(instance.elig_from), return_inverse=True)
    ends = np.zeros(len(begins), np.int64)
    ends[pool] = array(instance.elig_to)
    served: list[list[tuple[int, int]]] = [[] for _ in range(m)]
    for i, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        for entry, machine in enumerate(instance.elig_machine[begin:end].tolist(), begin):
            served[machine].append((i, entry))
    starts = ints(list(accumulate((len(pools) for pools in served), initial=0)))
    classes = 1 + int(array(instance.op_class).max(initial=0))
    groups, group = np.unique(pool * classes + array(instance.op_class), return_inverse=True)
    weight = np.maximum(1e-9, array(instance.weight)[array(instance.job)])
    return Desk(
        left=floats([0.0] * n),
        merit=floats(np.log(weight / np.maximum(1, array(instance.scale)))),
        pool=ints(pool),
        serves_from=starts,
        serves=ints([i for pools in served for i, _ in pools]),
        serves_entry=ints([entry for pools in served for _, entry in pools]),
        group=ints(group),
        group_from=ints(np.searchsorted(groups // classes, np.arange(len(begins) + 1))),
        ready=zeros(n),
        missing=zeros(n),
        keys=zeros(n + m + 1),
        heap=zeros(n + m + 1),
        size=zeros(1),
        free=zeros(m),
        last=zeros(m),
        idle=zeros(m),
        idle_in=zeros(len(begins)),
        waiting_in=zeros(len(begins)),
        waits=zeros(n),
        queue=new_queue(2 * n, 2 * len(groups)),
    )


@compiled
def push(desk: Desk, key: int, event: int) -> None:
    """Add an event: -1 - machine, an operation, or operations + one that has no slack left."""
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
    idle = desk.idle_in[desk.pool[o]]
    entry = instance.elig_from[o]
    while idle > 0 and entry < instance.elig_to[o]:
        if desk.idle[instance.elig_machine[entry]] == 1:
            idle -= 1
            end = begin_on(instance, desk, o, entry) + seconds(instance, o, entry)
            if chosen < 0 or end < best:
                chosen, best = entry, end
        entry += 1
    return chosen


@compiled
def _set_idle(desk: Desk, machine: int, idle: int) -> None:
    """Say whether a machine waits for work, and tell its pools."""
    change = idle - desk.idle[machine]
    desk.idle[machine] = idle
    if change != 0:
        for i in range(desk.serves_from[machine], desk.serves_from[machine + 1]):
            desk.idle_in[desk.serves[i]] += change


@compiled
def _with_slack(desk: Desk, group: int) -> int:
    """The best of a group's operations that have slack; -1 = none. Drops those that lost it."""
    top = desk.queue.top[2 * group]
    while top >= 0 and desk.waits[top] != SLACK:
        top = without_top(desk.queue, top)
    desk.queue.top[2 * group] = top
    return top


@compiled
def _best_in(
    instance: Instance, desk: Desk, at: tuple[int, int, int], rule: Index
) -> tuple[float, int]:
    """The best waiting for (pool, its entry for the machine, now): (index, operation)."""
    pool, entry, now = at
    m, n = instance.elig_machine[entry], len(desk.waits)
    best, chosen = NOTHING, -1
    for group in range(desk.group_from[pool], desk.group_from[pool + 1]):
        slack, late = _with_slack(desk, group), desk.queue.top[2 * group + 1]
        if slack < 0 and late < 0:
            continue
        o = late - n if late >= 0 else slack
        change = change_over(instance, m, desk.last[m], o) / (rule.k2 * rule.mean_setup_s)
        if late >= 0 and desk.queue.key[late] - change > best:
            best, chosen = desk.queue.key[late] - change, late - n
        if slack >= 0:
            index = desk.queue.key[slack] + now / (rule.k1 * rule.mean_s) - change
            if index > best:
                best, chosen = index, slack
    return best - log(max(1, instance.rate[entry])), chosen


@compiled
def _take(instance: Instance, desk: Desk, machine: int, now: int, rule: Index) -> tuple[int, int]:
    """Take (operation, pool entry) of best index for a free machine off its queue; -1 = none."""
    best, chosen, entry = NOTHING, -1, -1
    for i in range(desk.serves_from[machine], desk.serves_from[machine + 1]):
        if desk.waiting_in[desk.serves[i]] > 0:
            at = (desk.serves[i], desk.serves_entry[i], now)
            index, found = _best_in(instance, desk, at, rule)
            if index > best:
                best, chosen, entry = index, found, at[1]
    if chosen >= 0:
        late = desk.waits[chosen] == LATE
        queue = 2 * desk.group[chosen] + (1 if late else 0)
        desk.queue.top[queue] = without_top(desk.queue, desk.queue.top[queue])
        desk.waits[chosen] = 0
        desk.waiting_in[desk.pool[chosen]] -= 1
    return chosen, entry


@compiled
def _enqueue(instance: Instance, desk: Desk, o: int, now: int, rule: Index) -> None:
    """Let an operation wait with its group; an event says when its slack will be used up."""
    due = min(NO_DUE, instance.due[instance.job[o]]) - desk.left[o]
    desk.waiting_in[desk.pool[o]] += 1
    if due <= now:
        _enqueue_late(desk, o)
        return
    desk.waits[o] = SLACK
    queue = 2 * desk.group[o]
    desk.queue.key[o] = desk.merit[o] - due / (rule.k1 * rule.mean_s)
    desk.queue.top[queue] = merge(desk.queue, desk.queue.top[queue], o)
    if instance.due[instance.job[o]] < NO_DUE:
        push(desk, 2 * (int(due) + 1), len(desk.waits) + o)


@compiled
def _enqueue_late(desk: Desk, o: int) -> None:
    node, queue = len(desk.waits) + o, 2 * desk.group[o] + 1
    desk.waits[o] = LATE
    desk.queue.key[node] = desk.merit[o]
    desk.queue.top[queue] = merge(desk.queue, desk.queue.top[queue], node)


@compiled
def _open(instance: Instance, desk: Desk) -> None:
    desk.size[0] = 0
    desk.queue.top[:] = -1
    desk.queue.child[:] = -1
    desk.queue.next[:] = -1
    desk.idle_in[:] = 0
    desk.waiting_in[:] = 0
    for m in range(len(desk.free)):
        desk.free[m], desk.last[m], desk.idle[m] = instance.free[m], -1, 0
        push(desk, 2 * desk.free[m] + 1, -1 - m)
    for o in range(len(desk.left)):
        desk.ready[o], desk.waits[o] = instance.release[o], 0
        desk.missing[o] = instance.pred_from[o + 1] - instance.pred_from[o]
        if desk.missing[o] == 0:
            push(desk, 2 * desk.ready[o], o)


@compiled
def _start(instance: Instance, desk: Desk, o: int, entry: int) -> None:
    """Put an operation on its machine and tell what comes after it."""
    m = instance.elig_machine[entry]
    end = begin_on(instance, desk, o, entry) + seconds(instance, o, entry)
    _set_idle(desk, m, 0)
    desk.free[m], desk.last[m] = end, o
    push(desk, 2 * end + 1, -1 - m)
    for i in range(instance.succ_from[o], instance.succ_from[o + 1]):
        s = instance.succ[i]
        desk.ready[s] = max(desk.ready[s], end)
        desk.missing[s] -= 1
        if desk.missing[s] == 0:
            push(desk, 2 * desk.ready[s], s)


@compiled
def _next_start(
    instance: Instance, desk: Desk, event: int, now: int, rule: Index
) -> tuple[int, int]:
    """What an event lets start, as (operation, pool entry); the entry is -1 for nothing."""
    n = len(desk.waits)
    if event >= n:
        if desk.waits[event - n] == SLACK:
            _enqueue_late(desk, event - n)
        return event - n, -1
    if event >= 0:
        entry = _idle_entry(instance, desk, event)
        if entry < 0:
            _enqueue(instance, desk, event, now, rule)
        return event, entry
    o, entry = _take(instance, desk, -1 - event, now, rule)
    if o < 0:
        _set_idle(desk, -1 - event, 1)
    return o, entry


@compiled
def dispatch(instance: Instance, desk: Desk, rule: Index, out: Solution) -> None:
    """A plan of everything by one rule; ``desk.left`` holds the work left."""
    _open(instance, desk)
    placed = 0
    while desk.size[0] > 0:
        now = desk.keys[0] // 2
        o, entry = _next_start(instance, desk, pop(desk), now, rule)
        if entry >= 0:
            out.order[placed], out.entry[o] = o, entry
            placed += 1
            _start(instance, desk, o, entry)

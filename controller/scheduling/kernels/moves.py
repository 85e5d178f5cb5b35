"""Where a critical operation could go: all feasible insertions that can matter, measured exactly.

After Mastrolilli and Gambardella (2000): take operation ``v`` off its machine; the heads and tails
of the rest are exact. On every eligible machine ``v`` may stand between neighbours x and y if
neither ``v`` leads to x nor y to ``v``; heads and tails tell (strictly smaller head than every
successor of ``v``, strictly smaller way to the end than every predecessor). The makespan with
``v`` there is the larger of what remains without it and of the longest way through it.
"""

from typing import NamedTuple

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import Ints, compiled
from controller.scheduling.kernels.graph import Graph, change_over, head_of, seconds, tail_of

HUGE = 1 << 60


class Scratch(NamedTuple):
    """Heads and tails without the operation being moved, and the best moves so far."""

    head: Ints
    tail: Ints
    path: Ints
    best: Ints
    spare: Ints


def new_scratch(operations: int) -> Scratch:
    """Room for one neighbourhood; ``best`` and ``spare`` are (makespan, way, op, entry, before)."""
    rows = [np.zeros(operations, np.int64) for _ in range(3)]
    return Scratch(*rows, np.zeros(6, np.int64), np.zeros(6, np.int64))


@compiled
def take_off(instance: Instance, graph: Graph, scratch: Scratch, v: int) -> int:
    """Heads and tails with ``v`` off its machine and taking no time; the makespan of the rest.

    The caller has removed ``v`` from its machine and set its time to 0; only what comes after it
    (heads) or before it (tails) in ``graph.order`` is computed again.
    """
    n = len(graph.machine)
    at = graph.place[v]
    head, tail = scratch.head, scratch.tail
    longest = 0
    for i in range(at):
        o = graph.order[i]
        head[o] = graph.head[o]
        longest = max(longest, head[o] + graph.time[o])
    head[v] = _job_head(instance, graph, head, v)
    for i in range(at + 1, n):
        o = graph.order[i]
        head[o] = head_of(instance, graph, head, o)
        longest = max(longest, head[o] + graph.time[o])
        tail[o] = graph.tail[o]
    tail[v] = _job_tail(instance, graph, tail, v)
    for i in range(at - 1, -1, -1):
        o = graph.order[i]
        tail[o] = tail_of(instance, graph, tail, o)
    return longest


@compiled
def _job_head(instance: Instance, graph: Graph, head: Ints, v: int) -> int:
    start = instance.release[v]
    for i in range(instance.pred_from[v], instance.pred_from[v + 1]):
        p = instance.pred[i]
        start = max(start, head[p] + graph.time[p])
    return start


@compiled
def _job_tail(instance: Instance, graph: Graph, tail: Ints, v: int) -> int:
    way = 0
    for i in range(instance.succ_from[v], instance.succ_from[v + 1]):
        s = instance.succ[i]
        way = max(way, graph.time[s] + tail[s])
    return way


@compiled
def limits(instance: Instance, graph: Graph, scratch: Scratch, v: int) -> tuple[int, int]:
    """(head that x must stay under, way to the end that y must stay under)."""
    head_limit, way_limit = HUGE, HUGE
    for i in range(instance.succ_from[v], instance.succ_from[v + 1]):
        head_limit = min(head_limit, scratch.head[instance.succ[i]])
    for i in range(instance.pred_from[v], instance.pred_from[v + 1]):
        p = instance.pred[i]
        way_limit = min(way_limit, scratch.tail[p] + graph.time[p])
    return head_limit, way_limit


@compiled
def first_place(graph: Graph, scratch: Scratch, machine: int, way_limit: int) -> int:
    """The last operation on a machine that must stay before (-1 = none)."""
    x = -1
    y = graph.first[machine]
    while y >= 0 and scratch.tail[y] + graph.time[y] >= way_limit:
        x = y
        y = graph.after[y]
    return x


@compiled
def way_through(
    instance: Instance, graph: Graph, scratch: Scratch, where: tuple[int, int, int], x: int
) -> int:
    """Longest way through ``v`` put after ``x``; ``where`` is (v, machine, seconds there)."""
    v, machine, time = where
    ready = instance.free[machine] if x < 0 else scratch.head[x] + graph.time[x]
    start = max(scratch.head[v], ready + change_over(instance, machine, x, v))
    y = graph.first[machine] if x < 0 else graph.after[x]
    way = scratch.tail[v]
    if y >= 0:
        rest = change_over(instance, machine, v, y) + graph.time[y] + scratch.tail[y]
        way = max(way, rest)
    return start + time + way


@compiled
def entry_seconds(instance: Instance, v: int, entry: int) -> tuple[int, int, int]:
    """(v, machine, seconds there) of a pool entry."""
    return v, instance.elig_machine[entry], seconds(instance, v, entry)

"""Where a critical operation could go, estimated by the longest way through it there.

After Mastrolilli and Gambardella (2000), with the estimate of Balas and Vazacopoulos (1998) in
place of exact removal: take operation ``v`` off its machine; on that machine heads behind ``v`` and
tails before it are computed again along the machine alone, elsewhere those of the full plan serve.
``v`` may stand between neighbours x and y if no way leads from ``v`` to x nor from y to ``v``.
Heads and tails tell: a way from a successor s of ``v`` to x makes head(x) >= head(s) + time(s).
"""

from typing import NamedTuple

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import Ints, compiled, zeros
from controller.scheduling.kernels.graph import Graph, change_over

HUGE = 1 << 60


class Scratch(NamedTuple):
    """Heads and tails on one machine without ``v``, and the best moves so far.

    ``best`` and ``spare`` are (way, op, entry, x, how many were equal).
    """

    head: Ints
    tail: Ints
    path: Ints
    best: Ints
    spare: Ints


class Visit(NamedTuple):
    """The operation looked at: job's head and tail, its limits, and from where it was taken."""

    v: int
    head: int
    tail: int
    head_limit: int
    tail_limit: int


def new_scratch(operations: int) -> Scratch:
    """Room for one neighbourhood."""
    rows = [zeros(operations) for _ in range(3)]
    return Scratch(rows[0], rows[1], rows[2], zeros(5), zeros(5))


@compiled
def visit(instance: Instance, graph: Graph, v: int) -> Visit:
    """What the job alone says about an operation, and what x and y must stay under."""
    start, way = instance.release[v], 0
    head_limit, tail_limit = HUGE, HUGE
    for i in range(instance.pred_from[v], instance.pred_from[v + 1]):
        p = instance.pred[i]
        start = max(start, graph.head[p] + graph.time[p])
        tail_limit = min(tail_limit, graph.tail[p] + graph.time[p])
    for i in range(instance.succ_from[v], instance.succ_from[v + 1]):
        s = instance.succ[i]
        way = max(way, graph.time[s] + graph.tail[s])
        head_limit = min(head_limit, graph.head[s] + graph.time[s])
    return Visit(v, start, way, head_limit, tail_limit)


@compiled
def take_off(instance: Instance, graph: Graph, scratch: Scratch, v: int) -> None:
    """Heads and tails along the machine of ``v`` as if ``v`` were not on it."""
    machine = graph.machine[v]
    last = graph.before[v]
    ready = instance.free[machine] if last < 0 else graph.head[last] + graph.time[last]
    o = graph.after[v]
    while o >= 0:
        start = max(_job_head(instance, graph, o), ready + change_over(instance, machine, last, o))
        scratch.head[o], scratch.tail[o] = start, graph.tail[o]
        ready, last, o = start + graph.time[o], o, graph.after[o]
    behind = graph.after[v]
    o = graph.before[v]
    while o >= 0:
        way = _job_tail(instance, graph, o)
        if behind >= 0:
            rest = graph.time[behind] + scratch.tail[behind]
            way = max(way, rest + change_over(instance, machine, o, behind))
        scratch.head[o], scratch.tail[o] = graph.head[o], way
        behind, o = o, graph.before[o]


@compiled
def _job_head(instance: Instance, graph: Graph, o: int) -> int:
    start = instance.release[o]
    for i in range(instance.pred_from[o], instance.pred_from[o + 1]):
        p = instance.pred[i]
        start = max(start, graph.head[p] + graph.time[p])
    return start


@compiled
def _job_tail(instance: Instance, graph: Graph, o: int) -> int:
    way = 0
    for i in range(instance.succ_from[o], instance.succ_from[o + 1]):
        s = instance.succ[i]
        way = max(way, graph.time[s] + graph.tail[s])
    return way


@compiled
def may_follow(instance: Instance, graph: Graph, at: Visit, x: int) -> bool:
    """Whether ``v`` may come after ``x``: no way leads from ``v`` to ``x``."""
    if graph.head[x] >= at.head_limit:
        return False
    for i in range(instance.succ_from[at.v], instance.succ_from[at.v + 1]):
        if instance.succ[i] == x:
            return False
    return True


@compiled
def may_precede(instance: Instance, graph: Graph, at: Visit, y: int) -> bool:
    """Whether ``v`` may come before ``y``: no way leads from ``y`` to ``v``."""
    if graph.tail[y] >= at.tail_limit:
        return False
    for i in range(instance.pred_from[at.v], instance.pred_from[at.v + 1]):
        if instance.pred[i] == y:
            return False
    return True


@compiled
def first_place(instance: Instance, graph: Graph, at: Visit, machine: int) -> int:
    """The last operation on a machine that must stay before ``v`` (-1 = none)."""
    x, y = -1, graph.first[machine]
    while y >= 0 and (y == at.v or not may_precede(instance, graph, at, y)):
        if y != at.v:
            x = y
        y = graph.after[y]
    return x


@compiled
def next_place(graph: Graph, v: int, machine: int, x: int) -> int:
    """The operation behind ``x`` on a machine (-1 = its first), not counting ``v``; -1 = none."""
    y = graph.first[machine] if x < 0 else graph.after[x]
    return graph.after[y] if y == v else y

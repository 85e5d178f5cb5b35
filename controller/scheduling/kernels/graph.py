"""The disjunctive graph of a plan: topological order, heads, tails, critical path.

``head[o]`` is the earliest start of ``o``, ``tail[o]`` the longest way from its end to the end of
everything; length of a longest path through ``o`` = head + time + tail. Heads and tails count the
machine arc from the operation before (``before``, -1 = none) with its change-over.
"""

from typing import NamedTuple, Protocol

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import Ints, compiled, zeros


class Graph(NamedTuple):
    """A plan being changed, operation by operation, with scratch space."""

    machine: Ints
    time: Ints
    before: Ints
    after: Ints
    first: Ints
    head: Ints
    tail: Ints
    order: Ints
    place: Ints
    waiting: Ints
    last: Ints
    spare: Ints
    shift: Ints


class Chained(Protocol):
    """Any plan that keeps the sequences of machines as chains."""

    @property
    def machine(self) -> Ints:
        """Machine of each operation."""
        ...

    @property
    def before(self) -> Ints:
        """Operation before on the machine, -1 = none."""
        ...

    @property
    def after(self) -> Ints:
        """Operation behind on the machine, -1 = none."""
        ...

    @property
    def first(self) -> Ints:
        """First operation of each machine, -1 = none."""
        ...


def new_graph(operations: int, machines: int) -> Graph:
    """An empty plan; ``load`` fills it."""
    rows = [zeros(operations) for _ in range(11)]
    return Graph._make((*rows[:4], zeros(machines), *rows[4:9], zeros(machines), *rows[9:]))


@compiled
def seconds(instance: Instance, operation: int, entry: int) -> int:
    """Seconds of an operation on a pool entry."""
    return (instance.rate[entry] * instance.scale[operation] + 999) // 1000


@compiled
def entry_of(instance: Instance, operation: int, machine: int) -> int:
    """The pool entry of an operation on a machine; -1 when it is not eligible."""
    for entry in range(instance.elig_from[operation], instance.elig_to[operation]):
        if instance.elig_machine[entry] == machine:
            return entry
    return -1


@compiled
def change_over(instance: Instance, machine: int, one: int, other: int) -> int:
    """Seconds between two operations on a machine; ``one`` -1 = what the machine holds now."""
    table = instance.table[machine]
    if table == 0:
        return 0
    held = instance.held[machine] if one < 0 else instance.op_class[one]
    return instance.setup[table, held, instance.op_class[other]]


@compiled
def insert(graph: Chained, operation: int, machine: int, before: int) -> None:
    """Put an operation on a machine after ``before`` (-1 = first)."""
    after = graph.first[machine] if before < 0 else graph.after[before]
    graph.machine[operation] = machine
    graph.before[operation] = before
    graph.after[operation] = after
    if before < 0:
        graph.first[machine] = operation
    else:
        graph.after[before] = operation
    if after >= 0:
        graph.before[after] = operation


@compiled
def remove(graph: Chained, operation: int) -> None:
    """Take an operation off its machine."""
    before, after = graph.before[operation], graph.after[operation]
    if before < 0:
        graph.first[graph.machine[operation]] = after
    else:
        graph.after[before] = after
    if after >= 0:
        graph.before[after] = before


@compiled
def sort(instance: Instance, graph: Graph) -> bool:
    """Fill ``order`` and ``place`` topologically; False when the plan waits for itself."""
    n = len(graph.machine)
    end = 0
    for o in range(n):
        count = instance.pred_from[o + 1] - instance.pred_from[o]
        if graph.before[o] >= 0:
            count += 1
        graph.waiting[o] = count
        if count == 0:
            graph.order[end] = o
            end += 1
    at = 0
    while at < end:
        o = graph.order[at]
        graph.place[o] = at
        at += 1
        for i in range(instance.succ_from[o], instance.succ_from[o + 1]):
            end = _arrive(graph, instance.succ[i], end)
        if graph.after[o] >= 0:
            end = _arrive(graph, graph.after[o], end)
    return end == n


@compiled
def _arrive(graph: Graph, o: int, end: int) -> int:
    graph.waiting[o] -= 1
    if graph.waiting[o] == 0:
        graph.order[end] = o
        end += 1
    return end


@compiled
def head_of(instance: Instance, graph: Graph, head: Ints, o: int) -> int:
    """Earliest start of an operation from the heads of what comes before it."""
    start = instance.release[o]
    for i in range(instance.pred_from[o], instance.pred_from[o + 1]):
        p = instance.pred[i]
        start = max(start, head[p] + graph.time[p])
    m, b = graph.machine[o], graph.before[o]
    ready = instance.free[m] if b < 0 else head[b] + graph.time[b]
    return max(start, ready + change_over(instance, m, b, o))


@compiled
def tail_of(instance: Instance, graph: Graph, tail: Ints, o: int) -> int:
    """Longest way from the end of an operation to the end of everything."""
    way = 0
    for i in range(instance.succ_from[o], instance.succ_from[o + 1]):
        s = instance.succ[i]
        way = max(way, graph.time[s] + tail[s])
    a = graph.after[o]
    if a >= 0:
        way = max(way, change_over(instance, graph.machine[o], o, a) + graph.time[a] + tail[a])
    return way


@compiled
def measure(instance: Instance, graph: Graph) -> int:
    """Fill heads and tails along ``order``; the makespan."""
    n = len(graph.machine)
    longest = 0
    for i in range(n):
        o = graph.order[i]
        graph.head[o] = head_of(instance, graph, graph.head, o)
        longest = max(longest, graph.head[o] + graph.time[o])
    for i in range(n - 1, -1, -1):
        o = graph.order[i]
        graph.tail[o] = tail_of(instance, graph, graph.tail, o)
    return longest


@compiled
def critical_path(instance: Instance, graph: Graph, makespan: int, path: Ints) -> int:
    """Write one critical path, chosen at random, into ``path``; its length."""
    n = len(graph.machine)
    count, seen = 0, 0
    for o in range(n):
        if graph.head[o] + graph.time[o] == makespan:
            seen += 1
            if np.random.randint(seen) == 0:
                path[0] = o
    while True:
        o = path[count]
        count += 1
        before = _critical_before(instance, graph, o)
        if before < 0 or count >= n:
            return count
        path[count] = before


@compiled
def _critical_before(instance: Instance, graph: Graph, o: int) -> int:
    """An operation whose end makes ``o`` start when it does; -1 at the start of the path."""
    chosen, seen = -1, 0
    start = graph.head[o]
    for i in range(instance.pred_from[o], instance.pred_from[o + 1]):
        p = instance.pred[i]
        if graph.head[p] + graph.time[p] == start:
            seen += 1
            if np.random.randint(seen) == 0:
                chosen = p
    b = graph.before[o]
    if b >= 0:
        setup = change_over(instance, graph.machine[o], b, o)
        if graph.head[b] + graph.time[b] + setup == start:
            seen += 1
            if np.random.randint(seen) == 0:
                chosen = b
    return chosen

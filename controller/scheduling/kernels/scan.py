"""One neighbourhood: every place for every operation of a critical path, the best one kept."""

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import Ints, compiled
from controller.scheduling.kernels.graph import Graph, change_over, seconds
from controller.scheduling.kernels.moves import (
    Scratch,
    Visit,
    first_place,
    may_follow,
    next_place,
    take_off,
    visit,
)


@compiled
def consider(best: Ints, way: int, move: tuple[int, int, int]) -> None:
    """Keep the smaller way; of equals one at random. ``move`` is (v, entry, x)."""
    if way > best[0]:
        return
    if way < best[0]:
        best[4] = 0
    best[4] += 1
    if best[4] == 1 or np.random.randint(best[4]) == 0:
        best[0] = way
        best[1], best[2], best[3] = move


@compiled
def scan_own(
    instance: Instance, graph: Graph, scratch: Scratch, best: Ints, at: Visit, entry: int
) -> None:
    """Consider every other place on the machine ``v`` is on."""
    v = at.v
    machine, time = graph.machine[v], graph.time[v]
    x = first_place(instance, graph, at, machine)
    if x >= 0 and not may_follow(instance, graph, at, x):
        return
    while True:
        y = next_place(graph, v, machine, x)
        if x != graph.before[v]:
            ready = instance.free[machine] if x < 0 else scratch.head[x] + graph.time[x]
            start = max(at.head, ready + change_over(instance, machine, x, v))
            way = at.tail
            if y >= 0:
                rest = graph.time[y] + scratch.tail[y]
                way = max(way, rest + change_over(instance, machine, v, y))
            consider(best, start + time + way, (v, entry, x))
        x = y
        if x < 0 or not may_follow(instance, graph, at, x):
            return


@compiled
def scan_other(instance: Instance, graph: Graph, best: Ints, at: Visit, entry: int) -> None:
    """Consider every place on another machine."""
    v = at.v
    machine, time = instance.elig_machine[entry], seconds(instance, v, entry)
    x = first_place(instance, graph, at, machine)
    if x >= 0 and not may_follow(instance, graph, at, x):
        return
    while True:
        y = graph.first[machine] if x < 0 else graph.after[x]
        ready = instance.free[machine] if x < 0 else graph.head[x] + graph.time[x]
        start = max(at.head, ready + change_over(instance, machine, x, v))
        way = at.tail
        if y >= 0:
            rest = graph.time[y] + graph.tail[y]
            way = max(way, rest + change_over(instance, machine, v, y))
        consider(best, start + time + way, (v, entry, x))
        x = y
        if x < 0 or not may_follow(instance, graph, at, x):
            return


@compiled
def scan(
    instance: Instance, graph: Graph, scratch: Scratch, v: int, tabu: tuple[int, Ints]
) -> None:
    """Consider every move of one operation; ``tabu`` = (iteration, until when returns are tabu).

    Tabu moves go to ``scratch.spare``, the others to ``scratch.best``.
    """
    at = visit(instance, graph, v)
    for entry in range(instance.elig_from[v], instance.elig_to[v]):
        k = instance.elig_machine[entry]
        into = scratch.spare if tabu[1][v * len(graph.first) + k] > tabu[0] else scratch.best
        if k == graph.machine[v]:
            take_off(instance, graph, scratch, v)
            scan_own(instance, graph, scratch, into, at, entry)
        else:
            scan_other(instance, graph, into, at, entry)

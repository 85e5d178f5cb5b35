"""Tabu search for the makespan: the best allowed move of one critical path, every iteration.

A move puts a critical operation elsewhere; going back to the machine it left is forbidden for
about as many iterations as the critical path is long (Mastrolilli and Gambardella 2000).
"""

from typing import NamedTuple

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import Ints, compiled
from controller.scheduling.kernels.graph import (
    Graph,
    critical_path,
    entry_of,
    insert,
    measure,
    remove,
    seconds,
    sort,
)
from controller.scheduling.kernels.moves import (
    HUGE,
    Scratch,
    entry_seconds,
    first_place,
    limits,
    take_off,
    way_through,
)


class Solution(NamedTuple):
    """A plan as numbers: pool entry per operation, and one order all machines follow."""

    entry: Ints
    order: Ints


class Search(NamedTuple):
    """Everything one tabu search changes; ``until`` = iteration before which a return is tabu."""

    graph: Graph
    scratch: Scratch
    until: Ints
    best: Solution


def empty_solution(operations: int) -> Solution:
    """Room for a solution."""
    return Solution(np.zeros(operations, np.int64), np.zeros(operations, np.int64))


@compiled
def seed_with(seed: int) -> None:
    """Make what follows a function of ``seed``."""
    np.random.seed(seed)


@compiled
def load(instance: Instance, graph: Graph, solution: Solution) -> int:
    """Build the graph of a solution; its makespan."""
    graph.first[:] = -1
    last = graph.last
    last[:] = -1
    for i in range(len(solution.order)):
        o = solution.order[i]
        entry = solution.entry[o]
        machine = instance.elig_machine[entry]
        insert(graph, o, machine, last[machine])
        graph.time[o] = seconds(instance, o, entry)
        last[machine] = o
    sort(instance, graph)
    return measure(instance, graph)


@compiled
def save(instance: Instance, graph: Graph, solution: Solution) -> None:
    """Write the plan in the graph into a solution."""
    for o in range(len(graph.machine)):
        solution.entry[o] = entry_of(instance, o, graph.machine[o])
        solution.order[o] = graph.order[o]


@compiled
def _consider(best: Ints, makespan: int, way: int, move: tuple[int, int, int]) -> None:
    """Keep the smaller (makespan, way); of equals one at random. ``move`` is (v, entry, x)."""
    if makespan > best[0] or (makespan == best[0] and way > best[1]):
        return
    if makespan < best[0] or way < best[1]:
        best[5] = 0
    best[5] += 1
    if np.random.randint(best[5]) == 0:
        best[0], best[1] = makespan, way
        best[2], best[3], best[4] = move


@compiled
def _consider_spare(spare: Ints, move: tuple[int, int, int]) -> None:
    spare[5] += 1
    if np.random.randint(spare[5]) == 0:
        spare[2], spare[3], spare[4] = move


@compiled
def _scan_machine(
    instance: Instance, search: Search, move: tuple[int, int, int], rest: tuple[int, int, int, int]
) -> None:
    """Consider every place of one machine; ``move`` = (v, entry, own x or -2 elsewhere).

    ``rest`` is (makespan without v, head limit, way limit, record or -1 when the machine is tabu
    and only a new record is allowed).
    """
    v, entry, own = move
    graph, scratch = search.graph, search.scratch
    where = entry_seconds(instance, v, entry)
    x = first_place(graph, scratch, where[1], rest[2])
    if x >= 0 and scratch.head[x] >= rest[1]:
        return
    while True:
        if x != own:
            way = way_through(instance, graph, scratch, where, x)
            makespan = max(rest[0], way)
            if rest[3] < 0 or makespan < rest[3]:
                _consider(scratch.best, makespan, way, (v, entry, x))
            else:
                _consider_spare(scratch.spare, (v, entry, x))
        x = graph.first[where[1]] if x < 0 else graph.after[x]
        if x < 0 or scratch.head[x] >= rest[1]:
            return


@compiled
def _scan_operation(instance: Instance, search: Search, v: int, now: tuple[int, int]) -> None:
    """Consider every move of one operation; ``now`` is (iteration, record)."""
    graph, scratch = search.graph, search.scratch
    machine, before, time = graph.machine[v], graph.before[v], graph.time[v]
    remove(graph, v)
    graph.time[v] = 0
    rest = take_off(instance, graph, scratch, v)
    if rest <= scratch.best[0]:
        head_limit, way_limit = limits(instance, graph, scratch, v)
        for entry in range(instance.elig_from[v], instance.elig_to[v]):
            k = instance.elig_machine[entry]
            tabu = search.until[v * len(graph.first) + k] > now[0]
            own = before if k == machine else -2
            allowed = (rest, head_limit, way_limit, now[1] if tabu else -1)
            _scan_machine(instance, search, (v, entry, own), allowed)
    graph.time[v] = time
    insert(graph, v, machine, before)


@compiled
def _apply(instance: Instance, search: Search, move: Ints, until: int) -> int:
    """Make a move and forbid the return; the new makespan, or -1 when it was not possible."""
    graph = search.graph
    v, entry = move[2], move[3]
    machine, before, time = graph.machine[v], graph.before[v], graph.time[v]
    remove(graph, v)
    insert(graph, v, instance.elig_machine[entry], move[4])
    graph.time[v] = seconds(instance, v, entry)
    search.until[v * len(graph.first) + machine] = until
    if sort(instance, graph):
        return measure(instance, graph)
    remove(graph, v)
    insert(graph, v, machine, before)
    graph.time[v] = time
    sort(instance, graph)
    return -1


@compiled
def step(instance: Instance, search: Search, iteration: int, known: tuple[int, int]) -> int:
    """One iteration; ``known`` is (makespan, record). The new makespan; -1 = nothing can move."""
    graph, scratch = search.graph, search.scratch
    length = critical_path(instance, graph, known[0], scratch.path)
    scratch.best[0], scratch.best[1], scratch.best[2], scratch.best[5] = HUGE, HUGE, -1, 0
    scratch.spare[2], scratch.spare[5] = -1, 0
    for i in range(length):
        _scan_operation(instance, search, scratch.path[i], (iteration, known[1]))
    move = scratch.best if scratch.best[2] >= 0 else scratch.spare
    v = move[2]
    if v < 0:
        return -1
    choices = instance.elig_to[v] - instance.elig_from[v]
    tenure = length + choices + np.random.randint(0, 1 + length // 2)
    made = _apply(instance, search, move, iteration + tenure)
    return known[0] if made < 0 else made


@compiled
def tabu(
    instance: Instance, search: Search, start: Solution, limits_: tuple[int, int, int]
) -> tuple[int, int]:
    """Search from ``start``; the best goes to ``search.best``. (its makespan, iterations done).

    ``limits_`` is (iterations, iterations without a new record, makespan that is good enough).
    """
    most, patience, target = limits_
    makespan = load(instance, search.graph, start)
    save(instance, search.graph, search.best)
    search.until[:] = -1
    record, stall, iteration = makespan, 0, 0
    while iteration < most and stall < patience and record > target:
        makespan = step(instance, search, iteration, (makespan, record))
        iteration += 1
        stall += 1
        if makespan < 0:
            break
        if makespan < record:
            record, stall = makespan, 0
            save(instance, search.graph, search.best)
    return record, iteration

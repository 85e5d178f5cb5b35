"""Tabu search for the makespan: the best allowed move of one critical path, every iteration.

A move puts a critical operation elsewhere; going back to the machine it left is forbidden for
about as many iterations as the critical path is long (Mastrolilli and Gambardella 2000).
"""

from typing import NamedTuple

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import Ints, compiled, zeros
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
from controller.scheduling.kernels.moves import HUGE, Scratch
from controller.scheduling.kernels.reorder import measure_between, reorder
from controller.scheduling.kernels.scan import scan


class Solution(NamedTuple):
    """A plan as numbers: pool entry per operation, and one order all machines follow."""

    entry: Ints
    order: Ints


class Proof(NamedTuple):
    """A proven lower bound, and the plan when one was found that is at least as good."""

    bound_s: int
    makespan_s: int
    solution: Solution | None


class Search(NamedTuple):
    """Everything one tabu search changes; ``until`` = iteration before which a return is tabu."""

    graph: Graph
    scratch: Scratch
    until: Ints
    best: Solution


def empty_solution(operations: int) -> Solution:
    """Room for a solution."""
    return Solution(zeros(operations), zeros(operations))


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
def _apply(instance: Instance, search: Search, move: Ints, until: int) -> int:
    """Make a move and forbid the return; the new makespan, or -1 when it was not possible."""
    graph = search.graph
    v, entry = move[1], move[2]
    machine, before, time = graph.machine[v], graph.before[v], graph.time[v]
    remove(graph, v)
    insert(graph, v, instance.elig_machine[entry], move[3])
    graph.time[v] = seconds(instance, v, entry)
    search.until[v * len(graph.first) + machine] = until
    begin, end = reorder(instance, graph, v)
    if begin >= 0:
        return measure_between(instance, graph, begin, end)
    remove(graph, v)
    insert(graph, v, machine, before)
    graph.time[v] = time
    return -1


@compiled
def step(instance: Instance, search: Search, iteration: int, known: tuple[int, int]) -> int:
    """One iteration; ``known`` is (makespan, record). The new makespan; -1 = nothing can move."""
    graph, scratch = search.graph, search.scratch
    length = critical_path(instance, graph, known[0], scratch.path)
    for kept in (scratch.best, scratch.spare):
        kept[0], kept[1], kept[4] = HUGE, -1, 0
    for i in range(length):
        scan(instance, graph, scratch, scratch.path[i], (iteration, search.until))
    move = scratch.best
    if move[1] < 0 or scratch.spare[0] < min(known[1], move[0]):
        move = scratch.spare
    v = move[1]
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

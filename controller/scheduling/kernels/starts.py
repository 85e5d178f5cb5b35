"""First plans and crossings: a randomised list schedule, and two plans combined into a third."""

from typing import NamedTuple

import numpy as np

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import Floats, Ints, compiled, floats, zeros
from controller.scheduling.kernels.graph import change_over, seconds
from controller.scheduling.kernels.tabu import Solution


class Listing(NamedTuple):
    """Room for a list schedule: work left, ready since, inputs missing, and the machines."""

    left: Floats
    ready: Ints
    missing: Ints
    queue: Ints
    free: Ints
    last: Ints


def new_listing(operations: int, machines: int) -> Listing:
    """Room for problems of that size."""
    rows = [zeros(operations) for _ in range(3)]
    ends = [zeros(machines) for _ in range(2)]
    return Listing(floats([0.0] * operations), *rows, *ends)


@compiled
def work_left(instance: Instance, left: Floats) -> None:
    """Longest way of shortest times from each start to the end; numbers are topological."""
    for o in range(len(left) - 1, -1, -1):
        shortest = seconds(instance, o, instance.elig_from[o])
        for entry in range(instance.elig_from[o] + 1, instance.elig_to[o]):
            shortest = min(shortest, seconds(instance, o, entry))
        behind = 0.0
        for i in range(instance.succ_from[o], instance.succ_from[o + 1]):
            behind = max(behind, left[instance.succ[i]])
        left[o] = shortest + behind


@compiled
def _begin(instance: Instance, room: Listing) -> int:
    """Clear the room; how many operations are ready."""
    count = 0
    for o in range(len(room.left)):
        room.ready[o] = instance.release[o]
        room.missing[o] = instance.pred_from[o + 1] - instance.pred_from[o]
        if room.missing[o] == 0:
            room.queue[count] = o
            count += 1
    for m in range(len(room.free)):
        room.free[m] = instance.free[m]
        room.last[m] = -1
    return count


@compiled
def _end_on(instance: Instance, room: Listing, o: int, entry: int) -> int:
    """When an operation would end on a pool entry, put behind what is there."""
    m = instance.elig_machine[entry]
    ready = room.free[m] + change_over(instance, m, room.last[m], o)
    return max(room.ready[o], ready) + seconds(instance, o, entry)


@compiled
def _soonest(instance: Instance, room: Listing, o: int, noise: float) -> tuple[int, float]:
    """The pool entry that ends an operation first (times blurred by ``noise``), and that end."""
    chosen, soonest = -1, 0.0
    for entry in range(instance.elig_from[o], instance.elig_to[o]):
        end = float(_end_on(instance, room, o, entry))
        if noise > 0.0:
            end += noise * seconds(instance, o, entry) * np.random.random()
        if chosen < 0 or end < soonest:
            chosen, soonest = entry, end
    return chosen, soonest


@compiled
def construct(instance: Instance, room: Listing, noise: float, out: Solution) -> None:
    """A list schedule: of what is ready, first what ends early and has much work behind it."""
    count = _begin(instance, room)
    for k in range(len(room.left)):
        at, entry, best = -1, -1, 0.0
        for i in range(count):
            o = room.queue[i]
            choice, end = _soonest(instance, room, o, noise)
            key = end - room.left[o] * (1.0 + noise * (np.random.random() - 0.5))
            if at < 0 or key < best:
                at, entry, best = i, choice, key
        o = room.queue[at]
        count -= 1
        room.queue[at] = room.queue[count]
        out.order[k], out.entry[o] = o, entry
        end = _end_on(instance, room, o, entry)
        m = instance.elig_machine[entry]
        room.free[m], room.last[m] = end, o
        count = _release(instance, room, (o, end), count)


@compiled
def _release(instance: Instance, room: Listing, done: tuple[int, int], count: int) -> int:
    """Tell the successors of (operation, end); how many are ready now."""
    for i in range(instance.succ_from[done[0]], instance.succ_from[done[0] + 1]):
        s = instance.succ[i]
        room.ready[s] = max(room.ready[s], done[1])
        room.missing[s] -= 1
        if room.missing[s] == 0:
            room.queue[count] = s
            count += 1
    return count


@compiled
def cross(one: Solution, other: Solution, used: Ints, longest: int, out: Solution) -> None:
    """Take runs of operations from two plans in turn, each keeping its order and machine."""
    n = len(used)
    used[:] = 0
    i, j, k = 0, 0, 0
    first = np.random.randint(2) == 0
    while k < n:
        for _ in range(1 + np.random.randint(longest)):
            if k == n:
                break
            if first:
                i = _skip(one.order, used, i)
                o = one.order[i]
                out.entry[o] = one.entry[o]
            else:
                j = _skip(other.order, used, j)
                o = other.order[j]
                out.entry[o] = other.entry[o]
            used[o], out.order[k] = 1, o
            k += 1
        first = not first


@compiled
def _skip(order: Ints, used: Ints, at: int) -> int:
    while used[order[at]] == 1:
        at += 1
    return at


@compiled
def difference(one: Solution, other: Solution) -> int:
    """How many operations are on another machine."""
    count = 0
    for o in range(len(one.entry)):
        if one.entry[o] != other.entry[o]:
            count += 1
    return count

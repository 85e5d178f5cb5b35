"""Keep the topological order after one move: only the stretch between old and new place changes.

``graph.waiting`` serves as marks and is all zero between calls.
"""

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import compiled
from controller.scheduling.kernels.graph import Graph, head_of, tail_of


@compiled
def reorder(instance: Instance, graph: Graph, v: int) -> tuple[int, int]:
    """Repair ``order`` after ``v`` was put elsewhere; (first, last) place changed; -1 = cycle."""
    at = graph.place[v]
    x, y = graph.before[v], graph.after[v]
    if x >= 0 and graph.place[x] > at:
        end = graph.place[x]
        return (at, end) if _later(instance, graph, at, end) else (-1, -1)
    if y >= 0 and graph.place[y] < at:
        begin = graph.place[y]
        return (begin, at) if _sooner(instance, graph, begin, at) else (-1, -1)
    return at, at


@compiled
def _later(instance: Instance, graph: Graph, at: int, end: int) -> bool:
    """Move the operation at ``at``, and what must follow it, behind the place ``end``."""
    v, x = graph.order[at], graph.order[end]
    marks, moved = graph.waiting, 1
    marks[v] = 1
    graph.spare[0] = v
    to = at
    for i in range(at + 1, end + 1):
        o = graph.order[i]
        if o != x and _follows_marked(instance, graph, o):
            marks[o] = 1
            graph.spare[moved] = o
            moved += 1
        elif o == x and _follows_marked(instance, graph, o):
            to = -1
            break
        else:
            graph.shift[to] = o
            to += 1
    for i in range(moved):
        marks[graph.spare[i]] = 0
    if to < 0:
        return False
    for i in range(at, to):
        _put(graph, graph.shift[i], i)
    for i in range(moved):
        _put(graph, graph.spare[i], to + i)
    return True


@compiled
def _sooner(instance: Instance, graph: Graph, begin: int, at: int) -> bool:
    """Move the operation at ``at``, and what must precede it, before the place ``begin``."""
    v, y = graph.order[at], graph.order[begin]
    marks, moved = graph.waiting, 1
    marks[v] = 1
    graph.spare[0] = v
    to = at
    for i in range(at - 1, begin - 1, -1):
        o = graph.order[i]
        if o != y and _precedes_marked(instance, graph, o):
            marks[o] = 1
            graph.spare[moved] = o
            moved += 1
        elif o == y and _precedes_marked(instance, graph, o):
            to = -1
            break
        else:
            graph.shift[to] = o
            to -= 1
    for i in range(moved):
        marks[graph.spare[i]] = 0
    if to < 0:
        return False
    for i in range(to + 1, at + 1):
        _put(graph, graph.shift[i], i)
    for i in range(moved):
        _put(graph, graph.spare[i], to - i)
    return True


@compiled
def _put(graph: Graph, o: int, place: int) -> None:
    graph.order[place] = o
    graph.place[o] = place


@compiled
def _follows_marked(instance: Instance, graph: Graph, o: int) -> bool:
    if graph.before[o] >= 0 and graph.waiting[graph.before[o]] == 1:
        return True
    for i in range(instance.pred_from[o], instance.pred_from[o + 1]):
        if graph.waiting[instance.pred[i]] == 1:
            return True
    return False


@compiled
def _precedes_marked(instance: Instance, graph: Graph, o: int) -> bool:
    if graph.after[o] >= 0 and graph.waiting[graph.after[o]] == 1:
        return True
    for i in range(instance.succ_from[o], instance.succ_from[o + 1]):
        if graph.waiting[instance.succ[i]] == 1:
            return True
    return False


@compiled
def measure_between(instance: Instance, graph: Graph, begin: int, end: int) -> int:
    """Heads from place ``begin`` on, tails from place ``end`` back; the makespan."""
    n = len(graph.machine)
    for i in range(begin, n):
        o = graph.order[i]
        graph.head[o] = head_of(instance, graph, graph.head, o)
    for i in range(end, -1, -1):
        o = graph.order[i]
        graph.tail[o] = tail_of(instance, graph, graph.tail, o)
    longest = 0
    for o in range(n):
        longest = max(longest, graph.head[o] + graph.time[o])
    return longest

"""Many priority queues over the same nodes, largest key first, as pairing heaps without allocation.

Fredman, Sedgewick, Sleator and Tarjan (1986). ``top`` of each queue is its best node, -1 = empty; a
node is in one queue at most.
"""

from typing import NamedTuple

from controller.scheduling.kernels.compiled import Floats, Ints, compiled, floats, zeros


class Queue(NamedTuple):
    """Keys and links by node, and the best node by queue."""

    key: Floats
    child: Ints
    next: Ints
    top: Ints


def new_queue(nodes: int, queues: int) -> Queue:
    """Room for that many; links and tops are to be set to -1 before use."""
    return Queue(floats([0.0] * nodes), zeros(nodes), zeros(nodes), zeros(queues))


@compiled
def merge(queue: Queue, one: int, other: int) -> int:
    """Join two heaps (-1 = empty); the top of both."""
    if one < 0:
        return other
    if other < 0:
        return one
    if queue.key[one] < queue.key[other]:
        one, other = other, one
    queue.next[other] = queue.child[one]
    queue.child[one] = other
    return one


@compiled
def without_top(queue: Queue, top: int) -> int:
    """The top of what is left of a heap when its best is taken; -1 = nothing."""
    node, pairs = queue.child[top], -1
    while node >= 0:
        other = queue.next[node]
        behind = -1 if other < 0 else queue.next[other]
        queue.next[node] = -1
        pair = merge(queue, node, other)
        queue.next[pair] = pairs
        node, pairs = behind, pair
    left = -1
    while pairs >= 0:
        behind = queue.next[pairs]
        queue.next[pairs] = -1
        left = merge(queue, left, pairs)
        pairs = behind
    queue.child[top] = -1
    return left

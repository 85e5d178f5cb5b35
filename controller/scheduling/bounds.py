"""Lower bounds of the makespan that need no search."""

from controller.scheduling.arrays import Instance

MOST_SETS = 400


def lower_bound(instance: Instance) -> int:
    """Largest of: longest job by shortest times; least work over each set of machines."""
    n = len(instance.release)
    shortest = [_shortest(instance, o) for o in range(n)]
    head, tail = instance.release.tolist(), [0] * n
    for o in range(n):
        for p in instance.pred[instance.pred_from[o] : instance.pred_from[o + 1]].tolist():
            head[o] = max(head[o], head[p] + shortest[p])
    for o in range(n - 1, -1, -1):
        for s in instance.succ[instance.succ_from[o] : instance.succ_from[o + 1]].tolist():
            tail[o] = max(tail[o], tail[s] + shortest[s])
    best = max((head[o] + shortest[o] + tail[o] for o in range(n)), default=0)
    for ops, size in _groups(instance):
        work = -(-sum(shortest[o] for o in ops) // size)
        best = max(best, min(head[o] for o in ops) + work + min(tail[o] for o in ops))
    return best


def _shortest(instance: Instance, o: int) -> int:
    rates = instance.rate[instance.elig_from[o] : instance.elig_to[o]].tolist()
    return int(min(rates) * instance.scale[o] + 999) // 1000


def _groups(instance: Instance) -> list[tuple[list[int], int]]:
    """For many sets of machines: the operations that must be done within, and the set's size."""
    sets: dict[frozenset[int], list[int]] = {}
    for o in range(len(instance.release)):
        span = slice(instance.elig_from[o], instance.elig_to[o])
        sets.setdefault(frozenset(instance.elig_machine[span].tolist()), []).append(o)
    every = frozenset(range(len(instance.free)))
    chosen = sorted({*sets, every}, key=lambda s: (-len(s), sorted(s)))[:MOST_SETS]
    groups = (([o for own, ops in sets.items() if own <= s for o in ops], len(s)) for s in chosen)
    return [(ops, size) for ops, size in groups if ops]

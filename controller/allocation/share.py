"""The first sharing rule: needs are accepted in the order of weighted dominant share (DRF).

A community's dominant share is the largest fraction it has been granted of anything scarce
(machine seconds of a capability class, milligrams of a material), divided by its weight. The
community with the smallest one is always next (Ghodsi et al., NSDI 2011). Urgent needs come
before floor needs, floor before normal; inside a community the older need comes first.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

RANKS = {"urgent": 0, "floor": 1, "normal": 2}


class Demand(NamedTuple):
    """A stated need and what it takes: amount by resource (seconds, mg); "" problem = feasible."""

    need: str
    community: str
    need_class: str
    stated_at: int
    takes: Mapping[str, int]
    problem: str = ""


class Decision(NamedTuple):
    """What became of a need, and why, in one plain sentence; accepted ones are in order."""

    need: str
    accepted: bool
    reason: str


class Pool(NamedTuple):
    """What there is to share: capacity by resource, granted by community, weight by community."""

    capacity: Mapping[str, int]
    granted: Mapping[str, Mapping[str, int]]
    weights: Mapping[str, int]


def dominant_share(granted: Mapping[str, int], pool: Pool, community: str) -> Fraction:
    """Largest granted fraction of any resource, divided by the community's weight (1 if none)."""
    fractions = [
        Fraction(amount, pool.capacity[resource])
        for resource, amount in granted.items()
        if pool.capacity.get(resource, 0) > 0
    ]
    return max(fractions, default=Fraction(0)) / max(1, pool.weights.get(community, 1))


def share(demands: Iterable[Demand], pool: Pool) -> list[Decision]:
    """Accepted needs in the order they are served, then the refused ones; exact, order-free."""
    refused: list[Decision] = []
    waiting: list[Demand] = []
    for demand in sorted(demands, key=lambda d: (RANKS.get(d.need_class, 2), d.stated_at, d.need)):
        why = _impossible(demand, pool)
        if why:
            refused.append(Decision(demand.need, False, why))
        else:
            waiting.append(demand)
    granted = {community: dict(amounts) for community, amounts in pool.granted.items()}
    accepted: list[Decision] = []
    for rank in sorted(set(RANKS.values())):
        same = [d for d in waiting if RANKS.get(d.need_class, 2) == rank]
        accepted.extend(_fill(same, granted, pool))
    return accepted + refused


def _fill(waiting: list[Demand], granted: dict[str, dict[str, int]], pool: Pool) -> list[Decision]:
    """Progressive filling of one class: the smallest share takes its oldest need."""
    queues: dict[str, list[Demand]] = {}
    for demand in reversed(waiting):
        queues.setdefault(demand.community, []).append(demand)
    out: list[Decision] = []
    while queues:
        shares = {c: dominant_share(granted.get(c, {}), pool, c) for c in queues}
        community = min(queues, key=lambda c: (shares[c], queues[c][-1].stated_at, c))
        demand = queues[community].pop()
        if not queues[community]:
            del queues[community]
        taken = granted.setdefault(community, {})
        for resource, amount in demand.takes.items():
            taken[resource] = taken.get(resource, 0) + amount
        out.append(Decision(demand.need, True, _why(demand, shares)))
    return out


def _why(demand: Demand, shares: Mapping[str, Fraction]) -> str:
    own = _percent(shares[demand.community])
    others = len(shares) - 1
    kind = "" if demand.need_class == "normal" else f" among {demand.need_class} needs"
    if not others:
        return f"{demand.community} is the only community waiting{kind}; it holds {own}."
    return (
        f"{demand.community} holds {own} of what is shared, "
        f"the least of {others + 1} communities waiting{kind}."
    )


def _percent(share_: Fraction) -> str:
    return f"{float(share_ * 100):.1f} %"


def _impossible(demand: Demand, pool: Pool) -> str:
    """Why a need can never be served here; "" when it can."""
    if demand.problem:
        return demand.problem
    for resource, amount in sorted(demand.takes.items()):
        if amount < 0:
            return f"It asks for a negative amount of {resource}."
        if amount > 0 and pool.capacity.get(resource, 0) <= 0:
            return f"Nothing on this floor provides {resource}."
    return ""

"""Stage 0: agreed floor needs have first claim on a capped part of every resource.

The community with the least weighted dominant share of the floor is served next (max-min), each
with its best supported floor need that still fits under the cap. What does not fit competes with
all other needs in the later stages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from controller.allocation.inputs import PPM, Inputs, Need, NeedClass


class Claim(NamedTuple):
    """A need in its community's queue: more supporters first, then the smaller, then the id."""

    need: Need
    supporters: int
    dominant: Fraction

    def rank(self) -> tuple[int, Fraction, str]:
        """Sort key inside a community and between equals."""
        return (-self.supporters, self.dominant, self.need.id)


class Queues:
    """Claims by community against what is left; what once does not fit never fits again."""

    def __init__(self, claims: Sequence[Claim], left: Mapping[str, int]) -> None:
        self.left = dict(left)
        self.by_community: dict[str, list[Claim]] = {}
        for claim in sorted(claims, key=Claim.rank, reverse=True):
            self.by_community.setdefault(claim.need.community, []).append(claim)

    def heads(self) -> list[Claim]:
        """The next claim of each community that still fits."""
        found: list[Claim] = []
        for queue in self.by_community.values():
            while queue and not fits(queue[-1].need.demand, self.left):
                queue.pop()
            if queue:
                found.append(queue[-1])
        return found

    def take(self, claim: Claim) -> None:
        """Grant the head of its community's queue."""
        self.by_community[claim.need.community].pop()
        for resource, amount in claim.need.demand.items():
            self.left[resource] -= amount


def fits(demand: Mapping[str, int], left: Mapping[str, int]) -> bool:
    """Tell whether what is left covers the demand."""
    return all(amount <= left[resource] for resource, amount in demand.items())


def dominant(demand: Mapping[str, int], capacity: Mapping[str, int]) -> Fraction:
    """Largest part of a capacity the demand takes; more than 1 where there is no capacity."""
    parts = [
        Fraction(amount, capacity[resource]) if capacity[resource] else Fraction(2)
        for resource, amount in demand.items()
        if amount
    ]
    return max(parts, default=Fraction(0))


def weighted(share: Fraction, part: Fraction) -> Fraction:
    """Share by weight; a community without weight comes after every other."""
    return share / part if part else Fraction(10**12) + share


def floor_cap(inputs: Inputs) -> dict[str, int]:
    """Most of each resource that floor needs may claim first."""
    cap = inputs.rules.floor_cap_ppm
    return {resource: amount * cap // PPM for resource, amount in inputs.capacity().items()}


def grant_floor(inputs: Inputs) -> list[str]:
    """Floor needs granted, in order."""
    capacity = inputs.capacity()
    votes = {need: len(ballots) for need, ballots in inputs.supporters().items()}
    claims = [
        Claim(need, votes[need.id], dominant(need.demand, capacity))
        for need in inputs.needs
        if need.need_class is NeedClass.FLOOR
    ]
    queues = Queues(claims, floor_cap(inputs))
    part = inputs.weight_part()
    used = {c.id: dict.fromkeys(capacity, 0) for c in inputs.communities}
    granted: list[str] = []
    while heads := queues.heads():
        best = min(
            heads,
            key=lambda claim: (
                weighted(
                    dominant(used[claim.need.community], capacity), part[claim.need.community]
                ),
                claim.rank(),
            ),
        )
        queues.take(best)
        for resource, amount in best.need.demand.items():
            used[best.need.community][resource] += amount
        granted.append(best.need.id)
    return granted

"""Dominant resource fairness with divisible needs: the yardstick whole needs are measured by.

Every community's weighted dominant share rises at one speed; a community stops when it has all it
asks for, or when a resource it needs is used up (Ghodsi et al., NSDI 2011; Parkes, Procaccia and
Shah 2012 for weights and zero demands). Exact fractions.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from controller.allocation.floor import dominant

Demand = Mapping[str, int]


def divisible_shares(
    demands: Mapping[str, Demand], capacity: Mapping[str, int], weights: Mapping[str, int]
) -> dict[str, Fraction]:
    """Part of its whole demand, 0 to 1, that each community would get."""
    got = dict.fromkeys(demands, Fraction(0))
    left = {resource: Fraction(amount) for resource, amount in capacity.items()}
    speed = {
        c: Fraction(weights[c]) / dominant(demand, capacity)
        for c, demand in demands.items()
        if weights[c] and any(demand.values())
    }
    rising = {c for c in speed if all(left[r] for r, amount in demands[c].items() if amount)}
    while rising:
        step = _step(rising, speed, demands, got, left)
        for c in rising:
            got[c] += step * speed[c]
            for r, amount in demands[c].items():
                left[r] -= step * speed[c] * amount
        rising = {
            c
            for c in rising
            if got[c] < 1 and all(left[r] for r, amount in demands[c].items() if amount)
        }
    return got


def _step(
    rising: set[str],
    speed: Mapping[str, Fraction],
    demands: Mapping[str, Demand],
    got: Mapping[str, Fraction],
    left: Mapping[str, Fraction],
) -> Fraction:
    """How long until the first community is satisfied or the first resource is used up."""
    steps = [(1 - got[c]) / speed[c] for c in rising]
    for r, amount in left.items():
        pull = sum((speed[c] * demands[c].get(r, 0) for c in rising), Fraction(0))
        if pull:
            steps.append(amount / pull)
    return min(steps)

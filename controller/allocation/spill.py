"""Stage 2: what nobody could buy goes to the community that has received least for its weight.

Dominant resource fairness with whole needs. A community's share is the largest fraction it has
received of any resource, divided by its part of the weight. The rule is for communities to choose:

- share before (default): the community with the least share before the grant is next, so nobody
  goes empty, and a lumpy need may overshoot; the overshoot is a debit on its next rounds;
- share after: the least share after the grant is next, so shares stay closest, and a community
  with only lumpy needs may get nothing;
- vote order: most supporters first.

A granted need is charged to what its supporters have left; what that does not cover is the
overshoot. All amounts are whole units, so a purse's fraction of a unit ends with stage 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from controller.allocation.floor import Claim, Queues, dominant, weighted
from controller.allocation.inputs import Need, SpillRule

Amounts = dict[str, int]


class Grant(NamedTuple):
    """A need given in stage 2, with its community's weighted share before and after."""

    need: str
    community: str
    before: Fraction
    after: Fraction


@dataclass(frozen=True)
class Pool:
    """What stage 2 starts from: capacity after the floor, left after stage 1, used, weights."""

    capacity: Mapping[str, int]
    left: Mapping[str, int]
    used: Mapping[str, Mapping[str, int]]
    part: Mapping[str, Fraction]


class _Spill:
    """Shares as they grow."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.used = {c: dict(amounts) for c, amounts in pool.used.items()}

    def before(self, claim: Claim) -> Fraction:
        """Weighted dominant share of the claim's community now."""
        community = claim.need.community
        share = dominant(self.used[community], self.pool.capacity)
        return weighted(share, self.pool.part[community])

    def after(self, claim: Claim) -> Fraction:
        """The same once the claim is granted."""
        community = claim.need.community
        used = _sum(self.used[community], claim.need.demand)
        return weighted(dominant(used, self.pool.capacity), self.pool.part[community])

    def key(self, rule: SpillRule) -> Callable[[Claim], tuple[Fraction, tuple[int, Fraction, str]]]:
        """Sort key of a rule: the least claim is next."""
        if rule is SpillRule.SHARE_BEFORE:
            return lambda claim: (self.before(claim), claim.rank())
        if rule is SpillRule.SHARE_AFTER:
            return lambda claim: (self.after(claim), claim.rank())
        return lambda claim: (Fraction(0), claim.rank())


def spill(claims: Sequence[Claim], pool: Pool, rule: SpillRule) -> tuple[list[Grant], Amounts]:
    """Grants in order, and what is left; afterwards no claim fits."""
    queues = Queues([c for c in claims if c.supporters], pool.left)
    state = _Spill(pool)
    key = state.key(rule)
    grants: list[Grant] = []
    while heads := queues.heads():
        best = min(heads, key=key)
        grant = Grant(best.need.id, best.need.community, state.before(best), state.after(best))
        queues.take(best)
        state.used[best.need.community] = _sum(state.used[grant.community], best.need.demand)
        grants.append(grant)
    return grants, queues.left


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> Amounts:
    return {r: one.get(r, 0) + other.get(r, 0) for r in sorted({*one, *other})}


def charge(
    needs: Sequence[tuple[Need, Sequence[str]]], purses: Mapping[str, Mapping[str, int]]
) -> tuple[dict[str, Amounts], dict[str, Amounts]]:
    """Purses [member][resource] after grants, and overshoot by community; needs with supporters."""
    kept = {member: dict(amounts) for member, amounts in purses.items()}
    over: dict[str, Amounts] = {}
    for need, supporters in needs:
        for resource, amount in sorted(need.demand.items()):
            held = sum(kept[member].get(resource, 0) for member in supporters)
            for member in supporters:
                purse = kept[member].get(resource, 0)
                pays = purse if held <= amount else purse * amount // held
                kept[member][resource] = purse - pays
            if held < amount:
                debit = over.setdefault(need.community, {})
                debit[resource] = debit.get(resource, 0) + amount - held
    return kept, over

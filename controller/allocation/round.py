"""One allocation round: floor, equal shares, spill, and what is carried to the next round.

    inputs -> stage 0 floor needs have first claim, capped               floor.py
           -> stage 1 members buy needs together from equal purses       equal_shares.py
           -> stage 2 what nobody could buy goes to who has least        spill.py
           -> outcome: accepted needs in order, and what is carried      (stage 3 schedules them)

A community's part of every resource is its part of the weight; its voters share it equally, so who
stays at home leaves their part to their own community. What a purse keeps is saved for the next
rounds; needs that only savings can pay come first, the longest waiting before the others, and so
every group that saves is served in a bounded number of rounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import NamedTuple

from controller.allocation.equal_shares import Election, Purchase, equal_shares
from controller.allocation.floor import Claim, dominant, grant_floor
from controller.allocation.inputs import PPM, Ballot, Inputs, SpillRule
from controller.allocation.spill import Amounts, Grant, Pool, charge, spill

FULL_VOICE = 6
"""A wish as strong as the member's strongest; 1/3, 1/2 and 2/3 of it are whole numbers too."""


class NamedPurchase(NamedTuple):
    """A purchase by names; `saved` when only savings could pay it."""

    need: str
    saved: bool
    rho: Fraction
    prices: dict[str, Fraction]
    short: dict[str, dict[str, Fraction]]


class Carried(NamedTuple):
    """What the next round starts from: savings by member, debits by community, rounds waited."""

    savings: dict[str, Amounts]
    debits: dict[str, Amounts]
    waited: dict[str, int]


@dataclass(frozen=True)
class Outcome:
    """Everything a round decided; needs are in no two of floor, purchases and grants."""

    inputs: Inputs
    floor: list[str]
    shared: Amounts
    purchases: list[NamedPurchase]
    grants: list[Grant]
    left: Amounts
    carried: Carried

    def accepted(self) -> list[str]:
        """Accepted needs, the first to be scheduled first."""
        bought = [purchase.need for purchase in self.purchases]
        return [*self.floor, *bought, *(grant.need for grant in self.grants)]


def voices(ballot: Ballot) -> dict[str, int]:
    """Voice by need, 2 to 6: intensities weigh a member's own wishes, never members."""
    loudest = max(ballot.approvals.values(), default=1)
    return {need: FULL_VOICE * level // loudest for need, level in ballot.approvals.items()}


def run_round(inputs: Inputs) -> Outcome:
    """Decide a round; the same inputs give the same outcome in any order of their rows."""
    floor = grant_floor(inputs)
    shared = _after(inputs, inputs.capacity(), floor)
    stage = _Shares(inputs, floor, shared)
    purchases, purses, left = stage.buy()
    taken = {purchase.need for purchase in purchases}
    rest = [claim for claim in stage.claims if claim.need.id not in taken]
    pool = Pool(shared, left, _used(inputs, taken), inputs.weight_part())
    grants, left = spill(rest, pool, inputs.rules.spill)
    carried = carry(inputs, stage, purses, grants)
    waiting = {*(c.need.id for c in rest if c.supporters)} - {grant.need for grant in grants}
    waited = {need.id: need.waited + 1 for need in inputs.needs if need.id in waiting}
    return Outcome(inputs, floor, shared, purchases, grants, left, carried._replace(waited=waited))


def spill_again(
    outcome: Outcome, released: Mapping[str, int], gone: Collection[str] = ()
) -> tuple[list[Grant], Amounts]:
    """Grants of stage 2 from reserve released in mid-round, and what is then left.

    ``gone`` are needs that nobody asks for any more.
    """
    inputs, accepted = outcome.inputs, set(outcome.accepted())
    supporters = inputs.supporters()
    claims = [
        Claim(need, len(supporters[need.id]), dominant(need.demand, outcome.shared))
        for need in inputs.needs
        if need.id not in accepted and need.id not in gone
    ]
    left = {r: amount + released.get(r, 0) for r, amount in outcome.left.items()}
    used = _used(inputs, accepted - set(outcome.floor))
    return spill(claims, Pool(outcome.shared, left, used, inputs.weight_part()), inputs.rules.spill)


class _Shares:
    """Stage 1 by names: claims in tie-breaking order, ballots in the order of member ids."""

    def __init__(self, inputs: Inputs, floor: Sequence[str], shared: Amounts) -> None:
        self.inputs = inputs
        self.resources = sorted(shared)
        self.shared = shared
        self.ballots = sorted(inputs.ballots, key=lambda b: b.member)
        self.supporters = inputs.supporters()
        served = set(floor)
        claims = [
            Claim(need, len(self.supporters[need.id]), dominant(need.demand, shared))
            for need in inputs.needs
            if need.id not in served
        ]
        self.claims = sorted(claims, key=Claim.rank)
        self.fresh, self.owed = endowments(inputs, shared)

    def election(self) -> Election:
        """The election over positions."""
        at = {ballot.member: i for i, ballot in enumerate(self.ballots)}
        loud = [voices(ballot) for ballot in self.ballots]
        common = gcd(*(level for row in loud for level in row.values())) or 1
        rows = [
            [
                (at[b.member], loud[at[b.member]][c.need.id] // common)
                for b in self.supporters[c.need.id]
            ]
            for c in self.claims
        ]
        purses = [
            [self.fresh[b.community][r] + b.savings.get(r, 0) for b in self.ballots]
            for r in self.resources
        ]
        demand = [[c.need.demand.get(r, 0) for r in self.resources] for c in self.claims]
        capacity = [self.shared[r] for r in self.resources]
        return Election(demand, capacity, rows, purses, self.inputs.rules.utility)

    def saved_first(self) -> list[int]:
        """Positions of needs that this round's shares alone could not pay, longest waiting first.

        Only when anybody has savings; without any, no purchase can come from them.
        """
        if not any(any(b.savings.values()) for b in self.ballots):
            return []
        found = [p for p, claim in enumerate(self.claims) if not self._payable_afresh(claim)]
        return sorted(found, key=lambda p: (-self.claims[p].need.waited, p))

    def _payable_afresh(self, claim: Claim) -> bool:
        supporters = self.supporters[claim.need.id]
        return all(
            sum((self.fresh[b.community][r] for b in supporters), Fraction(0)) >= amount
            for r, amount in claim.need.demand.items()
        )

    def buy(self) -> tuple[list[NamedPurchase], dict[str, Amounts], Amounts]:
        """Purchases by names, what is left in purses in whole units, what is left to share."""
        first = self.saved_first()
        bought = equal_shares(self.election(), first)
        purses = {
            ballot.member: {r: int(bought.purses[k][i]) for k, r in enumerate(self.resources)}
            for i, ballot in enumerate(self.ballots)
        }
        left = dict(zip(self.resources, bought.left, strict=True))
        early = set(first)
        named = [self._named(purchase, purchase.need in early) for purchase in bought.purchases]
        return named, purses, left

    def _named(self, purchase: Purchase, saved: bool) -> NamedPurchase:
        prices = {self.resources[k]: price for k, price in purchase.prices.items()}
        short = {
            self.resources[k]: {self.ballots[i].member: paid for i, paid in row.items()}
            for k, row in purchase.short.items()
            if row
        }
        need = self.claims[purchase.need].need.id
        return NamedPurchase(need, saved, purchase.rho, prices, short)


def endowments(
    inputs: Inputs, shared: Amounts
) -> tuple[dict[str, dict[str, Fraction]], dict[str, Amounts]]:
    """Fresh purse of a voter [community][resource], and the debit still owed after this round."""
    part = inputs.weight_part()
    fresh: dict[str, dict[str, Fraction]] = {}
    owed: dict[str, Amounts] = {}
    counts = Counter(ballot.community for ballot in inputs.ballots)
    for community in inputs.communities:
        voters = counts[community.id]
        fresh[community.id] = {}
        owed[community.id] = {}
        for resource, amount in shared.items():
            share = part[community.id] * amount
            debit = community.debits.get(resource, 0)
            withheld = min(debit, share * inputs.rules.withhold_ppm / PPM)
            fresh[community.id][resource] = (share - withheld) / max(1, voters)
            owed[community.id][resource] = debit - int(withheld)
    return fresh, owed


def carry(
    inputs: Inputs, stage: _Shares, purses: Mapping[str, Amounts], grants: Sequence[Grant]
) -> Carried:
    """Savings and debits after stage 2 has been charged to its supporters and communities."""
    needs = {need.id: need for need in inputs.needs}
    given = [(needs[g.need], [b.member for b in stage.supporters[g.need]]) for g in grants]
    kept, over = charge(given, purses)
    savings: dict[str, Amounts] = {}
    for ballot in stage.ballots:
        cap = inputs.rules.carry_rounds
        fresh = stage.fresh[ballot.community]
        row = {r: min(amount, int(fresh[r] * cap)) for r, amount in kept[ballot.member].items()}
        savings[ballot.member] = {r: amount for r, amount in row.items() if amount}
    debits = stage.owed
    if inputs.rules.spill is SpillRule.SHARE_BEFORE:
        debits = {c: _plus(amounts, over.get(c, {})) for c, amounts in debits.items()}
    debits = {c: {r: a for r, a in amounts.items() if a} for c, amounts in debits.items()}
    return Carried(savings, debits, {})


def _plus(one: Amounts, other: Amounts) -> Amounts:
    return {r: amount + other.get(r, 0) for r, amount in one.items()}


def _after(inputs: Inputs, capacity: Amounts, granted: Sequence[str]) -> Amounts:
    """Capacity less what granted needs take."""
    left = dict(capacity)
    taken = set(granted)
    for need in inputs.needs:
        if need.id in taken:
            for resource, amount in need.demand.items():
                left[resource] -= amount
    return left


def _used(inputs: Inputs, bought: set[str]) -> dict[str, Amounts]:
    """What bought needs take, by the community that receives them."""
    used = {c.id: dict.fromkeys(inputs.capacity(), 0) for c in inputs.communities}
    for need in inputs.needs:
        if need.id in bought:
            for resource, amount in need.demand.items():
                used[need.community][resource] += amount
    return used

"""Vector Equal Shares: members buy needs together, each from an equal purse of every resource.

Theory. Every member holds a purse of each resource. A need p asks d[p][r] of resource r. Its price
in r is the least t such that its supporters cover it, each paying min(purse, t * voice):

    sum over supporters of min(purse[i][r], t * voice[i]) = d[p][r]

Its cost to one supporter per unit of good is rho = max over r of (t[r] / capacity[r]) / utility[p],
where utility is the need's dominant cost max over r of d/capacity, or 1. The need of least rho is
bought, again and again, until no need can be paid by those who want it. With one resource and
plain approvals this is the Method of Equal Shares (Peters, Pierczynski, Skowron 2021).

Exactness. Purses are integers over one denominator per resource that only ever grows by the factor
a price needs, so nothing is rounded and no common divisor of large numbers is ever sought. Floats,
always rounded afresh from the exact purses, only point at the needs that could be cheapest: those
within 1e-9 of the least are compared as integers. Prices only rise as purses shrink, so a need is
priced again only when it comes to the top of the heap and one of its supporters has paid since.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from controller.allocation.purses import Bid, ExactPurses, FloatPurses

NEAR = 1e-9
"""Relative distance below which two floats count as undecided; their error stays below 1e-11."""


class Utility(Enum):
    """What a supporter gets from a need: its dominant cost, or one for each need."""

    COST = "cost"
    ONE = "one"


class Election(NamedTuple):
    """Needs in tie-breaking order; demand[p][r], capacity[r], purses[r][i] in resource units."""

    demand: Sequence[Sequence[int]]
    capacity: Sequence[int]
    supporters: Sequence[Sequence[tuple[int, int]]]
    purses: Sequence[Sequence[Fraction]]
    utility: Utility = Utility.COST


class Purchase(NamedTuple):
    """One need bought: rho, price per voice by resource, and who paid less (their whole purse)."""

    need: int
    rho: Fraction
    prices: dict[int, Fraction]
    short: dict[int, dict[int, Fraction]]


class Bought(NamedTuple):
    """Purchases in order, exact purses left [r][i], capacity left [r]."""

    purchases: list[Purchase]
    purses: list[list[Fraction]]
    left: list[int]


class Needs:
    """The election laid out in arrays, with what may still be bought."""

    def __init__(self, election: Election) -> None:
        self.demand = election.demand
        self.capacity = election.capacity
        self.left = list(election.capacity)
        self.resources = [[r for r, d in enumerate(row) if d > 0] for row in election.demand]
        self.who = [np.array([i for i, _ in row], dtype=np.intp) for row in election.supporters]
        self.voices = [[voice for _, voice in row] for row in election.supporters]
        self.voice = [np.array(row, dtype=np.float64) for row in self.voices]
        self.utility = [self._utility(p, election.utility) for p in range(len(self.demand))]
        self.near_utility = [float(u) for u in self.utility]
        voters = len(election.purses[0]) if election.purses else 0
        self.paid_at: npt.NDArray[np.int64] = np.zeros(voters, dtype=np.int64)

    def _utility(self, need: int, utility: Utility) -> Fraction:
        if utility is Utility.ONE or not self.resources[need] or not self.fits(need):
            return Fraction(1)
        return dominant_cost(self.demand[need], self.capacity)

    def fits(self, need: int) -> bool:
        """Tell whether what is left of every resource covers the need."""
        return all(self.demand[need][r] <= self.left[r] for r in self.resources[need])

    def take(self, need: int) -> None:
        """Take the need's demand from what is left."""
        for r in self.resources[need]:
            self.left[r] -= self.demand[need][r]

    def paid_since(self, need: int, step: int) -> bool:
        """Tell whether a supporter has paid after `step`."""
        return bool(self.paid_at[self.who[need]].max() > step)

    def order(self) -> list[int]:
        """Needs that ask for something, fit and have supporters."""
        return [
            p
            for p in range(len(self.demand))
            if self.resources[p] and self.voices[p] and self.fits(p)
        ]


def dominant_cost(demand: Sequence[int], capacity: Sequence[int]) -> Fraction:
    """Largest part of any resource that the demand takes; every demanded capacity is positive."""
    return max(Fraction(d, c) for d, c in zip(demand, capacity, strict=True) if d > 0)


def equal_shares(election: Election, first: Sequence[int] = ()) -> Bought:
    """Exact outcome; needs in `first` are bought before the others, in that order, if paid for."""
    needs = Needs(election)
    race = _ExactRace(needs, [ExactPurses(row) for row in election.purses])
    early = [race.buy(p) for p in first if race.affordable(p)]
    bought = [p for p in early if p is not None]
    taken = {p.need for p in bought}
    bought += race.run([p for p in needs.order() if p not in taken])
    return Bought(bought, [row.exact() for row in race.purses], needs.left)


def preview(election: Election) -> list[int]:
    """Needs bought when purses are floats: quick, and not binding."""
    needs = Needs(election)
    race = _Race(needs, [FloatPurses(row) for row in election.purses])
    return race.preview(needs.order())


class _Race:
    """A heap of needs by least possible rho; generic over exact and float purses."""

    def __init__(self, needs: Needs, purses: Sequence[FloatPurses]) -> None:
        self.needs = needs
        self.near = purses
        self.step = 0
        self.heap: list[tuple[float, int]] = []
        self.priced_at: dict[int, int] = {}

    def near_rho(self, need: int) -> float | None:
        """Rho by floats; None when the supporters certainly cannot pay or it no longer fits."""
        needs = self.needs
        if not needs.fits(need):
            return None
        who, voice = needs.who[need], needs.voice[need]
        dearest = 0.0
        for r in needs.resources[need]:
            price = self.near[r].price(who, voice, needs.demand[need][r])
            if price is None:
                return None
            dearest = max(dearest, price / needs.capacity[r])
        return dearest / needs.near_utility[need]

    def start(self, order: Sequence[int]) -> None:
        """Price every need once."""
        for p in order:
            rho = self.near_rho(p)
            if rho is not None:
                self.heap.append((rho, p))
                self.priced_at[p] = self.step
        heapify(self.heap)

    def pop_fresh(self, limit: float) -> tuple[float, int] | None:
        """Take the need of least rho not above `limit`, priced against the purses of now."""
        while self.heap and self.heap[0][0] <= limit:
            rho, p = heappop(self.heap)
            if not self.needs.paid_since(p, self.priced_at[p]) and self.needs.fits(p):
                return rho, p
            fresh = self.near_rho(p)
            if fresh is not None:
                self.priced_at[p] = self.step
                heappush(self.heap, (fresh, p))
        return None

    def book(self, need: int) -> None:
        """Take the capacity and remember that the supporters have paid."""
        self.step += 1
        self.needs.take(need)
        self.needs.paid_at[self.needs.who[need]] = self.step

    def preview(self, order: Sequence[int]) -> list[int]:
        """Buy by floats until nothing can be bought; return needs in order."""
        self.start(order)
        bought: list[int] = []
        while (top := self.pop_fresh(float("inf"))) is not None:
            need = top[1]
            who, voice = self.needs.who[need], self.needs.voice[need]
            for r in self.needs.resources[need]:
                self.near[r].charge(who, voice, self.needs.demand[need][r])
            self.book(need)
            bought.append(need)
        return bought


class _ExactRace(_Race):
    """The race with exact purses: floats propose, integers decide."""

    def __init__(self, needs: Needs, purses: Sequence[ExactPurses]) -> None:
        super().__init__(needs, purses)
        self.purses = purses
        self.bids: dict[int, tuple[int, tuple[int, int], dict[int, Bid]]] = {}

    def affordable(self, need: int) -> bool:
        """Tell whether the need fits and its supporters can pay it now, exactly."""
        if not self.needs.resources[need] or not self.needs.voices[need]:
            return False
        return self.needs.fits(need) and self.bid(need) is not None

    def bid(self, need: int) -> tuple[tuple[int, int], dict[int, Bid]] | None:
        """Exact rho as (numerator, denominator) and the bids by resource; None if unaffordable."""
        known = self.bids.get(need)
        if known is not None and not self.needs.paid_since(need, known[0]):
            return known[1], known[2]
        needs = self.needs
        bids: dict[int, Bid] = {}
        top = (-1, 1)
        for r in needs.resources[need]:
            bid = self.purses[r].bid(needs.who[need], needs.voices[need], needs.demand[need][r])
            if bid is None:
                return None
            bids[r] = bid
            part = (bid.owed, bid.voices * bid.den * needs.capacity[r])
            if part[0] * top[1] > top[0] * part[1]:
                top = part
        utility = needs.utility[need]
        rho = (top[0] * utility.denominator, top[1] * utility.numerator)
        self.bids[need] = (self.step, rho, bids)
        return rho, bids

    def buy(self, need: int) -> Purchase | None:
        """Charge the supporters of an affordable need; None when it is not affordable."""
        found = self.bid(need)
        if found is None:
            return None
        rho, bids = found
        prices: dict[int, Fraction] = {}
        short: dict[int, dict[int, Fraction]] = {}
        for r, bid in bids.items():
            prices[r] = Fraction(bid.owed, bid.voices * bid.den)
            short[r] = self.purses[r].take(self.needs.who[need], self.needs.voices[need], bid)
        self.book(need)
        self.bids.pop(need, None)
        return Purchase(need, Fraction(*rho), prices, short)

    def cheapest(self) -> int | None:
        """Need of least exact rho, the earliest in order among equals; None when none is left."""
        while (top := self.pop_fresh(float("inf"))) is not None:
            ties = [top]
            while (other := self.pop_fresh(top[0] * (1 + NEAR))) is not None:
                ties.append(other)
            best = self._least([p for _, p in ties])
            for rho, p in ties:
                if p != best and p in self.bids:
                    heappush(self.heap, (rho, p))
            if best is not None:
                return best
        return None

    def _least(self, ties: Sequence[int]) -> int | None:
        best: tuple[int, int, int] | None = None
        for p in sorted(ties):
            found = self.bid(p)
            if found is None:
                self.bids.pop(p, None)
                continue
            num, den = found[0]
            if best is None or num * best[1] < best[0] * den:
                best = (num, den, p)
        return None if best is None else best[2]

    def run(self, order: Sequence[int]) -> list[Purchase]:
        """Buy until nothing can be bought."""
        self.start(order)
        bought: list[Purchase] = []
        while (need := self.cheapest()) is not None:
            purchase = self.buy(need)
            if purchase is not None:
                bought.append(purchase)
        return bought

"""Re-plays every payment of a round as whole numbers over one denominator per resource.

A price is not searched for, only checked: supporters pay min(purse, price * voice), and that must
sum to the demand exactly. So all payments together cost one step per approval and resource. That
each purchase was the cheapest one is checked by pricing a need again when its last known price,
which can only rise, falls below the price being paid.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from heapq import heapify, heappop, heappush
from math import gcd, lcm

from controller.rounds_verify.reading import (
    PPM,
    Amounts,
    Certified,
    Finding,
    Malformed,
    Paid,
    Stated,
    Want,
)

MOST_BITS = 1 << 18
NEAR = 1e-9


class Replay:
    """Purses [resource][voter] as integers over den[resource], shrinking as payments are made."""

    def __init__(self, stated: Stated, shared: Amounts, paid: list[Paid], served: set[str]) -> None:
        self.stated = stated
        self.shared = shared
        self.left = dict(shared)
        self.fresh, self.owed = endowments(stated, shared)
        self.who: dict[str, list[tuple[int, int]]] = {name: [] for name in stated.wants}
        common = gcd(*(v for voter in stated.voters for v in voter.voices.values())) or 1
        for at, voter in enumerate(stated.voters):
            for need, voice in voter.voices.items():
                self.who[need].append((at, voice // common))
        self.den = {r: self._denominator(r, paid) for r in shared}
        self.purse = {r: self._purses(r) for r in shared}
        self.paid_at = [0] * len(stated.voters)
        self.step = 0
        self.priced = 0
        self.rank = self._ranks(served)

    def _denominator(self, r: str, paid: list[Paid]) -> int:
        den = lcm(*(fresh[r].denominator for fresh in self.fresh.values()))
        for one in paid:
            den = lcm(den, one.price[r].denominator if r in one.price else 1)
            if den.bit_length() > MOST_BITS:
                raise Malformed("certificate.purchases", "have prices no purses can lead to")
        return den

    def _purses(self, r: str) -> list[int]:
        start = {c: int(fresh[r] * self.den[r]) for c, fresh in self.fresh.items()}
        return [
            start[voter.community] + voter.savings.get(r, 0) * self.den[r]
            for voter in self.stated.voters
        ]

    def _ranks(self, served: set[str]) -> dict[str, tuple[int, Fraction, str]]:
        """Order among equals of the needs that compete: votes, then size, then id."""
        return {
            name: (-len(self.who[name]), dominant(want.demand, self.shared), name)
            for name, want in self.stated.wants.items()
            if name not in served
        }

    def fits(self, name: str) -> bool:
        """Tell whether what is left covers the need."""
        demand = self.stated.wants[name].demand
        return all(amount <= self.left[r] for r, amount in demand.items())

    def utility(self, want: Want) -> Fraction:
        """What a supporter gets from the need."""
        return dominant(want.demand, self.shared) if self.stated.rules.by_cost else Fraction(1)

    def rho(self, name: str) -> Fraction | None:
        """Cost per good to a supporter with the purses of now; None when they cannot pay."""
        if not self.fits(name) or not self.who[name]:
            return None
        self.priced += 1
        want = self.stated.wants[name]
        most = Fraction(0)
        for r, amount in want.demand.items():
            if amount:
                price = self._price(name, r, amount)
                if price is None:
                    return None
                most = max(most, price / self.shared[r])
        return most / self.utility(want)

    def _price(self, name: str, r: str, amount: int) -> Fraction | None:
        """Least price at which the supporters' payments reach the amount."""
        purse = self.purse[r]
        rows = sorted((purse[at] * (60 // voice), voice, at) for at, voice in self.who[name])
        owed, voices = amount * self.den[r], sum(voice for _, voice, _ in rows)
        for _, voice, at in rows:
            if purse[at] * voices >= owed * voice:
                return Fraction(owed, voices * self.den[r])
            owed -= purse[at]
            voices -= voice
        return None

    def pay(self, paid: Paid) -> Iterator[Finding]:
        """Make the payments of one purchase; what does not add up is found."""
        want = self.stated.wants[paid.need]
        where = f"purchase of {paid.need}"
        asked = {r for r, amount in want.demand.items() if amount}
        if set(paid.price) != asked or not self.who[paid.need] or not self.fits(paid.need):
            told = "is of other resources than asked, without supporters, or beyond capacity"
            yield Finding("payment", where, told)
            return
        most = max(price / self.shared[r] for r, price in paid.price.items())
        if most / self.utility(want) != paid.rho:
            yield Finding("rho", where, "does not follow from its prices")
        if set(paid.short) - asked:
            yield Finding("payment", where, "has short payments of a resource not asked for")
        self.step += 1
        for r in sorted(asked):
            yield from self._pay_resource(paid, r, want.demand[r])
            self.left[r] -= want.demand[r]

    def _pay_resource(self, paid: Paid, r: str, amount: int) -> Iterator[Finding]:
        den, purse = self.den[r], self.purse[r]
        price = int(paid.price[r] * den)
        short = paid.short.get(r, {})
        total, lacking = 0, 0
        for at, voice in self.who[paid.need]:
            pays = price * voice
            if purse[at] < pays:
                pays = purse[at]
                lacking += 1
                if short.get(self.stated.voters[at].member) != Fraction(pays, den):
                    told = f"{self.stated.voters[at].member} can pay only the purse of {r}"
                    yield Finding("payment", f"purchase of {paid.need}", told)
            total += pays
            purse[at] -= pays
            self.paid_at[at] = self.step
        if lacking != len(short):
            told = f"says somebody paid less {r} than the price who had enough"
            yield Finding("payment", f"purchase of {paid.need}", told)
        if total != amount * den:
            told = f"payments of {r} do not sum to what the need takes"
            yield Finding("payment", f"purchase of {paid.need}", told)


def endowments(
    stated: Stated, shared: Amounts
) -> tuple[dict[str, dict[str, Fraction]], dict[str, Amounts]]:
    """Fresh purse of each community's voters, and what the community still owes afterwards."""
    fresh: dict[str, dict[str, Fraction]] = {}
    owed: dict[str, Amounts] = {}
    for community, part in stated.part.items():
        voters = sum(voter.community == community for voter in stated.voters)
        fresh[community], owed[community] = {}, {}
        for r, amount in shared.items():
            debit = stated.debits[community].get(r, 0)
            kept_back = min(Fraction(debit), amount * part * stated.rules.withhold_ppm / PPM)
            fresh[community][r] = (amount * part - kept_back) / max(voters, 1)
            owed[community][r] = debit - int(kept_back)
    return fresh, owed


def dominant(demand: Amounts, capacity: Amounts) -> Fraction:
    """Largest part of a capacity taken; 2 where there is none of what is asked."""
    parts = (
        Fraction(amount, capacity[r]) if capacity[r] else Fraction(2)
        for r, amount in demand.items()
        if amount
    )
    return max(parts, default=Fraction(0))


def check_purchases(replay: Replay, certified: Certified) -> list[Finding]:
    """Findings of stage 1: who pays, in what order, and that nothing more could be bought."""
    unknown = [paid.need for paid in certified.purchases if paid.need not in replay.rank]
    names = [paid.need for paid in certified.purchases]
    if unknown or len(set(names)) != len(names):
        return [Finding("purchase", "stage 1", "buys a need it cannot buy, or one twice")]
    saved = [paid for paid in certified.purchases if paid.stage == "savings"]
    rest = certified.purchases[len(saved) :]
    if certified.purchases[: len(saved)] != saved or any(p.stage != "shares" for p in rest):
        return [Finding("order", "stage 1", "does not buy from savings first, then from shares")]
    found = _check_savings(replay, saved)
    if not found:
        found = _check_order(replay, rest, {paid.need for paid in saved})
    return found or _check_end(replay, set(names))


def _check_savings(replay: Replay, saved: list[Paid]) -> list[Finding]:
    """Needs only savings can pay are bought first, the longest waiting before the others."""
    queue: list[str] = []
    if any(any(voter.savings.values()) for voter in replay.stated.voters):
        queue = [name for name in replay.rank if not _payable_afresh(replay, name)]
        wants = replay.stated.wants
        queue.sort(key=lambda name: (-wants[name].waited, replay.rank[name]))
    expected = iter(saved)
    for name in queue:
        if replay.rho(name) is None:
            continue
        paid = next(expected, None)
        if paid is None or paid.need != name:
            return [Finding("order", f"need {name}", "should have been bought from savings now")]
        if found := list(replay.pay(paid)):
            return found
    extra = next(expected, None)
    if extra is not None:
        return [Finding("order", f"need {extra.need}", "was not to be bought from savings")]
    return []


def _payable_afresh(replay: Replay, name: str) -> bool:
    voters = [replay.stated.voters[at] for at, _ in replay.who[name]]
    return all(
        sum((replay.fresh[v.community][r] for v in voters), Fraction(0)) >= amount
        for r, amount in replay.stated.wants[name].demand.items()
    )


def _check_order(replay: Replay, purchases: list[Paid], done: set[str]) -> list[Finding]:
    """Every purchase is the cheapest of all that could be made at that moment."""
    known: dict[str, tuple[int, Fraction]] = {}
    heap: list[tuple[float, str]] = []
    for name in replay.rank:
        rho = replay.rho(name) if name not in done else None
        if rho is not None:
            known[name] = (replay.step, rho)
            heap.append((_near(rho), name))
    heapify(heap)
    for paid in purchases:
        better = _cheaper(replay, paid, known, heap)
        if better is not None:
            told = f"{better} was cheaper to its supporters and still affordable"
            return [Finding("order", f"purchase of {paid.need}", told)]
        if found := list(replay.pay(paid)):
            return found
        known.pop(paid.need, None)
    return []


def _near(rho: Fraction) -> float:
    """Nearest float; whoever certifies more than a float holds pays infinitely much."""
    try:
        return float(rho)
    except OverflowError:
        return float("inf")


def _cheaper(
    replay: Replay,
    paid: Paid,
    known: dict[str, tuple[int, Fraction]],
    heap: list[tuple[float, str]],
) -> str | None:
    """A need that was to be bought before this one, if there is any."""
    limit = _near(paid.rho) * (1 + NEAR)
    again: list[tuple[float, str]] = []
    better: str | None = None
    while heap and heap[0][0] <= limit and better is None:
        _, name = heappop(heap)
        if name not in known:
            continue
        rho = _current(replay, name, known)
        if rho is None:
            continue
        again.append((_near(rho), name))
        if (rho, replay.rank[name]) < (paid.rho, replay.rank[paid.need]):
            better = name
    for entry in again:
        heappush(heap, entry)
    return better


def _current(replay: Replay, name: str, known: dict[str, tuple[int, Fraction]]) -> Fraction | None:
    """Rho now, priced again only if a supporter paid since; forgotten once unaffordable."""
    step, rho = known[name]
    if not replay.fits(name):
        del known[name]
        return None
    if all(replay.paid_at[at] <= step for at, _ in replay.who[name]):
        return rho
    fresh = replay.rho(name)
    if fresh is None:
        del known[name]
        return None
    known[name] = (replay.step, fresh)
    return fresh


def _check_end(replay: Replay, bought: set[str]) -> list[Finding]:
    """No need left could be paid by what its supporters have left."""
    return [
        Finding("affordable", f"need {name}", "could still be paid by its supporters")
        for name in replay.rank
        if name not in bought and replay.rho(name) is not None
    ]

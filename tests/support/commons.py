"""Rounds and elections for the tests of allocation, and the rule as plainly as it can be put."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from controller.allocation.equal_shares import Election, Utility
from controller.allocation.inputs import Inputs
from controller.allocation.reading import read_inputs

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "round-inputs.json"


def example() -> dict[str, Any]:
    """The worked example's inputs as a document."""
    return json.loads(EXAMPLE.read_text())


def utility_of(election: Election, need: int) -> Fraction:
    """Dominant cost of a need, or one."""
    if election.utility is Utility.ONE:
        return Fraction(1)
    rows = zip(election.demand[need], election.capacity, strict=True)
    return max(Fraction(d, c) for d, c in rows if d)


def plain_price(amount: int, purses: Sequence[tuple[Fraction, int]]) -> Fraction | None:
    """Least t with sum min(purse, t * voice) = amount, found by trying every breaking point."""
    if sum(purse for purse, _ in purses) < amount:
        return None
    points = sorted(Fraction(purse) / voice for purse, voice in purses)
    low = Fraction(0)
    for high in points:
        if sum(min(purse, high * voice) for purse, voice in purses) >= amount:
            break
        low = high
    base = sum(min(purse, low * voice) for purse, voice in purses)
    slope = sum(voice for purse, voice in purses if purse > low * voice)
    return low if base == amount else low + (amount - base) / slope


Purses = list[list[Fraction]]


def plain_prices(election: Election, need: int, purses: Purses) -> dict[int, Fraction] | None:
    """Price by resource with the purses of now; None when the supporters cannot pay."""
    prices: dict[int, Fraction] = {}
    for r, amount in enumerate(election.demand[need]):
        rows = [(purses[r][i], voice) for i, voice in election.supporters[need]]
        price = plain_price(amount, rows) if amount else Fraction(0)
        if price is None:
            return None
        prices[r] = price
    return prices


def plain_equal_shares(election: Election) -> list[tuple[int, Fraction]]:
    """The rule, step by step, every need priced again at every step; (need, rho) in order."""
    purses: Purses = [list(row) for row in election.purses]
    left = list(election.capacity)
    bought: list[tuple[int, Fraction]] = []
    unbought = [p for p, d in enumerate(election.demand) if any(d) and election.supporters[p]]
    while True:
        bids: list[tuple[Fraction, int, dict[int, Fraction]]] = []
        for need in unbought:
            prices = plain_prices(election, need, purses)
            fits = all(d <= c for d, c in zip(election.demand[need], left, strict=True))
            if prices is not None and fits:
                rho = max(p / election.capacity[r] for r, p in prices.items() if p)
                bids.append((rho / utility_of(election, need), need, prices))
        if not bids:
            return bought
        rho, need, prices = min(bids, key=lambda bid: bid[:2])
        bought.append((need, rho))
        unbought.remove(need)
        for r, price in prices.items():
            left[r] -= election.demand[need][r]
            for i, voice in election.supporters[need]:
                purses[r][i] -= min(purses[r][i], price * voice)


def greedy_by_votes(election: Election) -> list[int]:
    """Most supporters first while it fits: the rule most cities use."""
    left = list(election.capacity)
    bought: list[int] = []
    for need in sorted(range(len(election.demand)), key=lambda p: -len(election.supporters[p])):
        demand = election.demand[need]
        if election.supporters[need] and all(d <= c for d, c in zip(demand, left, strict=True)):
            left = [c - d for c, d in zip(left, demand, strict=True)]
            bought.append(need)
    return bought


@st.composite
def elections(
    draw: st.DrawFn,
    most_needs: int = 6,
    most_voters: int = 8,
    most_voice: int = 1,
) -> Election:
    """Small elections with equal purses, one to three resources, either utility."""
    resources = draw(st.integers(1, 3))
    capacity = [draw(st.integers(5, 60)) for _ in range(resources)]
    needs = draw(st.integers(1, most_needs))
    voters = draw(st.integers(1, most_voters))
    demand = [[draw(st.integers(0, capacity[r])) for r in range(resources)] for _ in range(needs)]
    voices = st.integers(0, most_voice)
    supporters = [
        [(i, voice) for i in range(voters) if (voice := draw(voices))] for _ in range(needs)
    ]
    purses = [[Fraction(capacity[r], voters)] * voters for r in range(resources)]
    return Election(demand, capacity, supporters, purses, draw(st.sampled_from(Utility)))


def random_election(seed: int, needs: int, voters: int, utility: Utility) -> Election:
    """A larger election with popular and unpopular needs."""
    rng = random.Random(seed)
    resources = rng.randint(1, 3)
    capacity = [rng.randint(50, 5000) for _ in range(resources)]
    demand = [[rng.randint(0, capacity[r] // 3) for r in range(resources)] for _ in range(needs)]
    taste = [rng.random() ** 2 for _ in range(needs)]
    supporters = [
        [(i, rng.choice((1, 1, 2, 3))) for i in range(voters) if rng.random() < taste[p]]
        for p in range(needs)
    ]
    purses = [[Fraction(capacity[r], voters)] * voters for r in range(resources)]
    return Election(demand, capacity, supporters, purses, utility)


@st.composite
def round_documents(draw: st.DrawFn, with_past: bool = True) -> dict[str, Any]:
    """Small rounds: floor needs, thresholds, intensities, weights, savings and debits."""
    resources = ["al", "mill", "pla"][: draw(st.integers(1, 3))]
    communities = ["east", "north", "west"][: draw(st.integers(1, 3))]
    past = st.integers(0, 40) if with_past else st.just(0)
    needs: list[dict[str, Any]] = []
    for at in range(draw(st.integers(1, 8))):
        demand = {r: draw(st.integers(0, 60)) for r in resources}
        if not any(demand.values()):
            demand[resources[0]] = 1
        kind = draw(st.sampled_from(["normal", "normal", "normal", "floor", "urgent"]))
        needs.append({
            "id": f"n{at}", "community": draw(st.sampled_from(communities)), "title": f"Need {at}",
            "demand": demand, "class": kind, "attested_by": ["clinic"] if kind == "floor" else [],
            "waited": draw(st.integers(0, 3)) if with_past else 0,
        })  # fmt: skip
    ballots: list[dict[str, Any]] = []
    levels = draw(st.sampled_from([st.integers(0, 1), st.integers(0, 3)]))
    for at in range(draw(st.integers(1, 10))):
        approvals = {need["id"]: level for need in needs if (level := draw(levels))}
        savings = {r: draw(past) for r in resources} if draw(st.booleans()) else {}
        community = draw(st.sampled_from(communities))
        ballots.append({
            "member": f"m{at}", "community": community, "approvals": approvals, "savings": savings,
        })  # fmt: skip
    return {
        "format": "fabcommons-round/1", "id": "r1", "place": "Three Valleys",
        "opened_on": "2026-03-02", "closed_on": "2026-03-08",
        "rules": {
            "utility": draw(st.sampled_from(["cost", "one"])),
            "spill": draw(st.sampled_from(["share_before", "share_after", "vote_order"])),
            "floor_cap_ppm": draw(st.sampled_from([0, 200_000, 500_000])),
            "carry_rounds": draw(st.sampled_from([0, 2, 12])),
        },
        "resources": [
            {"id": r, "title": r, "unit": "mg", "forecast": draw(st.integers(0, 120)),
             "committed": draw(st.integers(0, 5)), "urgent_reserve": draw(st.integers(0, 5)),
             "threshold": draw(st.none() | st.integers(0, 120))}
            for r in resources
        ],
        "communities": [
            {"id": c, "title": c.title(), "members": 10,
             "debits": {r: draw(past) for r in resources},
             "need_weight": draw(st.none() | st.integers(1, 9))}
            for c in communities
        ],
        "needs": needs,
        "ballots": ballots,
    }  # fmt: skip


@st.composite
def rounds(draw: st.DrawFn, with_past: bool = True) -> Inputs:
    """The same, read."""
    return read_inputs(draw(round_documents(with_past)))

"""One sentence of plain words for what became of each need, with the figures that decided it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from controller.allocation.equal_shares import Utility
from controller.allocation.inputs import Need, Resource, SpillRule
from controller.allocation.round import Outcome
from controller.allocation.spill import Amounts

SCALES: Mapping[str, tuple[tuple[int, str], ...]] = {
    "mg": ((1_000_000, "kg"), (1_000, "g"), (1, "mg")),
    "ms": ((3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")),
    "mWh": ((1_000_000, "kWh"), (1_000, "Wh"), (1, "mWh")),
    "pieces": ((1, "pieces"),),
}
PER = {"mg": "gram", "ms": "hour", "mWh": "kilowatt-hour", "pieces": "piece"}
GRANTED = {
    SpillRule.SHARE_BEFORE: "it fitted what was left and {who} had received least for its size",
    SpillRule.SHARE_AFTER: "it fitted what was left and kept the communities' shares closest",
    SpillRule.VOTE_ORDER: "it fitted what was left and had the most supporters",
}
OUTRANKED = {
    SpillRule.SHARE_BEFORE: "communities that had received less for their size were served",
    SpillRule.SHARE_AFTER: "needs that keep the communities' shares closer were served",
    SpillRule.VOTE_ORDER: "needs with more supporters were served",
}


class Decision(NamedTuple):
    """State accepted, waiting or refused; stage that decided; one sentence."""

    need: str
    state: str
    stage: str
    reason: str


def say_amounts(unit: str, *amounts: int) -> list[str]:
    """Amounts in one readable unit; digits are added until different amounts read differently."""
    scales = SCALES[unit]
    top = max(amounts)
    factor, name = next(((f, n) for f, n in scales if top >= f), scales[-1])
    for digits in (2, 3, 6, 17):
        words = [_plain(amount, factor, digits) for amount in amounts]
        if len(set(words)) == len(set(amounts)):
            break
    return [f"{word} {name}" for word in words]


def _plain(amount: int, factor: int, digits: int) -> str:
    value = Decimal(amount) / Decimal(factor)
    return f"{float(value):.{digits}g}" if value < 1 else f"{round(value, digits).normalize():f}"


def decisions(outcome: Outcome) -> list[Decision]:
    """What became of every need, in the order of need ids."""
    taken = _accepted(outcome)
    votes = {need: len(ballots) for need, ballots in outcome.inputs.supporters().items()}
    after_shares = _left_after_shares(outcome)
    found: list[Decision] = []
    for need in sorted(outcome.inputs.needs, key=lambda n: n.id):
        if need.id in taken:
            stage, why = taken[need.id]
            found.append(Decision(need.id, "accepted", stage, f"accepted: {why}"))
        elif why := _impossible(need, outcome):
            found.append(Decision(need.id, "refused", "capacity", f"refused: {why}"))
        elif not votes[need.id]:
            why = "waiting: nobody has supported it yet"
            found.append(Decision(need.id, "waiting", "ballot", why))
        else:
            why = _outranked(need, outcome, after_shares)
            found.append(Decision(need.id, "refused", "round", f"refused: {why}"))
    return found


def _accepted(outcome: Outcome) -> dict[str, tuple[str, str]]:
    """Stage and reason of every accepted need."""
    votes = {need: len(ballots) for need, ballots in outcome.inputs.supporters().items()}
    titles = {community.id: community.title for community in outcome.inputs.communities}
    why = "a basic need has first claim, within the part kept for such needs"
    found = {need: ("floor", why) for need in outcome.floor}
    for purchase in outcome.purchases:
        purse = "from what they had saved" if purchase.saved else "from their equal shares"
        people = (
            "1 supporter" if votes[purchase.need] == 1 else f"{votes[purchase.need]} supporters"
        )
        stage = "savings" if purchase.saved else "shares"
        found[purchase.need] = (stage, f"{people} paid for it {purse}")
    for grant in outcome.grants:
        words = GRANTED[outcome.inputs.rules.spill].format(who=titles[grant.community])
        found[grant.need] = ("spill", words)
    return found


def _left_after_shares(outcome: Outcome) -> Amounts:
    """What stage 2 started from."""
    needs = {need.id: need for need in outcome.inputs.needs}
    left = dict(outcome.shared)
    for purchase in outcome.purchases:
        for resource, amount in needs[purchase.need].demand.items():
            left[resource] -= amount
    return left


def _scarcest(need: Need, left: Amounts, outcome: Outcome) -> Resource | None:
    """The resource the need exceeds most; None when it fits."""
    lacking = [r for r in outcome.inputs.resources if need.demand.get(r.id, 0) > left[r.id]]
    return max(
        lacking,
        key=lambda r: (Fraction(need.demand[r.id], left[r.id] or 1), r.id),
        default=None,
    )


def _impossible(need: Need, outcome: Outcome) -> str:
    """Why the need exceeds even the whole round, or nothing."""
    capacity = outcome.inputs.capacity()
    scarce = _scarcest(need, capacity, outcome)
    if scarce is None:
        return ""
    asked, has = say_amounts(scarce.unit, need.demand[scarce.id], capacity[scarce.id])
    limit = scarce.threshold is not None and scarce.threshold < scarce.forecast
    ending = "within the limit the communities set" if limit else "to share"
    return f"{asked} {scarce.title} asked, the whole round has {has} {ending}"


def _outranked(need: Need, outcome: Outcome, after_shares: Amounts) -> str:
    """Why a need that could have been served was not."""
    rules = outcome.inputs.rules
    left, after = outcome.shared, "basic needs had their first claim"
    scarce = _scarcest(need, left, outcome)
    if scarce is None:
        left, after = after_shares, "needs with more support"
        scarce = _scarcest(need, left, outcome)
        if scarce is not None and rules.utility is Utility.ONE:
            after += f" per {PER[scarce.unit]}"
    if scarce is None:
        left, after = outcome.left, OUTRANKED[rules.spill]
        scarce = _scarcest(need, left, outcome)
    if scarce is None:
        raise ValueError(f"{need.id} fits and has supporters but was not accepted")
    asked, has = say_amounts(scarce.unit, need.demand[scarce.id], left[scarce.id])
    return f"{asked} {scarce.title} asked, {has} left after {after}"

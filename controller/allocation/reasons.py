"""One sentence of plain words for what became of each need, with the figures that decided it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from controller.allocation.equal_shares import Utility
from controller.allocation.inputs import Need, Resource, Rules, SpillRule
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
    """State accepted, waiting or refused; stage that decided; one sentence.

    A refused need names the resource it asks more of than was left after that stage.
    """

    need: str
    state: str
    stage: str
    reason: str
    resource: str = ""
    asked: int = 0
    left: int = 0


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
    supporters = outcome.inputs.supporters()
    lefts = _left_by_stage(outcome)
    found: list[Decision] = []
    for need in sorted(outcome.inputs.needs, key=lambda n: n.id):
        if need.id in taken:
            stage, why = taken[need.id]
            found.append(Decision(need.id, "accepted", stage, f"accepted: {why}"))
            continue
        if supporters[need.id] or _scarcest(need, lefts["capacity"], outcome):
            found.append(_refused(need, outcome, lefts))
        else:
            why = "waiting: nobody has supported it yet"
            found.append(Decision(need.id, "waiting", "ballot", why))
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


def _left_by_stage(outcome: Outcome) -> dict[str, Amounts]:
    """What was there at first, and what was left after each stage."""
    needs = {need.id: need for need in outcome.inputs.needs}
    after = dict(outcome.shared)
    for purchase in outcome.purchases:
        for resource, amount in needs[purchase.need].demand.items():
            after[resource] -= amount
    capacity = outcome.inputs.capacity()
    return {"capacity": capacity, "floor": outcome.shared, "shares": after, "spill": outcome.left}


def _scarcest(need: Need, left: Amounts, outcome: Outcome) -> Resource | None:
    """The resource the need exceeds most; None when it fits."""
    lacking = [r for r in outcome.inputs.resources if need.demand.get(r.id, 0) > left[r.id]]
    return max(
        lacking,
        key=lambda r: (Fraction(need.demand[r.id], left[r.id] or 1), r.id),
        default=None,
    )


def _refused(need: Need, outcome: Outcome, lefts: Mapping[str, Amounts]) -> Decision:
    """The first stage after which the need no longer fits, in words and figures."""
    for stage, left in lefts.items():
        scarce = _scarcest(need, left, outcome)
        if scarce is not None:
            figures = (need.demand[scarce.id], left[scarce.id])
            asked, has = say_amounts(scarce.unit, *figures)
            has = _said_left(stage, has, scarce, outcome.inputs.rules)
            why = f"refused: {asked} {scarce.title} asked, {has}"
            return Decision(need.id, "refused", stage, why, scarce.id, *figures)
    raise ValueError(f"{need.id} fits and has supporters but was not accepted")


def _said_left(stage: str, has: str, scarce: Resource, rules: Rules) -> str:
    """What was left, and after whom."""
    if stage == "capacity":
        limit = scarce.threshold is not None and scarce.threshold < scarce.forecast
        ending = "within the limit the communities set" if limit else "to share"
        return f"the whole round has {has} {ending}"
    if stage == "floor":
        return f"{has} left after basic needs had their first claim"
    if stage == "shares":
        per = f" per {PER[scarce.unit]}" if rules.utility is Utility.ONE else ""
        return f"{has} left after needs with more support{per}"
    return f"{has} left after {OUTRANKED[rules.spill]}"

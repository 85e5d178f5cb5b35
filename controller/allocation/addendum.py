"""Addendum of a round: what stage 2 gives from urgent reserve that was released in mid-round.

The same rule goes on where the round ended, with what was released added to what was left. The
document stands beside round.json and is checked in the same way (controller/rounds_verify).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from controller.allocation.inputs import SpillRule, inputs_sha256
from controller.allocation.round import Carried, Outcome, spill_again
from controller.allocation.spill import Amounts, Grant, charge

FORMAT = "fabcommons-round-addendum-1"
NAME = "addendum.json"


class Addendum(NamedTuple):
    """Grants in order, what is left, what is carried afterwards, and all of it as JSON."""

    grants: list[Grant]
    left: Amounts
    carried: Carried
    document: dict[str, Any]


def addend(outcome: Outcome, released: Mapping[str, int], gone: Collection[str]) -> Addendum:
    """Go on with stage 2; ``gone`` are needs that nobody asks for any more."""
    grants, left = spill_again(outcome, released, gone)
    carried = _carry(outcome, grants)
    document: dict[str, Any] = {
        "format": FORMAT,
        "round": outcome.inputs.id,
        "inputs_sha256": inputs_sha256(outcome.inputs),
        "released": dict(sorted(released.items())),
        "gone": sorted(gone),
        "grants": [
            {
                "need": grant.need,
                "community": grant.community,
                "share": f"{grant.before.numerator}/{grant.before.denominator}",
            }
            for grant in grants
        ],
        "left": dict(sorted(left.items())),
        "next": {"savings": carried.savings, "debits": carried.debits},
    }
    return Addendum(grants, left, carried, document)


def _carry(outcome: Outcome, grants: list[Grant]) -> Carried:
    """Savings and debits once the grants are charged to their supporters and communities."""
    needs = {need.id: need for need in outcome.inputs.needs}
    supporters = outcome.inputs.supporters()
    given = [(needs[g.need], [b.member for b in supporters[g.need]]) for g in grants]
    purses = {b.member: outcome.carried.savings.get(b.member, {}) for b in outcome.inputs.ballots}
    kept, over = charge(given, purses)
    debits = {c: dict(row) for c, row in outcome.carried.debits.items()}
    if outcome.inputs.rules.spill is SpillRule.SHARE_BEFORE:
        for community, row in over.items():
            owed = debits.setdefault(community, {})
            for resource, amount in row.items():
                owed[resource] = owed.get(resource, 0) + amount
    waited = {n: w for n, w in outcome.carried.waited.items() if n not in {g.need for g in grants}}
    return Carried(_nonzero(kept), _nonzero(debits), waited)


def _nonzero(table: Mapping[str, Mapping[str, int]]) -> dict[str, Amounts]:
    rows = {key: {r: a for r, a in sorted(row.items()) if a} for key, row in sorted(table.items())}
    return {key: row for key, row in rows.items() if row}

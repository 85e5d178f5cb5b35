"""Checks an addendum: what stage 2 gave from urgent reserve released in mid-round.

Recomputed from the round itself, which must be correct. Which needs were ``gone`` (withdrawn or
served elsewhere since) is the one thing taken from the addendum; the public record tells it too.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from controller.rounds_verify.reading import (
    Amounts,
    Certified,
    Finding,
    Given,
    Malformed,
    Stated,
    Want,
    amounts,
    get,
    ratio,
    read_certified,
    read_stated,
    rows,
    table,
    text,
)
from controller.rounds_verify.sharing import Serving, charge_supporters, check_floor, nonzero

FORMAT = "fabcommons-round-addendum-1"
NAME = "addendum.json"


def verify_addendum(round_: dict[str, Any], addendum: object) -> list[Finding]:
    """Findings about an addendum to a round that is itself correct; none means correct."""
    try:
        value = table(addendum, "addendum")
        if get(value, "format", "addendum") != FORMAT:
            raise Malformed("addendum.format", f"is not {FORMAT}")
        stated = read_stated(get(round_, "inputs", "document"))
        certified = read_certified(round_, stated)
        found = _check_origin(round_, value)
        return found or _check_grants(_Again(round_, stated, certified, value), value)
    except Malformed as error:
        return [error.finding]


def _check_origin(round_: dict[str, Any], value: dict[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    for name, right in (
        ("round", round_["inputs"]["id"]),
        ("inputs_sha256", round_["inputs_sha256"]),
    ):
        if get(value, name, "addendum") != right:
            found.append(Finding("addendum", name, f"is of another round: this one has {right}"))
    return found


class _Again:
    """Stage 2 of a round, ready to go on with what was released."""

    def __init__(
        self,
        round_: dict[str, Any],
        stated: Stated,
        certified: Certified,
        value: dict[str, Any],
    ) -> None:
        where = "addendum.released"
        self.released = amounts(get(value, "released", "addendum"), stated.capacity, where, 10**18)
        listed = rows(get(value, "gone", "addendum"), "addendum.gone")
        self.gone = {text(name, "addendum.gone") for name in listed}
        self.reserve = {row["id"]: row["urgent_reserve"] for row in round_["inputs"]["resources"]}
        self.stated, self.certified = stated, certified
        _, shared = check_floor(stated, certified)
        self.serving = Serving(stated, shared, shared)
        served = [paid.need for paid in certified.purchases] + [g.need for g in certified.spill]
        for name in served:
            self.serving.take(stated.wants[name])
        self.served = {*served, *certified.floor}
        left = certified.left
        self.serving.left = {r: left.get(r, 0) + self.released.get(r, 0) for r in shared}

    def grants(self) -> list[Given]:
        """What the rule gives now."""
        serving = self.serving
        keys: dict[str, Callable[[Want], Fraction]] = {
            "share_before": lambda want: serving.share(want, False),
            "share_after": lambda want: serving.share(want, True),
            "vote_order": lambda want: Fraction(0),
        }
        rest = [
            want
            for name, want in sorted(self.stated.wants.items())
            if serving.votes[name] and name not in self.served and name not in self.gone
        ]
        return serving.serve(rest, keys[self.stated.rules.spill])

    def carried(self, grants: list[Given]) -> tuple[dict[str, Amounts], dict[str, Amounts]]:
        """Savings and debits once the grants are charged."""
        stated = self.stated
        zero = dict.fromkeys(stated.capacity, 0)
        kept = {v.member: zero | self.certified.savings.get(v.member, {}) for v in stated.voters}
        debits = {c: zero | self.certified.debits.get(c, {}) for c in stated.part}
        for grant in grants:
            supporters = [v.member for v in stated.voters if grant.need in v.voices]
            for r, amount in stated.wants[grant.need].demand.items():
                over = charge_supporters(kept, supporters, r, amount)
                if stated.rules.spill == "share_before":
                    debits[grant.community][r] += over
        return nonzero(kept), nonzero(debits)


def _check_grants(again: _Again, value: dict[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    over = sorted(r for r, a in again.released.items() if a > again.reserve[r])
    if over:
        words = f"more {', '.join(over)} than the round kept in reserve"
        found.append(Finding("addendum", "released", words))
    grants = again.grants()
    if grants != _said(value):
        names = ", ".join(grant.need for grant in grants) or "none"
        words = f"grants should be {names}, with their shares"
        found.append(Finding("addendum", "grants", words))
    if get(value, "left", "addendum") != again.serving.left:
        words = "is not what was left and released less what was given"
        found.append(Finding("addendum", "left", words))
    after = table(get(value, "next", "addendum"), "addendum.next")
    savings, debits = again.carried(grants)
    for name, right in (("savings", savings), ("debits", debits)):
        if get(after, name, "addendum.next") != right:
            words = "does not follow from the grants"
            found.append(Finding("addendum", f"next.{name}", words))
    return found


def _said(value: dict[str, Any]) -> list[Given]:
    where = "addendum.grants"
    said: list[Given] = []
    for row in rows(get(value, "grants", "addendum"), where):
        grant = table(row, where)
        said.append(
            Given(
                text(get(grant, "need", where), where),
                text(get(grant, "community", where), where),
                ratio(get(grant, "share", where), where),
            )
        )
    return said

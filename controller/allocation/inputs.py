"""What a round is decided from: resources, communities, needs, ballots and rules, as plain values.

Amounts are integers in the resource's smallest unit (mg, ms, mWh, pieces). The canonical JSON of
the inputs has sorted keys and no spaces, and its SHA-256 names the round: the order in which
ballots came in cannot change it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

from controller.allocation.equal_shares import Utility

FORMAT = "fabcommons-round/1"
PPM = 1_000_000


class NeedClass(StrEnum):
    """How pressing a need is; floor needs have first claim, urgent ones go to the stewards."""

    FLOOR = "floor"
    NORMAL = "normal"
    URGENT = "urgent"


class SpillRule(StrEnum):
    """Who is given what nobody could buy: see spill.py."""

    SHARE_BEFORE = "share_before"
    SHARE_AFTER = "share_after"
    VOTE_ORDER = "vote_order"


@dataclass(frozen=True)
class Resource:
    """One scarce thing; a threshold set by ballot to protect nature caps what may be taken."""

    id: str
    title: str
    unit: str
    forecast: int
    urgent_reserve: int = 0
    committed: int = 0
    threshold: int | None = None

    @property
    def capacity(self) -> int:
        """What the round may share: forecast or threshold, less reserve, less commitments."""
        most = self.forecast if self.threshold is None else min(self.forecast, self.threshold)
        return max(0, most - self.urgent_reserve - self.committed)


@dataclass(frozen=True)
class Community:
    """People who share by need; the weight is need or membership, never labour."""

    id: str
    title: str
    members: int
    need_weight: int | None = None
    debits: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def weight(self) -> int:
        """Agreed need weight, or the number of members."""
        return self.members if self.need_weight is None else self.need_weight


@dataclass(frozen=True)
class Need:
    """What a community wants made and the whole amounts it takes; never split."""

    id: str
    community: str
    title: str
    demand: Mapping[str, int]
    need_class: NeedClass = NeedClass.NORMAL
    attested_by: tuple[str, ...] = ()
    waited: int = 0


@dataclass(frozen=True)
class Ballot:
    """One member's approvals: need -> intensity 1 to 3 (a plain approval is 1)."""

    member: str
    community: str
    approvals: Mapping[str, int]
    savings: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Rules:
    """What the communities voted about the rule itself; parts in millionths.

    A debit withholds at most `withhold_ppm` of what a round gives a community, savings are kept up
    to what `carry_rounds` rounds give a member.
    """

    utility: Utility = Utility.COST
    spill: SpillRule = SpillRule.SHARE_BEFORE
    floor_cap_ppm: int = 200_000
    carry_rounds: int = 12
    withhold_ppm: int = 500_000


@dataclass(frozen=True)
class Inputs:
    """Everything a round is decided from; days are ISO dates."""

    id: str
    place: str
    opened_on: str
    closed_on: str
    resources: tuple[Resource, ...]
    communities: tuple[Community, ...]
    needs: tuple[Need, ...]
    ballots: tuple[Ballot, ...]
    rules: Rules = Rules()

    def capacity(self) -> dict[str, int]:
        """Capacity by resource."""
        return {resource.id: resource.capacity for resource in self.resources}

    def weight_part(self) -> dict[str, Fraction]:
        """Each community's part of the whole weight."""
        whole = sum(c.weight for c in self.communities)
        return {c.id: Fraction(c.weight, whole) for c in self.communities}

    def supporters(self) -> dict[str, list[Ballot]]:
        """Ballots that approve each need, by need, in the order of member ids."""
        found: dict[str, list[Ballot]] = {need.id: [] for need in self.needs}
        for ballot in sorted(self.ballots, key=lambda b: b.member):
            for need in ballot.approvals:
                found[need].append(ballot)
        return found


def document(inputs: Inputs) -> dict[str, Any]:
    """The inputs as a JSON document, in the one order that is hashed."""
    return {
        "format": FORMAT,
        "id": inputs.id,
        "place": inputs.place,
        "opened_on": inputs.opened_on,
        "closed_on": inputs.closed_on,
        "rules": {
            "utility": inputs.rules.utility.value,
            "spill": inputs.rules.spill.value,
            "floor_cap_ppm": inputs.rules.floor_cap_ppm,
            "carry_rounds": inputs.rules.carry_rounds,
            "withhold_ppm": inputs.rules.withhold_ppm,
        },
        "resources": [_resource(r) for r in sorted(inputs.resources, key=lambda r: r.id)],
        "communities": [_community(c) for c in sorted(inputs.communities, key=lambda c: c.id)],
        "needs": [_need(n) for n in sorted(inputs.needs, key=lambda n: n.id)],
        "ballots": [_ballot(b) for b in sorted(inputs.ballots, key=lambda b: b.member)],
    }


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        "id": resource.id,
        "title": resource.title,
        "unit": resource.unit,
        "forecast": resource.forecast,
        "urgent_reserve": resource.urgent_reserve,
        "committed": resource.committed,
        "threshold": resource.threshold,
    }


def _community(community: Community) -> dict[str, Any]:
    return {
        "id": community.id,
        "title": community.title,
        "members": community.members,
        "need_weight": community.need_weight,
        "debits": _amounts(community.debits),
    }


def _need(need: Need) -> dict[str, Any]:
    return {
        "id": need.id,
        "community": need.community,
        "title": need.title,
        "demand": _amounts(need.demand),
        "class": need.need_class.value,
        "attested_by": sorted(need.attested_by),
        "waited": need.waited,
    }


def _ballot(ballot: Ballot) -> dict[str, Any]:
    return {
        "member": ballot.member,
        "community": ballot.community,
        "approvals": dict(sorted(ballot.approvals.items())),
        "savings": _amounts(ballot.savings),
    }


def _amounts(amounts: Mapping[str, int]) -> dict[str, int]:
    return {key: amount for key, amount in sorted(amounts.items()) if amount}


def canonical(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces: one text for one value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def inputs_sha256(inputs: Inputs) -> str:
    """SHA-256 of the canonical inputs, in hex."""
    return hashlib.sha256(canonical(document(inputs))).hexdigest()

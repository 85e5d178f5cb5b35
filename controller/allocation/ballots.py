"""The ballot box of one round: one ballot per member, changeable until close, audited in sum.

Members are known by a pseudonym that is new in every round, made from the member and a secret of
the commons, so published ballots cannot be followed from round to round. Each member can find
their own row in the published round; other members see sums only until then.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from controller.allocation.inputs import Ballot, canonical

STRONGEST = 3


class BallotError(ValueError):
    """A ballot that cannot be counted; the field, what is wrong, what to do."""

    def __init__(self, name: str, message: str, fix: str) -> None:
        super().__init__(f"{name}: {message}; {fix}")
        self.field = name
        self.fix = fix


class Receipt(NamedTuple):
    """What a member keeps: the pseudonym, how often they voted, and a hash of the last ballot."""

    member: str
    version: int
    sha256: str


@dataclass(frozen=True)
class Box:
    """A ballot box: who may vote (pseudonym -> community), the needs, ballots, closed or open."""

    round_id: str
    roll: Mapping[str, str]
    needs: frozenset[str]
    ballots: Mapping[str, Ballot] = field(default_factory=dict[str, Ballot])
    versions: Mapping[str, int] = field(default_factory=dict[str, int])
    closed: bool = False


class Sums(NamedTuple):
    """What may be seen before publication: ballots by community, approvals and points by need."""

    ballots: dict[str, int]
    approvals: dict[str, int]
    points: dict[str, int]


def pseudonym(secret: bytes, round_id: str, member: str) -> str:
    """Name of a member in one round: 20 hex digits nobody without the secret can trace."""
    return hmac.new(secret, canonical([round_id, member]), hashlib.sha256).hexdigest()[:20]


def cast(box: Box, member: str, approvals: Mapping[str, int]) -> tuple[Box, Receipt]:
    """Cast or replace a member's ballot; intensity 1 to 3 keeps a need, 0 takes it off."""
    if box.closed:
        raise BallotError("round", f"{box.round_id} is closed", "vote in the next round")
    community = box.roll.get(member)
    if community is None:
        raise BallotError("member", "is not on the roll of this round", "ask your community")
    for need, level in sorted(approvals.items()):
        if need not in box.needs:
            raise BallotError(f"approvals.{need}", "is no need of this round", "remove it")
        if type(level) is not int or not 0 <= level <= STRONGEST:
            raise BallotError(f"approvals.{need}", "is no intensity", f"give 0 to {STRONGEST}")
    kept = {need: level for need, level in sorted(approvals.items()) if level}
    version = box.versions.get(member, 0) + 1
    ballots = {**box.ballots, member: Ballot(member, community, kept)}
    changed = replace(box, ballots=ballots, versions={**box.versions, member: version})
    return changed, Receipt(member, version, ballot_sha256(changed, member))


def ballot_sha256(box: Box, member: str) -> str:
    """SHA-256 of a ballot as counted, to compare with a receipt."""
    content = [box.round_id, member, dict(box.ballots[member].approvals)]
    return hashlib.sha256(canonical(content)).hexdigest()


def close(box: Box) -> Box:
    """The box, closed for good."""
    return replace(box, closed=True)


def counted(box: Box) -> tuple[Ballot, ...]:
    """Ballots of a closed box in the order of pseudonyms; an open one tells nothing but sums."""
    if not box.closed:
        raise BallotError("round", f"{box.round_id} is still open", "close it before counting")
    return tuple(ballot for _, ballot in sorted(box.ballots.items()))


def sums(box: Box) -> Sums:
    """Sums for everybody's eyes."""
    ballots: dict[str, int] = dict.fromkeys(sorted({*box.roll.values()}), 0)
    approvals = dict.fromkeys(sorted(box.needs), 0)
    points = dict(approvals)
    for ballot in box.ballots.values():
        ballots[ballot.community] += 1
        for need, level in ballot.approvals.items():
            approvals[need] += 1
            points[need] += level
    return Sums(ballots, approvals, points)


def audit(box: Box, published: tuple[Ballot, ...]) -> list[str]:
    """What differs between a closed box and published ballots, in words; nothing means equal."""
    found: list[str] = []
    shown = {ballot.member: ballot for ballot in published}
    if len(shown) != len(published):
        found.append("a member has more than one published ballot")
    for member in sorted(set(shown) - set(box.roll)):
        found.append(f"{member} is not on the roll")
    for member in sorted(set(box.ballots) ^ (set(shown) & set(box.roll))):
        found.append(f"{member} is in only one of box and publication")
    for member in sorted(set(shown) & set(box.ballots)):
        if dict(shown[member].approvals) != dict(box.ballots[member].approvals):
            found.append(f"the ballot of {member} was changed after it was cast")
    return found

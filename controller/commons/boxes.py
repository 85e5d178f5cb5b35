"""Ballot boxes in the store: one ballot per member and round, changeable until close, secret.

A ballot is kept under a pseudonym that is new in every round. What it says is committed to by a
hash the member gets as a receipt; hashes are public at once, ballots only with the round.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from controller.allocation.ballots import BallotError, Box, Receipt, cast, pseudonym
from controller.allocation.inputs import Ballot, canonical
from controller.commons.members import member_of
from controller.commons.records import CastBallot, Member, Round
from controller.commons.settings import RoundSettings, settings_of
from controller.values import Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx

FORMAT = "fabcommons-ballots/1"
MOST = 10**15
_SECRET = "ballot_secret"


class Wishes(NamedTuple):
    """What a member wants: need -> intensity 0 to 3, and resource -> limit for this round."""

    approvals: Mapping[str, int]
    limits: Mapping[str, int]


def voter_of(tx: Tx, round_id: str, member: str) -> str:
    """Pseudonym of a member in one round."""
    secret = tx.site.get(_SECRET)
    if secret is None:
        secret = secrets.token_hex(32)
        tx.site.put(_SECRET, secret)
    return pseudonym(bytes.fromhex(secret), round_id, member)


def ballot_sha(round_id: str, voter: str, wishes: Wishes) -> str:
    """SHA-256 that commits to a ballot; the pseudonym in it cannot be guessed."""
    content = [round_id, voter, dict(wishes.approvals), dict(wishes.limits)]
    return hashlib.sha256(canonical(content)).hexdigest()


def cast_ballot(tx: Tx, round_id: str, token: str | Member, wishes: Wishes) -> Receipt:
    """Cast or replace a member's ballot; raise Refused."""
    member = member_of(tx, token)
    found = tx.rounds.get(round_id)
    if found is None:
        raise Refused("unknown-round", "round", f"there is no round {round_id}")
    voter = voter_of(tx, round_id, member.id)
    before = tx.rounds.ballot(round_id, voter)
    needs = frozenset(need.need for need in tx.rounds.needs(round_id))
    versions = {voter: before.version} if before else {}
    closed = found.state != "open" or tx.now_ms >= found.closes_at
    box = Box(round_id, {voter: member.community}, needs, {}, versions, closed)
    try:
        box, receipt = cast(box, voter, wishes.approvals)
    except BallotError as error:
        code = "too-late" if closed else "bad-ballot"
        raise Refused(code, error.field, f"{error} ({error.fix})") from error
    kept = Wishes(box.ballots[voter].approvals, _limits(tx, wishes.limits))
    return _keep(tx, (member, round_id), receipt, kept)


def _keep(tx: Tx, who: tuple[Member, str], receipt: Receipt, kept: Wishes) -> Receipt:
    member, round_id = who
    ballot = CastBallot(
        round=round_id,
        voter=receipt.member,
        community=member.community,
        approvals=dict(kept.approvals),
        limits=dict(kept.limits),
        version=receipt.version,
        sha=ballot_sha(round_id, receipt.member, kept),
        cast_at=tx.now_ms,
    )
    tx.rounds.put_ballot(ballot)
    return receipt._replace(sha256=ballot.sha)


def _limits(tx: Tx, limits: Mapping[str, int]) -> dict[str, int]:
    """Limits a ballot may name: those of resources that are protected here."""
    settings = settings_of(tx) or RoundSettings()
    for resource, amount in sorted(limits.items()):
        if resource not in settings.protected:
            known = ", ".join(settings.protected) or "none"
            words = f"no limit is voted on for it; protected are: {known}"
            raise Refused("bad-ballot", f"limits.{resource}", words)
        if not 0 <= amount <= MOST:
            raise Refused("bad-ballot", f"limits.{resource}", f"must be 0 to {MOST}")
    return dict(sorted(limits.items()))


def own_ballot(tx: Tx, round_id: str, token: str | Member) -> CastBallot | None:
    """The ballot of the member with this token, None when there is none; raise Refused."""
    member = member_of(tx, token)
    return tx.rounds.ballot(round_id, voter_of(tx, round_id, member.id))


def counted_ballots(
    tx: Tx, found: Round, ballots: Iterable[CastBallot], needs: frozenset[str]
) -> list[Ballot]:
    """Ballots as the rule counts them, with what each voter saved in earlier rounds."""
    savings = _savings_by_voter(tx, found.id)
    return [
        Ballot(
            b.voter,
            b.community,
            {need: level for need, level in b.approvals.items() if need in needs},
            savings.get(b.voter, {}),
        )
        for b in ballots
    ]


def _savings_by_voter(tx: Tx, round_id: str) -> dict[str, dict[str, int]]:
    return {
        voter_of(tx, round_id, member): dict(row)
        for member, row in tx.rounds.carried("saving").items()
    }


def members_by_voter(tx: Tx, round_id: str) -> dict[str, str]:
    """Member by pseudonym: known to the site alone."""
    return {voter_of(tx, round_id, member.id): member.id for member in tx.members.all()}


def chosen_limits(ballots: Iterable[CastBallot], weights: Mapping[str, int]) -> dict[str, int]:
    """Limit by resource: the lower median of what voters name, communities by weight.

    Voters of a community share its weight. Nobody moves a median by exaggerating.
    """
    named: dict[str, list[tuple[int, str]]] = {}
    for ballot in ballots:
        for resource, amount in ballot.limits.items():
            named.setdefault(resource, []).append((amount, ballot.community))
    return {resource: _median(votes, weights) for resource, votes in sorted(named.items())}


def _median(votes: list[tuple[int, str]], weights: Mapping[str, int]) -> int:
    voters = {c: sum(one == c for _, one in votes) for c in {c for _, c in votes}}
    rows = [(amount, Fraction(weights.get(c, 0), voters[c])) for amount, c in sorted(votes)]
    half = sum((weight for _, weight in rows), Fraction(0)) / 2
    reached = Fraction(0)
    for amount, weight in rows:
        reached += weight
        if reached >= half:
            return amount
    return rows[-1][0]


def published(found: Round, ballots: Iterable[CastBallot], limits: Mapping[str, int]) -> Any:
    """Every ballot as it was cast, with its hash, and the limits they chose."""
    return {
        "format": FORMAT,
        "round": found.id,
        "ballots": [
            {
                "voter": b.voter,
                "community": b.community,
                "version": b.version,
                "approvals": b.approvals,
                "limits": b.limits,
                "sha256": b.sha,
            }
            for b in ballots
        ],
        "limits": dict(sorted(limits.items())),
    }


def box_sha(ballots: Iterable[CastBallot]) -> str:
    """One hash for all ballot hashes of a box, made public when it closes."""
    return hashlib.sha256(canonical(sorted(b.sha for b in ballots))).hexdigest()

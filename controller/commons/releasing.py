"""Halfway through a round, urgent reserve that nobody needed goes to needs that wait.

    due -> count (outside any transaction) -> apply (one transaction, once per round)

What the round gives more is published as an addendum beside its certificate.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from controller.accepting import accept
from controller.allocation.addendum import NAME, Addendum, addend
from controller.allocation.certificate import decide
from controller.allocation.inputs import PPM, canonical
from controller.allocation.round import Carried
from controller.commons import boxes
from controller.commons.records import (
    DEBIT,
    RESERVE,
    SAVING,
    SITE,
    Round,
    RoundDecision,
    RoundFile,
)
from controller.commons.settings import HOUR_MS, settings_of
from controller.values import Json

if TYPE_CHECKING:
    from controller.adapters.store import Tx


class Due(NamedTuple):
    """A round whose reserve may be released: how much, and needs nobody asks for any more."""

    round: Round
    released: dict[str, int]
    gone: frozenset[str]


def due(tx: Tx) -> Due | None:
    """The newest counted round, if half of it has passed and nothing was released yet."""
    last, settings = tx.rounds.last_counted(), settings_of(tx)
    if last is None or settings is None or not settings.release_ppm:
        return None
    name, counted_at, done = last
    half_ms = settings.length_h * HOUR_MS // 2
    if done or tx.now_ms < counted_at + half_ms or tx.rounds.in_state("closed"):
        return None
    found = tx.rounds.get(name)
    if found is None or not found.inputs:
        return None
    reserve = tx.rounds.carried(RESERVE).get(SITE, {})
    released = {r: amount * settings.release_ppm // PPM for r, amount in reserve.items()}
    gone = {row.need for row in tx.rounds.needs(found.id) if not _waits(tx, row.need)}
    return Due(found, {r: a for r, a in released.items() if a > 0}, frozenset(gone))


def _waits(tx: Tx, name: str) -> bool:
    need = tx.needs.get(name)
    return need is not None and need.state == "stated"


class More(NamedTuple):
    """What the rule gives more, and what had been carried before."""

    addendum: Addendum
    was: Carried


def count(one: Due) -> More | None:
    """What the rule gives more; None when that is nothing. Pure, and may take long."""
    assert one.round.inputs is not None
    outcome = decide(one.round.inputs.encode()).outcome
    if not outcome.inputs.needs:
        return None
    kept = {r.id: r.urgent_reserve for r in outcome.inputs.resources}
    released = {r: min(a, kept[r]) for r, a in one.released.items() if kept.get(r)}
    listed = {need.id for need in outcome.inputs.needs} - set(outcome.accepted())
    found = addend(outcome, released, one.gone & listed)
    return More(found, outcome.carried) if found.grants else None


def apply_release(tx: Tx, one: Due, more: More | None) -> bool:
    """Take an addendum to needs, reserve and what is carried, once; say whether it was done."""
    if due(tx) != one:  # something came between: look again
        return False
    tx.rounds.change(one.round.id, released=1)
    if more is None:
        return True
    found = more.addendum
    body = canonical(found.document).decode() + "\n"
    sha = hashlib.sha256(body.encode()).hexdigest()
    tx.rounds.put_file(RoundFile(one.round.id, NAME, sha, body))
    reserve = tx.rounds.carried(RESERVE).get(SITE, {})
    given: Json = found.document["released"]
    tx.rounds.carry(RESERVE, {SITE: {r: a - given.get(r, 0) for r, a in reserve.items()}})
    _accept(tx, one.round, found)
    _carry(tx, one.round, more)
    words = f"round {one.round.id} gave {len(found.grants)} more needs from unused urgent reserve"
    tx.notice("round", one.round.id, words)
    tx.effects.replan = True
    return True


def _accept(tx: Tx, found: Round, addendum: Addendum) -> None:
    """Granted needs are accepted and leave the ballot they were put on again."""
    current = tx.rounds.current()
    before = sum(row.state == "accepted" for row in tx.rounds.decisions(found.id))
    for place, grant in enumerate(addendum.grants, before + 1):
        words = f"urgent reserve was not used (round {found.id}, addendum)"
        reason = f"accepted: {words}"
        tx.rounds.put_decision(
            RoundDecision(found.id, grant.need, "accepted", "spill", reason, place)
        )
        accept(tx, grant.need, words)
        if current is not None:
            tx.rounds.drop_need(current.id, grant.need)


def _carry(tx: Tx, found: Round, more: More) -> None:
    """Savings and debits change by what the addendum changed of them."""
    was, now = more.was, more.addendum.carried
    member = boxes.members_by_voter(tx, found.id)
    savings = {owner: dict(row) for owner, row in tx.rounds.carried(SAVING).items()}
    for voter, before in was.savings.items():
        if voter in member:
            row = savings.setdefault(member[voter], {})
            _change(row, before, now.savings.get(voter, {}))
    tx.rounds.carry(SAVING, savings)
    debits = {owner: dict(row) for owner, row in tx.rounds.carried(DEBIT).items()}
    for owner in {*was.debits, *now.debits}:
        before, after = was.debits.get(owner, {}), now.debits.get(owner, {})
        _change(debits.setdefault(owner, {}), before, after)
    tx.rounds.carry(DEBIT, debits)


def _change(row: dict[str, int], before: Json, after: Json) -> None:
    for resource in {*before, *after}:
        changed = row.get(resource, 0) + after.get(resource, 0) - before.get(resource, 0)
        row[resource] = max(0, changed)

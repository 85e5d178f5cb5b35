"""Rounds in the store: opened, closed (inputs frozen and hashed), counted, and taken to the needs.

    open -> needs are put on the ballot, members vote
         -> close: inputs become one canonical text whose hash is public       (transaction)
         -> count: the rule decides, outside any transaction                   (pure, takes long)
         -> apply: states, reasons, ranks, files, what is carried              (transaction)

Closing and applying are idempotent: a crash between them is followed by the same count again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from controller.accepting import accept
from controller.allocation.certificate import Decided, decide
from controller.allocation.inputs import (
    Community,
    Inputs,
    NeedClass,
    Resource,
    canonical,
    document,
    inputs_sha256,
)
from controller.allocation.inputs import Need as Wanted
from controller.allocation.reasons import Decision, decisions
from controller.allocation.round import Carried, Outcome
from controller.commons import boxes
from controller.commons.capacity import measure, resources, takes
from controller.commons.records import (
    DEBIT,
    LIMIT,
    RESERVE,
    SAVING,
    SITE,
    CastBallot,
    Round,
    RoundDecision,
    RoundFile,
    RoundNeed,
)
from controller.commons.settings import HOUR_MS, RoundSettings, settings_of
from controller.commons.urgent import agreed_floor, go_ahead
from controller.sayings import moment
from controller.values import Need, Refused
from controller.ways import waits_for_slicer

if TYPE_CHECKING:
    from controller.adapters.store import Tx

MOST_NEEDS = 5_000
MAX_OPEN_H = 24 * 366


class Counted(NamedTuple):
    """A round that was decided: outcome, files, and every decision."""

    decided: Decided
    rows: list[Decision]


def open_round(tx: Tx, hours: int | None = None) -> Round:
    """Open the next round with every stated need on its ballot; raise Refused."""
    settings = _settings(tx)
    current = tx.rounds.current()
    if current is not None:
        raise Refused("conflict", "round", f"{current.id} is open: close it first")
    length_h = (settings.ballot_h or settings.length_h) if hours is None else hours
    if not 1 <= length_h <= MAX_OPEN_H:
        raise Refused("bad-hours", "hours", f"must be between 1 and {MAX_OPEN_H}")
    found = Round(
        id=f"r{tx.site.next('round')}",
        state="open",
        opened_at=tx.now_ms,
        closes_at=tx.now_ms + length_h * HOUR_MS,
        settings=msgspec.to_builtins(settings),
    )
    tx.rounds.add(found)
    put_on_ballot(tx, found, [need for need in tx.needs.open() if need.state == "stated"])
    if not tx.rounds.carried(RESERVE):
        _set_reserve(tx, resources(tx, settings, ()))
    tx.notice("round", found.id, f"round {found.id} is open until {moment(found.closes_at)}")
    return found


def list_stated(tx: Tx, stated: list[Need]) -> int:
    """Put needs not yet on the ballot there, opening a round if need be; how many were new.

    Urgent ones that stewards attested go ahead at once.
    """
    settings = _settings(tx)
    current = tx.rounds.current()
    if current is None and not settings.auto:
        return 0
    if current is None:
        current = open_round(tx)
        new = stated
    else:
        listed = {row.need for row in tx.rounds.needs(current.id)}
        new = [need for need in stated if need.id not in listed]
        put_on_ballot(tx, current, new)
    for need in new:
        if need.need_class == "urgent":
            go_ahead(tx, need, settings)
    return len(new)


def put_on_ballot(tx: Tx, found: Round, needs: list[Need]) -> None:
    """Put stated needs on an open round's ballot and say so."""
    how = measure(tx.machines.all(), settings_of_round(found))
    needs = [need for need in needs if not _unsliced(tx, need)]
    room = MOST_NEEDS - len(tx.rounds.needs(found.id))
    for need in needs[:room]:
        demand = takes(tx.operations.of_need(need.id), how)
        title = f"{need.quantity} x {need.part}"[:200]
        waited = [row for row in tx.rounds.decided(need.id) if row.state == "refused"]
        tx.rounds.add_need(RoundNeed(found.id, need.id, title, demand, len(waited)))
        words = f"on the ballot of round {found.id}, which closes {moment(found.closes_at)}"
        tx.needs.change(need.id, reason=words)
    for need in needs[room:]:
        tx.needs.change(need.id, reason=f"waits: round {found.id} has {MOST_NEEDS} needs already")


def _unsliced(tx: Tx, need: Need) -> bool:
    """Whether what a need takes is known only once its mesh is sliced."""
    return any(waits_for_slicer(op) for op in tx.operations.of_need(need.id))


def close_round(tx: Tx, round_id: str) -> Round:
    """Close a ballot: freeze and hash what the round is decided from; raise Refused."""
    found = tx.rounds.get(round_id)
    if found is None:
        raise Refused("unknown-round", "round", f"there is no round {round_id}")
    if found.state != "open":
        return found
    ballots = tx.rounds.ballots(round_id)
    inputs, limits = gather(tx, found, ballots)
    text = canonical(document(inputs)).decode()
    tx.rounds.change(
        round_id,
        state="closed",
        closed_at=tx.now_ms,
        inputs=text,
        inputs_sha=inputs_sha256(inputs),
    )
    body = canonical(boxes.published(found, ballots, limits)).decode() + "\n"
    _publish(tx, round_id, "ballots.json", body)
    if limits:
        before = tx.rounds.carried(LIMIT).get(SITE, {})
        tx.rounds.carry(LIMIT, {SITE: before | limits})
    words = (
        f"round {round_id} is closed with {len(ballots)} ballots; inputs {inputs_sha256(inputs)}"
    )
    tx.notice("round", round_id, words)
    after = tx.rounds.get(round_id)
    assert after is not None
    return after


def gather(tx: Tx, found: Round, ballots: list[CastBallot]) -> tuple[Inputs, dict[str, int]]:
    """What a round is decided from, and the limits its voters chose."""
    settings = settings_of_round(found)
    listed = {row.need: row for row in tx.rounds.needs(found.id)}
    needs = [need for need in tx.needs.open() if need.id in listed and need.state == "stated"]
    needs = [need for need in needs if any(listed[need.id].demand.values())]
    limits = boxes.chosen_limits(ballots, {c.id: c.need_weight for c in tx.communities.all()})
    wanted = {r for need in needs for r in listed[need.id].demand}
    shared = resources(tx, settings, wanted, limits)
    names = frozenset(need.id for need in needs)
    inputs = Inputs(
        id=found.id,
        place=tx.site.get("name") or "site",
        opened_on=_day(found.opened_at),
        closed_on=_day(max(found.opened_at, tx.now_ms)),
        resources=shared,
        communities=_communities(tx),
        needs=tuple(_wanted(tx, need, listed[need.id], settings) for need in needs),
        ballots=tuple(boxes.counted_ballots(tx, found, ballots, names)),
        rules=settings.rules(),
    )
    return inputs, limits


def _communities(tx: Tx) -> tuple[Community, ...]:
    debits = tx.rounds.carried(DEBIT)
    return tuple(
        Community(
            c.id,
            c.name,
            c.members,
            None if c.need_weight == c.members else c.need_weight,
            debits.get(c.id, {}),
        )
        for c in tx.communities.all()
    )


def _wanted(tx: Tx, need: Need, row: RoundNeed, settings: RoundSettings) -> Wanted:
    """A need as the rule reads it; a floor need is one only if stewards agreed to it."""
    signed = tuple(tx.members.attested(need.id))
    kind = NeedClass(need.need_class)
    found = Wanted(need.id, need.community, row.title, row.demand, kind, signed, row.waited)
    if kind is NeedClass.FLOOR and not agreed_floor(tx, found, settings):
        return replace(found, need_class=NeedClass.NORMAL)
    return found


def count(found: Round) -> Counted | None:
    """Decide a closed round; None when there is nothing to decide. Pure, and may take long."""
    assert found.inputs is not None
    if not msgspec.json.decode(found.inputs)["needs"]:
        return None
    decided = decide(found.inputs.encode())
    return Counted(decided, decisions(decided.outcome))


def apply_round(tx: Tx, round_id: str, counted: Counted | None) -> bool:
    """Take a count to needs, files and what is carried, once; say whether it was done now."""
    found = tx.rounds.get(round_id)
    if found is None or found.state != "closed":
        return False
    tx.rounds.change(round_id, state="counted", counted_at=tx.now_ms)
    if counted is not None:
        for name, content in _with_ballots(tx, round_id, counted.decided.files).items():
            _publish(tx, round_id, name, content)
        _tell_needs(tx, found, counted)
        _carry(tx, round_id, counted.decided.outcome)
    accepted = len(counted.decided.outcome.accepted()) if counted else 0
    tx.notice("round", round_id, f"round {round_id} is counted: {accepted} needs accepted")
    tx.effects.replan = True
    return True


def _with_ballots(tx: Tx, round_id: str, files: Mapping[str, bytes]) -> dict[str, str]:
    """Files to publish; round.json names the ballots file by its hash."""
    box = tx.rounds.file(round_id, "ballots.json")
    texts = {name: content.decode() for name, content in files.items()}
    if box is not None:
        value = msgspec.json.decode(texts["round.json"])
        value["ballots"] = {"file": box.name, "sha256": box.sha}
        texts["round.json"] = canonical(value).decode() + "\n"
    return texts


def _tell_needs(tx: Tx, found: Round, counted: Counted) -> None:
    """Accepted needs get their rank in the order of acceptance, all others their reason."""
    place = {need: at for at, need in enumerate(counted.decided.outcome.accepted(), 1)}
    for row in sorted(counted.rows, key=lambda row: (place.get(row.need, 10**9), row.need)):
        decision = RoundDecision(
            found.id, row.need, row.state, row.stage, row.reason, place.get(row.need, 0)
        )
        tx.rounds.put_decision(decision)
        need = tx.needs.get(row.need)
        if need is not None and need.state == "stated":
            tell_need(tx, found, decision)


def tell_need(tx: Tx, found: Round, decision: RoundDecision) -> None:
    """Take one decision to its need: accepted, again on the next ballot, or refused for good."""
    words = decision.reason.partition(": ")[2]
    if decision.state == "accepted":
        accept(tx, decision.need, f"{words} (round {found.id})")
    elif tx.rounds.tries(decision.need) >= settings_of_round(found).tries:
        refuse(tx, decision.need, f"{words} (round {found.id})")
    else:
        waits = f"{decision.reason} (round {found.id}); it is on the next round's ballot again"
        tx.needs.change(decision.need, reason=waits)


def refuse(tx: Tx, need: str, reason: str) -> None:
    """Refuse a need for good: its operations are cancelled, people are told why."""
    tx.needs.change(need, state="refused", reason=reason)
    for operation in tx.operations.of_need(need):
        tx.operations.change(operation.id, state="cancelled", reason="the need was refused")
    tx.notice("need", need, f"{need} was refused: {reason}")


def _carry(tx: Tx, round_id: str, outcome: Outcome) -> None:
    """Savings of who voted, debits as they changed, and the reserve until the next round."""
    carried, member = outcome.carried, boxes.members_by_voter(tx, round_id)
    savings = tx.rounds.carried(SAVING)
    for voter, row in carried.savings.items():
        if voter in member:
            savings[member[voter]] = dict(row)
    tx.rounds.carry(SAVING, savings)
    tx.rounds.carry(DEBIT, _debits(tx, outcome, carried))
    _set_reserve(tx, outcome.inputs.resources)


def _debits(tx: Tx, outcome: Outcome, carried: Carried) -> Mapping[str, Mapping[str, int]]:
    """Debits now, changed as the round changed them: urgent needs may have added to them since."""
    before = {c.id: c.debits for c in outcome.inputs.communities}
    now = {owner: dict(row) for owner, row in tx.rounds.carried(DEBIT).items()}
    for owner, was in before.items():
        row = now.setdefault(owner, {})
        after = carried.debits.get(owner, {})
        for resource in {*was, *after}:
            change = after.get(resource, 0) - was.get(resource, 0)
            row[resource] = max(0, row.get(resource, 0) + change)
    return now


def _set_reserve(tx: Tx, shared: tuple[Resource, ...]) -> None:
    tx.rounds.carry(RESERVE, {SITE: {r.id: r.urgent_reserve for r in shared}})


def _publish(tx: Tx, round_id: str, name: str, body: str) -> None:
    sha = hashlib.sha256(body.encode()).hexdigest()
    tx.rounds.put_file(RoundFile(round_id, name, sha, body))


def settings_of_round(found: Round) -> RoundSettings:
    """Settings a round was opened with."""
    return msgspec.convert(found.settings, RoundSettings)


def _settings(tx: Tx) -> RoundSettings:
    settings = settings_of(tx)
    if settings is None:
        words = "this site shares needs as they come in; add `rounds:` to its settings"
        raise Refused("no-rounds", "rounds", words)
    return settings


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()

"""Urgent needs between rounds: a reserve, duty stewards, no abort, charged back, capped.

An urgent need is admitted when at least k of the m stewards on duty attest it and most of those
come from other communities. It goes ahead of all operations not yet started and never aborts a
running one. It draws on the reserve; only when the reserve is short does it displace accepted,
unstarted needs, the last accepted first, and each displacement is an event. What it takes is a
debit of its community, at most the debt cap, so who marks everything urgent gains at most the cap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from controller.allocation.floor import fits
from controller.allocation.inputs import Need
from controller.allocation.spill import Amounts


@dataclass(frozen=True)
class Duty:
    """Stewards on duty with their communities, and how many must attest."""

    stewards: Mapping[str, str]
    quorum: int


@dataclass(frozen=True)
class UrgentPool:
    """Reserve left, debits so far by community, cap on each, and accepted needs not yet started."""

    reserve: Mapping[str, int]
    debits: Mapping[str, Mapping[str, int]]
    debt_cap: Mapping[str, Mapping[str, int]]
    unstarted: tuple[Need, ...] = field(default_factory=tuple[Need, ...])


class Displaced(NamedTuple):
    """An accepted need that an urgent one took the place of; it returns to the next round."""

    need: str
    by: str
    reason: str


class Admission(NamedTuple):
    """Whether an urgent need goes ahead, why, what it displaces, and the pool afterwards."""

    admitted: bool
    reason: str
    displaced: tuple[Displaced, ...]
    pool: UrgentPool


def attested(need: Need, duty: Duty) -> str:
    """Why the stewards' attestations do not suffice, or nothing."""
    signed = sorted(set(need.attested_by) & set(duty.stewards))
    if len(signed) < duty.quorum:
        return f"{len(signed)} of {duty.quorum} duty stewards have attested it"
    others = sum(duty.stewards[steward] != need.community for steward in signed)
    if 2 * others <= len(signed):
        return f"{others} of {len(signed)} attesting stewards come from other communities, not most"
    return ""


def admit(need: Need, duty: Duty, pool: UrgentPool) -> Admission:
    """Decide an urgent need; a refused one changes nothing and competes in the next round."""
    why = attested(need, duty)
    if why:
        return Admission(False, f"waiting: {why}", (), pool)
    debts = _plus(pool.debits.get(need.community, {}), need.demand)
    cap = pool.debt_cap.get(need.community, {})
    over = sorted(r for r, amount in debts.items() if need.demand.get(r) and amount > cap.get(r, 0))
    if over:
        why = f"waiting: its community would owe more {', '.join(over)} than the debt cap allows"
        return Admission(False, why, (), pool)
    taken = _displace(need, pool)
    if taken is None:
        why = "waiting: the reserve and every need not yet started are too small for it"
        return Admission(False, why, (), pool)
    reserve = {r: taken[1][r] - need.demand.get(r, 0) for r in sorted(taken[1])}
    ids = {displaced.need for displaced in taken[0]}
    after = replace(
        pool,
        reserve=reserve,
        debits={**pool.debits, need.community: debts},
        unstarted=tuple(other for other in pool.unstarted if other.id not in ids),
    )
    source = "the urgent reserve" if not ids else "the reserve and needs it displaced"
    return Admission(True, f"accepted: attested as urgent, served from {source}", taken[0], after)


def _displace(need: Need, pool: UrgentPool) -> tuple[tuple[Displaced, ...], Amounts] | None:
    """Last accepted needs that give the reserve what it lacks; None when all are not enough."""
    reserve = {r: pool.reserve.get(r, 0) for r in sorted({*pool.reserve, *need.demand})}
    displaced: list[Displaced] = []
    for other in reversed(pool.unstarted):
        lacking = [r for r, amount in need.demand.items() if amount > reserve[r]]
        if not lacking:
            break
        if not any(other.demand.get(r, 0) for r in lacking):
            continue
        reserve = _plus(reserve, other.demand)
        why = f"displaced by urgent {need.id}: the reserve of {', '.join(sorted(lacking))} is used"
        displaced.append(Displaced(other.id, need.id, why))
    return (tuple(displaced), reserve) if fits(need.demand, reserve) else None


def release(pool: UrgentPool, amounts: Mapping[str, int]) -> tuple[UrgentPool, Amounts]:
    """Give unused reserve to stage 2 in mid-round: the pool without it, and what was there."""
    given = {r: min(amount, pool.reserve.get(r, 0)) for r, amount in sorted(amounts.items())}
    kept = {r: amount - given.get(r, 0) for r, amount in pool.reserve.items()}
    return replace(pool, reserve=kept), given


class Lane(NamedTuple):
    """A machine: running operation and its rest, queued operations with their lengths, urgent."""

    machine: str
    running_ms: int
    queue: tuple[tuple[str, int, bool], ...]


def place_urgent(operation: str, length_ms: int, lanes: Sequence[Lane]) -> tuple[Lane, int]:
    """Lane after placing an urgent operation where it starts first, and its start in ms from now.

    It goes behind the running operation and earlier urgent ones, ahead of everything else; lanes
    are the machines capable of it (at least one).
    """

    def start(lane: Lane) -> tuple[int, str]:
        return lane.running_ms + sum(ms for _, ms, urgent in lane.queue if urgent), lane.machine

    best = min(lanes, key=start)
    ahead = tuple(entry for entry in best.queue if entry[2])
    behind = tuple(entry for entry in best.queue if not entry[2])
    placed = best._replace(queue=(*ahead, (operation, length_ms, True), *behind))
    return placed, start(best)[0]


def _plus(one: Mapping[str, int], other: Mapping[str, int]) -> Amounts:
    return {r: one.get(r, 0) + other.get(r, 0) for r in sorted({*one, *other})}

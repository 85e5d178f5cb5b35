"""Urgent needs in the store: attested by stewards, served from the reserve, charged back.

What an urgent need takes is a debit of its community; running operations are never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.accepting import accept
from controller.allocation.inputs import PPM, NeedClass, Resource
from controller.allocation.inputs import Need as Wanted
from controller.allocation.urgent import Displaced, Duty, UrgentPool, admit, attested
from controller.commons.capacity import Measure, measure, resources, takes
from controller.commons.members import member_of
from controller.commons.records import DEBIT, RESERVE, SITE, Attestation, Member
from controller.commons.settings import RoundSettings, settings_of
from controller.values import Need, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx

BEGUN = ("ordered", "running", "inspecting", "held", "done")


def attest(tx: Tx, need: str, token: str | Member) -> Need:
    """A steward attests that a need is urgent, or basic; urgent ones may go ahead now."""
    settings = settings_of(tx)
    found = tx.needs.get(need)
    if found is None:
        raise Refused("unknown-need", "need", f"there is no need {need}")
    member = member_of(tx, token)
    if not member.steward:
        raise Refused("not-a-steward", "token", "belongs to no steward on duty")
    if settings is None or found.need_class == "normal":
        raise Refused("not-asked", "need", f"{need} needs no attestation: its class is normal")
    if found.state != "stated":
        raise Refused("too-late", "need", f"{need} is {found.state} already")
    if tx.members.attest(Attestation(need, member.id, tx.now_ms)):
        tx.notice("need", need, f"steward {member.id} attested {need} as {found.need_class}")
    if found.need_class == "urgent":
        go_ahead(tx, found, settings)
    after = tx.needs.get(need)
    assert after is not None
    return after


def duty(tx: Tx, settings: RoundSettings) -> Duty:
    """Stewards on duty, and how many must attest."""
    return Duty({m.id: m.community for m in tx.members.stewards()}, settings.quorum)


def agreed_floor(tx: Tx, need: Wanted, settings: RoundSettings) -> bool:
    """Whether stewards agreed that a need is basic."""
    return need.need_class is NeedClass.FLOOR and not attested(need, duty(tx, settings))


def go_ahead(tx: Tx, need: Need, settings: RoundSettings) -> bool:
    """Let an urgent need go ahead if attested and affordable; else say what it waits for."""
    how = measure(tx.machines.all(), settings)
    wanted = _wanted(tx, need, how)
    pool = _pool(tx, how)
    admission = admit(wanted, duty(tx, settings), pool)
    words = admission.reason.partition(": ")[2]
    if not admission.admitted:
        tx.needs.change(need.id, reason=f"urgent, waits: {words}")
        return False
    for displaced in admission.displaced:
        _displace(tx, displaced)
    tx.rounds.carry(RESERVE, {SITE: admission.pool.reserve})
    tx.rounds.carry(DEBIT, admission.pool.debits)
    current = tx.rounds.current()
    if current is not None:
        tx.rounds.drop_need(current.id, need.id)
    accept(tx, need.id, words)
    tx.notice("need", need.id, f"urgent {need.id} goes ahead: {words}")
    tx.effects.replan = True
    return True


def _wanted(tx: Tx, need: Need, how: Measure) -> Wanted:
    demand = takes(tx.operations.of_need(need.id), how)
    signed = tuple(tx.members.attested(need.id))
    return Wanted(need.id, need.community, need.part, demand, NeedClass(need.need_class), signed)


def _pool(tx: Tx, how: Measure) -> UrgentPool:
    """Reserve and debits now, the most each community may owe, needs that could give way."""
    accepted = sorted(
        (n for n in tx.needs.open() if n.state == "accepted" and n.need_class != "urgent"),
        key=lambda n: (n.rank, n.created_at, n.id),
    )
    unstarted = [n for n in accepted if not _begun(tx, n)]
    return UrgentPool(
        reserve=tx.rounds.carried(RESERVE).get(SITE, {}),
        debits=tx.rounds.carried(DEBIT),
        debt_cap=caps(tx, resources(tx, how.settings, ())),
        unstarted=tuple(_wanted(tx, n, how) for n in unstarted),
    )


def caps(tx: Tx, shared: tuple[Resource, ...]) -> dict[str, dict[str, int]]:
    """Most a community may owe: ``debt_cap_ppm`` of its part of what a round may have."""
    settings = settings_of(tx) or RoundSettings()
    communities = tx.communities.all()
    whole = sum(c.need_weight for c in communities) or 1
    most = {r.id: r.forecast * settings.debt_cap_ppm // PPM for r in shared}
    return {c.id: {r: a * c.need_weight // whole for r, a in most.items()} for c in communities}


def _begun(tx: Tx, need: Need) -> bool:
    return any(op.state in BEGUN or op.attempts for op in tx.operations.of_need(need.id))


def _displace(tx: Tx, displaced: Displaced) -> None:
    """An accepted need that has not begun goes back to the ballot; people are told why."""
    tx.needs.change(
        displaced.need,
        state="stated",
        accepted_at=None,
        rank=0,
        accepted_because="",
        reason=f"{displaced.reason}; it is on the next round's ballot",
    )
    for operation in tx.operations.of_need(displaced.need):
        if operation.state == "planned":
            tx.operations.change(
                operation.id, state="ready", machine=None, reason="its need was displaced"
            )
    tx.notice("need", displaced.need, displaced.reason)

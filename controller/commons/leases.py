"""The home's side of sharing needs with other sites: offers, leases, fencing tokens.

    open --claim--> leased --begin--> begun --complete--> done
     ^                |  lease over      |
     +----------------+------ release ---+

A lease is for the time until a site begins. Begin is fenced by the token and ends the lease's
clock: from then on no time-out gives the need to another, only the holder's word does, so nothing
is made twice however long a site is silent. Only the home's clock counts. Every verb may be
repeated: the same site with the same token gets the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from controller.commons.joined import has_left
from controller.commons.records import SharedNeed
from controller.commons.settings import settings_of
from controller.values import Json, Need, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx

LEASE_MS = 10 * 60_000
MAX_BATCH = 500
OPEN, LEASED, BEGUN, DONE = "open", "leased", "begun", "done"


class Claim(NamedTuple):
    """A need and the token it is held by."""

    need: str
    token: int


class Answer(NamedTuple):
    """What became of a batch: claims that stand, with their ends; why others do not."""

    good: list[tuple[Claim, int]]
    refused: dict[str, str]


def share(tx: Tx, need: str) -> SharedNeed:
    """Offer a need to other sites instead of making it here; raise Refused when it has begun."""
    found = tx.needs.get(need)
    if found is None:
        raise Refused("unknown-need", "need", f"there is no need {need}")
    known = tx.peers.shared(need)
    if known is not None:
        return known
    operations = tx.operations.of_need(need)
    if found.state == "stated" and settings_of(tx) is not None:
        raise Refused("not-decided", "need", f"{need} is on the ballot: members decide it first")
    idle = all(op.state in ("waiting", "ready", "planned") for op in operations)
    if found.state not in ("stated", "accepted") or not idle:
        raise Refused("too-late", "need", f"{need} is {found.state} and has begun here")
    for operation in operations:
        words = "offered to other sites"
        tx.operations.change(operation.id, state="cancelled", machine=None, reason=words)
    shared = SharedNeed(need, tx.site.next("share_seq"), OPEN)
    tx.peers.put_shared(shared)
    tx.needs.change(need, state="accepted", reason="offered to other sites")
    tx.notice("need", need, f"{need} is offered to other sites")
    tx.effects.replan = True
    return shared


def take_home(tx: Tx, need: str) -> Need:
    """Make a need here after all; raise Refused once another site holds it."""
    shared = tx.peers.shared(need)
    if shared is None:
        raise Refused("unknown-need", "need", f"{need} is not offered to other sites")
    if shared.state in (BEGUN, DONE) or (shared.state == LEASED and shared.expires_at > tx.now_ms):
        raise Refused("too-late", "need", f"{need} is {shared.state} by {shared.holder}")
    tx.peers.drop_shared(need)
    for operation in tx.operations.of_need(need):
        state = "waiting" if tx.operations.inputs(operation.id) else "ready"
        tx.operations.change(operation.id, state=state, reason="taken home")
    tx.needs.change(need, reason="made at home after all")
    tx.effects.replan = True
    found = tx.needs.get(need)
    assert found is not None
    return found


def offers(tx: Tx, after: int, limit: int = MAX_BATCH) -> tuple[list[Json], int]:
    """Open needs after a cursor and the next cursor; leases that are over are open again."""
    for shared in tx.peers.expired(tx.now_ms):
        again = replace(shared, state=OPEN, holder="", seq=tx.site.next("share_seq"))
        tx.peers.put_shared(again)
    found = tx.peers.open_after(after, min(limit, MAX_BATCH))
    listed = [_offer(tx, shared) for shared in found]
    return listed, found[-1].seq if found else after


def _offer(tx: Tx, shared: SharedNeed) -> Json:
    need = tx.needs.get(shared.need)
    assert need is not None  # foreign key
    design = tx.designs.get(need.design)
    return {
        "need": need.id,
        "seq": shared.seq,
        "community": need.community,
        "design": need.design,
        "manifest_sha256": design.manifest_sha if design else "",
        "part": need.part,
        "quantity": need.quantity,
        "due_at": need.due_at,
        "need_class": need.need_class,
        "note": need.note,
    }


def claim(tx: Tx, site: str, needs: Iterable[str]) -> Answer:
    """Lease needs to a site; one held by another is refused."""
    answer = Answer([], {})
    gone = has_left(tx, site)
    for need in needs:
        shared = tx.peers.shared(need)
        why = "left" if gone else _not_claimable(shared, site, tx.now_ms)
        if why or shared is None:
            answer.refused[need] = why
            continue
        same = shared.state == LEASED and shared.holder == site
        token = shared.token if same else tx.site.next("lease_token")
        ends = tx.now_ms + LEASE_MS
        leased = replace(shared, state=LEASED, holder=site, token=token, expires_at=ends)
        tx.peers.put_shared(leased)
        answer.good.append((Claim(need, token), ends))
    return answer


def _not_claimable(shared: SharedNeed | None, site: str, now_ms: int) -> str:
    if shared is None:
        return "unknown"
    if shared.state in (BEGUN, DONE):
        return shared.state
    held = shared.state == LEASED and shared.expires_at > now_ms and shared.holder != site
    return "held" if held else ""


def begin(tx: Tx, site: str, claims: Iterable[Claim]) -> Answer:
    """A site is about to make needs: from now on nobody else gets them; stale tokens are refused.

    A lease that is over but was given to nobody else still stands.
    """
    return _step(tx, site, claims, (LEASED, BEGUN))


def complete(tx: Tx, site: str, claims: Iterable[Claim]) -> Answer:
    """A site has made and delivered needs; a token that is not the need's last one is refused."""
    return _step(tx, site, claims, (BEGUN, DONE))


def release(tx: Tx, site: str, claims: Iterable[Claim]) -> Answer:
    """A site gives needs back, having made none of them."""
    answer = Answer([], {})
    for one in claims:
        shared = tx.peers.shared(one.need)
        if shared is None or not _holds(shared, site, one) or shared.state == DONE:
            answer.refused[one.need] = "stale"
            continue
        again = SharedNeed(one.need, tx.site.next("share_seq"), OPEN, token=shared.token)
        tx.peers.put_shared(again)
        answer.good.append((one, 0))
    return answer


def _holds(shared: SharedNeed, site: str, one: Claim) -> bool:
    return shared.holder == site and shared.token == one.token


def _step(tx: Tx, site: str, claims: Iterable[Claim], states: tuple[str, str]) -> Answer:
    """Move needs from the first state to the second; those already there stay and are fine."""
    answer = Answer([], {})
    before, after = states
    for one in claims:
        shared = tx.peers.shared(one.need)
        if shared is None or not _holds(shared, site, one) or shared.state not in states:
            answer.refused[one.need] = "stale"
            continue
        if shared.state == before:
            tx.peers.put_shared(replace(shared, state=after, expires_at=0))
            _tell(tx, shared, after)
        answer.good.append((one, 0))
    return answer


def _tell(tx: Tx, shared: SharedNeed, state: str) -> None:
    if state == BEGUN:
        tx.needs.change(shared.need, state="making", reason=f"{shared.holder} makes it")
        return
    words = f"made and delivered by {shared.holder}"
    tx.needs.change(shared.need, state="delivered", delivered_at=tx.now_ms, reason=words)
    tx.notice("need", shared.need, f"{shared.need} was {words}")

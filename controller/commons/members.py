"""Members: pseudonymous people of a community, known by a token of which only the hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from controller.commons.records import Member
from controller.values import Community, Refused
from protocols.records import is_id

if TYPE_CHECKING:
    from controller.adapters.store import Tx

MAX_AT_ONCE = 1000
MAX_NAME = 60


class Admitted(NamedTuple):
    """A new member and the token that is shown this one time."""

    member: Member
    token: str


def hashed(token: str) -> str:
    """What is kept of a token: 128 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def put_community(tx: Tx, community: Community) -> Community:
    """Add a community or change it; raise Refused."""
    if not is_id(community.id):
        raise Refused("bad-id", "id", "must be an id: a-z, 0-9 and '-', at most 32 characters")
    if not 0 < len(community.name) <= MAX_NAME or not community.name.isprintable():
        raise Refused("bad-name", "name", f"must be 1 to {MAX_NAME} printable characters")
    here = len(tx.members.of(community.id))
    if community.members < max(1, here):
        raise Refused("bad-members", "members", f"must be at least {max(1, here)}")
    if community.need_weight < 0:
        raise Refused("bad-weight", "need_weight", "must not be negative")
    known = tx.communities.get(community.id)
    tx.communities.put(community)
    if known != community:
        words = f"{community.name} counts {community.members} members, weight"
        tx.notice("community", community.id, f"{words} {community.need_weight}")
    return community


def admit_members(tx: Tx, community: str, count: int, steward: bool = False) -> list[Admitted]:
    """New members of a community with their tokens; raise Refused."""
    found = tx.communities.get(community)
    if found is None:
        raise Refused("unknown-community", "community", f"there is no community {community}")
    if not 1 <= count <= MAX_AT_ONCE:
        raise Refused("bad-count", "count", f"must be between 1 and {MAX_AT_ONCE}")
    admitted: list[Admitted] = []
    for _ in range(count):
        token = "fc-" + secrets.token_urlsafe(24)
        name = "m-" + secrets.token_hex(8)
        member = Member(name, community, hashed(token), steward, tx.now_ms)
        tx.members.add(member)
        admitted.append(Admitted(member, token))
    here = len(tx.members.of(community))
    if here > found.members:
        by_members = found.need_weight == found.members
        weight = here if by_members else found.need_weight
        tx.communities.put(replace(found, members=here, need_weight=weight))
    kind = "stewards" if steward else "members"
    tx.notice("community", community, f"{found.name} admitted {count} {kind}")
    return admitted


def member_of(tx: Tx, token: str | Member) -> Member:
    """The member with this token, or the one who was known otherwise; raise Refused."""
    if isinstance(token, Member):
        return token
    found = tx.members.by_token(hashed(token)) if token else None
    if found is None:
        raise Refused("not-a-member", "token", "is not the token of a member: ask your community")
    return found


def leave(tx: Tx, member: str) -> Member:
    """A member leaves: their token ends, what they cast in a closed round stays counted."""
    found = tx.members.get(member)
    if found is None or found.left_at is not None:
        raise Refused("unknown-member", "member", f"there is no member {member}")
    tx.members.change(member, left_at=tx.now_ms)
    return replace(found, left_at=tx.now_ms)

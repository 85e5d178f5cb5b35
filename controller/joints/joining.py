"""The joint with other commons: asks every commons this site joined, again and again.

One thread asks them one after the other; one that does not answer is asked less and less often, up
to once in ten minutes, and keeps nobody else waiting longer than its time-out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.commons import borrowing
from controller.commons.borrowing import Forged, Here, Home, Unreachable, Workshop
from controller.commons.joined import Joined, forget, joined, note_forged, note_signs
from controller.values import Json, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx

MOST_WAIT_S = 600.0
UPDATE = "update the software there; until then `fabcommons commons join ... --unsigned`"
LOOK = "is it on, and is its address right? Join it again to change the address"
JOIN_THERE = "join this site there, with its id and public key of today"
COMPARE = "compare `fabcommons commons key` there with the key joined here, reach it by https"


@dataclass(slots=True)
class Contact:
    """How a commons was reached last; seconds are real, ``at_ms`` floor time (0 = never)."""

    failures: int = 0
    next_s: float = 0.0
    at_ms: int = 0
    why: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Floor:
    """What is handed in: writer, reader, workshop, clocks; how to reach a commons."""

    submit: Callable[[Callable[[Tx], Any]], Any]
    read: Callable[[], AbstractContextManager[Tx]]
    workshop: Workshop
    now_ms: Callable[[], int]
    monotonic_s: Callable[[], float]
    reach: Callable[[Joined, str], Home]  # with its public key


class Joint:
    """Asks each joined commons when its turn comes; for one thread."""

    def __init__(self, floor: Floor, every_s: float, room: int) -> None:
        self._floor, self._every_s = floor, every_s
        self._here = Here(floor.submit, floor.read, floor.workshop, room)
        self._contacts: dict[str, Contact] = {}

    def contact(self, site: str) -> Contact:
        """How a commons was reached last."""
        return self._contacts.get(site, Contact())

    def contacts(self) -> list[Contact]:
        """How every commons that was asked was reached last."""
        return list(self._contacts.values())

    def look(self) -> None:
        """Ask every commons whose turn it is."""
        floor = self._floor
        with floor.read() as tx:
            known = [one for one in joined(tx) if one.url or one.left]
            keys = {peer.site: peer.public_key for peer in tx.peers.all()}
            what = _what(tx) if known else ""
        for one in known:
            contact = self._contacts.setdefault(one.site, Contact())
            if floor.monotonic_s() >= contact.next_s:
                self._ask(one, keys.get(one.site, ""), what, contact)

    def _ask(self, one: Joined, key: str, what: str, contact: Contact) -> None:
        floor, home = self._floor, self._floor.reach(one, key)
        try:
            self._turn(one, home, what)
        except (Unreachable, Refused) as error:
            contact.failures += 1
            contact.why, contact.fix = _why(error), _fix(error)
            wait_s = min(MOST_WAIT_S, self._every_s * 2 ** min(contact.failures, 20))
            contact.next_s = floor.monotonic_s() + wait_s
            if isinstance(error, Forged):
                floor.submit(lambda tx: note_forged(tx, one.site, contact.why))
            return
        contact.failures, contact.why, contact.fix = 0, "", ""
        contact.at_ms = floor.now_ms()
        contact.next_s = floor.monotonic_s() + self._every_s

    def _turn(self, one: Joined, home: Home, what: str) -> None:
        floor = self._floor
        try:
            if one.left:
                if one.url:
                    borrowing.last_turns(self._here, one.site, home)
                floor.submit(lambda tx: forget(tx, one.site))
            else:
                borrowing.look_again(self._here, one.site, what)
                borrowing.turn(self._here, one.site, home)
        finally:
            if home.signed and not one.signs:
                floor.submit(lambda tx: note_signs(tx, one.site))


def _why(error: Exception) -> str:
    """What went wrong, with what to do about it."""
    if isinstance(error, Forged) and error.unsigned:
        return f"{error}: {UPDATE}"
    if isinstance(error, Forged):
        return f"{error}: {COMPARE}"
    return str(error)


def _fix(error: Exception) -> str:
    """What a person does about it; a forged answer says so itself."""
    if isinstance(error, Forged):
        return ""
    if isinstance(error, Unreachable) and "signature" in str(error):
        return JOIN_THERE
    return LOOK if isinstance(error, Unreachable) else ""


def _what(tx: Tx) -> str:
    """What can be made here, as a short text that changes with it."""
    known = sorted((design.id, design.manifest_sha) for design in tx.designs.all())
    return hashlib.sha256(repr(known).encode()).hexdigest()


def peers_document(tx: Tx, contact: Callable[[str], Contact]) -> list[Json]:
    """Every joined commons: how it was reached, what is made for whom."""
    return [
        {
            "site": one.site,
            "url": one.url,
            "left": one.left,
            "public_key": peer.public_key if (peer := tx.peers.get(one.site)) else "",
            "reached_at": contact(one.site).at_ms,
            "why": contact(one.site).why,
            "fix": contact(one.site).fix,
            "cursor": tx.site.number(f"cursor:{one.site}"),
            "taken": tx.peers.taken(one.site),
            "lent": tx.peers.lent(one.site),
            "forged": one.forged,
            "answers": "signed" if one.signs else "unsigned" if one.unsigned else "",
            "making_for_them": tx.peers.busy(one.site),
            "made_by_them": tx.peers.lent_to(one.site),
        }
        for one in joined(tx)
    ]

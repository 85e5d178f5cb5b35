"""The maker's side of sharing needs: claims what it can make, begins, makes, completes.

What is made is written down before it is made, in one transaction with the local need, and only
once the home has confirmed the begin. So a site may be cut off, frozen or restarted at any point.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from controller.commons.leases import Claim
from controller.commons.records import Borrowed
from controller.values import Json

if TYPE_CHECKING:
    from controller.adapters.store import Tx

BATCH = 100


class Unreachable(Exception):
    """A home did not answer; what was asked may or may not have happened there."""


class Forged(Unreachable):
    """An answer that is not the home's own, of which nothing was used; ``unsigned``: nobody's."""

    def __init__(self, words: str, *, unsigned: bool = False) -> None:
        super().__init__(words)
        self.unsigned = unsigned


class Home(Protocol):
    """A home as seen from here; every call raises Unreachable."""

    @property
    def signed(self) -> int:
        """How many answers were proved to be its own."""
        ...

    def offers(self, after: int) -> tuple[list[Json], int]:
        """Open needs after a cursor, and the next cursor."""
        ...

    def ask(self, verb: str, claims: list[Claim]) -> tuple[dict[str, int], dict[str, str]]:
        """Claim, begin, complete or release; token by need that stands, why others do not."""
        ...


class Workshop(Protocol):
    """The site that makes; each runs inside a transaction of its store."""

    def can_make(self, tx: Tx, offer: Json) -> bool:
        """Whether a need could be made here."""
        ...

    def make(self, tx: Tx, home: str, offer: Json) -> str:
        """State a local need for it; the same need again gives the same id."""
        ...

    def state(self, tx: Tx, local: str) -> str:
        """State of a local need."""
        ...


class Here(NamedTuple):
    """This site: its store, its workshop, how many needs of others it makes at once."""

    submit: Callable[[Callable[[Tx], Any]], Any]
    read: Callable[[], AbstractContextManager[Tx]]
    workshop: Workshop
    room: int = 20


def turn(here: Here, name: str, home: Home) -> None:
    """Do everything there is to do with one home; raise Unreachable and be called again."""
    _begin(here, name, home)
    _complete(here, name, home)
    _claim(here, name, home)
    _begin(here, name, home)


def last_turns(here: Here, name: str, home: Home) -> None:
    """As ``turn`` for a home that was left: what is claimed is given back, what is begun ends."""
    with here.read() as tx:
        claimed = tx.peers.borrowed(name, "claimed", BATCH)
    if claimed:
        stands, refused = home.ask("releases", [Claim(one.need, one.token) for one in claimed])
        _keep_ended(here, claimed, stands, dict.fromkeys(refused, ""))
    _complete(here, name, home)


def look_again(here: Here, name: str, what: str) -> None:
    """Read a home's offers from the first when what can be made here (``what``) has changed."""
    key = f"makes:{name}"
    with here.read() as tx:
        if tx.site.get(key) == what:
            return

    def note(tx: Tx) -> None:
        tx.site.put(key, what)
        tx.site.put(f"cursor:{name}", "0")

    here.submit(note)


def _claim(here: Here, name: str, home: Home) -> None:
    """Claim offers that can be made here, as far as there is room."""
    with here.read() as tx:
        cursor, room = tx.site.number(f"cursor:{name}"), here.room - tx.peers.busy()
    if room <= 0:
        return
    listed, after = home.offers(cursor)
    with here.read() as tx:
        fit = [
            offer
            for offer in listed
            if not _was_given_back(tx, name, offer) and here.workshop.can_make(tx, offer)
        ]
    wanted = {str(offer["need"]): offer for offer in fit[:room]}
    stands: dict[str, int] = {}
    if wanted:
        stands, _ = home.ask("claims", [Claim(need, 0) for need in wanted])

    def keep(tx: Tx) -> None:
        for need, token in stands.items():
            tx.peers.put_borrowed(Borrowed(name, need, "claimed", token, "", wanted[need]))
        if len(fit) > room:  # the rest is looked at again
            tx.site.raise_to(f"cursor:{name}", int(fit[room]["seq"]) - 1)
        else:
            tx.site.raise_to(f"cursor:{name}", after)

    here.submit(keep)


def _was_given_back(tx: Tx, name: str, offer: Json) -> bool:
    """Whether this site had the need already and ended with it: it would only do so again."""
    before = tx.peers.borrow(name, str(offer["need"]))
    return before is not None and before.state == "done"


def _begin(here: Here, name: str, home: Home) -> None:
    """Begin what is claimed: first the home's word, then the local need."""
    with here.read() as tx:
        claimed = tx.peers.borrowed(name, "claimed", BATCH)
    if not claimed:
        return
    stands, refused = home.ask("begin", [Claim(one.need, one.token) for one in claimed])

    def keep(tx: Tx) -> None:
        for one in claimed:
            if one.need in stands:
                local = here.workshop.make(tx, name, one.offer)
                begun = Borrowed(name, one.need, "begun", one.token, local, one.offer)
                tx.peers.put_borrowed(begun)
            elif one.need in refused:
                tx.peers.drop_borrowed(one)

    here.submit(keep)


def _complete(here: Here, name: str, home: Home) -> None:
    """Report what is delivered, give back what will not be made here."""
    with here.read() as tx:
        begun = [(one, here.workshop.state(tx, one.local)) for one in _begun(tx, name)]
    for verb, states in (("completions", ("delivered",)), ("releases", ("refused", "withdrawn"))):
        over = [one for one, state in begun if state in states][:BATCH]
        if not over:
            continue
        stands, refused = home.ask(verb, [Claim(one.need, one.token) for one in over])
        _keep_ended(here, over, stands, refused)


def _begun(tx: Tx, name: str) -> list[Borrowed]:
    return tx.peers.borrowed(name, "begun")


def _keep_ended(
    here: Here, over: list[Borrowed], stands: dict[str, int], refused: dict[str, str]
) -> None:
    def keep(tx: Tx) -> None:
        for one in over:
            if one.need not in stands and one.need not in refused:
                continue
            done = Borrowed(one.home, one.need, "done", one.token, one.local, one.offer)
            tx.peers.put_borrowed(done)
            if refused.get(one.need):
                words = f"{one.home} does not take {one.need} back: {refused[one.need]}"
                tx.notice("attention", one.local, words)

    here.submit(keep)

"""Other sites for the small floor: what joins them, over its store; nobody is really asked."""

from __future__ import annotations

from typing import Any

from controller.commons import joined
from controller.commons.records import Borrowed
from controller.joints.joining import LOOK, Contact, peers_document
from support.dash_floor import MINUTE, T0

KEY = "9f0c" * 16


class Commons:
    """Joins and leaves in the store; what was heard of each is made up."""

    name, public_key = "lab", "51" * 32

    def __init__(self, desk: Any) -> None:
        self._desk = desk

    def join(self, site: str, url: str, public_key: str, *, unsigned: bool = False) -> Any:
        return self._desk.submit(
            lambda tx: joined.join(tx, site, url, public_key, unsigned=unsigned)
        )

    def leave(self, site: str) -> Any:
        return self._desk.submit(lambda tx: joined.leave(tx, site))

    def peers(self) -> list[Any]:
        with self._desk.read() as tx:
            return peers_document(tx, _contact)


def _contact(site: str) -> Contact:
    if site == "valley":
        return Contact(
            3, 0.0, T0 - 95 * MINUTE, "valley at http://valley: Connection refused", LOOK
        )
    return Contact(at_ms=T0 - 4_000)


def join_others(tx: Any) -> None:
    """Three commons: one that answers, one that does not, one that only asks here."""
    joined.join(tx, "ridge", "https://ridge.example", KEY)
    joined.note_signs(tx, "ridge")
    joined.join(tx, "valley", "http://valley", KEY, unsigned=True)
    joined.join(tx, "shore", "", KEY)
    tx.site.put("cursor:ridge", "412")
    for n, state in enumerate(("claimed", "begun", "begun", "done")):
        tx.peers.put_borrowed(Borrowed("ridge", f"r{n}", state, n + 1, "", {"need": f"r{n}"}))

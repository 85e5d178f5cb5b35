"""Tells people what needs them: looks at the floor every few seconds, from a thread of its own."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from controller.adapters.notify import Carrier, Email, MailServer, Origin, Post, Webhook
from controller.adapters.store import Tx
from controller.loops import Beat, Loop
from controller.notify_settings import NotifyEntry
from controller.notifying import Rule, Told, decide, ended
from dashboards.telling import messages
from fabcommons.client import CliError

EVERY_S = 3.0
SETTLE_MS = 30_000  # two heartbeats: after a restart machines are silent until they are heard
Read = Callable[[], AbstractContextManager[Tx]]
Secret = Callable[[str, str], str]


class Place(NamedTuple):
    """Where messages go, and which."""

    rule: Rule
    post: Post


class Notifier:
    """Puts what is due into each place's queue; ``look`` waits for the store only."""

    def __init__(self, places: list[Place], read: Read, rate: int, settle_ms: int = 0) -> None:
        self._places = [Place(p.rule._replace(settle_ms=settle_ms), p.post) for p in places]
        self._read, self._rate = read, rate
        self._told = [Told() for _ in places]
        with read() as tx:
            self._seq = tx.notice_room.last()
        self._loop: Loop | None = None

    def start(self) -> None:
        """Begin to look."""
        if self._places:
            self._loop = Loop(Beat("notify", EVERY_S, self.look))
            self._loop.start()

    def look(self) -> None:
        """Decide once for every place, and queue what is to be told."""
        with self._read() as tx:
            notices = tx.notice_room.since(self._seq)
            cards, ends, now_ms = messages(tx, self._rate), ended(tx, notices), tx.now_ms
        for n, place in enumerate(self._places):
            before = self._told[n].dropped
            self._told[n], send = decide(self._told[n], place.rule, (cards, ends), now_ms)
            place.post.count_dropped(self._told[n].dropped - before)
            for message in send:
                place.post.put(message)
        if notices:
            self._seq = notices[-1].seq

    def close(self) -> None:
        """Stop looking and sending."""
        if self._loop is not None:
            self._loop.close()
        for place in self._places:
            place.post.close()


def open_places(
    entries: list[NotifyEntry], origin: Origin, base: Path, secret: Secret
) -> list[Place]:
    """Queues for the places the settings name; raise CliError when a secret or file is missing."""
    names = [f"{entry.kind}-{n}" for n, entry in enumerate(entries)]
    carriers = [_carrier(f"notify[{n}]", e, origin, (base, secret)) for n, e in enumerate(entries)]
    return [
        Place(entry.rule(), Post(name, carrier))
        for name, entry, carrier in zip(names, entries, carriers, strict=True)
    ]


def _carrier(field: str, entry: NotifyEntry, origin: Origin, reach: tuple[Path, Secret]) -> Carrier:
    base, secret = reach
    password = secret(f"{field}.password_env", entry.password_env)
    if entry.kind == "webhook":
        return Webhook(entry.url, password, origin)
    tls = None
    if entry.tls:
        try:
            tls = ssl.create_default_context(cafile=base / entry.ca if entry.ca else None)
        except OSError as error:
            raise CliError(f"{field}.ca: {entry.ca}: {error.strerror or error}") from error
    server = MailServer(*entry.smtp(), tls, entry.user, password)
    return Email(server, entry.sender, entry.to, origin)

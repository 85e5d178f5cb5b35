"""Machines that keep no journal for us: their events are what was seen, numbered in the inbox."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Json = dict[str, Any]
Tx = Any
Counted = dict[tuple[int, str], int]
_TAKEN = ("applied", "duplicate", "flagged")


class Site(Protocol):
    """What such an adapter asks of the site; activities are handed in, not imported."""

    def submit(self, run: Callable[[Tx], T]) -> T:
        """Run a function on the writer inside a transaction; return once that is committed."""
        ...

    def apply_event(self, tx: Tx, machine: str, event: Json) -> str:
        """Take an ``up/ev``."""
        ...

    def hear_state(self, tx: Tx, machine: str, state: Json) -> None:
        """Take an ``up/state``."""
        ...

    def answer_command(self, tx: Tx, machine: str, answer: Json) -> None:
        """Take an ``up/rsp``."""
        ...

    def hear_telemetry(self, machine: str, record: Json) -> None:
        """Take an ``up/tele``; returns at once."""
        ...


class Drawn(Protocol):
    """A channel and the lot an order draws there."""

    @property
    def ch(self) -> int:
        """Channel."""
        ...

    @property
    def lot(self) -> str:
        """Id of the lot."""
        ...


def put(site: Site, tx: Tx, machine: str, journal: str, event: Json) -> bool:
    """Tell the site the next event of a journal; whether it took it or had it."""
    last = tx.inbox.last(machine, journal)
    tx.machines.change(machine, jid=journal, acked_s=last)
    head = {"v": 1, "jid": journal, "s": last + 1, "t": tx.now_ms, "tq": "synced"}
    return site.apply_event(tx, machine, {**head, **event}) in _TAKEN


def counted(tx: Tx, machine: str, journal: str, parts: Iterable[Drawn]) -> Counted:
    """Cumulative mg of a journal by (ch, lot), as committed."""
    found: Counted = {}
    for part in parts:
        counter = tx.machines.counter(machine, journal, part.ch, part.lot)
        found[part.ch, part.lot] = counter.cum_mg if counter else 0
    return found

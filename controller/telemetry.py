"""Telemetry: readings validated and buffered apart from events, written once a second."""

import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from controller.values import Json
from protocols.telemetry import line, split

if TYPE_CHECKING:
    from controller.adapters.store import Tx

BOUND = 20_000
DAY_MS = 24 * 3600 * 1000
AHEAD_MS = 60_000  # how far a machine's clock may be ahead of the floor's, in real time
CLOSED_MS = 60_000  # of floor time after which an hour is packed
Sample = tuple[str, int, dict[str, int]]


class SinkState(NamedTuple):
    """How a copy of telemetry goes: off, ok, down or misconfigured; counts are lines."""

    state: str
    sent: int = 0
    rejected: int = 0
    dropped: int = 0
    waiting_bytes: int = 0
    error: str = ""


class Sink(Protocol):
    """Where a copy of telemetry goes; it never raises, and never waits for a server."""

    def write(self, lines: list[str]) -> None:
        """Keep lines of line protocol to be sent."""
        ...

    def state(self) -> SinkState:
        """How it goes."""
        ...


class Keep(NamedTuple):
    """For how many days raw readings and five-minute rollups are kept; hours are kept for ever."""

    raw_days: int = 30
    five_minute_days: int = 366


KEEP = Keep()


class TelemetryBuffer:
    """Bounded buffer of readings; counts what came, what was lost on the way, refused, dropped.

    A time more than ``AHEAD_MS`` (by the floor's ``rate``) in the future or a day in the past is a
    clock that is wrong: the reading is from now, and counted in ``clamped``.
    """

    def __init__(self, rate: int = 1) -> None:
        self._ahead_ms = AHEAD_MS * rate
        self._lock = threading.Lock()
        self._items: deque[Sample] = deque()
        self._numbers: dict[str, tuple[str, int]] = {}
        self.taken = 0
        self.lost = 0
        self.refused = 0
        self.dropped = 0
        self.clamped = 0

    def add(self, machine: str, record: Json, now_ms: int) -> None:
        """Take one decoded ``up/tele``; fields the registry refuses are counted."""
        good, refused = split(record["m"])
        with self._lock:
            self.refused += len(refused)
            self._count_lost(machine, record["bn"], record["n"])
            if not good:
                return
            self.taken += 1
            if len(self._items) >= BOUND:
                self._items.popleft()
                self.dropped += 1
            self._items.append((machine, self._at(record.get("t"), now_ms), good))

    def _at(self, said: int | None, now_ms: int) -> int:
        if not said:
            return now_ms
        if now_ms - DAY_MS < said <= now_ms + self._ahead_ms:
            return said
        self.clamped += 1
        return now_ms

    def _count_lost(self, machine: str, bn: str, n: int) -> None:
        before = self._numbers.get(machine)
        self._numbers[machine] = (bn, n)
        if before is not None and before[0] == bn and n > before[1] + 1:
            self.lost += n - before[1] - 1

    def take(self) -> list[Sample]:
        """Everything buffered, oldest first."""
        with self._lock:
            items = list(self._items)
            self._items.clear()
            return items


def flush(tx: "Tx", items: list[Sample]) -> None:
    """Store readings of machines that are known."""
    known = {machine.id for machine in tx.machines.all()}
    tx.telemetry.add(item for item in items if item[0] in known)


def tidy(tx: "Tx", keep: Keep) -> bool:
    """Do one small piece of upkeep: pack a closed hour, or drop an old day; False if none."""
    days = DAY_MS * keep.raw_days, DAY_MS * keep.five_minute_days
    return tx.telemetry.pack_one(tx.now_ms - CLOSED_MS) or tx.telemetry.prune_one(
        tx.now_ms - days[0], tx.now_ms - days[1]
    )


def lines(site: str, kinds: dict[str, str], items: list[Sample]) -> list[str]:
    """Line protocol of readings of known machines; ``kinds`` is the kind of each."""
    return [line(site, m, kinds[m], at, values) for m, at, values in items if m in kinds]

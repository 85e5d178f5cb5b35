"""Rollups of telemetry that leave the site: five minutes and hours, each once it is closed.

One point of ``machine`` per machine and bucket, at the bucket's beginning, with the tags of raw
points and fields ``<field>_min``, ``_max``, ``_sum``, ``_n``: sums and counts add up to longer
buckets, means do not. The same point again changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple

from controller.adapters.clock import Clock
from controller.telemetry import Sink
from controller.values import Rollup
from protocols.telemetry import line

if TYPE_CHECKING:
    from controller.adapters.store import Tx

FIVE_MS = 300_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TOGETHER = 500  # lines of rollups written at once: they are long
GRACE_MS = 10_000  # floor time in which readings of a bucket may still come
GRACE_S = 5  # and real seconds, for the floor's time may run faster


def by_hour(rollups: Iterable[Rollup]) -> list[Rollup]:
    """Rollups added up to hours, by hour, machine and name."""
    found: dict[tuple[int, str, str], Rollup] = {}
    for one in rollups:
        key = (one.at - one.at % HOUR_MS, one.machine, one.name)
        before = found.get(key)
        low, high = (before.min, before.max) if before else (one.min, one.max)
        total, count = (before.sum, before.n) if before else (0, 0)
        found[key] = Rollup(
            one.machine,
            key[0],
            one.name,
            min(low, one.min),
            max(high, one.max),
            total + one.sum,
            count + one.n,
        )
    return [found[key] for key in sorted(found)]


def lines(site: str, kinds: dict[str, str], rollups: Iterable[Rollup]) -> list[str]:
    """Line protocol of rollups of known machines; ``kinds`` is the kind of each."""
    points: dict[tuple[int, str], dict[str, int]] = {}
    for one in rollups:
        values = points.setdefault((one.at, one.machine), {})
        for part in ("min", "max", "sum", "n"):
            values[f"{one.name}_{part}"] = getattr(one, part)
    return [line(site, m, kinds[m], at, values) for (at, m), values in points.items() if m in kinds]


class Span(NamedTuple):
    """Buckets of ``every_ms`` that begin from ``begin_at`` on and before ``end_at``, ms UTC."""

    every_ms: int
    begin_at: int
    end_at: int

    def stretches(self, length_ms: int = DAY_MS) -> Iterator["Span"]:
        """The same in parts short enough to be read at once."""
        for begin in range(self.begin_at, self.end_at, length_ms):
            yield self._replace(begin_at=begin, end_at=min(begin + length_ms, self.end_at))


def read_lines(tx: "Tx", site: str, span: Span) -> list[str]:
    """Line protocol of a span's buckets, from the store."""
    rollups = tx.telemetry.rollups_between(span.begin_at, span.end_at)
    kinds = {machine.id: machine.kind for machine in tx.machines.all()}
    return lines(site, kinds, by_hour(rollups) if span.every_ms == HOUR_MS else rollups)


def portions(found: list[str], most: int = TOGETHER) -> Iterator[list[str]]:
    """Lines in lists of at most ``most``."""
    return (found[begin : begin + most] for begin in range(0, len(found), most))


def closed_before(now_ms: int, every_ms: int, rate: int = 1) -> int:
    """End of the last bucket nothing is added to any more, ms UTC."""
    end_at = now_ms - max(GRACE_MS, GRACE_S * 1000 * rate)
    return end_at - end_at % every_ms


class Desk(NamedTuple):
    """What a copy stands on: the site's name, its clock, its store to read and to write."""

    site: str
    clock: Clock
    read: Callable[[], AbstractContextManager["Tx"]]
    submit: Callable[[Callable[["Tx"], int]], int]


class RollupCopy:
    """Hands closed buckets of one length to a sink; how far it came is kept in the store.

    A crash between the two hands the same points over again. Readings later than the grace are in
    the store only. What was before the first look is for ``fabcommons telemetry backfill``.
    """

    def __init__(self, desk: Desk, sink: Sink, every_ms: int) -> None:
        self._desk = desk
        self._sink = sink
        self._every_ms = every_ms
        self._mark = f"influx_rollup_{every_ms // 1000}_at"

    def look(self) -> None:
        """Hand over what was closed since the last look."""
        now_ms = self._desk.clock.now_ms()
        end_at = closed_before(now_ms, self._every_ms, self._desk.clock.rate)
        with self._desk.read() as tx:
            begin_at = tx.site.number(self._mark)
        if not begin_at:
            self._came_to(now_ms - now_ms % self._every_ms)
            return
        for span in Span(self._every_ms, begin_at, end_at).stretches():
            with self._desk.read() as tx:
                found = read_lines(tx, self._desk.site, span)
            for some in portions(found):
                self._sink.write(some)
            self._came_to(span.end_at)

    def _came_to(self, at: int) -> None:
        self._desk.submit(lambda tx: tx.site.raise_to(self._mark, at))

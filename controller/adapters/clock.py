"""Clocks, handed in wherever time is needed. Floor time is ms UTC; monotonic is real seconds."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the controller asks of a clock; ``rate`` is floor seconds per real second."""

    @property
    def rate(self) -> int:
        """Floor seconds per real second."""
        ...

    def now_ms(self) -> int:
        """Floor time, ms UTC."""
        ...

    def monotonic_s(self) -> float:
        """Real seconds that only grow."""
        ...


def utc_ms() -> int:
    """Real time, ms UTC, whatever the floor's clock says."""
    return int(datetime.now(UTC).timestamp() * 1000)  # the one place that may


class SystemClock:
    """Time of the real world."""

    rate = 1

    def now_ms(self) -> int:
        """Floor time, ms UTC."""
        return utc_ms()

    def monotonic_s(self) -> float:
        """Real seconds that only grow."""
        return time.monotonic()


class FloorClock:
    """Floor time that runs ``rate`` times faster, from ``start_ms`` (default: the real now).

    It never starts before ``not_before_ms``: a floor ahead of the real time stays ahead when it is
    opened again.
    """

    def __init__(self, rate: int, start_ms: int | None = None, not_before_ms: int = 0) -> None:
        self.rate = rate
        self._start_ms = max(utc_ms() if start_ms is None else start_ms, not_before_ms)
        self._start_s = time.monotonic()

    def now_ms(self) -> int:
        """Floor time, ms UTC."""
        return self._start_ms + int((time.monotonic() - self._start_s) * 1000 * self.rate)

    def monotonic_s(self) -> float:
        """Real seconds that only grow."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved; for tests."""

    rate = 1

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self._ms = start_ms
        self._s = 0.0

    def now_ms(self) -> int:
        """Floor time, ms UTC."""
        return self._ms

    def monotonic_s(self) -> float:
        """Seconds moved so far."""
        return self._s

    def advance_ms(self, ms: int) -> None:
        """Move both times on."""
        self._ms += ms
        self._s += ms / 1000

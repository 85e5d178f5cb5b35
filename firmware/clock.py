"""Time on the machine: real milliseconds that never wrap, and floor time as the controller told it.

Time-outs are in real milliseconds. Floor time may run faster than real time (a simulated floor);
it is stamped on events and never decides anything but the age of a command.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from protocols.records import Record

HELD_AFTER_MS = 120000  # without a dn/time for so long the time is "held", not "synced"


class Ticks:
    """Turns wrapping ticks of a board into milliseconds since the start, never wrapping."""

    def __init__(
        self, ticks_ms: "Callable[[], int]", ticks_diff: "Callable[[int, int], int]"
    ) -> None:
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._last = ticks_ms()
        self._now = 0

    def now_ms(self) -> int:
        """Milliseconds since the start; ask more often than half a wrap (6 days on a board)."""
        ticks = self._ticks_ms()
        self._now += self._ticks_diff(ticks, self._last)
        self._last = ticks
        return self._now


class FloorTime:
    """Floor time from the last dn/time: t0 and a rate."""

    def __init__(self) -> None:
        self.rate = 1
        self._t0: "int | None" = None
        self._heard_ms = 0

    def hear(self, t: int, rate: int, now_ms: int) -> None:
        """Take what a dn/time said."""
        self._t0 = t
        self.rate = rate
        self._heard_ms = now_ms

    def now(self, now_ms: int) -> "int | None":
        """Floor time in ms of UTC; None before the first dn/time."""
        if self._t0 is None:
            return None
        return self._t0 + (now_ms - self._heard_ms) * self.rate

    def stamp(self, now_ms: int) -> "Record":
        """Fields ``t`` and ``tq`` of a message."""
        t = self.now(now_ms)
        if t is None:
            return {"tq": "none"}
        held = now_ms - self._heard_ms > HELD_AFTER_MS
        return {"t": t, "tq": "held" if held else "synced"}

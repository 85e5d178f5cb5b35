"""A driver and a simulated machine joined by a wire that may be slow, on virtual time."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from firmware.streamer import Streamer
from simulators.core import Core

STEP_MS = 20


def streamer(text: str, before: Callable[[str], bool] = lambda code: True) -> Streamer:
    data = text.encode()
    return Streamer(io.BytesIO(data), len(data), before)


class Rig:
    """late_ms: how long the machine's words are under way; sent: every byte the driver sent."""

    def __init__(self, driver: Any, core: Core, late_ms: float = 0) -> None:
        self.driver = driver
        self.core: Any = core
        self.late_ms = late_ms
        self.now = 0.0
        self.events: list[Any] = []
        self.sent = bytearray()
        self._under_way: list[tuple[float, bytes]] = []

    def turn(self, ms: float = STEP_MS) -> None:
        self.now += ms
        said = self.core.step(self.now)
        if said:
            self._under_way.append((self.now + self.late_ms, bytes(said)))
        while self._under_way and self._under_way[0][0] <= self.now:
            self.driver.feed(self._under_way.pop(0)[1], int(self.now))
        self.driver.step(int(self.now))
        if self.driver.out:
            data, self.driver.out = bytes(self.driver.out), bytearray()
            self.sent += data
            self.core.feed(data, self.now)
        self.events += self.driver.events
        self.driver.events = []

    def wait(self, ms: float) -> None:
        end = self.now + ms
        while self.now < end:
            self.turn()

    def until(self, done: Callable[[], bool], limit_s: float = 3600) -> None:
        end = self.now + limit_s * 1000
        while not done():
            assert self.now < end, f"waited in vain: {self.driver.state}, {self.events}"
            self.turn()

    def kinds(self) -> list[str]:
        return [event[0] for event in self.events]

    def has(self, *start: Any) -> bool:
        return any(event[: len(start)] == start for event in self.events)

    def idle(self) -> None:
        self.until(lambda: self.driver.state == "idle")

    def begin(self, text: str) -> None:
        """Start an order once the machine is idle."""
        self.idle()
        self.events.clear()
        self.driver.run(streamer(text), "label")

    def end(self) -> Any:
        """Let the order run to its end; the event that says so."""
        self.until(lambda: not self.driver.running and self.has_ended())
        return next(e for e in self.events if e[0] in ("ended", "lost"))

    def has_ended(self) -> bool:
        return bool({"ended", "lost"} & set(self.kinds()))

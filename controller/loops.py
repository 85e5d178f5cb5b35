"""Loops: threads that do something every so often, or sooner when woken; and who was heard when."""

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple

from controller.adapters.clock import Clock

_log = logging.getLogger(__name__)


class Beat(NamedTuple):
    """Something to do every ``every_s`` real seconds; ``rest_s`` at least between two."""

    name: str
    every_s: float
    run: Callable[[], None]
    rest_s: float = 0.0


class Loop:
    """One beat on its own thread; ``failures`` counts runs that raised."""

    def __init__(self, beat: Beat) -> None:
        self._beat = beat
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"site-{beat.name}", daemon=True)
        self.failures = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Run soon."""
        self._wake.set()

    def close(self) -> None:
        """Stop; waits for the run at hand for at most 5 s (a solver may hang)."""
        self._closing.set()
        self._wake.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(self._beat.every_s)
            if self._closing.is_set():
                return
            self._wake.clear()
            try:
                self._beat.run()
            except Exception:  # noqa: BLE001  # top loop: the next run is a new chance
                self.failures += 1
                if not self._closing.is_set():
                    _log.exception("%s failed", self._beat.name)
            self._closing.wait(self._beat.rest_s)


class Watch:
    """Last boot nonce of every machine, and when it was last heard in real seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._boots: dict[str, str] = {}
        self._heard: dict[str, float] = {}

    def heard(self, machine: str) -> None:
        """Note that a machine spoke."""
        self._heard[machine] = self._clock.monotonic_s()

    def booted(self, machine: str, bn: str) -> None:
        """Note the boot nonce a machine speaks with."""
        self._boots[machine] = bn

    def boot(self, machine: str) -> str | None:
        """Boot nonce of a machine, None when it was never heard."""
        return self._boots.get(machine)

    def silent(self, machine: str, limit_s: float) -> bool:
        """Whether a machine was not heard for ``limit_s``; the first question starts the wait."""
        now = self._clock.monotonic_s()
        return now - self._heard.setdefault(machine, now) > limit_s

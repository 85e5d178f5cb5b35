"""A heater as a first-order system in closed form: no stepping, temperatures in degrees C.

Full power pulls it towards ``hottest``, no power towards ``ambient``, both with ``tau_s``. At its
target it stays (a settled PID).
"""

from math import exp, inf, log
from typing import NamedTuple


class Body(NamedTuple):
    """Thermal body of a heater."""

    ambient: float
    hottest: float
    tau_s: float


NOZZLE = Body(21.0, 340.0, 110.0)
BED = Body(21.0, 140.0, 300.0)
WINDOW = 1.0  # Marlin TEMP_WINDOW: degrees from the target that count as reached
RESIDENCY_MS = 10000.0  # Marlin TEMP_RESIDENCY_TIME


class Heater:
    """Temperature over virtual time. target 0 is off."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.target = 0.0
        self._from = body.ambient
        self._since = 0.0
        self.broken = False

    def set(self, target: float, now_ms: float) -> None:
        """Ask for a temperature from now on."""
        self._from = self.at(now_ms)
        self._since = now_ms
        self.target = target

    def _pull(self, now_ms: float, towards: float) -> float:
        passed = (now_ms - self._since) / 1000
        return towards + (self._from - towards) * exp(-passed / self.body.tau_s)

    def at(self, now_ms: float) -> float:
        """Temperature now."""
        goal = max(self.target, self.body.ambient)
        if self._from < goal and not self.broken:
            return min(goal, self._pull(now_ms, self.body.hottest))
        return max(goal, self._pull(now_ms, self.body.ambient))

    def reaches_ms(self, wanted: float) -> float:
        """When the temperature comes within the window of what is wanted; inf for never."""
        if abs(self._from - wanted) <= WINDOW:
            return self._since
        towards = self.body.hottest if self._from < wanted else self.body.ambient
        edge = wanted - WINDOW if self._from < wanted else wanted + WINDOW
        share = (edge - towards) / (self._from - towards)
        if not 0 < share < 1:
            return inf
        return self._since - self.body.tau_s * log(share) * 1000

"""The planner a site is given, from its settings."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from controller import resources
from controller.adapters.site_file import PlanningEntry
from controller.joints.changeovers import House, alike
from controller.joints.rolling import Rolling
from controller.scheduling.energy import Steps, curve_from, read_steps
from controller.scheduling.errors import ReadError
from controller.scheduling.problem import Curve
from controller.scheduling.shifts import read_shift
from controller.scheduling.spools import Waste
from controller.scheduling.worker import Limits, Worker

_log = logging.getLogger(__name__)
SEARCH_LATE_S = 20.0  # a search takes a CPU second; one that takes longer than this hangs


def make_planner(settings: PlanningEntry, folder: Path) -> Rolling:
    """The rule at once, and a search beside it in a process that may die."""
    worker = Worker(time.monotonic, Limits(SEARCH_LATE_S)) if settings.search else None
    return Rolling(resources.why_not, house(settings, folder), worker)


class Prices:
    """A file of energy prices, read again when it changed; unreadable: the last ones hold."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at, self._told_at = 0, -1
        self._steps: Steps = ()

    def __call__(self, at_ms: int) -> Curve:
        """What a kWh costs from that moment of the floor on; () while there is nothing to read."""
        try:
            changed_at = self._path.stat().st_mtime_ns
            if changed_at != self._read_at:
                self._read_at = changed_at
                self._steps = read_steps(self._path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ReadError) as error:
            if self._read_at != self._told_at:
                self._told_at = self._read_at
                _log.warning("energy prices: %s: %s; the last ones hold", self._path, error)
        return curve_from(self._steps, at_ms / 1000) if self._steps else ()


def house(settings: PlanningEntry, folder: Path) -> House:
    """Rules of the house, as the settings (checked when they were read) say."""
    change_min = settings.change_over_min
    return House(
        shifts=tuple(read_shift(text) for text in settings.shifts),
        zone=ZoneInfo(settings.timezone),
        change_s=None if change_min is None else 60 * change_min,
        wait_bound_s=3600 * settings.wait_bound_h,
        waste=Waste(10 * settings.margin_percent, 1000 * settings.remnant_g),
        energy=Prices(folder / settings.energy) if settings.energy else alike,
    )

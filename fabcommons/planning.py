"""The planner a site is given, from its settings."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo

from controller import resources
from controller.adapters.site_file import PlanningEntry
from controller.joints.changeovers import House
from controller.joints.rolling import Rolling
from controller.scheduling.shifts import read_shift
from controller.scheduling.spools import Waste
from controller.scheduling.worker import Limits, Worker

SEARCH_LATE_S = 20.0  # a search takes a CPU second; one that takes longer than this hangs


def make_planner(settings: PlanningEntry) -> Rolling:
    """The rule at once, and a search beside it in a process that may die."""
    worker = Worker(time.monotonic, Limits(SEARCH_LATE_S)) if settings.search else None
    return Rolling(resources.why_not, house(settings), worker)


def house(settings: PlanningEntry) -> House:
    """Rules of the house, as the settings (checked when they were read) say."""
    change_min = settings.change_over_min
    return House(
        shifts=tuple(read_shift(text) for text in settings.shifts),
        zone=ZoneInfo(settings.timezone),
        change_s=None if change_min is None else 60 * change_min,
        wait_bound_s=3600 * settings.wait_bound_h,
        waste=Waste(10 * settings.margin_percent, 1000 * settings.remnant_g),
    )

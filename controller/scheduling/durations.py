"""How long an operation really takes: learned from reports, with its error, from three on.

Nearest evidence first: runs of the same step of the same design on the same machine; else what runs
of the process took beyond what was stated, on that machine, then on any (heating, homing, slow
corners); else what the design states. All are medians: one wild report moves none of them.
"""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

ENOUGH = 3
LAST = 50  # runs of one kind that are looked at, newest first
NORMAL = 1.4826  # median absolute deviation to standard deviation of a normal distribution


class Estimate(NamedTuple):
    """Seconds, half-width of the usual spread, reports it rests on, and what they were of."""

    seconds: int
    spread_s: int
    reports: int
    source: str = "stated"


class Report(NamedTuple):
    """One measured run, and what had been stated for it."""

    design: str
    process: str
    step: str
    machine: str
    stated_s: int
    measured_s: int


def estimate(stated_s: int, measured_s: Sequence[int]) -> Estimate:
    """Median and spread of the measured seconds; the stated seconds while reports are too few."""
    if len(measured_s) < ENOUGH:
        return Estimate(stated_s, 0, len(measured_s))
    middle = median(measured_s)
    spread = NORMAL * median(abs(one - middle) for one in measured_s)
    return Estimate(round(middle), round(spread), len(measured_s), "runs")


class Learned:
    """What reports (newest first) teach about coming runs."""

    def __init__(self, reports: Iterable[Report]) -> None:
        self._own: dict[tuple[str, ...], list[int]] = {}
        self._beyond: dict[tuple[str, ...], list[int]] = {}
        for one in reports:
            beyond_s = one.measured_s - one.stated_s
            own = (one.design, one.process, one.step, one.machine)
            _add(self._own, own, one.measured_s)
            _add(self._beyond, (one.process, one.machine), beyond_s)
            _add(self._beyond, (one.process,), beyond_s)

    def of(self, operation: tuple[str, str, str], machine: str, stated_s: int) -> Estimate:
        """The estimate of (design, process, step) on a machine; at least a second."""
        own = self._own.get((*operation, machine), [])
        if len(own) >= ENOUGH:
            return estimate(stated_s, own)
        process = operation[1]
        for key, source in (((process, machine), machine), ((process,), process)):
            beyond = self._beyond.get(key, [])
            if len(beyond) >= ENOUGH:
                found = estimate(0, beyond)
                seconds = max(1, stated_s + found.seconds)
                return Estimate(seconds, found.spread_s, found.reports, f"runs on {source}")
        return Estimate(max(1, stated_s), 0, len(own))


def _add(lists: dict[tuple[str, ...], list[int]], key: tuple[str, ...], value: int) -> None:
    known = lists.setdefault(key, [])
    if len(known) < LAST:
        known.append(value)


def in_words(estimated: Estimate) -> str:
    """For people: "42 min ± 3 min (8 runs)", or "about 42 min (stated)"."""
    minutes = -(-estimated.seconds // 60)
    if estimated.reports < ENOUGH:
        return f"about {minutes} min (stated)"
    reports = f"{estimated.reports} {estimated.source}"
    return f"{minutes} min ± {-(-estimated.spread_s // 60)} min ({reports})"

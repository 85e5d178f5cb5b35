"""How long an operation really takes: learned from reports, with its error, from three on."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

ENOUGH = 3
NORMAL = 1.4826  # median absolute deviation to standard deviation of a normal distribution


class Estimate(NamedTuple):
    """Seconds, half-width of the usual spread in seconds, and how many reports it rests on."""

    seconds: int
    spread_s: int
    reports: int


def estimate(stated_s: int, measured_s: Sequence[int]) -> Estimate:
    """Median and spread of the measured seconds; the stated seconds while reports are too few.

    One wild report moves neither: both are medians.
    """
    if len(measured_s) < ENOUGH:
        return Estimate(stated_s, 0, len(measured_s))
    middle = median(measured_s)
    spread = NORMAL * median(abs(one - middle) for one in measured_s)
    return Estimate(round(middle), round(spread), len(measured_s))


def in_words(estimated: Estimate) -> str:
    """For people: "42 min ± 3 min (8 runs)", or "about 42 min (stated)"."""
    minutes = -(-estimated.seconds // 60)
    if estimated.reports < ENOUGH:
        return f"about {minutes} min (stated)"
    return f"{minutes} min ± {-(-estimated.spread_s // 60)} min ({estimated.reports} runs)"

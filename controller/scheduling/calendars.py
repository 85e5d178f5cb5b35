"""Closed windows: the earliest time a piece of work fits between them; spans in words."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from controller.scheduling.problem import Window


def merged(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Sorted, non-empty, non-touching windows that close the same times."""
    out: list[Window] = []
    for start, end in sorted(windows):
        if end <= start:
            continue
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return tuple(out)


def earliest_fit(at_s: int, length_s: int, closed: Sequence[Window]) -> int:
    """Earliest start >= ``at_s`` of ``length_s`` without pause; ``closed`` comes from merged."""
    if not closed:
        return at_s
    i = max(bisect_right(closed, (at_s, 1 << 62)) - 1, 0)
    for start, end in closed[i:]:
        if end <= at_s:
            continue
        if start >= at_s + max(length_s, 1):
            break
        at_s = end
    return at_s


def in_words(seconds: int) -> str:
    """A time span for people: "now", "in 40 min", "in 3 h 20 min", "in 2 d 4 h"."""
    minutes = -(-seconds // 60)
    if minutes <= 0:
        return "now"
    if minutes < 60:
        return f"in {minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"in {hours} h {minutes} min" if minutes else f"in {hours} h"
    days, hours = divmod(hours, 24)
    return f"in {days} d {hours} h" if hours else f"in {days} d"

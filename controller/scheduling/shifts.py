"""Operators' shifts: "mon-fri 08:00-17:00" to the windows when nobody is on the floor.

A shift past midnight ("22:00-06:00") belongs to the day it begins on. Times are local to the zone.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from controller.scheduling.calendars import merged
from controller.scheduling.errors import ReadError
from controller.scheduling.problem import Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d):(\d\d)-(\d\d):(\d\d)")


class Shift(NamedTuple):
    """Weekdays (0 = Monday) and minutes of the day from begin to end (past midnight > 1440)."""

    days: frozenset[int]
    begin_min: int
    end_min: int


def read_shift(text: str) -> Shift:
    """A shift from its words; ReadError says what is wrong."""
    found = _FORM.fullmatch(text.strip().lower())
    if found is None:
        raise ReadError(f"{text!r} is no shift: write for example 'mon-fri 08:00-17:00'")
    first, last = found[1], found[2] or found[1]
    if first not in DAYS or last not in DAYS:
        raise ReadError(f"{text!r}: days are {', '.join(DAYS)}")
    begin = 60 * int(found[3]) + int(found[4])
    end = 60 * int(found[5]) + int(found[6])
    if begin >= 1440 or end > 1440:
        raise ReadError(f"{text!r}: times are between 00:00 and 24:00")
    one, other = DAYS.index(first), DAYS.index(last)
    days = {(one + i) % 7 for i in range((other - one) % 7 + 1)}
    return Shift(frozenset(days), begin, end if end > begin else end + 1440)


def unstaffed(
    shifts: Iterable[Shift], zone: tzinfo, at_ms: int, horizon_s: int
) -> tuple[Window, ...]:
    """Windows without anybody, seconds from ``at_ms``; none when there are no shifts at all."""
    known = tuple(shifts)
    if not known:
        return ()
    here = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    staffed: list[Window] = []
    for day in range(-1, horizon_s // 86_400 + 2):
        begin = midnight + timedelta(days=day)
        for shift in known:
            if begin.weekday() in shift.days:
                span = (begin + timedelta(minutes=m) for m in (shift.begin_min, shift.end_min))
                start, end = (int(t.timestamp()) - at_ms // 1000 for t in span)
                staffed.append((start, end))
    return tuple(_gaps(merged(staffed), horizon_s))


def _gaps(staffed: tuple[Window, ...], horizon_s: int) -> Iterable[Window]:
    at = 0
    for start, end in staffed:
        if start > at:
            yield at, min(start, horizon_s)
        at = max(at, end)
        if at >= horizon_s:
            return
    if at < horizon_s:
        yield at, horizon_s

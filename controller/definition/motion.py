"""Where a program goes and how long that takes: modal motion of Marlin and GRBL programs.

An estimate: every move at its feed, no acceleration. Lengths are mm inside, um outside. Sources:
NIST RS274NGC 3 section 3.5 (G0 to G3, G17 to G19, G20, G21, G90 to G94), GRBL 1.1 ``gcode.c``.
"""

import math
from collections.abc import Mapping

INCH_MM = 25.4
RAPID_MM_MIN = 3000.0
_ARC_SLACK_MM, _ARC_ALWAYS_MM = 0.005, 0.5  # GRBL 1.1 gcode.c, error:33
_PLANES = {17: (0, 1, 2, "IJ"), 18: (2, 0, 1, "KI"), 19: (1, 2, 0, "JK")}
_TURN = 2 * math.pi

Words = Mapping[str, float]


# GRBL 1.1 gcode.c: every other code is error:20, every other word too.
_GRBL_G = {
    0, 1, 2, 3, 4, 17, 18, 19, 20, 21, 28, 30, 38.2, 38.3, 38.4, 38.5, 40, 43.1, 49, 53, 54, 55,
    56, 57, 58, 59, 61, 80, 90, 91, 91.1, 92, 92.1, 93, 94,
}  # fmt: skip
_GRBL_M = {0, 1, 2, 3, 4, 5, 7, 8, 9, 30}
_GRBL_WORDS = set("FIJKLMNPRSTXYZ")


class MotionError(Exception):
    """A move that has no meaning; the message says why."""


class Motion:
    """Follows a program word by word; ``seconds`` and ``box`` are what it found so far."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.moves = 0
        self.low = [math.inf] * 3
        self.high = [-math.inf] * 3
        self._scale = 1.0
        self._relative = False
        self._inverse_time = False
        self._plane = 17
        self._mode: int | None = None
        self._feed = 0.0
        self._at = [0.0, 0.0, 0.0]

    def feed(self, codes: list[float], words: Words) -> None:
        """Take one line: its G codes in order, and its other words; raise MotionError."""
        other = False
        for code in codes:
            other = self._modal(code) or other
        if "F" in words:
            self._feed = words["F"] * (1.0 if self._inverse_time else self._scale)
        if 4.0 in codes:
            self.seconds += _dwell(words)
        elif 92.0 in codes:
            self._rename(words)
        elif other:
            return
        elif any(axis in words for axis in "XYZ") or (self._mode in (2, 3) and _has_centre(words)):
            self._move(words)

    def _modal(self, code: float) -> bool:
        """Take a modal code; say whether it takes the axis words for itself (G28, G53, ...)."""
        if code in (0.0, 1.0, 2.0, 3.0):
            self._mode = int(code)
        elif code in _PLANES:
            self._plane = int(code)
        elif code in (20.0, 21.0):
            self._scale = INCH_MM if code == 20.0 else 1.0
        elif code in (90.0, 91.0):
            self._relative = code == 91.0
        elif code in (93.0, 94.0):
            self._inverse_time = code == 93.0
        else:
            return code in (10.0, 28.0, 29.0, 30.0, 53.0)
        return False

    def _rename(self, words: Words) -> None:
        for axis, name in enumerate("XYZ"):
            if name in words:
                self._at[axis] = words[name] * self._scale

    def _target(self, words: Words) -> list[float]:
        target = list(self._at)
        for axis, name in enumerate("XYZ"):
            if name in words:
                value = words[name] * self._scale
                target[axis] = target[axis] + value if self._relative else value
        return target

    def _move(self, words: Words) -> None:
        if self._mode is None:
            return
        start, end = self._at, self._target(words)
        self._at = end
        arc = self._mode in (2, 3)
        length = self._arc(start, end, words) if arc else math.dist(start, end)
        self.moves += 1
        self._reach(end)
        self.seconds += self._time(length, words)

    def _time(self, length: float, words: Words) -> float:
        if self._mode != 0 and self._inverse_time:
            return 60.0 / words["F"] if words.get("F", 0.0) > 0 else 0.0
        rate = self._feed if self._mode != 0 and self._feed > 0 else RAPID_MM_MIN
        return 60.0 * length / rate

    def _reach(self, point: list[float]) -> None:
        for axis, value in enumerate(point):
            self.low[axis] = min(self.low[axis], value)
            self.high[axis] = max(self.high[axis], value)

    def _arc(self, start: list[float], end: list[float], words: Words) -> float:
        """Length of an arc or helix; the box grows by what it bulges out."""
        first, second, third, offsets = _PLANES[self._plane]
        here, there = (start[first], start[second]), (end[first], end[second])
        if "R" in words:
            centre = _centre(here, there, words["R"] * self._scale, self._mode == 2)
        elif any(name in words for name in offsets):
            centre = (
                here[0] + words.get(offsets[0], 0.0) * self._scale,
                here[1] + words.get(offsets[1], 0.0) * self._scale,
            )
        else:
            raise MotionError("an arc needs a centre (I, J, K) or a radius (R)")
        radius = math.dist(here, centre)
        odd = abs(radius - math.dist(there, centre))
        if odd > _ARC_ALWAYS_MM or odd > max(_ARC_SLACK_MM, 1e-3 * radius):
            raise MotionError("an arc does not end on its circle")
        begin, sweep = _sweep(here, there, centre, self._mode == 2)
        for quarter in _quarters(begin, sweep):
            point = list(end)
            point[first] = centre[0] + radius * math.cos(quarter)
            point[second] = centre[1] + radius * math.sin(quarter)
            self._reach(point)
        return math.hypot(radius * abs(sweep), end[third] - start[third])


def unknown_command(name: str) -> str:
    """Why GRBL 1.1 would refuse a G or M command, "" when it takes it."""
    known = _GRBL_G if name.startswith("G") else _GRBL_M
    return "" if float(name[1:]) in known else f"{name} is not a command of GRBL 1.1"


def unknown_to_grbl(words: Words) -> str:
    """Why GRBL 1.1 would refuse the words of a line, "" when it takes them."""
    for letter in words:
        if letter not in _GRBL_WORDS:
            return f"{letter} is not a word of GRBL 1.1"
    return ""


def _has_centre(words: Words) -> bool:
    return any(name in words for name in "IJKR")


def _dwell(words: Words) -> float:
    seconds = words.get("S", words.get("P", 0.0))
    return min(max(seconds, 0.0), 3600.0)


def _centre(
    here: tuple[float, float], there: tuple[float, float], radius: float, clockwise: bool
) -> tuple[float, float]:
    """Centre of an arc by radius; a negative one means the long way round (GRBL gcode.c)."""
    x, y = there[0] - here[0], there[1] - here[1]
    chord = math.hypot(x, y)
    if chord == 0.0:
        raise MotionError("an arc by radius needs two different ends")
    rest = 4.0 * radius * radius - chord * chord
    if rest < -1e-3 * chord * chord:
        raise MotionError("the radius of an arc is too small to reach its end")
    height = -math.sqrt(max(rest, 0.0)) / chord
    if not clockwise:
        height = -height
    if radius < 0:
        height = -height
    return here[0] + 0.5 * (x - y * height), here[1] + 0.5 * (y + x * height)


def _sweep(
    here: tuple[float, float],
    there: tuple[float, float],
    centre: tuple[float, float],
    clockwise: bool,
) -> tuple[float, float]:
    """Angle at which an arc begins, and how far it turns; equal ends make a full circle."""
    begin = math.atan2(here[1] - centre[1], here[0] - centre[0])
    sweep = math.atan2(there[1] - centre[1], there[0] - centre[0]) - begin
    if clockwise and sweep >= -1e-9:
        sweep -= _TURN
    elif not clockwise and sweep <= 1e-9:
        sweep += _TURN
    return begin, sweep


def _quarters(begin: float, sweep: float) -> list[float]:
    """Multiples of a right angle that an arc passes."""
    low, high = sorted((begin, begin + sweep))
    quarter = math.pi / 2
    return [n * quarter for n in range(math.ceil(low / quarter), math.floor(high / quarter) + 1)]

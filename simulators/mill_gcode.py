"""GRBL's G-code: one line checked against the modes in force, or the error code it deserves.

Integers in millionths of mm throughout (nm). Source: gnea/grbl 1.1h ``grbl/gcode.c`` and the
behaviour of its error codes in ``doc/markdown/interface.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import hypot, sqrt

from protocols.errors import WireError
from protocols.gcode import SCALE, words

AXES = "XYZ"
_MAX_LINE_NUMBER = 10_000_000
_MAX_TOOL = 255

# G code in hundredths: modal group (NIST RS274NGC 3 table 4)
_G_GROUPS: dict[int, int] = {
    **dict.fromkeys((400, 1000, 2800, 2810, 3000, 3010, 5300, 9200, 9210), 0),
    **dict.fromkeys((0, 100, 200, 300, 3820, 3830, 3840, 3850, 8000), 1),
    **dict.fromkeys((1700, 1800, 1900), 2),
    **dict.fromkeys((9000, 9100), 3),
    **dict.fromkeys((9110,), 4),
    **dict.fromkeys((9300, 9400), 5),
    **dict.fromkeys((2000, 2100), 6),
    **dict.fromkeys((4000,), 7),
    **dict.fromkeys((4310, 4900), 8),
    **dict.fromkeys((5400, 5500, 5600, 5700, 5800, 5900), 12),
    **dict.fromkeys((6100,), 13),
}
_G_FAMILIES = (28, 30, 38, 43, 61, 90, 91, 92)  # their unknown fractions are error 20, not 23
_AXIS_KINDS = {
    **dict.fromkeys((1000, 2800, 3000, 9200), "non-modal"),
    **dict.fromkeys((0, 100, 200, 300, 3820, 3830, 3840, 3850), "motion"),
    **dict.fromkeys((4310, 4900), "tool length"),
}
_M_GROUPS: dict[int, str] = {
    **dict.fromkeys((0, 1, 2, 30), "flow"),
    **dict.fromkeys((3, 4, 5), "spindle"),
    **dict.fromkeys((7, 8, 9), "coolant"),
}
_PLANES = {17: (0, 1, 2), 18: (2, 0, 1), 19: (1, 2, 0)}


class GrblError(Exception):
    """The line is refused. Attribute: code, as in ``error:code``."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Modes:
    """Modal state of the parser, as ``$G`` tells it."""

    motion: int = 0
    plane: int = 17
    units: int = 21
    distance: int = 90
    feed_mode: int = 94
    wcs: int = 54
    spindle: int = 5
    coolant: frozenset[int] = frozenset()
    tool: int = 0
    feed: int = 0
    speed: int = 0

    def copy(self) -> Modes:
        """The same modes, apart."""
        made = Modes.__new__(Modes)
        made.__dict__.update(self.__dict__)
        return made

    def text(self) -> str:
        """Modes as inside ``[GC:...]``."""
        fraction = f".{self.motion % 100 // 10}" if self.motion % 100 else ""
        motion = f"G{self.motion // 100}{fraction}"
        coolant = " ".join(f"M{m}" for m in sorted(self.coolant)) or "M9"
        feed = self.feed // SCALE
        return (
            f"{motion} G{self.wcs} G{self.plane} G{self.units} G{self.distance} G{self.feed_mode} "
            f"M{self.spindle} {coolant} T{self.tool} F{feed} S{self.speed // SCALE}"
        )


@dataclass
class Parsed:
    """One checked line: the modes after it, and what it asks to do."""

    modes: Modes
    non_modal: int | None = None
    flow: int | None = None
    axis_kind: str | None = None
    tool_length: int | None = None
    values: dict[str, int] = field(default_factory=dict[str, int])

    def axis(self, letter: str) -> int | None:
        """Axis or offset word as nm, None when absent."""
        value = self.values.get(letter)
        if value is None:
            return None
        return value * 254 // 10 if self.modes.units == 20 else value

    @property
    def has_axes(self) -> bool:
        """Say whether the line has X, Y or Z."""
        return any(a in self.values for a in AXES)


class _Reader:
    """Sorts the words of one line into commands and values."""

    def __init__(self, modes: Modes) -> None:
        self.out = Parsed(modes.copy())
        self._groups: set[int | str] = set()

    def group(self, group: int | str) -> None:
        if group in self._groups:
            raise GrblError(21)
        self._groups.add(group)

    def g(self, value: int) -> None:
        code = (value + SCALE // 200) * 100 // SCALE
        group = _G_GROUPS.get(code)
        if group is None:
            whole = code // 100
            known = whole * 100 in _G_GROUPS and whole not in _G_FAMILIES
            raise GrblError(23 if known else 20)
        kind = _AXIS_KINDS.get(code)
        if kind is not None:
            if self.out.axis_kind is not None:
                raise GrblError(24)
            self.out.axis_kind = kind
        self.group(group)
        self._set(group, code)

    def _set(self, group: int, code: int) -> None:
        names = {2: "plane", 3: "distance", 5: "feed_mode", 6: "units", 12: "wcs"}
        if group == 0:
            self.out.non_modal = code
        elif group == 1:
            self.out.modes.motion = code
        elif group == 8:
            self.out.tool_length = code
        elif group in names:
            setattr(self.out.modes, names[group], code // 100)

    def m(self, value: int) -> None:
        if value % SCALE:
            raise GrblError(23)
        code = value // SCALE
        group = _M_GROUPS.get(code)
        if group is None:
            raise GrblError(20)
        self.group(group)
        if group == "flow":
            self.out.flow = None if code == 1 else code
        elif group == "spindle":
            self.out.modes.spindle = code
        elif code == 9:
            self.out.modes.coolant = frozenset()
        else:
            self.out.modes.coolant |= {code}

    def value(self, letter: str, value: int) -> None:
        if letter not in "FIJKLNPRSTXYZ":
            raise GrblError(20)
        if letter == "T" and value > _MAX_TOOL * SCALE:
            raise GrblError(38)
        if letter in self.out.values:
            raise GrblError(25)
        if letter in "FNPTS" and value < 0:
            raise GrblError(4)
        self.out.values[letter] = value


def _read(modes: Modes, text: str) -> Parsed:
    try:
        line = words(text)
    except WireError as error:
        raise GrblError(1 if "expected" in error.message else 2) from error
    reader = _Reader(modes)
    for letter, value in line:
        if value is None:
            raise GrblError(2)
        if letter == "G":
            reader.g(value)
        elif letter == "M":
            reader.m(value)
        else:
            reader.value(letter, value)
    return reader.out


def _check_feed(p: Parsed, before: Modes, used: set[str]) -> None:
    used.update("FNST")
    if p.values.get("N", 0) > _MAX_LINE_NUMBER * SCALE:
        raise GrblError(27)
    modes = p.modes
    if "F" in p.values:
        feed = p.values["F"]
        modes.feed = feed * 254 // 10 if modes.units == 20 and modes.feed_mode == 94 else feed
    elif modes.feed_mode == 93 or before.feed_mode == 93:
        modes.feed = 0
    modes.speed = p.values.get("S", modes.speed)
    modes.tool = p.values.get("T", modes.tool * SCALE) // SCALE


def _check_g10(p: Parsed, used: set[str]) -> None:
    if not p.has_axes:
        raise GrblError(26)
    if "P" not in p.values or "L" not in p.values:
        raise GrblError(28)
    if p.values["P"] // SCALE > 6:
        raise GrblError(29)
    if p.values["L"] // SCALE not in (2, 20) or (p.values["L"] // SCALE == 2 and "R" in p.values):
        raise GrblError(20)
    used.update("LPXYZ")


def _check_non_modal(p: Parsed, used: set[str]) -> None:
    code = p.non_modal
    if code == 400:
        if "P" not in p.values:
            raise GrblError(28)
        used.add("P")
    elif code == 1000:
        _check_g10(p, used)
    elif code == 9200:
        if not p.has_axes:
            raise GrblError(26)
        used.update(AXES)
    elif code in (2800, 3000):
        used.update(AXES)
    elif code == 5300 and p.modes.motion not in (0, 100):
        raise GrblError(30)


def _check_tool_length(p: Parsed, used: set[str]) -> None:
    if p.axis_kind == "tool length":
        if p.tool_length == 4310 and [a for a in AXES if a in p.values] != ["Z"]:
            raise GrblError(37)
        used.update(AXES)


def arc_centre(p: Parsed, start: list[int], target: list[int]) -> tuple[float, float]:
    """Centre of a checked or unchecked arc in the plane's two axes, nm; raise GrblError."""
    a, b, _ = _PLANES[p.modes.plane]
    x, y = target[a] - start[a], target[b] - start[b]
    radius = p.axis("R")
    if radius is None:
        offsets = [p.axis("IJK"[i]) for i in (a, b)]
        if offsets == [None, None]:
            raise GrblError(35)
        i, j = [o or 0 for o in offsets]
        gap = abs(hypot(x - i, y - j) - hypot(i, j))
        if gap > 5000 and (gap > 500_000 or gap > hypot(i, j) / 1000):
            raise GrblError(33)
        return start[a] + i, start[b] + j
    if not x and not y:
        raise GrblError(33)
    high2 = 4.0 * radius * radius - x * x - y * y
    if high2 < 0:
        raise GrblError(34)
    side = -sqrt(high2) / hypot(x, y)
    if p.modes.motion == 300:
        side = -side
    if radius < 0:
        side = -side
    return start[a] + 0.5 * (x - y * side), start[b] + 0.5 * (y + x * side)


def _check_motion(p: Parsed, used: set[str]) -> None:
    motion = p.modes.motion
    if motion == 8000:
        if p.has_axes:
            raise GrblError(31)
        return
    used.update(AXES)
    if motion == 0:
        return
    if not p.modes.feed:
        raise GrblError(22)
    if motion in (200, 300):
        _check_arc(p, used)
    elif motion > 3800 and not p.has_axes:
        raise GrblError(26)


def _check_arc(p: Parsed, used: set[str]) -> None:
    a, b, _ = _PLANES[p.modes.plane]
    if not p.has_axes:
        raise GrblError(26)
    if AXES[a] not in p.values and AXES[b] not in p.values:
        raise GrblError(32)
    if "R" in p.values:
        used.add("R")
    else:
        used.update(("IJK"[a], "IJK"[b]))


def plane_axes(modes: Modes) -> tuple[int, int, int]:
    """The two axes of the arc plane and the one across it."""
    return _PLANES[modes.plane]


def parse_line(modes: Modes, text: str) -> Parsed:
    """Check one line without spaces and comments; raise GrblError. The modes stay as they are."""
    p = _read(modes, text)
    if p.has_axes and p.axis_kind is None:
        p.axis_kind = "motion"
    used: set[str] = set()
    _check_feed(p, modes, used)
    _check_tool_length(p, used)
    _check_non_modal(p, used)
    if p.axis_kind == "motion":
        _check_motion(p, used)
    if set(p.values) - used:
        raise GrblError(36)
    return p

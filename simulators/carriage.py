"""A printer's axes: modes and limits of Marlin, words of G0-G3 and G92 to planned blocks.

Positions are integer nm in machine coordinates, E included. Source of the rules: Marlin 2.0
``gcode/gcode.cpp`` (axis_relative: G90 and G91 also switch E), ``module/motion.cpp`` (soft
endstops clamp), ``module/planner.cpp`` (classic jerk, axis limits, cold and long extrusion).
"""

from __future__ import annotations

from math import hypot, sqrt
from typing import TYPE_CHECKING

from simulators.motion import Arc, Block, Planner, arc_block, arc_of

if TYPE_CHECKING:
    from protocols.gcode import Words

NM = 1e-6  # mm per nm
LONGEST_EXTRUDE = 200_000_000  # Configuration.h EXTRUDE_MAXLENGTH, nm
_AXES = {"X": 0, "Y": 1, "Z": 2}


class Pull:
    """Filament a block pushes: nm, signed, of a tool. Tag of a block."""

    __slots__ = ("nm", "tool")

    def __init__(self, nm: int, tool: int) -> None:
        self.nm = nm
        self.tool = tool


class Carriage:
    """Programmed position and modes; makes blocks for the planner."""

    def __init__(self, planner: Planner, bed_um: tuple[int, int, int]) -> None:
        self.planner = planner
        self.reach = tuple([um * 1000 for um in bed_um])
        self.at = [0, 0, 0]
        self.shift = [0, 0, 0]
        self.e = 0
        self.relative = False
        self.e_relative = False
        self.homed = False
        self.tool = 0
        self.feed = 25.0
        self.feed_percent = 100
        self.flow_percent: dict[int, int] = {}
        self.max_speed = [500.0, 500.0, 12.0, 120.0]
        self.max_accel = [1000.0, 1000.0, 200.0, 5000.0]
        self.jerk = [10.0, 10.0, 0.2, 2.5]
        self.accel = {"print": 1500.0, "retract": 1500.0, "travel": 1500.0}
        self.trouble: str | None = None
        self.hot = True

    def _target(self, line: Words) -> tuple[int, int, int, int]:
        """Where the words lead: machine X, Y, Z and the change of E, all nm."""
        at, shift = self.at, self.shift
        target = [at[0], at[1], at[2]]
        pull = 0
        for letter, value in line:
            if value is None:
                continue
            if letter in _AXES:
                i = _AXES[letter]
                target[i] = at[i] + value if self.relative else value + shift[i]
            elif letter == "E":
                pull = value if self.e_relative else value - self.e
            elif letter == "F" and value > 0:
                self.feed = value * NM / 60
        if self.homed:
            target = [min(max(0, nm), far) for nm, far in zip(target, self.reach, strict=True)]
        self.e += pull
        return target[0], target[1], target[2], self._allowed(pull)

    def _allowed(self, pull: int) -> int:
        self.trouble = None
        if not pull:
            return 0
        if not self.hot:
            self.trouble = "cold"
            return 0
        if pull > LONGEST_EXTRUDE:
            self.trouble = "too long"
            return 0
        percent = self.flow_percent.get(self.tool, 100)
        return pull if percent == 100 else pull * percent // 100

    def linear(self, line: Words) -> Block | None:
        """Block of a G0 or G1; None when nothing moves."""
        x, y, z, pull = self._target(line)
        at = self.at
        delta = ((x - at[0]) * NM, (y - at[1]) * NM, (z - at[2]) * NM, pull * NM)
        self.at = [x, y, z]
        length = sqrt(delta[0] * delta[0] + delta[1] * delta[1] + delta[2] * delta[2])
        kind = "print" if pull and length else "travel"
        if length == 0:
            if not pull:
                return None
            length, kind = abs(delta[3]), "retract"
        block = Block(delta, length, self.feed * self.feed_percent / 100, self.accel[kind])
        return self._finish(block, pull)

    def _arc(self, line: Words, end: tuple[int, int], cw: bool) -> Arc | None:
        values = dict(line)
        start = (self.at[0] * NM, self.at[1] * NM)
        stop = (end[0] * NM, end[1] * NM)
        radius = (values.get("R") or 0) * NM
        if radius:
            dx, dy = stop[0] - start[0], stop[1] - start[1]
            gap = hypot(dx, dy)
            if not gap or gap > 2 * abs(radius) + 1e-6:
                return None
            high = sqrt(max(0.0, radius * radius - gap * gap / 4)) / gap
            side = high if cw != (radius > 0) else -high
            centre = ((start[0] + stop[0]) / 2 - dy * side, (start[1] + stop[1]) / 2 + dx * side)
        else:
            centre = (
                start[0] + (values.get("I") or 0) * NM,
                start[1] + (values.get("J") or 0) * NM,
            )
        arc = arc_of(start, centre, stop, cw)
        return arc if arc.radius > 1e-6 else None

    def arc(self, line: Words, cw: bool) -> Block | None:
        """Block of a G2 or G3 in the XY plane; None when it cannot be computed."""
        x, y, z, pull = self._target(line)
        arc = self._arc(line, (x, y), cw)
        if arc is None:
            self.e -= pull
            return None
        at = self.at
        delta = ((x - at[0]) * NM, (y - at[1]) * NM, (z - at[2]) * NM, pull * NM)
        self.at = [x, y, z]
        speed = self.feed * self.feed_percent / 100
        return self._finish(arc_block(arc, delta, speed, self.accel["print"]), pull)

    def _finish(self, block: Block, pull: int) -> Block:
        """Limit a block's speed and acceleration by its axes and its corner by their jerk."""
        speed, accel, worst = block.speed, block.accel, 0.0
        unit = block.units[0]
        for u, fastest, strongest, jerk in zip(
            unit, self.max_speed, self.max_accel, self.jerk, strict=True
        ):
            if u:
                share = abs(u)
                if speed * share > fastest:
                    speed = fastest / share
                if accel * share > strongest:
                    accel = strongest / share
                if share > worst * jerk:
                    worst = share / jerk
        block.speed, block.accel = speed, accel
        block.corner2 = self._corner(block, min(speed, 1 / worst))
        if pull:
            block.tag = Pull(pull, self.tool)
        return block

    def _corner(self, block: Block, safe: float) -> float:
        """Squared speed at which the corner before the block may be taken."""
        before = self.planner.last
        block.safe = safe
        if before is None:
            return 0.0
        v = min(block.speed, before.speed)
        for a, b, jerk in zip(before.units[1], block.units[0], self.jerk, strict=True):
            change = abs(a - b) * v
            if change > jerk:
                v *= jerk / change
        v = max(v, min(safe, before.safe))
        return v * v

    def set_here(self, line: Words) -> None:
        """G92: give the place a new name; nothing moves. Without words all axes are 0."""
        values = dict(line[1:]) or {"X": 0, "Y": 0, "Z": 0, "E": 0}
        for letter, value in values.items():
            if letter == "E":
                self.e = value or 0
            elif letter in _AXES:
                self.shift[_AXES[letter]] = self.at[_AXES[letter]] - (value or 0)

    def logical_um(self) -> dict[str, int]:
        """Programmed position as M114 reports it, um."""
        axes = {a: (self.at[i] - self.shift[i]) // 1000 for a, i in _AXES.items()}
        axes["E"] = self.e // 1000
        return axes

    def adopt(self, position: list[float]) -> None:
        """Take the place where the machine really stopped."""
        self.at = [round(mm / NM) for mm in position[:3]]

    def home_ms(self) -> float:
        """Time a G28 takes from here."""
        x, y, z = [abs(nm) * NM for nm in self.at]
        return (x / 50 + y / 50 + z / 5 + 4.0) * 1000

    def home(self) -> None:
        """Stand at the origin, homed."""
        self.at = [0, 0, 0]
        self.shift = [0, 0, 0]
        self.planner.position[:3] = [0.0, 0.0, 0.0]
        self.homed = True

"""A mill's axes: work offsets, checked lines to planned blocks, corner speeds, travel.

Positions are integer nm in machine coordinates. Source: gnea/grbl 1.1h ``grbl/planner.c`` (junction
deviation), ``motion_control.c`` (arcs), ``limits.c`` (soft limits).
"""

from __future__ import annotations

from math import sqrt

from protocols.gcode import SCALE
from simulators.mill_gcode import AXES, Parsed, arc_centre, plane_axes
from simulators.mill_settings import Settings
from simulators.motion import Arc, Block, Planner, arc_block, arc_of

_NM = 1e-6
# byte: (what it changes, by how much in percent; 0 goes back to 100); rapids are set, not changed
_OVERRIDES = {
    0x90: ("feed", 0),
    0x91: ("feed", 10),
    0x92: ("feed", -10),
    0x93: ("feed", 1),
    0x94: ("feed", -1),
    0x95: ("rapid", 100),
    0x96: ("rapid", 50),
    0x97: ("rapid", 25),
    0x99: ("spindle", 0),
    0x9A: ("spindle", 10),
    0x9B: ("spindle", -10),
    0x9C: ("spindle", 1),
    0x9D: ("spindle", -1),
}


class Cut:
    """Tag of a block: speed asked for in mm/s, whether it is a rapid, whether it cuts."""

    __slots__ = ("cutting", "rapid", "speed")

    def __init__(self, speed: float, rapid: bool, cutting: bool) -> None:
        self.speed = speed
        self.rapid = rapid
        self.cutting = cutting


class Axes:
    """Programmed position, offsets and overrides of a mill."""

    def __init__(self, planner: Planner, settings: Settings) -> None:
        self.planner = planner
        self.settings = settings
        self.at = [0, 0, 0]
        self.g92 = [0, 0, 0]
        self.tool_length = 0
        self.feed_percent = 100
        self.rapid_percent = 100
        self.spindle_percent = 100

    def offset(self, wcs: int) -> list[int]:
        """Machine position of the work origin, nm."""
        work = self.settings.offsets[f"G{wcs}"]
        out = [w * 1000 + g for w, g in zip(work, self.g92, strict=True)]
        out[2] += self.tool_length
        return out

    def target(self, p: Parsed) -> list[int]:
        """Where the axis words lead, machine nm."""
        target = list(self.at)
        if p.non_modal == 5300:
            offset, relative = [0, 0, 0], False
        else:
            offset, relative = self.offset(p.modes.wcs), p.modes.distance == 91
        for i, letter in enumerate(AXES):
            value = p.axis(letter)
            if value is not None:
                target[i] = self.at[i] + value if relative else value + offset[i]
        return target

    def outside(self, target: list[int]) -> bool:
        """Say whether soft limits forbid the target: travel is from -$130.. to 0."""
        if not self.settings.soft_limits:
            return False
        travel = [self.settings.values[n] for n in (130, 131, 132)]
        return any(not -far / _NM <= nm <= 0 for nm, far in zip(target, travel, strict=True))

    def block(self, p: Parsed, target: list[int], cutting: bool) -> Block | None:
        """Block of a checked motion; raise GrblError for an impossible arc."""
        motion = p.modes.motion
        delta = tuple([(t - a) * _NM for t, a in zip(target, self.at, strict=True)])
        rapid = motion == 0
        if motion in (200, 300):
            block = self._arc(p, target, delta)
        else:
            length = sqrt(sum(d * d for d in delta))
            block = Block(delta, length, 1.0, 1.0) if length else None
        if block is None:
            return None
        speed = p.modes.feed / SCALE / 60
        if p.modes.feed_mode == 93:
            speed *= block.length
        block.tag = Cut(speed, rapid, cutting and not rapid)
        self._limit(block)
        return block

    def _arc(self, p: Parsed, target: list[int], delta: tuple[float, ...]) -> Block | None:
        a, b, _ = plane_axes(p.modes)
        centre = [nm * _NM for nm in arc_centre(p, self.at, target)]
        start = (self.at[a] * _NM, self.at[b] * _NM)
        stop = (target[a] * _NM, target[b] * _NM)
        arc: Arc = arc_of(start, centre, stop, p.modes.motion == 200)
        arc = arc._replace(axes=(a, b))
        if arc.radius * abs(arc.sweep) <= 0:
            return None
        strongest = min(self.settings.values[120 + a], self.settings.values[120 + b])
        return arc_block(arc, delta, 1e9, strongest)

    def _limit(self, block: Block) -> None:
        """Speed, acceleration and corner of a block from the settings and overrides."""
        values = self.settings.values
        fastest, strongest = 1e9, 1e9
        for i, u in enumerate(block.units[0]):
            if u:
                fastest = min(fastest, values[110 + i] / 60 / abs(u))
                strongest = min(strongest, values[120 + i] / abs(u))
        if block.arc is not None:
            a, b = block.arc.axes
            strongest = min(values[120 + a], values[120 + b])
            fastest = min(values[110 + a] / 60, values[110 + b] / 60)
            fastest = min(fastest, sqrt(strongest * block.arc.radius))
        block.accel = strongest
        block.safe = fastest
        self.override(block)
        before = self.planner.last
        block.corner2 = 0.0 if before is None else self._corner(before, block)

    def override(self, block: Block) -> None:
        """Set a block's speed from what was asked for and the overrides in force."""
        cut = block.tag
        assert isinstance(cut, Cut)
        if cut.rapid:
            block.speed = block.safe * self.rapid_percent / 100
        else:
            block.speed = min(cut.speed * self.feed_percent / 100, block.safe)
        block.speed = max(block.speed, 0.001)

    def _corner(self, before: Block, block: Block) -> float:
        """Squared junction speed by junction deviation $11."""
        cosine = -sum(a * b for a, b in zip(before.units[1], block.units[0], strict=True))
        if cosine > 0.999999:
            return 0.0
        limit2 = min(block.speed, before.speed) ** 2
        if cosine < -0.999999:
            return limit2
        half = sqrt(0.5 * (1.0 - cosine))
        junction2 = block.accel * self.settings.values[11] * half / (1.0 - half)
        return min(limit2, junction2)

    def adopt(self, position: list[float]) -> None:
        """Take the place where the mill really stands."""
        self.at = [round(mm / _NM) for mm in position]

    def change_overrides(self, byte: int) -> None:
        """Obey an override byte for the blocks not yet in motion (config.h CMD_*_OVR_*)."""
        name, step = _OVERRIDES.get(byte, ("", 0))
        if name == "rapid":
            self.rapid_percent = step
        elif name == "feed":
            self.feed_percent = _percent(self.feed_percent, step)
        elif name == "spindle":
            self.spindle_percent = _percent(self.spindle_percent, step)
        for block in self.planner.blocks[1:]:
            self.override(block)


def _percent(now: int, step: int) -> int:
    return min(200, max(10, now + step)) if step else 100

"""What a mill does with a checked line of G-code, in GRBL's order (gcode.c, step 4)."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from protocols import grbl
from simulators.core import Work
from simulators.mill_gcode import AXES, Modes, Parsed
from simulators.motion import Block

if TYPE_CHECKING:
    from simulators.mill import Mill

_PROBE_MM = -20.0  # machine height at which a probe touches


def carry_out(mill: Mill, p: Parsed) -> Work | None:
    """Do a line at once and return None, or the work that waits for what it needs."""
    if mill.fast(p):
        _move(mill, p)
        return None
    return _in_order(mill, p)


def _move(mill: Mill, p: Parsed) -> None:
    target = mill.axes.target(p)
    block = mill.axes.block(p, target, mill.spindle != 5)
    if mill.axes.outside(target):
        mill.lock(2)
        return
    mill.modes = p.modes
    mill.axes.at = target
    if block is not None and not mill.check:
        mill.planner.add(block, mill.now)


def _in_order(mill: Mill, p: Parsed) -> Work:
    if p.axis_kind == "motion" and p.modes.motion in (200, 300):
        # an impossible arc is refused before anything happens
        mill.axes.block(p, mill.axes.target(p), cutting=False)
    if not mill.check:
        yield from _spindle_and_coolant(mill, p)
    yield from _non_modal(mill, p)
    if p.axis_kind == "motion":
        yield from _motion(mill, p)
    if mill.locked:
        return
    mill.modes = p.modes
    if p.flow is not None and not mill.check:
        yield from _flow(mill, p.flow)


def _motion(mill: Mill, p: Parsed) -> Work:
    if p.modes.motion > 3800 and p.modes.motion != 8000 and not mill.check:
        yield from _probe(mill, p)
    else:
        yield ("room", inf)
        _move(mill, p)


def _non_modal(mill: Mill, p: Parsed) -> Work:
    if p.non_modal == 400 and not mill.check:
        yield ("sync", inf)
        yield ("until", mill.now + p.values["P"] / 1000)
    elif p.non_modal == 1000:
        _set_work_offset(mill, p)
    elif p.non_modal in (2800, 3000):
        yield from _go_home(mill, p)
    _set_tool_length(mill, p)
    _set_here(mill, p)


def _spindle_and_coolant(mill: Mill, p: Parsed) -> Work:
    now = mill.modes
    if p.modes.spindle != now.spindle or (p.modes.speed != now.speed and now.spindle != 5):
        yield ("sync", inf)
        mill.turn_spindle(p.modes.spindle)
    if p.modes.coolant != now.coolant:
        yield ("sync", inf)
        mill.coolant = p.modes.coolant


def _flow(mill: Mill, flow: int) -> Work:
    yield ("sync", inf)
    if flow == 0:
        mill.program_pause()
        yield ("until", mill.now)
        return
    mill.turn_spindle(5)
    mill.coolant = frozenset()
    ended = Modes(units=mill.modes.units, motion=100, tool=mill.modes.tool)
    ended.feed, ended.speed = mill.modes.feed, mill.modes.speed
    mill.modes = ended
    mill.axes.feed_percent = mill.axes.rapid_percent = mill.axes.spindle_percent = 100
    mill.end_program()
    mill.say("[MSG:Pgm End]")


def _set_tool_length(mill: Mill, p: Parsed) -> None:
    if p.tool_length is not None:
        mill.axes.tool_length = (p.axis("Z") or 0) if p.tool_length == 4310 else 0


def _set_here(mill: Mill, p: Parsed) -> None:
    axes = mill.axes
    if p.non_modal == 9200:
        before = axes.offset(p.modes.wcs)
        for i, letter in enumerate(AXES):
            value = p.axis(letter)
            if value is not None:
                axes.g92[i] += axes.at[i] - before[i] - value
    elif p.non_modal == 9210:
        axes.g92 = [0, 0, 0]
    elif p.non_modal in (2810, 3010):
        name = "G28" if p.non_modal == 2810 else "G30"
        mill.settings.offsets[name] = [nm // 1000 for nm in axes.at]


def _set_work_offset(mill: Mill, p: Parsed) -> None:
    number = p.values["P"] // 1_000_000
    wcs = p.modes.wcs if number == 0 else 53 + number
    offset = mill.settings.offsets[f"G{wcs}"]
    for i, letter in enumerate(AXES):
        value = p.axis(letter)
        if value is None:
            continue
        if p.values["L"] == 2_000_000:
            offset[i] = value // 1000
        else:
            tool = mill.axes.tool_length if i == 2 else 0
            offset[i] = (mill.axes.at[i] - mill.axes.g92[i] - tool - value) // 1000


def _rapid_to(mill: Mill, p: Parsed, target: list[int]) -> Work:
    yield ("room", inf)
    motion, p.modes.motion = p.modes.motion, 0
    block = mill.axes.block(p, target, cutting=False)
    p.modes.motion = motion
    mill.axes.at = list(target)
    if block is not None and not mill.check:
        mill.planner.add(block, mill.now)


def _go_home(mill: Mill, p: Parsed) -> Work:
    if p.has_axes:
        yield from _rapid_to(mill, p, mill.axes.target(p))
    stored = mill.settings.offsets["G28" if p.non_modal == 2800 else "G30"]
    home = [um * 1000 for um in stored]
    if p.has_axes:
        home = [
            h if letter in p.values else a
            for letter, h, a in zip(AXES, home, mill.axes.at, strict=True)
        ]
    yield from _rapid_to(mill, p, home)


def _touches(start: list[int], target: list[int]) -> list[int] | None:
    """Where a straight probe touches the plane, nm; None when it does not reach it."""
    high = round(_PROBE_MM * 1e6)
    if not min(start[2], target[2]) <= high <= max(start[2], target[2]):
        return None
    drop = target[2] - start[2]
    part = (high - start[2]) / drop if drop else 0.0
    return [s + round((t - s) * part) for s, t in zip(start, target, strict=True)]


def _probe(mill: Mill, p: Parsed) -> Work:
    yield ("sync", inf)
    target = mill.axes.target(p)
    touched = _touches(mill.axes.at, target)
    end = target if touched is None else touched
    p.modes.motion, motion = 100, p.modes.motion
    block: Block | None = mill.axes.block(p, end, cutting=False)
    p.modes.motion = motion
    if block is not None:
        mill.axes.at = end
        mill.planner.add(block, mill.now)
        yield ("sync", inf)
    mill.probe = ([nm // 1000 for nm in end], touched is not None)
    if touched is None and motion in (3820, 3840):
        mill.fail(5)
    mill.say(grbl.write_reply(("prb", *mill.probe)))

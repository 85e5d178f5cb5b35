"""GRBL's ``$`` commands (system.c): reports, settings, homing, unlocking, check mode, jogging."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from protocols.gcode import number
from simulators import mill_settings
from simulators.core import Work
from simulators.mill_gcode import GrblError, parse_line
from simulators.motion import Block

if TYPE_CHECKING:
    from simulators.mill import Mill

_HOMING_MS = 12_000.0


def _needs_idle(mill: Mill, allow_alarm: bool) -> None:
    state = mill.state[0]
    if state != "Idle" and not (allow_alarm and state == "Alarm"):
        raise GrblError(8)


def _help(mill: Mill) -> None:
    mill.say(f"[HLP:{mill_settings.HELP}]")


def _list_settings(mill: Mill) -> None:
    _needs_idle(mill, allow_alarm=True)
    for line in mill.settings.lines():
        mill.say(line)


def _list_offsets(mill: Mill) -> None:
    axes = mill.axes
    g92 = [nm // 1000 for nm in axes.g92]
    for line in mill.settings.offset_lines(g92, axes.tool_length // 1000, mill.probe):
        mill.say(line)


def _list_modes(mill: Mill) -> None:
    mill.say(f"[GC:{mill.modes.text()}]")


def _list_build(mill: Mill) -> None:
    _needs_idle(mill, allow_alarm=True)
    mill.say(f"[VER:{mill_settings.VERSION}.{mill_settings.BUILD}:]")
    mill.say("[OPT:VM,15,128]")


def _list_startup(mill: Mill) -> None:
    for i, line in enumerate(mill.settings.startup):
        mill.say(f"$N{i}={line}")


def _check(mill: Mill) -> None:
    if mill.check:
        mill.say("[MSG:Disabled]")
        mill.leave_check()
        return
    _needs_idle(mill, allow_alarm=False)
    mill.check = True
    mill.say("[MSG:Enabled]")


def _unlock(mill: Mill) -> None:
    if mill.alarm:
        mill.say("[MSG:Caution: Unlocked]")
        mill.alarm = False


def _home(mill: Mill) -> Work:
    if not mill.settings.homing:
        raise GrblError(5)
    _needs_idle(mill, allow_alarm=True)
    return _homing(mill)


def _homing(mill: Mill) -> Work:
    mill.alarm = False
    mill.homing = True
    yield ("until", mill.now + _HOMING_MS)
    mill.homing = False
    pull_off = -mill.settings.values[27]
    mill.planner.position = [pull_off] * 3
    mill.axes.adopt(mill.planner.position)


def _sleep(mill: Mill) -> None:
    _needs_idle(mill, allow_alarm=True)
    mill.say("[MSG:Sleeping]")
    mill.sleeping = True


_COMMANDS: dict[str, Callable[[Mill], Work | None]] = {
    "$": _help,
    "$$": _list_settings,
    "$#": _list_offsets,
    "$G": _list_modes,
    "$I": _list_build,
    "$N": _list_startup,
    "$C": _check,
    "$X": _unlock,
    "$H": _home,
    "$SLP": _sleep,
}


def _jog(mill: Mill, text: str) -> Work | None:
    if mill.state[0] not in ("Idle", "Jog"):
        raise GrblError(8)
    modes = mill.modes
    before = modes.motion, modes.feed_mode, modes.feed
    modes.motion, modes.feed_mode, modes.feed = 100, 94, 0
    try:
        p = parse_line(modes, text)
    finally:
        modes.motion, modes.feed_mode, modes.feed = before
    if p.flow is not None or p.tool_length is not None or p.non_modal not in (None, 5300):
        raise GrblError(16)
    if p.modes.motion != 100 or p.modes.spindle != modes.spindle or not p.has_axes:
        raise GrblError(16)
    target = mill.axes.target(p)
    if mill.axes.outside(target):
        raise GrblError(15)
    block = mill.axes.block(p, target, cutting=False)
    if block is None:
        return None
    mill.jogging = True
    mill.axes.at = target
    if mill.planner.full:
        return _later(mill, block)
    mill.planner.add(block, mill.now)
    return None


def _later(mill: Mill, block: Block) -> Work:
    yield ("room", inf)
    mill.planner.add(block, mill.now)


def _write(mill: Mill, name: str, value: str) -> None:
    _needs_idle(mill, allow_alarm=True)
    if name in ("N0", "N1"):
        mill.settings.startup[int(name[1])] = value
        return
    if name == "RST":
        if value not in ("$", "#", "*"):
            raise GrblError(3)
        mill.say("[MSG:Restoring defaults]")
        return
    if not name.isdigit():
        raise GrblError(2)
    try:
        code = mill.settings.set(int(name), number(value) / 1_000_000)
    except ValueError:
        raise GrblError(2) from None
    if code:
        raise GrblError(code)


def system_command(mill: Mill, text: str) -> Work | None:
    """Run one ``$`` line; raise GrblError."""
    if text.startswith("$J="):
        return _jog(mill, text[3:])
    command = _COMMANDS.get(text)
    if command is not None:
        return command(mill)
    name, equals, value = text[1:].partition("=")
    if not equals:
        raise GrblError(3 if name.isdigit() else 2)
    _write(mill, name, value)
    return None

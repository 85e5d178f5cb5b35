"""A GRBL 1.1h mill that does not exist: bytes in, bytes out, on a virtual clock.

Source: gnea/grbl 1.1h ``doc/markdown/interface.md``, ``grbl/serial.c`` (real-time bytes),
``protocol.c`` (lines, suspend), ``system.c`` ($ commands), ``report.c``. As measured on the real
one: buffered lines run on after an ``error:N``; M0 shows Hold:0 and its ok comes after ``~``; a
dwell shows Idle; after ALARM:1 and ALARM:2 nothing answers until a reset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from protocols import grbl
from simulators.core import Core, Work
from simulators.faults import Fault
from simulators.mill_axes import Axes, Cut
from simulators.mill_commands import system_command
from simulators.mill_gcode import GrblError, Modes, Parsed, parse_line
from simulators.mill_hold import Hold
from simulators.mill_run import carry_out
from simulators.mill_settings import Settings
from simulators.mill_status import Reports, status_line
from simulators.motion import Block, Planner

_REALTIME = re.compile(rb"[\x18!?~\x80-\xff]")
_LINE_END = re.compile(rb"[\r\n]")
_COMMENT = re.compile(rb"\([^)]*\)?|;.*")
_DROPPED = bytes(range(32)) + b"/"  # protocol.c: control characters and block delete
_LINE_MAX = 256
_HOLDS = {0x21: "hold", 0x84: "door", 0x85: "hold"}
_COOLANT_TOGGLES = {0xA0: frozenset({8}), 0xA1: frozenset({7})}


@dataclass(frozen=True)
class MillConfig:
    """What kind of mill it is. homing: has limit switches, and must be homed when switched on."""

    name: str = "simulated mill"
    seed: int = 1
    homing: bool = False
    faults: tuple[str, ...] = ()


class Mill(Core):
    """One mill. Times are ms of the virtual clock, never backwards."""

    eol = b"\r\n"

    def __init__(self, config: MillConfig | None = None) -> None:
        self.config = config or MillConfig()
        super().__init__(self.config.faults, self.config.seed)
        self.settings = Settings(self.config.homing)
        self.programs_ended = 0
        self.spindle_starts = 0
        self.pieces = 0
        self.spindle_ms = 0.0
        self.cut_um = 0
        self.held = Hold(self)
        self._work_lines = 0
        self._spindle_since = 0.0
        self.alarm = self.config.homing
        self.spindle = 5
        self.planner = Planner(grbl.BLOCK_BUFFER_SIZE - 1, 3)
        self._start_over()

    def _start_over(self) -> None:
        """State after a soft reset: modes, buffers and overrides; the position stays."""
        position = self.planner.position
        self.planner = Planner(grbl.BLOCK_BUFFER_SIZE - 1, 3)
        self.planner.position = position
        self.axes = Axes(self.planner, self.settings)
        self.axes.adopt(position)
        self.modes = Modes()
        self.coolant: frozenset[int] = frozenset()
        self.check = False
        self.sleeping = False
        self.homing = False
        self.jogging = False
        self._piece_begun = False
        self.locked = False
        self.probe: tuple[list[int], bool] = ([0, 0, 0], False)
        self.held.forget()
        self._reset_due = False
        self.rx = bytearray()
        self._line = bytearray()
        self._work = None
        self._lose_ok = False
        self.reports = Reports()
        self.say("")
        self.say(grbl.write_reply(("banner", "grbl", "1.1h")))
        if self.alarm:
            self.say("[MSG:'$H'|'$X' to unlock]")
            return
        for line in filter(None, self.settings.startup):  # protocol.c: run after each reset
            self.modes = parse_line(self.modes, line).modes
            self.say(f">{line}:ok")

    # bytes -----------------------------------------------------------------------------------
    def reset(self, now_ms: float) -> None:
        """Switch it off and on: the position is forgotten."""
        self._reboot(now_ms)
        self._stop()
        self.planner.position = [0.0, 0.0, 0.0]
        self.alarm = self.settings.homing
        self._start_over()

    def press(self, now_ms: float) -> None:
        """Cycle start button."""
        self._run_to(now_ms)
        self.held.cycle_start()
        self._go_on()

    def _take(self, data: bytes) -> None:
        at = 0
        for found in _REALTIME.finditer(data):
            self._push(data[at : found.start()])
            at = found.end()
            self._realtime(data[found.start()])
        self._push(data[at:])

    def _push(self, data: bytes) -> None:
        for chunk in data.splitlines(keepends=True):
            if self.locked:
                return
            self.rx += chunk[: max(0, grbl.RX_BUFFER_SIZE - len(self.rx))]
            self._go_on()

    def _realtime(self, byte: int) -> None:
        if byte == 0x18:
            self._soft_reset()
        elif self.locked or self.homing:
            return
        elif byte == 0x3F:
            self.say(status_line(self))
        elif byte in _HOLDS:
            if byte != 0x85 or self.jogging:
                self.held.feed_hold(_HOLDS[byte])
        elif byte == 0x7E:
            self.held.cycle_start()
        elif byte == 0x9E:
            self.held.toggle_spindle()
        else:
            self.axes.change_overrides(byte)
            self.coolant ^= _COOLANT_TOGGLES.get(byte, frozenset())

    # motion ----------------------------------------------------------------------------------
    def _count(self, block: Block, length: float) -> None:
        if not isinstance(block.tag, Cut):
            return
        if block.tag.cutting:
            self.cut_um += round(length * 1000)
        if length and not block.tag.rapid and not self.jogging:
            self._begin_piece()

    def _begin_piece(self) -> None:
        """A piece is used up by the first turn of the spindle or feed move of a program."""
        if not self._piece_begun:
            self._piece_begun = True
            self.pieces += 1

    def end_program(self) -> None:
        """M2 or M30: what comes next is cut into another piece."""
        self.programs_ended += 1
        self._piece_begun = False

    def _ended(self, block: Block) -> None:
        self._count(block, block.length)
        if self.jogging and not self.planner.blocks:
            self.jogging = False

    def _stop(self) -> None:
        """Stop dead; spindle and coolant off."""
        part = self.planner.part_done(self.now)
        for block in self.planner.stop(self.now):
            self._count(block, block.length * part)
            part = 0.0
        self.turn_spindle(5)
        self.coolant = frozenset()

    def brake(self) -> float:
        """Slow down along the path; when it stands."""
        lengths = {id(block): (block, block.length) for block in self.planner.blocks}
        stands_at, _ = self.planner.hold(self.now)
        left = {id(block): block.length for block in self.planner.blocks}
        for key, (block, length) in lengths.items():
            self._count(block, length - left.get(key, 0.0))
        return stands_at

    def end_jog(self) -> None:
        """The jog was cancelled and stands."""
        self.planner.stop(self.now)
        self.axes.adopt(self.planner.position)
        self.jogging = False

    def program_pause(self) -> None:
        """M0: hold where it stands until cycle start."""
        self.held.pause()

    def _soft_reset(self) -> None:
        was_locked = self.locked
        if self.homing:
            self._raise(6)
        elif self.planner.blocks and not self.held.stands and not was_locked:
            self._raise(3)
        self._stop()
        if was_locked:
            self.say("ok")
        self._start_over()

    def _raise(self, code: int) -> None:
        self.alarm = True
        self.say(grbl.write_reply(("alarm", code)))

    def lock(self, code: int) -> None:
        """Critical alarm: stop, and answer nothing until a reset."""
        self._stop()
        self._raise(code)
        self.say("[MSG:Reset to continue]")
        self.axes.adopt(self.planner.position)
        self._work = None
        self.held.hold = ""
        self.locked = True

    def fail(self, code: int) -> None:
        """Alarm that leaves the mill talking (probe)."""
        self._stop()
        self._raise(code)

    def leave_check(self) -> None:
        """End check mode by a reset, which comes after the line's ok (system.c, protocol.c)."""
        self._reset_due = True

    def spinning_ms(self) -> float:
        """How long the spindle has been turning."""
        return self.now - self._spindle_since

    def turn_spindle(self, mode: int) -> None:
        """M3, M4 or M5, now."""
        if mode != 5 and self.spindle == 5:
            self.spindle_starts += 1
            self._begin_piece()
            self._spindle_since = self.now
        elif mode == 5 and self.spindle != 5:
            self.spindle_ms += self.now - self._spindle_since
        self.spindle = mode

    # time and commands -----------------------------------------------------------------------
    def _timer_ms(self) -> float:
        return self.held.next_ms()

    def _on_time(self) -> None:
        self.held.on_time()

    def _halted(self) -> bool:
        return self.locked or bool(self.held.hold) or self.sleeping

    def _next_command(self) -> bool:
        rx = self.rx
        found = _LINE_END.search(rx)
        if found is None:
            self._line += rx[: _LINE_MAX - len(self._line)]
            rx.clear()
            return False
        raw = bytes(self._line + rx[: found.start()])
        self._line.clear()
        del rx[: found.end()]
        self.lines += 1
        self._work_lines += not self.check  # faults count what a dry run does not
        if self.check or self._line_faults(self._work_lines):
            text = _COMMENT.sub(b"", raw).translate(None, _DROPPED).upper().decode("ascii")
            self._run(text.strip())
        return True

    def _run(self, text: str) -> None:
        try:
            if len(text) - text.count(" ") >= grbl.LINE_BUFFER_SIZE:
                raise GrblError(11)
            work = self._start(text)
        except GrblError as error:
            self._reply(f"error:{error.code}")
            return
        if work is not None:
            self._begin(work)
        elif not self.locked:
            self._answer()

    def _start(self, text: str) -> Work | None:
        if not text:
            return None
        if text[0] == "$":
            return system_command(self, text.replace(" ", ""))
        if self.alarm or self.jogging:
            raise GrblError(9)
        return carry_out(self, parse_line(self.modes, text))

    def _resume(self, work: Work) -> None:
        try:
            super()._resume(work)
        except GrblError as error:
            self._work = None
            self._reply(f"error:{error.code}")

    def _answer(self) -> None:
        self._reply("ok")
        if self._reset_due:
            self._start_over()

    def _reply(self, text: str) -> None:
        if not self._lose_ok:
            self.say(text)
        self._lose_ok = False

    def fast(self, p: Parsed) -> bool:
        """Say whether a checked line is a plain motion that can be planned at once."""
        modes = self.modes
        return (
            p.axis_kind == "motion"
            and p.modes.motion <= 300
            and p.non_modal is None
            and p.flow is None
            and p.modes.spindle == modes.spindle
            and p.modes.coolant == modes.coolant
            and p.modes.speed == modes.speed
            and not self.planner.full
        )

    # status ----------------------------------------------------------------------------------
    @property
    def state(self) -> tuple[str, int | None]:
        """State and sub-state as the status report says them."""
        named = ((self.sleeping, "Sleep"), (self.homing, "Home"), (self.alarm, "Alarm"))
        for on, name in named:
            if on:
                return name, None
        held = self.held.state()
        if held is not None:
            return held
        if self.check:
            return "Check", None
        if self.planner.blocks:
            return ("Jog" if self.jogging else "Run"), None
        return "Idle", None

    # faults ----------------------------------------------------------------------------------
    def _happens(self, fault: Fault) -> bool:
        if fault.name == "drop_ok":
            self._lose_ok = True
        elif fault.name == "door":
            self.held.open_door(fault.for_ms)
        elif fault.name == "hard_limit":
            self.lock(1)
            return False
        elif fault.name == "reset":
            self.reset(self.now)
            return False
        return True

    def truth(self) -> dict[str, object]:
        """What the machine physically did since it was made."""
        running = self.now - self._spindle_since if self.spindle != 5 else 0.0
        return {
            "programs_ended": self.programs_ended,
            "spindle_starts": self.spindle_starts,
            "pieces": self.pieces,
            "spindle_ms": round(self.spindle_ms + running),
            "cut_um": self.cut_um,
            "early_moves": self.held.early_moves,
            "moves": self.moves,
            "lines": self.lines,
            "faults": list(self.faults.happened),
        }

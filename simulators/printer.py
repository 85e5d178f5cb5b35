"""A Marlin printer that does not exist: bytes in, bytes out, on a virtual clock.

Source: Marlin 2.0 ``gcode/queue.cpp`` (ok), ``gcode/gcode.cpp`` (busy), ``feature/e_parser.h``
(emergency commands), ``MarlinCore.cpp`` (kill). Commands may wait for ``("person", inf)``, a
button, or ``("heat", ms)``, a time that a button cuts short.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from protocols import marlin
from protocols.errors import WireError
from protocols.gcode import words
from simulators.card import Card
from simulators.carriage import Carriage, Pull
from simulators.core import Core, Work
from simulators.faults import Fault
from simulators.heater import BED, NOZZLE, Heater
from simulators.motion import Block, Planner
from simulators.printer_commands import find_handler
from simulators.receiver import INJECTED, Receiver

if TYPE_CHECKING:
    from protocols.gcode import Words

MOVES = 16  # Configuration_adv.h BLOCK_BUFFER_SIZE; one block is always free
FIRST_MOVE_MS = 100.0  # planner.h BLOCK_DELAY_FOR_1ST_MOVE
MIN_EXTRUDE_C = 170.0  # Configuration.h EXTRUDE_MINTEMP
_EMERGENCY = re.compile(rb"(?:N\d+ ?)?M(108|112|410|876 ?S(\d+))\b")
_BANNER = ("start", "PowerUp", "Marlin 2.1.2", "echo: Last Updated: simulated | Author: none")


@dataclass(frozen=True)
class PrinterConfig:
    """What kind of printer it is. faults: texts of simulators.faults; card: has a memory card."""

    name: str = "simulated printer"
    seed: int = 1
    tools: int = 1
    bed_um: tuple[int, int, int] = (250_000, 210_000, 200_000)
    faults: tuple[str, ...] = ()
    advanced_ok: bool = True
    emergency_parser: bool = True
    firmware: str = "marlin"  # or klipper, reprapfirmware
    card: bool = False
    power_loss: bool = False  # M413: goes on by itself after a power cut


class Printer(Core):
    """One printer. Times are ms of the virtual clock, never backwards."""

    def __init__(self, config: PrinterConfig | None = None) -> None:
        self.config = config or PrinterConfig()
        super().__init__(self.config.faults, self.config.seed)
        self.net_nm = [0] * self.config.tools
        self.high_nm = [0] * self.config.tools
        self.purged_nm = [0] * self.config.tools
        self.programs: list[dict[str, object]] = []
        self._start_over()

    def _start_over(self) -> None:
        """State of a printer that was just switched on; what it did before stays done."""
        self.planner = Planner(MOVES - 1, 4, FIRST_MOVE_MS)
        self.axes = Carriage(self.planner, self.config.bed_um)
        self.nozzles = [Heater(NOZZLE) for _ in range(self.config.tools)]
        self.bed = Heater(BED)
        self.marlin = self.config.firmware == "marlin"
        self.mute = self.config.firmware == "reprapfirmware"  # until M555 P2
        self.card = Card(self.config.card)
        self._lines = Receiver(self.say, self._damages, self.config.firmware)
        self._work = None
        self._tail = b""
        self._ok_n: int | None = None
        self._ok_extra = ""
        self.busy_ms = 2000.0 if self.marlin else 0.0
        self._busy_at = inf
        self.report_ms = 0.0
        self._report_at = inf
        self.pressed: int | None = None
        self.asked_by_prompt = False
        self.fan = 0
        self.recovery = self.config.power_loss
        self._lose_ok = False
        self._damage_next = False
        self.dead = False
        self._stalled_until = 0.0
        for line in _BANNER if self.marlin else ():
            self.say(line)

    # what commands use ---------------------------------------------------------------------
    def answer_with(self, text: str) -> None:
        """Put text on the line of the ``ok`` of the running command (M105)."""
        self._ok_extra = " " + text

    @property
    def nozzle(self) -> Heater:
        """Heater of the tool in use."""
        return self.nozzles[self.axes.tool]

    def temperatures(self) -> str:
        """All heaters, as M105 prints them."""

        def pair(heater: Heater) -> tuple[int, int]:
            return round(heater.at(self.now) * 1000), round(heater.target * 1000)

        temps: dict[str, tuple[int, int | None]] = {"T": pair(self.nozzle), "B": pair(self.bed)}
        if self.config.tools > 1:
            for i, heater in enumerate(self.nozzles):
                temps[f"T{i}"] = pair(heater)
        return marlin.temps_text(temps) + " @:0 B@:0"

    def report_every(self, period_ms: float) -> None:
        """M155: print the temperatures from now on; 0 stops."""
        self.report_ms = period_ms
        self._report_at = self.now + period_ms if period_ms else inf

    def mute_busy(self) -> None:
        """The running command speaks for itself (M109)."""
        self._busy_at = inf

    def quick_stop(self) -> None:
        """Stop the axes dead and forget the planned moves (M410)."""
        part = self.planner.part_done(self.now)
        for block in self.planner.stop(self.now):
            if isinstance(block.tag, Pull):
                self._pushed(round(block.tag.nm * part), block.tag.tool)
            part = 0.0
        self.axes.adopt(self.planner.position)

    def kill(self, why: str) -> None:
        """Halt for good: only a reset helps (MarlinCore.cpp kill)."""
        if self.marlin:
            self.say(why)
            self.say("Error:Printer halted. kill() called!")
            self.say("//action:poweroff")
        else:
            self.say("// Klipper state: Shutdown")
        self.quick_stop()
        for heater in [*self.nozzles, self.bed]:
            heater.set(0, self.now)
        self._work = None
        self._lines.clear()
        self._report_at = self._busy_at = inf
        self.dead = True

    # bytes ---------------------------------------------------------------------------------
    def reset(self, now_ms: float) -> None:
        """Reset button: moves stop, everything is forgotten, the banner is printed."""
        self._reboot(now_ms)
        self.quick_stop()
        self._start_over()

    def press(self, now_ms: float) -> None:
        """Button of the printer: a person says go on (M108)."""
        self._run_to(now_ms)
        self.pressed, self.asked_by_prompt = 1, False
        self._go_on()

    def _take(self, data: bytes) -> None:
        self._lines.flushed = False
        for chunk in data.splitlines(keepends=True):
            if self.dead:
                return
            whole = self._tail + chunk
            self._tail = whole[-marlin.MAX_CMD_SIZE :] if whole[-1:] not in b"\r\n" else b""
            if not self._tail and b"M" in whole and self.config.emergency_parser:
                self._emergency(whole)
            self._lines.push(chunk)
            self._go_on()
            if self._lines.flushed:  # what came with the bad line was in the buffer too
                return

    def _emergency(self, line: bytes) -> None:
        found = _EMERGENCY.match(line.lstrip())
        if found is None:
            return
        code = found[1]
        if code == b"112":
            self.kill("echo:M112 Shutdown")
        elif code == b"410":
            self.quick_stop()
        else:
            self.pressed, self.asked_by_prompt = int(found[2] or 1), found[2] is not None

    # time ----------------------------------------------------------------------------------
    def _timer_ms(self) -> float:
        return min(self._busy_at, self._report_at)

    def _on_time(self) -> None:
        if self._report_at <= self.now:
            self._report_at = self.now + self.report_ms
            self.say(" " + self.temperatures())
        if self._busy_at <= self.now:
            self._busy_at = self.now + self.busy_ms
            why = "paused for user" if self._wait[0] == "person" else "processing"
            self.say("echo:busy: " + why)

    def _halted(self) -> bool:
        return self.dead

    def _ended(self, block: Block) -> None:
        pull = block.tag
        if isinstance(pull, Pull):
            self._pushed(pull.nm, pull.tool)

    def _pushed(self, nm: int, tool: int) -> None:
        net = self.net_nm[tool] = self.net_nm[tool] + nm
        if net > self.high_nm[tool]:
            self.high_nm[tool] = net
            if self.faults.next_mm * 1e6 <= net:
                for fault in self.faults.take("mm", net / 1e6):
                    self._fault(fault)

    def _may_go_on(self) -> bool:
        if self._wait[0] in ("person", "heat") and self.pressed is not None:
            return True
        return super()._may_go_on()

    def _begin(self, work: Work) -> None:
        super()._begin(work)
        self._busy_at = self.now + self.busy_ms if self.busy_ms else inf

    # commands ------------------------------------------------------------------------------
    def _next_command(self) -> bool:
        self._lines.fetch()
        if not self._lines.queue:
            return self._card_command()
        self._ok_n, command = self._lines.queue.pop(0)
        self.lines += 1
        if self.programs:
            self.programs[-1]["lines"] = int(str(self.programs[-1]["lines"])) + 1
        if not self._line_faults(self.lines):
            return True
        work = self.card.write(self, command) if self.card.writing else self._start(command)
        if work is not None:
            self._begin(work)
        elif not self.dead:
            self._answer()
        return True

    def _card_command(self) -> bool:
        """Run the next line of a file on the card, between the host's."""
        line = self.card.next_line()
        if line is None:
            if self.card.ends():
                self.say("Done printing file")
            return False
        self._ok_n = INJECTED
        work = self._start(line)
        if work is not None:
            self._begin(work)
        return True

    def _start(self, command: str) -> Work | None:
        if command[:2] in ("G1", "G0") and command[2:3] in (" ", ""):
            try:
                return self.move(words(command))
            except WireError:
                pass
        return find_handler(command)(self, command)

    def move(self, line: Words, arc: str = "") -> Work | None:
        """G0-G3: plan it now, or wait for room in the planner."""
        if self.planner.full:
            return self._move_later(line, arc)
        axes = self.axes
        axes.hot = self.nozzle.at(self.now) >= MIN_EXTRUDE_C
        block = axes.arc(line, arc == "G2") if arc else axes.linear(line)
        if axes.trouble == "cold":
            self.say("echo: cold extrusion prevented")
        elif axes.trouble:
            self.say("echo: too long extrusion prevented")
        if block is not None:
            self.planner.add(block, self.now)
        return None

    def _move_later(self, line: Words, arc: str) -> Work:
        yield ("room", inf)
        self.move(line, arc)

    def _answer(self) -> None:
        self._busy_at = inf
        if self._ok_n == INJECTED:
            return
        if self.config.advanced_ok and self.marlin:
            free = MOVES - 1 - len(self.planner.blocks)
            slots = marlin.BUFSIZE - 1 - len(self._lines.queue)
            text = marlin.ok_text(self._ok_n, free, max(0, slots))
        else:
            text = "ok"
        if not self._lose_ok and not (self.mute and not self._ok_extra):
            self.say(text + self._ok_extra)
        self._ok_extra = ""
        self._lose_ok = False

    # faults --------------------------------------------------------------------------------
    def _damages(self) -> bool:
        spoiled = self._damage_next or self.faults.chance("bad_checksum")
        self._damage_next = False
        return spoiled

    def _happens(self, fault: Fault) -> bool:
        if fault.name == "drop_ok":
            self._lose_ok = True
        elif fault.name == "bad_checksum":
            self._damage_next = True
        elif fault.name == "runout":
            self._lines.inject("M600")
            self.say("//action:out_of_filament T0")
        elif fault.name == "reset":
            self.reset(self.now)
            return False
        elif fault.name == "thermal":
            self.kill("Error:Thermal Runaway, system stopped! Heater_ID: 0")
            return False
        return True

    def truth(self) -> dict[str, object]:
        """What the machine physically did since it was made."""
        return {
            "extruded_nm_by_tool": list(self.high_nm),
            "net_nm_by_tool": list(self.net_nm),
            "purged_nm_by_tool": list(self.purged_nm),
            "programs": [dict(p) for p in self.programs],
            "moves": self.moves,
            "lines": self.lines,
            "faults": list(self.faults.happened),
        }

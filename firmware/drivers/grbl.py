"""Driver of a GRBL mill: sans-I/O, one instance per serial line; used like ``drivers.marlin``.

An order is gone through twice: first in check mode (``$C``), where GRBL reads every line and moves
nothing, because GRBL 1.1 executes what it has buffered even after a line it refuses. Only then the
lines run. The order has ended when all lines and a last short dwell were answered and the machine
was Idle at the same place in two reports: Idle alone also shows between moves, and the last ``ok``
comes long before the last motion ends.

A pause holds the machine and stops its spindle (0x9E); to go on the spindle is started first and
given time, because GRBL 1.1h itself starts it and moves in the same moment. To end early the
machine is held, and reset when it stands: so it keeps its position. Each way out goes through a
reset, which stops the spindle.
"""

from firmware.drivers.grbl_line import BANNER_MS, GrblLine
from firmware.drivers.program import Program, tool_words
from protocols import grbl
from protocols.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.streamer import Streamer

NO_ANSWER_MS = 10000  # Idle, nothing to do, and yet a line unanswered
SPIN_UP_MS = 4000  # SAFETY_DOOR_SPINDLE_DELAY of GRBL 1.1 config.h
RESUME_MS = 8000  # a resumed machine that still stands waits for a person
MAX_CHECKS = 3  # dry runs of one order, when the machine is reset meanwhile
_END = "G4 P0.01"
_CHECKS = ("entering", "checking", "leaving", "verifying")
_STANDING = ("Hold", "Door", "Tool")
_SPINDLE_STOP = bytes([grbl.SPINDLE_STOP])


class Grbl(GrblLine):
    """States: those of GrblLine; with an order the ones of ``run`` and below."""

    def __init__(self, spin_up_ms: int = SPIN_UP_MS) -> None:
        super().__init__()
        self._spin_up_ms = spin_up_ms
        self._program: "Program | None" = None
        self._why = ""
        self._certain = True
        self._checks = 0
        self._left = ""  # of leaving check mode: what has come, "ok" or "banner"
        self._pause_first = False  # asked for while the lines are still being checked
        self._goes_on = "running"  # what a resume goes on with
        self._held = False  # paused by a hold of the machine, which a person there may end
        self._spun_down = False  # the spindle was stopped for a pause
        self._dones.update(
            {
                "program": self._program_done,
                "check_on": self._checking,
                "check_off": lambda: self._leave("ok"),
                "verified": self._verify,
                "dwelt": self._place.forget,  # the end is looked for from here
                "change": self._place.forget,
            }
        )

    # commands ------------------------------------------------------------------------------------
    @property
    def running(self) -> bool:
        """Say whether an order is on the machine."""
        return self._program is not None

    def run(self, source: "Streamer", label: str) -> None:
        """Begin an order; the machine must be idle."""
        self._program = Program(source)
        self._certain = True
        self._pause_first = self._spun_down = False
        self._checks = 0
        self.values["lines_n"] = 0
        self._why = self.machine.not_ready()
        if self._why:
            self._end(False, self._why, True)
        else:
            self._check()

    def pause(self, why: str = "") -> None:
        """Feed hold; paused is told when the machine stands still."""
        if self.state in ("running", "ending"):
            self._place.forget()
            self._goes_on = self.state
            self._go("holding")
            self.out += grbl.HOLD
        elif self.state in _CHECKS:
            self._pause_first = True

    def resume(self) -> None:
        """Spindle on where it was, then cycle start."""
        if self.state not in ("paused", "holding"):
            return
        if self._spun_down:
            self._spun_down = False
            self.out += _SPINDLE_STOP  # the same byte starts it again
            self._go("spinning")
        else:
            self._cycle_start()

    def cancel(self) -> None:
        """Hold, and reset when the machine stands still."""
        self._abandon("cancelled")

    def give_up(self, why: str) -> None:
        """End the order as ``cancel`` does, for a reason of ours."""
        self._abandon(why)

    def insert(self, lines: "list[str]") -> None:
        """A mill in feed hold takes no lines; its spindle is off."""

    def stop(self) -> None:
        """Reset at once; in motion this loses the position."""
        self.safe()
        self._lock("stopped")

    def identify(self) -> None:
        """GRBL has nothing to make itself noticed by."""

    # dry run -------------------------------------------------------------------------------------
    def _check(self) -> None:
        self._checks += 1
        self._own = [("$#", ""), ("$C", "check_on")]
        self._left = ""
        self.out += grbl.STATUS  # where it stands now
        self._go("entering")

    def _checking(self) -> None:
        if self._program is not None:
            self._program.check(self.machine.envelope())
        self._go("checking")

    def _leave_check(self, why: str) -> None:
        self._why = self._why or why
        self._own.append(("$C", "check_off"))
        self._go("leaving")

    def _leave(self, came: str) -> None:
        """Check mode is left by an ok and a banner, in either order; FluidNC sends none."""
        if self.state == "leaving":
            if self._left and self._left != came:
                self._verifying()
            self._left = came

    def _verifying(self) -> None:
        self._own = [("$G", "verified")]
        self._go("verifying")

    def _verify(self) -> None:
        program = self._program
        if program is None:
            return
        self._why = self._why or self.machine.wrong_mode(program.box)
        if self._why:
            self._go("idle")
            self._end(False, self._why, True)
            return
        program.begin()
        self._go("running")
        if self._pause_first:
            self._pause_first = False
            self._goes_on = "running"
            self._stand_paused("a person asked", False)

    # sending -------------------------------------------------------------------------------------
    def _pump(self) -> None:
        super()._pump()
        program = self._program
        if self._own or program is None or self.state not in ("checking", "running"):
            return
        try:
            self._pump_program(program)
        except WireError as error:
            self._stop_at("line cannot be read: " + str(error))

    def _pump_program(self, program: Program) -> None:
        while True:
            code = program.take()
            if code is None:
                self._program_over(program)
                return
            if not code:
                break
            why = self.machine.too_far(program.box) if program.dry else ""
            if why:
                self._leave_check(why)
                super()._pump()
                return
            if not self._flow.fits(code):
                program.give_back(code)
                return
            self.out += self._flow.send(code, "dry" if program.dry else "program")
        if program.change is not None:
            self._own = [("M5", ""), (_END, "change")]
            self._go("changing")
            super()._pump()

    def _program_over(self, program: Program) -> None:
        if program.dry:
            if self._flow.empty:  # every line was read
                self._leave_check("")
        else:
            self._own = [(code, "") for code in program.ending()]
            self._own.append((_END, "dwelt"))
            self._go("ending")
        super()._pump()

    def _watch(self) -> None:
        super()._watch()
        late = self._now_ms - self._since_ms
        if self.state == "leaving" and late > BANNER_MS and self._left:
            self._verifying()
        elif self.state == "spinning" and late > self._spin_up_ms:
            self._cycle_start()

    def _program_done(self) -> None:
        self.values["lines_n"] += 1
        if self._program is not None:
            self._program.source.acknowledge()

    # replies -------------------------------------------------------------------------------------
    def _refused(self, code: int) -> None:
        if self._program is not None:
            self._stop_at("line refused: " + self.machine.error_words(code))

    def _stop_at(self, why: str) -> None:
        """A line is not to be run: in check mode nothing has moved yet."""
        if self.state == "entering":
            self._go("idle")
            self._end(False, why, True)
        elif self.state == "checking":
            self._leave_check(why)
        elif self.state == "leaving":
            self._why = self._why or why
        else:
            self._abandon(why)

    def _was_reset(self) -> None:
        if self.state == "leaving":
            self._leave("banner")
        elif self._program is None:
            super()._was_reset()
        elif self.state in _CHECKS and self._checks < MAX_CHECKS:
            self._check()  # nothing has moved yet
        else:
            self.events.append(("fault", "reset", "machine was reset while an order ran"))
            self._lock("machine was reset")

    def _follow(self, state: str, sub: "int | None") -> None:
        if state == "Alarm" and self._program is not None:
            self._lock_told("machine is locked")
        elif self.state in ("running", "ending", "holding", "changing") and state in _STANDING:
            self._stand(state, sub)
        elif self.state in ("holding", "paused"):
            self._see_held(state)
        elif self.state == "resuming":
            self._see_resumed(state)
        elif state == "Idle" and self._flow.empty and not self._own:
            self._see_end()
        if self._program is not None and state in ("Idle", "Check"):
            self._see_answer_lost()

    # pauses --------------------------------------------------------------------------------------
    def _stand(self, state: str, sub: "int | None") -> None:
        asked = self.state == "holding"
        if state == "Hold" and sub != 0:
            return  # still slowing down
        if not asked:
            self._goes_on = self.state
        if state == "Hold" and self.values.get("spindle_rpm", 0) > 0:
            self._spun_down = True
            self.out += _SPINDLE_STOP
        why = "a person asked" if asked else {"Hold": "program stop"}.get(state, state.lower())
        self._stand_paused(why, True)

    def _stand_paused(self, why: str, held: bool) -> None:
        self._held = held
        self._go("paused")
        self.events.append(("paused", why))
        if why != "a person asked":
            self.events.append(("need", "machine waits: " + why))

    def _see_held(self, state: str) -> None:
        """A dwelling machine does not take a hold; one that runs when held was told so by hand."""
        if self.state == "paused":
            if self._held and self._spun_down and state == "Run":
                self._spun_down = False
                self.out += grbl.HOLD  # its spindle needs time first
                self._go("spinning")
            elif self._held and state in ("Run", "Idle"):
                self._resumed()
        elif state == "Run":
            self.out += grbl.HOLD
        elif state == "Idle" and self._flow.empty and self._place.still_n > 1:
            self._stand_paused("a person asked", False)

    def _cycle_start(self) -> None:
        program = self._program
        if program is not None and program.change is not None and not self._held:
            program.changed()
        self.out += grbl.RESUME
        if self._held:
            self._go("resuming")
        else:
            self._resumed()

    def _see_resumed(self, state: str) -> None:
        if state not in _STANDING:
            self._resumed()
        elif self._now_ms - self._since_ms > RESUME_MS:
            self._stand_paused(state.lower(), True)

    def _resumed(self) -> None:
        self._place.forget()
        self._go(self._goes_on)
        self.events.append(("resumed",))

    # ends ----------------------------------------------------------------------------------------
    def _see_end(self) -> None:
        if self._place.still_n < 1 or self._program is None:
            return
        if self.state == "ending":
            self._go("idle")
            self._end(True, "", True)
        elif self.state == "changing" and self._program.change is not None:
            self._goes_on = "running"
            self._stand_paused(tool_words(self._program.change), False)

    def _see_answer_lost(self) -> None:
        late = self._now_ms - self._since_ms > NO_ANSWER_MS
        if late and not self._flow.empty and self._place.still_n > 1:
            self._certain = False
            self._abandon("an answer of the machine was lost")

    def _abandon(self, why: str) -> None:
        """End an order early but orderly."""
        if self._program is None or self.state in ("calming", "resetting"):
            return
        self._why = why
        if self.state in _CHECKS:
            self._reset(self._abandoned)
        else:
            self._calm(self._abandoned)

    def _abandoned(self) -> None:
        self._go("idle")
        self._end(False, self._why, self._certain)

    def _unmoved(self) -> bool:
        return self.state in _CHECKS

    def _end(self, ok: bool, why: str, certain: bool) -> None:
        self._own = []
        self._drop(("ended", ok, why, certain))

    def _drop(self, event: "tuple[Any, ...]") -> None:
        if self._program is not None:
            self._program.source.close()
            self._program = None
            self.events.append(event)

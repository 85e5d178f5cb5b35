"""Driver of a GRBL mill: sans-I/O, one instance per serial line; used like ``drivers.marlin``.

An order is gone through twice: first in check mode (``$C``), where GRBL reads every line and moves
nothing, because GRBL 1.1 executes what it has buffered even after a line it refuses. Only then the
lines run. The order has ended when all lines and a last short dwell were answered and the machine
was Idle at the same place in two reports: Idle alone also shows between moves, and the last ``ok``
comes long before the last motion ends.

To end early the machine is held, and reset when it stands: so it keeps its position. Each way out
goes through a reset, which stops the spindle.
"""

from firmware.drivers.counted import CountedFlow
from firmware.drivers.lines import LineSplitter
from firmware.drivers.patience import Patience
from firmware.drivers.place import Place, values
from firmware.drivers.program import Program
from protocols import grbl
from protocols.grbl_codes import alarm_words, error_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.streamer import Streamer

    Reply = tuple[Any, ...]

NO_ANSWER_MS = 10000  # Idle, nothing to do, and yet a line unanswered
BANNER_MS = 3000
_END = "G4 P0.01"
_CHECKS = ("entering", "checking", "leaving")
_ANSWERING = _CHECKS + ("running", "ending")


class Grbl:
    """States: silent, idle, locked, resetting, homing; with an order those in ``_go`` calls."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.events: "list[tuple[Any, ...]]" = []
        self.values: "dict[str, int]" = {"lines_n": 0}
        self.state = "silent"
        self.firmware = "grbl"
        self._lines = LineSplitter()
        self._flow = CountedFlow()
        self._own: "list[tuple[str, str]]" = []
        self._program: "Program | None" = None
        self._why = ""
        self._certain = True
        self._patience = Patience()
        self._now_ms = 0
        self._since_ms = 0  # of the last answer or turn
        self._pause_first = False  # asked for while the lines are still being checked
        self._goes_on = "running"  # what a resume goes on with: running or ending
        self._held = False  # paused by a hold of the machine, which a person there may end
        self._place = Place()
        self._takes: "dict[str, Callable[[Reply, int], None]]" = {
            "ok": self._take_ok,
            "error": self._take_error,
            "alarm": self._take_alarm,
            "status": self._take_status,
            "banner": self._take_banner,
            "opt": self._take_opt,
        }
        self._dones: "dict[str, Callable[[], None]]" = {
            "program": self._program_done,
            "check_on": lambda: self._go("checking"),
            "dwelt": self._place.forget,  # the end is looked for from here
            "homed": self._homed,
        }

    # commands ------------------------------------------------------------------------------------
    @property
    def running(self) -> bool:
        """Say whether an order is on the machine."""
        return self._program is not None

    def run(self, source: "Streamer", label: str) -> None:
        """Begin an order; the machine must be idle."""
        self._program = Program(source)
        self._why = ""
        self._certain = True
        self._pause_first = False
        self.values["lines_n"] = 0
        self._own.append(("$C", "check_on"))
        self.state = "entering"

    def pause(self) -> None:
        """Feed hold; paused is told when the machine stands still."""
        if self.state in ("running", "ending"):
            self._place.forget()
            self._goes_on = self.state
            self._go("holding")
            self.out += grbl.HOLD
        elif self.state in _CHECKS:
            self._pause_first = True

    def resume(self) -> None:
        """Cycle start."""
        if self.state in ("paused", "holding"):
            self._place.forget()
            self._go(self._goes_on)
            self.out += grbl.RESUME
            self.events.append(("resumed",))

    def cancel(self) -> None:
        """Hold, and reset when the machine stands still."""
        self._abandon("cancelled")

    def stop(self) -> None:
        """Reset at once; in motion this loses the position."""
        self.safe()
        self._end(False, "stopped", False)
        self.events.append(("offline", "stopped"))
        self._go("locked")

    def safe(self) -> None:
        """Spindle and coolant off, by a reset."""
        self.out += grbl.RESET
        self._flow.clear()

    def recover(self) -> None:
        """A person says the machine is fit again: home it."""
        if self.state == "locked":
            self.safe()
            self._own = [("$H", "homed")]
            self._go("resetting")

    def identify(self) -> None:
        """GRBL has nothing to make itself noticed by."""

    # serial line ---------------------------------------------------------------------------------
    def feed(self, data: bytes, now_ms: int) -> None:
        """Take bytes of the machine."""
        self._patience.heard_ms = self._now_ms = now_ms
        for line in self._lines.feed(data):
            reply = grbl.parse_reply(line)
            take = self._takes.get(reply[0])
            if take is not None:
                take(reply, now_ms)
        self._pump()

    def step(self, now_ms: int) -> None:
        """Let time pass."""
        self._now_ms = now_ms
        if self._patience.is_due(now_ms, self.running):
            self.out += grbl.STATUS
        self._watch(now_ms)
        self._pump()

    def _watch(self, now_ms: int) -> None:
        if self.state == "silent":
            return
        late = now_ms - self._since_ms > BANNER_MS
        if self._patience.is_over(now_ms, self.state == "homing"):
            self._lose("machine does not answer")
        elif late and self.state == "leaving" and self._flow.empty and not self._own:
            self._begin_running()  # this firmware leaves check mode without a reset
        elif late and self.state == "resetting":
            self._go("resetting")
            self.out += grbl.RESET

    def _pump(self) -> None:
        """Send what may be sent."""
        while self._own and self._flow.fits(self._own[0][0]) and self._may_speak():
            text, tag = self._own.pop(0)
            self.out += self._flow.send(text, tag)
        program = self._program
        if self._own or program is None or self.state not in ("checking", "running"):
            return
        while True:
            code = program.take()
            if code is None:
                self._program_over()
                return
            if not code:
                return
            if not self._flow.fits(code):
                program.give_back(code)
                return
            self.out += self._flow.send(code, "dry" if program.dry else "program")

    def _may_speak(self) -> bool:
        return self.state not in ("silent", "locked", "cancelling", "resetting")

    def _program_over(self) -> None:
        if self.state == "checking":
            self._leave_check()
        elif self._program is not None:
            self._own += [(code, "") for code in self._program.ending()]
            self._own.append((_END, "dwelt"))
            self._go("ending")
            self._pump()

    def _take_ok(self, reply: "Reply", now_ms: int) -> None:
        self._since_ms = now_ms
        tag = self._flow.answered()
        if tag in self._dones:
            self._dones[tag]()

    def _take_error(self, reply: "Reply", now_ms: int) -> None:
        self._since_ms = now_ms
        tag = self._flow.answered()
        if tag == "homed":
            self._own.append(("$X", "unlocked"))  # no homing on this machine
            self._homed()
        elif self._program is not None:
            self._refuse(error_words(reply[1], self.firmware))

    def _refuse(self, words: str) -> None:
        """A line was refused: in check mode nothing has moved yet."""
        why = "line refused: " + words
        if self.state == "entering":  # cannot check: nothing has been sent that could move
            self._end(False, why, True)
            self._go("idle")
        elif self.state in ("checking", "leaving"):
            self._why = self._why or why
            if self.state == "checking":
                self._leave_check()
        elif self.state in ("running", "ending", "holding", "paused"):
            self._abandon(why)

    def _take_alarm(self, reply: "Reply", now_ms: int) -> None:
        words = alarm_words(reply[1], self.firmware)
        if self.state == "cancelling":
            return
        self.safe()
        self.events.append(("fault", "alarm-{}".format(reply[1]), words))
        self._lock(words)

    def _take_banner(self, reply: "Reply", now_ms: int) -> None:
        self.firmware = reply[1]
        self._flow.clear()
        self._since_ms = now_ms
        if self.state == "leaving":
            self._begin_running()
        elif self.state == "resetting":
            self._go("homing")
        elif self.state == "cancelling":
            self._go("idle")
            self._end(False, self._why, self._certain)
        elif self._program is not None:
            self.events.append(("fault", "reset", "machine was reset while an order ran"))
            self._lock("machine was reset")

    def _take_opt(self, reply: "Reply", now_ms: int) -> None:
        if reply[3] > 32:
            self._flow.room = reply[3] - 8

    def _take_status(self, reply: "Reply", now_ms: int) -> None:
        report = reply[1]
        self._place.take(report)
        self.values.update(values(self._place, report))
        self._follow(report["state"], report["sub"], now_ms)

    def _follow(self, state: str, sub: "int | None", now_ms: int) -> None:
        """Turn by what a report says the machine does."""
        if self.state == "silent":
            self._connected(state)
        elif state == "Alarm" and self.state in ("idle", "running", "ending"):
            self.events.append(("fault", "locked", "machine is locked"))
            self._lock("machine is locked")
        elif self.state in ("running", "ending", "holding") and state in ("Hold", "Door", "Tool"):
            self._stand(state, sub)
        elif self.state in ("holding", "paused"):
            self._see_held(state)
        elif self.state == "ending":
            self._see_end(state)
        elif self.state == "cancelling":
            self._see_standstill(state, sub)
        if self.state in _ANSWERING and state in ("Idle", "Check"):
            self._see_answer_lost(now_ms)

    def _connected(self, state: str) -> None:
        self._own = [("$I", "")]
        self._flow.clear()
        if state == "Alarm":
            self._go("locked")
            self.events.append(("fault", "locked", "machine is locked: confirm clear to home it"))
        else:
            self._homed()

    def _stand(self, state: str, sub: "int | None") -> None:
        asked = self.state == "holding"
        if state == "Hold" and sub != 0:
            return  # still slowing down
        if not asked:
            self._goes_on = self.state
        self._held = True
        self._go("paused")
        why = "a person asked" if asked else {"Hold": "program stop"}.get(state, state.lower())
        self.events.append(("paused", why))
        if not asked:
            self.events.append(("need", "machine waits: " + why))

    def _see_held(self, state: str) -> None:
        """A dwelling machine does not take a hold; one that runs when held was told so by hand."""
        if self.state == "paused":
            if self._held and state in ("Run", "Idle"):
                self._place.forget()
                self._go(self._goes_on)
                self.events.append(("resumed",))
        elif state == "Run":
            self.out += grbl.HOLD
        elif state == "Idle" and self._flow.empty and self._place.still_n > 1:
            self._held = False
            self._go("paused")
            self.events.append(("paused", "a person asked"))

    def _see_end(self, state: str) -> None:
        if state == "Idle" and self._flow.empty and not self._own and self._place.still_n >= 1:
            self._go("idle")
            self._end(True, "", True)

    def _see_standstill(self, state: str, sub: "int | None") -> None:
        held = (state == "Hold" and sub == 0) or state in ("Idle", "Alarm", "Check", "Door", "Tool")
        if held and self._place.still_n >= 1:
            self.out += grbl.RESET

    def _see_answer_lost(self, now_ms: int) -> None:
        if (
            not self._flow.empty
            and now_ms - self._since_ms > NO_ANSWER_MS
            and self._place.still_n > 1
        ):
            self._certain = False
            self._abandon("an answer of the machine was lost")

    def _leave_check(self) -> None:
        self._go("leaving")
        self._own.append(("$C", "check_off"))

    def _begin_running(self) -> None:
        program = self._program
        if program is None or self._why:
            self._go("idle")
            self._end(False, self._why, True)
            return
        program.begin()
        self._go("running")
        if self._pause_first:
            self._pause_first = False
            self._goes_on, self._held = "running", False
            self._go("paused")
            self.events.append(("paused", "a person asked"))

    def _program_done(self) -> None:
        self.values["lines_n"] += 1
        if self._program is not None:
            self._program.source.acknowledge()

    def _homed(self) -> None:
        self._go("idle")
        self.events.append(("online",))

    def _abandon(self, why: str) -> None:
        """End an order early but orderly."""
        if self._program is None or self.state == "cancelling":
            return
        self._why = why
        self._own = []
        self._program.drop()
        self._place.forget()
        if self.state in _CHECKS:
            self.out += grbl.RESET
        else:
            self.out += grbl.HOLD
        self._go("cancelling")

    def _end(self, ok: bool, why: str, certain: bool) -> None:
        self._own = []
        self._close_program(("ended", ok, why, certain))

    def _close_program(self, event: "tuple[Any, ...]") -> None:
        if self._program is not None:
            self._program.source.close()
            self._program = None
            self.events.append(event)

    def _lock(self, why: str) -> None:
        self._end(False, why, False)
        self.events.append(("offline", why))
        self._go("locked")

    def _lose(self, why: str) -> None:
        self._own = []
        self._flow.clear()
        self._close_program(("lost", why))
        self.events.append(("offline", why))
        self._go("silent")

    def _go(self, state: str) -> None:
        self.state = state
        self._since_ms = self._now_ms

    def close(self, why: str) -> None:
        """The serial line itself is gone."""
        if self.state != "silent":
            self._lose(why)

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
from protocols import grbl
from protocols.grbl_codes import alarm_words, error_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.streamer import Streamer

    Reply = tuple[Any, ...]

BUSY_ASK_MS = 200
IDLE_ASK_MS = 1000
SILENT_MS = 3000
LOST_AFTER_MS = 12000
HOMING_MS = 120000
NO_ANSWER_MS = 10000  # Idle, nothing to do, and yet a line unanswered
BANNER_MS = 3000
_END = "G4 P0.01"
_CHECKS = ("entering", "checking", "leaving")
_ANSWERING = ("entering", "checking", "leaving", "running", "ending")


class Grbl:
    """States: silent, idle, entering, checking, leaving, running, holding, paused, ending,
    cancelling, locked, resetting, homing.
    """

    def __init__(self) -> None:
        self.out = bytearray()
        self.events: "list[tuple[Any, ...]]" = []
        self.values: "dict[str, int]" = {"lines_n": 0}
        self.state = "silent"
        self.firmware = "grbl"
        self._lines = LineSplitter()
        self._flow = CountedFlow()
        self._own: "list[tuple[str, str]]" = []
        self._source: "Streamer | None" = None
        self._next: "str | None" = None  # line taken that did not fit yet
        self._why = ""
        self._certain = True
        self._heard_ms = 0
        self._asked_ms = -IDLE_ASK_MS
        self._now_ms = 0
        self._since_ms = 0  # of the last answer or turn
        self._pause_first = False  # asked for while the lines are still being checked
        self._goes_on = "running"  # what a resume goes on with: running or ending
        self._held = False  # paused by a hold of the machine, which a person there may end
        self._place: "list[int]" = []
        self._still_n = 0  # reports in a row that say the same place
        self._wco = [0, 0, 0]
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
            "check_on": self._check_begins,
            "check_off": self._check_over,
            "dwelt": self._dwelt,
            "homed": self._homed,
        }

    # commands ------------------------------------------------------------------------------------
    @property
    def running(self) -> bool:
        """Say whether an order is on the machine."""
        return self._source is not None

    def run(self, source: "Streamer", label: str) -> None:
        """Begin an order; the machine must be idle."""
        self._source = source
        self._next = None
        self._why = ""
        self._certain = True
        self._pause_first = False
        self.values["lines_n"] = 0
        self._own.append(("$C", "check_on"))
        self.state = "entering"

    def pause(self) -> None:
        """Feed hold; paused is told when the machine stands still."""
        if self.state in ("running", "ending"):
            self._still_n = 0
            self._goes_on = self.state
            self._go("holding")
            self.out += grbl.HOLD
        elif self.state in _CHECKS:
            self._pause_first = True

    def resume(self) -> None:
        """Cycle start."""
        if self.state in ("paused", "holding"):
            self._still_n = 0
            self._go(self._goes_on)
            self.out += grbl.RESUME
            self.events.append(("resumed",))

    def cancel(self) -> None:
        """Hold, and reset when the machine stands still."""
        self._abandon("cancelled")

    def stop(self) -> None:
        """Reset at once; in motion this loses the position."""
        self.out += grbl.RESET
        self._flow.clear()
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
            self.out += grbl.RESET
            self._flow.clear()
            self._own = [("$H", "homed")]
            self._go("resetting")

    def identify(self) -> None:
        """GRBL has nothing to make itself noticed by."""

    # serial line ---------------------------------------------------------------------------------
    def feed(self, data: bytes, now_ms: int) -> None:
        """Take bytes of the machine."""
        self._heard_ms = self._now_ms = now_ms
        for line in self._lines.feed(data):
            reply = grbl.parse_reply(line)
            take = self._takes.get(reply[0])
            if take is not None:
                take(reply, now_ms)
        self._pump()

    def step(self, now_ms: int) -> None:
        """Let time pass."""
        self._now_ms = now_ms
        busy = self._source is not None
        if now_ms - self._asked_ms >= (BUSY_ASK_MS if busy else IDLE_ASK_MS):
            self._asked_ms = now_ms
            self.out += grbl.STATUS
        self._watch(now_ms)
        self._pump()

    def _watch(self, now_ms: int) -> None:
        if self.state == "silent":
            return
        late = now_ms - self._since_ms > BANNER_MS
        if now_ms - self._heard_ms > (HOMING_MS if self.state == "homing" else LOST_AFTER_MS):
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
        if self._own or self._source is None or self.state not in ("checking", "running"):
            return
        while True:
            code = self._next or self._take_line()
            self._next = None
            if code is None:
                self._program_over()
                return
            if not code:
                return
            if not self._flow.fits(code):
                self._next = code
                return
            self.out += self._flow.send(code, "dry" if self.state == "checking" else "program")

    def _may_speak(self) -> bool:
        return self.state not in ("silent", "locked", "cancelling", "resetting")

    def _take_line(self) -> "str | None":
        source = self._source
        if source is None:
            return ""
        return source.preview() if self.state == "checking" else source.take()

    def _program_over(self) -> None:
        if self.state == "checking":
            self._leave_check()
        elif self.state == "running":
            self._own.append((_END, "dwelt"))
            self._go("ending")
            self._pump()

    # replies -------------------------------------------------------------------------------------
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
            self.events.append(("online",))
            self._go("idle")
        elif self._source is not None:
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
        self._flow.clear()
        self.out += grbl.RESET  # spindle off
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
        elif self._source is not None:
            self.events.append(("fault", "reset", "machine was reset while an order ran"))
            self._lock("machine was reset")

    def _take_opt(self, reply: "Reply", now_ms: int) -> None:
        if reply[3] > 32:
            self._flow.room = reply[3] - 8

    def _take_status(self, reply: "Reply", now_ms: int) -> None:
        report = reply[1]
        self._wco = report.get("wco", self._wco)
        place: "list[int]" = report.get("mpos") or report.get("wpos") or []
        self._still_n = self._still_n + 1 if place == self._place else 0
        self._place = place
        self._measure(report)
        self._follow(report["state"], report["sub"], now_ms)

    def _measure(self, report: "dict[str, Any]") -> None:
        for name, um in zip(("x_um", "y_um", "z_um"), self._place):
            self.values[name] = um
        if "fs" in report:
            self.values["feed_um_s"] = report["fs"][0] * 1000 // 60
            self.values["spindle_rpm"] = report["fs"][1]

    # turns ---------------------------------------------------------------------------------------
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
            self._go("idle")
            self.events.append(("online",))

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
                self._still_n = 0
                self._go(self._goes_on)
                self.events.append(("resumed",))
        elif state == "Run":
            self.out += grbl.HOLD
        elif state == "Idle" and self._flow.empty and self._still_n > 1:
            self._held = False
            self._go("paused")
            self.events.append(("paused", "a person asked"))

    def _see_end(self, state: str) -> None:
        if state == "Idle" and self._flow.empty and not self._own and self._still_n >= 1:
            self._go("idle")
            self._end(True, "", True)

    def _see_standstill(self, state: str, sub: "int | None") -> None:
        held = (state == "Hold" and sub == 0) or state in ("Idle", "Alarm", "Check", "Door", "Tool")
        if held and self._still_n >= 1:
            self.out += grbl.RESET

    def _see_answer_lost(self, now_ms: int) -> None:
        if not self._flow.empty and now_ms - self._since_ms > NO_ANSWER_MS and self._still_n > 1:
            self._certain = False
            self._abandon("an answer of the machine was lost")

    def _check_begins(self) -> None:
        self._go("checking")

    def _leave_check(self) -> None:
        self._go("leaving")
        self._next = None
        self._own.append(("$C", "check_off"))

    def _check_over(self) -> None:
        """Check mode was left; GRBL resets itself and says its banner."""

    def _begin_running(self) -> None:
        source = self._source
        if source is None or self._why:
            self._go("idle")
            self._end(False, self._why, True)
            return
        source.rewind()
        self._go("running")
        if self._pause_first:
            self._pause_first = False
            self._goes_on, self._held = "running", False
            self._go("paused")
            self.events.append(("paused", "a person asked"))

    def _program_done(self) -> None:
        self.values["lines_n"] += 1
        if self._source is not None:
            self._source.acknowledge()

    def _dwelt(self) -> None:
        self._still_n = 0  # the end is looked for from here

    def _homed(self) -> None:
        self._go("idle")
        self.events.append(("online",))

    def _abandon(self, why: str) -> None:
        """End an order early but orderly."""
        if self._source is None or self.state == "cancelling":
            return
        self._why = why
        self._own = []
        self._next = None
        self._still_n = 0
        if self.state in _CHECKS:
            self.out += grbl.RESET
        else:
            self.out += grbl.HOLD
        self._go("cancelling")

    def _end(self, ok: bool, why: str, certain: bool) -> None:
        self._own = []
        if self._source is not None:
            self._source.close()
            self._source = None
            self.events.append(("ended", ok, why, certain))

    def _lock(self, why: str) -> None:
        self._end(False, why, False)
        self.events.append(("offline", why))
        self._go("locked")

    def _lose(self, why: str) -> None:
        self._own = []
        self._flow.clear()
        if self._source is not None:
            self._source.close()
            self._source = None
            self.events.append(("lost", why))
        self.events.append(("offline", why))
        self._go("silent")

    def _go(self, state: str) -> None:
        self.state = state
        self._since_ms = self._now_ms

    def close(self, why: str) -> None:
        """The serial line itself is gone."""
        if self.state != "silent":
            self._lose(why)

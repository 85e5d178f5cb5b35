"""Line to a GRBL machine: finds it, resets it, reads what it is; runs nothing.

    silent --a report--> calming --stands--> resetting --banner--> reading --answers--> idle
    locked --recover--> resetting --banner--> homing --> idle

Whatever the machine did before, it is held and reset when it is found: so its spindle is off and
its parser as at power-on. A reset is answered by a banner, and no line is sent before every banner
due has come: a late one, in the middle of the next order, would look like a machine that was reset
(gnea/grbl ``protocol.c``: a reset also empties the receive buffer).
"""

from firmware.drivers.console import MAX_LINES
from firmware.drivers.counted import CountedFlow
from firmware.drivers.lines import LineSplitter
from firmware.drivers.patience import Patience
from firmware.drivers.place import Place, values
from firmware.drivers.preflight import Machine
from protocols import grbl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Reply = tuple[Any, ...]

BANNER_MS = 3000  # a reset is answered within; then it is sent again, or taken as done
CALM_MS = 5000  # a machine that tells nothing for so long is reset wherever it is
DEAF_MS = 10000  # a machine that does not answer at all is reset
_MUTE = ("silent", "locked", "calming", "resetting")
_READ = ("$I", "$$", "$#", "$G")


class GrblLine:
    """States: silent, calming, resetting, reading, homing, idle, locked."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.events: "list[tuple[Any, ...]]" = []
        self.values: "dict[str, int]" = {"lines_n": 0}
        self.state = "silent"
        self.machine = Machine()
        self._lines = LineSplitter()
        self._flow = CountedFlow()
        self._own: "list[tuple[str, str]]" = []
        self._patience = Patience()
        self._place = Place()
        self._now_ms = 0
        self._since_ms = 0  # of the last answer or turn
        self._reset_ms = 0  # when it was last reset
        self._banners_due = 0
        self._banner_seen = False
        self._then: "Callable[[], None]" = self._read  # what follows a reset
        self._takes: "dict[str, Callable[[Reply], None]]" = {
            "ok": self._take_ok,
            "error": self._take_error,
            "alarm": self._take_alarm,
            "status": self._take_status,
            "banner": self._take_banner,
            "opt": self._take_opt,
        }
        self._dones: "dict[str, Callable[[], None]]" = {
            "homed": self._ready,
            "console": self._console_done,
        }
        self._heard: "list[bytes]" = []  # what came since a person's line was given
        self._listens = False

    @property
    def firmware(self) -> str:
        """Firmware of the machine: grbl, grblhal or fluidnc."""
        return self.machine.firmware

    # serial line ---------------------------------------------------------------------------------
    def feed(self, data: bytes, now_ms: int) -> None:
        """Take bytes of the machine."""
        self._patience.heard_ms = self._now_ms = now_ms
        for line in self._lines.feed(data):
            if self._listens and len(self._heard) < MAX_LINES and line[:1] != b"<":
                self._heard.append(line)
            reply = grbl.parse_reply(line)
            self.machine.take(reply)
            take = self._takes.get(reply[0])
            if take is not None:
                take(reply)
        self._pump()

    def step(self, now_ms: int) -> None:
        """Let time pass."""
        self._now_ms = now_ms
        if self._patience.is_due(now_ms, self.state not in ("silent", "idle", "locked")):
            self.out += grbl.STATUS
        if self.state != "silent":
            self._watch()
        elif now_ms - self._since_ms > DEAF_MS:
            self._since_ms = now_ms
            self.out += grbl.RESET  # in a critical alarm it answers nothing else
        self._pump()

    def is_quiet(self) -> bool:
        """Say whether no answer of the machine is under way."""
        return self._flow.empty

    def console(self, line: str) -> None:
        """Send a line of a person; ("answered", lines, "") is told when it was answered."""
        self._heard, self._listens = [], True
        self._own.append((line, "console"))

    def _console_done(self) -> None:
        from firmware.drivers.console import answer  # most lives never need it

        self._listens = False
        self.events.append(("answered", answer(self._heard), ""))
        self._heard = []

    def close(self, why: str) -> None:
        """The serial line itself is gone."""
        if self.state != "silent":
            self._lose(why)

    def _watch(self) -> None:
        late = self._now_ms - self._reset_ms > BANNER_MS
        if self.state == "resetting" and late:
            if self._banners_due and not self._banner_seen:
                self._reset(self._then)
            else:
                self._reset_done()
        elif self.state == "calming" and self._now_ms - self._since_ms > CALM_MS:
            self._reset(self._then)
        elif self._patience.is_over(self._now_ms, self.state == "homing"):
            self._lose("machine does not answer")

    def _pump(self) -> None:
        """Send what may be sent."""
        while self._own and self.state not in _MUTE and self._flow.fits(self._own[0][0]):
            text, tag = self._own.pop(0)
            self.out += self._flow.send(text, tag)

    # resets --------------------------------------------------------------------------------------
    def safe(self) -> None:
        """Spindle and coolant off, by a reset."""
        self.out += grbl.RESET
        self._own = []
        self._flow.clear()
        self._banner_seen = False
        self._banners_due += 1
        self._reset_ms = self._now_ms

    def _reset(self, then: "Callable[[], None]") -> None:
        self.safe()
        self._then = then
        self._go("resetting")

    def _calm(self, then: "Callable[[], None]") -> None:
        """Hold the machine, and reset it when it stands: so it keeps its position."""
        self._own = []
        self._then = then
        self._place.forget()
        self.out += grbl.HOLD
        self._go("calming")

    def _take_banner(self, reply: "Reply") -> None:
        self._flow.clear()
        self._banner_seen = True
        self._since_ms = self._now_ms
        expected = self._banners_due > 0
        self._banners_due = max(0, self._banners_due - 1)
        if self.state == "resetting":
            if not self._banners_due:
                self._reset_done()
        elif not expected:
            self._was_reset()

    def _reset_done(self) -> None:
        self._banners_due = 0
        self._then()

    def _was_reset(self) -> None:
        """A reset nobody here asked for."""
        if self.state == "idle":
            self._own = [(text, "") for text in _READ]

    def recover(self) -> None:
        """A person says the machine is fit again: home it."""
        if self.state == "locked":
            self._reset(self._home)

    def _home(self) -> None:
        self._own = [("$H", "homed")]
        self._go("homing")

    def _read(self) -> None:
        self._own = [(text, "") for text in _READ]
        self._go("reading")

    def _ready(self) -> None:
        self._go("idle")
        self.events.append(("identity", self.machine.identity()))
        self.events.append(("online",))

    # replies -------------------------------------------------------------------------------------
    def _take_ok(self, reply: "Reply") -> None:
        self._since_ms = self._now_ms
        done = self._dones.get(self._flow.answered())
        if done is not None:
            done()

    def _take_error(self, reply: "Reply") -> None:
        self._since_ms = self._now_ms
        tag = self._flow.answered()
        if tag == "console":
            self._console_done()
        elif tag == "homed":
            self._own.append(("$X", ""))  # no homing on this machine
            self._ready()
        else:
            self._refused(reply[1])

    def _take_alarm(self, reply: "Reply") -> None:
        if self.state in ("silent", "resetting", "locked"):
            return
        words = self.machine.alarm_words(reply[1])
        self.safe()
        self.events.append(("fault", "alarm-{}".format(reply[1]), words))
        self._lock(words)

    def _take_opt(self, reply: "Reply") -> None:
        if reply[3] > 32:
            self._flow.set_size(reply[3])

    def _take_status(self, reply: "Reply") -> None:
        report = reply[1]
        self._place.take(report)
        self.values.update(values(self._place, report))
        state, sub = report["state"], report["sub"]
        if self.state == "silent":
            self._found(state)
        elif self.state == "calming":
            self._see_standstill(state, sub)
        elif self.state == "reading":
            self._see_read(state)
        elif self.state == "idle" and state == "Alarm":
            self._lock_told("machine is locked: confirm clear to home it")
        else:
            self._follow(state, sub)

    def _found(self, state: str) -> None:
        if state in ("Idle", "Alarm", "Sleep", "Check"):
            self._reset(self._read)
        else:
            self._calm(self._read)

    def _see_standstill(self, state: str, sub: "int | None") -> None:
        slowing = state in ("Run", "Jog", "Home") or (state == "Hold" and sub != 0)
        if not slowing and self._place.still_n >= 1:
            self._reset(self._then)

    def _see_read(self, state: str) -> None:
        if self._own or not self._flow.empty:
            if self._now_ms - self._since_ms > BANNER_MS:
                self._reset(self._read)  # an answer was lost
        elif state == "Alarm":
            self._lock_told("machine is locked: confirm clear to home it")
        else:
            self._ready()

    # for the one that runs orders ----------------------------------------------------------------
    def _refused(self, code: int) -> None:
        """A line was answered by an error."""

    def _follow(self, state: str, sub: "int | None") -> None:
        """A report came."""

    def _unmoved(self) -> bool:
        """Say whether the order has certainly not moved anything yet."""
        return False

    def _drop(self, event: "tuple[Any, ...]") -> None:
        """The order is over with this event."""

    # turns ---------------------------------------------------------------------------------------
    def _lock_told(self, words: str) -> None:
        self.events.append(("fault", "locked", words))
        self._lock(words)

    def _lock(self, why: str) -> None:
        self._own = []
        self._drop(("ended", False, why, self._unmoved()))
        self.events.append(("offline", why))
        self._go("locked")

    def _lose(self, why: str) -> None:
        self.safe()  # it may still hear
        self._banners_due = 0
        self._lines.clear()
        self._drop(("lost", why))
        self.events.append(("offline", why))
        self._go("silent")

    def _go(self, state: str) -> None:
        self.state = state
        self._since_ms = self._now_ms

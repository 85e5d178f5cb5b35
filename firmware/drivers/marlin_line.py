"""Line to a printer that speaks Marlin: finds it, asks what it is, keeps every line whole.

    silent --ok--> asking --M115 answered--> idle

An answer that does not come is probed by sending the last line again (see ``numbered``): after
3 s when the machine is one that tells when it is busy, else after 30 s; for commands that may take
long after 30 s or 600 s. Three probes without any answer: the line is lost.

Klipper and RepRapFirmware take a line that comes twice (they look at no number): they are never
sent one again; where an answer stays away for 600 s, the line is lost.
"""

from firmware.drivers.console import MAX_LINES
from firmware.drivers.lines import LineSplitter
from firmware.drivers.numbered import NumberedFlow
from firmware.drivers.strangers import Stranger
from protocols.errors import WireError
from protocols.marlin import parse_reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Reply = tuple[Any, ...]

HELLO_MS = 2000  # between attempts to reach a silent machine
BUSY_ANSWER_MS = 3000
ANSWER_MS = 30000
LONG_ANSWER_MS = 600000
SETTLE_MS = 300  # after a greeting or a probe: late answers come in
RESEND_OK_MS = 500  # some builds send no ok after Resend
MAX_PROBES = 3
MAX_RESENDS = 10  # in a row, of the same line
REPORT_S = 2  # M155
STALE_MS = 5000  # temperatures older than this are asked for
_LONG = ("G4", "G28", "G29", "G30", "M109", "M190", "M191", "M400", "M600", "M0", "M1", "M303")
_TALK = ("temps", "echo", "unknown")  # says nothing about the line awaited
_TEMPS = (("T", "nozzle"), ("T0", "nozzle"), ("B", "bed"), ("C", "chamber"))
_DIALECTS = (("klipper", "klipper"), ("reprapfirmware", "reprapfirmware"))
_MARLIN_STYLE = b"M555 P2\n"  # RepRapFirmware answers nothing to most lines before


class MarlinLine:
    """States: silent, asking, idle, halted. window: lines in flight, 0 = as the machine tells."""

    def __init__(self, window: int = 0) -> None:
        self.out = bytearray()
        self.events: "list[tuple[Any, ...]]" = []
        self.values: "dict[str, int]" = {"lines_n": 0, "resend_n": 0, "timeout_n": 0}
        self.state = "silent"
        self.dialect = "marlin"
        self.firmware = ""
        self.caps: "dict[str, bool]" = {}
        self._lines = LineSplitter()
        self._stranger = Stranger("marlin")
        self._flow = NumberedFlow(window)
        self._own: "list[tuple[str, str]]" = []  # lines of the driver, before the program's
        self._heard_ms = 0
        self._hello_ms = -HELLO_MS
        self._hello_n = 0
        self._temps_ms = 0
        self._busy_seen = False
        self._long_n = 0  # last line that takes long
        self._probes = 0
        self._resends = 0
        self._settle_ms = 0  # no new line before
        self._resend_ms = 0  # a Resend waits for its ok until then; 0 = none waits
        self._takes: "dict[str, Callable[[Reply, int], None]]" = {
            "ok": self._take_ok,
            "resend": self._take_resend,
            "temps": self._take_temps,
            "wait": self._take_wait,
            "cap": self._take_cap,
            "firmware": self._take_firmware,
            "echo": self._take_echo,
            "unknown": self._take_unknown,
        }
        self._dones: "dict[str, Callable[[], None]]" = {
            "asked": self._asked,
            "console": self._console_done,
        }
        self._heard: "list[bytes]" = []  # what came since a person's line was given
        self._listens = False

    # serial line -------------------------------------------------------------------------------
    def feed(self, data: bytes, now_ms: int) -> None:
        """Take bytes of the machine."""
        for line in self._lines.feed(data):
            if self._listens and len(self._heard) < MAX_LINES:
                self._heard.append(line)
            reply = parse_reply(line)
            if reply[0] not in _TALK or self._long:  # M109 and M190 tell temperatures, not busy
                self._heard_ms = now_ms
            if reply[0] != "unknown":
                self._stranger.known()
            take = self._takes.get(reply[0])
            if take is not None:
                take(reply, now_ms)
        self._pump(now_ms)

    def step(self, now_ms: int) -> None:
        """Let time pass."""
        if self.state == "silent":
            self._hello(now_ms)
        elif self.state != "halted":
            self._watch(now_ms)
            self._pump(now_ms)

    def is_quiet(self) -> bool:
        """Say whether no answer of the machine is under way."""
        return not self._flow.outstanding or self.state in ("silent", "halted")

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

    def _hello(self, now_ms: int) -> None:
        if self._lines.overlong_n:
            self._lines.overlong_n = 0
            self._say_stranger(self._stranger.garbled())
        if now_ms - self._hello_ms >= HELLO_MS:
            self._hello_ms = now_ms
            self._hello_n += 1
            if self._hello_n % 3 == 0:
                self.out += b"\n" + _MARLIN_STYLE
            self.out += b"\n" + self._flow.restart()

    def _watch(self, now_ms: int) -> None:
        if self._resend_ms and now_ms >= self._resend_ms:
            self._resend_ms = 0
        if not self._own and not self._long and now_ms - self._temps_ms > STALE_MS:
            self._temps_ms = now_ms  # no report of its own came: ask
            self._own.append(("M105", ""))
        if self._flow.outstanding and now_ms - self._heard_ms > self._patience_ms():
            self._probe(now_ms)

    def _patience_ms(self) -> int:
        if self.dialect != "marlin":
            return LONG_ANSWER_MS
        if self._long:
            return ANSWER_MS if self._busy_seen else LONG_ANSWER_MS
        return BUSY_ANSWER_MS if self._busy_seen else ANSWER_MS

    def _probe(self, now_ms: int) -> None:
        self._probes += 1
        self.values["timeout_n"] += 1
        if self._probes > MAX_PROBES or self.dialect != "marlin":
            self._lose("machine does not answer")
            return
        self._heard_ms = now_ms
        self._settle_ms = now_ms + SETTLE_MS
        self.out += self._flow.probe()

    def _pump(self, now_ms: int) -> None:
        """Send what may be sent."""
        if self.state in ("silent", "halted") or self._resend_ms or now_ms < self._settle_ms:
            return
        while self._flow.can_send():
            data = self._flow.again() or self._new_line()
            if not data:
                return
            self._heard_ms = now_ms
            self.out += data

    def _new_line(self) -> bytes:
        text, tag = self._next_line()
        if not text:
            return b""
        try:
            data = self._flow.new(text, tag)
        except WireError as error:
            self._cannot_send("line cannot be sent: " + str(error))
            return b""
        if text.split(" ", 1)[0] in _LONG:
            self._long_n = self._flow.last_n
        return data

    @property
    def _long(self) -> bool:
        """Say whether a line that takes long has no answer yet, other lines behind it or not."""
        return self._flow.awaits(self._long_n)

    def _next_line(self) -> "tuple[str, str]":
        """Next line and its tag; "" when there is none."""
        return self._own.pop(0) if self._own else ("", "")

    def _cannot_send(self, why: str) -> None:
        """A line is not one this machine takes."""

    # replies -------------------------------------------------------------------------------------
    def _take_ok(self, reply: "Reply", now_ms: int) -> None:
        if reply[4]:
            self._take_temps(("temps", reply[4]), now_ms)
        if self.state == "silent":
            self._found(now_ms)
        elif self.state == "halted" or (self.state == "asking" and now_ms < self._settle_ms):
            return  # of the greeting
        elif self._resend_ms:  # the ok that follows a Resend belongs to no line
            self._resend_ms = 0
        else:
            self._resends = 0
            if self._probes:  # its own answer may still come after the one to the probe
                self._probes = 0
                self._settle_ms = now_ms + SETTLE_MS
            if reply[2] is not None:
                self.values["planner_n"] = reply[2]
            self._done(self._flow.ok(reply[1], reply[3]))

    def _take_resend(self, reply: "Reply", now_ms: int) -> None:
        if self.state in ("silent", "halted"):
            return
        self.values["resend_n"] += 1
        self._resends += 1
        if self._resends > MAX_RESENDS:
            self._lose("machine asks for the same line again and again")
            return
        self._resend_ms = now_ms + RESEND_OK_MS
        self._probes = 0
        self._done(self._flow.resend(reply[1]) or [])

    def _take_temps(self, reply: "Reply", now_ms: int) -> None:
        self._temps_ms = now_ms
        for name, field in _TEMPS:
            if name in reply[1]:
                now_mc, target_mc = reply[1][name]
                self.values[field + "_mc"] = now_mc
                if target_mc is not None:
                    self.values[field + "_set_mc"] = target_mc

    def _take_wait(self, reply: "Reply", now_ms: int) -> None:
        """An idle machine while an answer is awaited: the answer or the line was lost."""
        if self._flow.outstanding and not self._probes and self.state not in ("silent", "halted"):
            self._probe(now_ms)

    def _take_cap(self, reply: "Reply", now_ms: int) -> None:
        self.caps[reply[1]] = reply[2]

    def _take_firmware(self, reply: "Reply", now_ms: int) -> None:
        self.firmware = reply[1].strip().split(" SOURCE_CODE_URL", 1)[0].split(" PROTOCOL", 1)[0]
        self.dialect = "marlin"
        for word, dialect in _DIALECTS:
            if self.firmware.lower().startswith(word):
                self.dialect = dialect

    def _take_echo(self, reply: "Reply", now_ms: int) -> None:
        if "recovery" in reply[1] and reply[1].strip()[-2:] == "ON":
            self._own.append(("M413 S0", ""))  # it would go on by itself after a power cut

    def _take_unknown(self, reply: "Reply", now_ms: int) -> None:
        self._say_stranger(self._stranger.take(reply[1]))

    def _say_stranger(self, why: str) -> None:
        if why and self.state in ("silent", "asking"):
            self.state = "silent"
            self.events.append(("offline", why))

    # turns ---------------------------------------------------------------------------------------
    def _found(self, now_ms: int) -> None:
        self.state = "asking"
        self._probes = self._resends = self._resend_ms = 0
        self._settle_ms = now_ms + SETTLE_MS
        self._heard_ms = self._temps_ms = now_ms
        self._busy_seen = False
        self._long_n = 0
        self.caps = {}
        self._own = [("M115", "asked")] + self._own

    def _asked(self) -> None:
        """M115 was answered."""
        self.state = "idle"
        self._hello_n = 0
        if self.caps.get("AUTOREPORT_TEMP"):
            self._own.append(("M155 S{}".format(REPORT_S), ""))
        if self.dialect == "marlin":
            self._own.append(("M413", ""))
        on = " ".join([name for name in sorted(self.caps) if self.caps[name]])
        identity = {"firmware": self.firmware, "caps": on, "dialect": self.dialect}
        self.events.append(("identity", identity))
        self.events.append(("online",))

    def _done(self, tags: "list[str]") -> None:
        for tag in tags:
            if tag:
                self._dones[tag]()

    def _leave(self) -> bool:
        """Forget all lines; say whether there was an order."""
        self._own = []
        self._lines.clear()
        return False

    def _lose(self, why: str) -> None:
        if self._leave():
            self.events.append(("lost", why))
        self.events.append(("offline", why))
        self.state = "silent"

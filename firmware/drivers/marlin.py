"""Driver of a Marlin printer: sans-I/O, one instance per serial line.

Call ``feed`` with what arrived and ``step`` several times a second; write what is in ``out`` and
clear it; take events from ``events``:

    ("online",)              the machine answers
    ("offline", why)         it does not
    ("paused", why)          the order stands still        ("resumed",)
    ("ended", ok, why, certain)  the order is over; certain = all acknowledged lines were executed
    ("lost", why)            the order is out of reach: nobody knows what the machine does
    ("fault", code, text)    a person must look            ("need", text)

An answer that does not come is probed by sending the last line again (see ``numbered``): after
3 s when the machine is one that tells when it is busy, else after 30 s; for commands that may take
long after 30 s or 600 s. Three probes without any answer: the line is lost.
"""

from firmware.drivers.lines import LineSplitter
from firmware.drivers.numbered import NumberedFlow
from protocols.errors import WireError
from protocols.marlin import parse_reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.streamer import Streamer

HELLO_MS = 2000  # between attempts to reach a silent machine
BUSY_ANSWER_MS = 3000
ANSWER_MS = 30000
LONG_ANSWER_MS = 600000
SETTLE_MS = 300  # after a probe: late answers to the line itself come in
RESEND_OK_MS = 500  # some builds send no ok after Resend
MAX_PROBES = 3
MAX_RESENDS = 10  # in a row, of the same line
IDLE_ASK_MS = 4000
_LONG = ("G4", "G28", "G29", "G30", "M109", "M190", "M191", "M400", "M600", "M0", "M1", "M303")
_COOL = ("M104 S0", "M140 S0", "M107")
_TALK = ("temps", "echo", "unknown")  # says nothing about the line awaited
_HARMLESS = ("no_checksum", "checksum", "line_number")  # Resend follows
_TEMPS = (("T", "nozzle"), ("T0", "nozzle"), ("B", "bed"))


class Marlin:
    """States: silent, idle, running, pausing, paused, ending, cancelling, halted."""

    def __init__(self, window: int = 1) -> None:
        self.out = bytearray()
        self.events: "list[tuple[Any, ...]]" = []
        self.values: "dict[str, int]" = {"lines_n": 0, "resend_n": 0, "timeout_n": 0}
        self.state = "silent"
        self._lines = LineSplitter()
        self._flow = NumberedFlow(window)
        self._own: "list[tuple[str, str]]" = []  # lines of the driver, before the program's
        self._source: "Streamer | None" = None
        self._why = ""
        self._heard_ms = 0
        self._hello_ms = -HELLO_MS
        self._busy_seen = False
        self._long = False
        self._probes = 0
        self._resends = 0
        self._settle_ms = 0  # no new line before
        self._resend_ms = 0  # a Resend waits for its ok until then; 0 = none waits
        self._autoreport = False
        self._cap_emergency = False
        self._said_need = False
        self._takes: "dict[str, Callable[[tuple[Any, ...], int], None]]" = {
            "ok": self._take_ok,
            "resend": self._take_resend,
            "busy": self._take_busy,
            "temps": self._take_temps,
            "error": self._take_error,
            "action": self._take_action,
            "start": self._take_start,
            "wait": self._take_wait,
            "cap": self._take_cap,
            "cold": self._take_cold,
        }
        self._dones: "dict[str, Callable[[], None]]" = {
            "program": self._program_done,
            "paused": self._pause_done,
            "drained": self._cool_down,
            "cooled": self._end_done,
        }

    # commands ------------------------------------------------------------------------------------
    @property
    def running(self) -> bool:
        """Say whether an order is on the machine."""
        return self._source is not None

    def run(self, source: "Streamer", label: str) -> None:
        """Begin an order; the machine must be idle."""
        self._source = source
        self._why = ""
        self._said_need = False
        self.values["lines_n"] = 0
        self._own.append(("M117 " + label, ""))
        self.state = "running"

    def pause(self) -> None:
        """Stop feeding; paused is told when the machine stands still."""
        if self.state == "running":
            self.state = "pausing"
            self._own.append(("M400", "paused"))

    def resume(self) -> None:
        """Go on feeding."""
        if self.state in ("paused", "pausing"):
            self.state = "running"
            self.events.append(("resumed",))

    def cancel(self) -> None:
        """End the order: no more lines, wait for standstill, heaters off."""
        self._abandon("cancelled")

    def stop(self) -> None:
        """Emergency stop in software: M112 past all queues; the machine needs a reset then."""
        self.out = bytearray(b"M112\n")
        self._halt("stopped")

    def safe(self) -> None:
        """Heaters and fan off."""
        self._own += [(text, "") for text in _COOL]

    def recover(self) -> None:
        """A person says the machine is fit again: try to reach it."""
        if self.state == "halted":
            self.state = "silent"

    def identify(self) -> None:
        """Make the machine noticeable."""
        self._own += [("M300 S880 P400", ""), ("M117 here I am", "")]

    # serial line -------------------------------------------------------------------------------
    def feed(self, data: bytes, now_ms: int) -> None:
        """Take bytes of the machine."""
        for line in self._lines.feed(data):
            reply = parse_reply(line)
            if reply[0] not in _TALK or self._long:  # M109 and M190 tell temperatures, not busy
                self._heard_ms = now_ms
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

    def _hello(self, now_ms: int) -> None:
        if now_ms - self._hello_ms >= HELLO_MS:
            self._hello_ms = now_ms
            self.out += b"\n" + self._flow.restart()

    def _watch(self, now_ms: int) -> None:
        if self._resend_ms and now_ms >= self._resend_ms:
            self._resend_ms = 0
        if not self._flow.outstanding:
            if now_ms - self._heard_ms > IDLE_ASK_MS and not self._own:
                self._own.append(("M105", ""))
        elif now_ms - self._heard_ms > self._patience_ms():
            self._probe(now_ms)

    def _patience_ms(self) -> int:
        if self._long:
            return ANSWER_MS if self._busy_seen else LONG_ANSWER_MS
        return BUSY_ANSWER_MS if self._busy_seen else ANSWER_MS

    def _probe(self, now_ms: int) -> None:
        self._probes += 1
        self.values["timeout_n"] += 1
        if self._probes > MAX_PROBES:
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
        if self._own:
            text, tag = self._own.pop(0)
        elif self.state == "running" and self._source is not None:
            taken = self._source.take()
            if taken is None:
                self.state = "ending"
                text, tag = "M400", "drained"
            elif not taken:
                return b""
            else:
                text, tag = taken, "program"
        else:
            return b""
        self._long = text.split(" ", 1)[0] in _LONG
        try:
            return self._flow.new(text, tag)
        except WireError as error:
            self._abandon("line cannot be sent: " + str(error))
            return b""

    # replies -------------------------------------------------------------------------------------
    def _take_ok(self, reply: "tuple[Any, ...]", now_ms: int) -> None:
        if reply[4]:
            self._take_temps(("temps", reply[4]), now_ms)
        if self.state == "silent":
            self._connected()
        elif self._resend_ms:  # the ok that follows a Resend belongs to no line
            self._resend_ms = 0
        else:
            self._resends = 0
            if self._probes:  # its own answer may still come after the one to the probe
                self._probes = 0
                self._settle_ms = now_ms + SETTLE_MS
            self._done(self._flow.ok(reply[1]))

    def _take_resend(self, reply: "tuple[Any, ...]", now_ms: int) -> None:
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

    def _take_busy(self, reply: "tuple[Any, ...]", now_ms: int) -> None:
        self._busy_seen = True
        self._probes = 0
        if reply[1] != "processing" and not self._said_need:
            self._said_need = True
            self.events.append(("need", "machine is " + reply[1]))

    def _take_temps(self, reply: "tuple[Any, ...]", now_ms: int) -> None:
        for name, field in _TEMPS:
            if name in reply[1]:
                now_mc, target_mc = reply[1][name]
                self.values[field + "_mc"] = now_mc
                if target_mc is not None:
                    self.values[field + "_set_mc"] = target_mc

    def _take_error(self, reply: "tuple[Any, ...]", now_ms: int) -> None:
        if reply[1] in _HARMLESS or reply[1] == "other" or self.state == "halted":
            return
        self.events.append(("fault", reply[1], reply[2]))
        self._halt(reply[2])

    def _take_action(self, reply: "tuple[Any, ...]", now_ms: int) -> None:
        name = reply[1]
        if name in ("pause", "paused") and self.state == "running":
            self.pause()
            self._why = "machine asked"
        elif name in ("resume", "resumed"):
            self.resume()
        elif name == "cancel":
            self._abandon("cancelled at the machine")

    def _take_start(self, reply: "tuple[Any, ...]", now_ms: int) -> None:
        if self.state == "silent":
            return
        if self._source is not None:
            self.events.append(("fault", "reset", "machine was reset while an order ran"))
        self._halt("machine was reset")
        self.state = "silent"

    def _take_wait(self, reply: "tuple[Any, ...]", now_ms: int) -> None:
        """An idle machine while an answer is awaited: the answer or the line was lost."""
        if self._flow.outstanding and not self._probes and self.state not in ("silent", "halted"):
            self._probe(now_ms)

    def _take_cap(self, reply: "tuple[Any, ...]", now_ms: int) -> None:
        if reply[1] == "EMERGENCY_PARSER":
            self._cap_emergency = reply[2]
        elif reply[1] == "AUTOREPORT_TEMP" and reply[2] and not self._autoreport:
            self._autoreport = True
            self._own.append(("M155 S2", ""))

    def _take_cold(self, reply: "tuple[Any, ...]", now_ms: int) -> None:
        self._abandon("cold extrusion prevented: nozzle was not hot enough")

    # turns ---------------------------------------------------------------------------------------
    def _connected(self) -> None:
        self.state = "idle"
        self._probes = self._resends = 0
        self._resend_ms = self._settle_ms = 0
        self._busy_seen = self._autoreport = False
        self._own = [("M115", "")] + self._own
        self.events.append(("online",))

    def _done(self, tags: "list[str]") -> None:
        for tag in tags:
            if tag:
                self._dones[tag]()

    def _program_done(self) -> None:
        self.values["lines_n"] += 1
        if self._source is not None:
            self._source.acknowledge()

    def _pause_done(self) -> None:
        if self.state == "pausing":
            self.state = "paused"
            self.events.append(("paused", self._why or "a person asked"))
            self._why = ""

    def _abandon(self, why: str) -> None:
        """End an order early but orderly."""
        if self._source is None or self.state in ("ending", "cancelling"):
            return
        self.state = "cancelling"
        self._why = why
        if self._cap_emergency and self._long:
            self.out += b"M108\n"  # stop waiting for heat
        self._own = [("M400", "drained")]

    def _cool_down(self) -> None:
        self._own += [(text, "") for text in _COOL[:-1]]
        self._own.append((_COOL[-1], "cooled"))

    def _end_done(self) -> None:
        ok = self.state == "ending"
        self.state = "idle"
        if self._source is not None:
            self._source.close()
            self._source = None
            self.events.append(("ended", ok, "" if ok else self._why, True))

    def _leave(self) -> bool:
        """Forget the order and all lines; say whether there was an order."""
        had = self._source is not None
        if self._source is not None:
            self._source.close()
        self._source = None
        self._own = []
        self._lines.clear()
        return had

    def _halt(self, why: str) -> None:
        """The machine stopped for good and needs a person."""
        if self._leave():
            self.events.append(("ended", False, why, False))
        if self.state != "silent":
            self.events.append(("offline", why))
        self.state = "halted"

    def _lose(self, why: str) -> None:
        if self._leave():
            self.events.append(("lost", why))
        self.events.append(("offline", why))
        self.state = "silent"

    def close(self, why: str) -> None:
        """The serial line itself is gone."""
        if self.state != "silent":
            self._lose(why)

"""Driver of a printer that speaks Marlin: sans-I/O, one instance per serial line.

Call ``feed`` with what arrived and ``step`` several times a second; write what is in ``out`` and
clear it; take events from ``events``:

    ("online",)              the machine answers            ("identity", {firmware, caps, dialect})
    ("offline", why)         it does not
    ("paused", why)          the order stands still         ("resumed",)
    ("ended", ok, why, certain)  the order is over; certain = all acknowledged lines were executed
    ("lost", why)            the order is out of reach: nobody knows what the machine does
    ("fault", code, text)    a person must look             ("need", text)

The machine itself may stop and wait for a person (M600, M0, filament run out): state held. It goes
on by its own button, or by M108 where it has an emergency parser.
"""

from firmware.drivers.marlin_line import MarlinLine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.streamer import Streamer

    Reply = tuple[Any, ...]

_COOL = ("M104 S0", "M140 S0", "M107")
_HARMLESS = ("no_checksum", "checksum", "line_number")  # Resend follows
_DOWN = ("Klipper state: Shutdown", "Klipper state: Disconnect", "Printer is shutdown")


class Marlin(MarlinLine):
    """States: those of MarlinLine and running, pausing, paused, held, ending, cancelling."""

    def __init__(self, window: int = 0) -> None:
        super().__init__(window)
        self._source: "Streamer | None" = None
        self._why = ""
        self._certain = True
        self._prompt = ""
        self._ran_out = ""
        self._goes_on = "running"  # state before the machine held itself
        self._takes.update(
            {
                "busy": self._take_busy,
                "error": self._take_error,
                "action": self._take_action,
                "start": self._take_start,
                "cold": self._take_cold,
            }
        )
        self._dones.update(
            {
                "program": self._program_done,
                "paused": self._pause_done,
                "drained": self._cool_down,
                "cooled": self._end_done,
            }
        )
        self._actions: "dict[str, Callable[[str], None]]" = {
            "pause": self._asked_to_pause,
            "paused": lambda args: self._hold(self._ran_out or "machine stopped for a person"),
            "resume": self._asked_to_resume,
            "resumed": self._asked_to_resume,
            "cancel": lambda args: self._abandon("cancelled at the machine"),
            "out_of_filament": self._runs_out,
            "prompt_begin": self._prompt_begin,
            "prompt_button": self._prompt_button,
            "prompt_show": self._prompt_show,
            "notification": self._notify,
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
        self._certain = True
        self.values["lines_n"] = 0
        self._own.append(("M117 " + label, ""))
        self.state = "running"

    def pause(self, why: str = "") -> None:
        """Stop feeding; paused is told when the machine stands still."""
        if self.state == "running":
            self.state = "pausing"
            self._why = why
            self._own.append(("M400", "paused"))

    def resume(self) -> None:
        """Go on feeding; a machine that holds itself is told that a person said so."""
        if self.state == "held":
            if self._hears():
                self.out += b"M108\n"
            else:
                self.events.append(("need", "press the button of the machine to go on"))
        elif self.state in ("paused", "pausing"):
            self.state = "running"
            self.events.append(("resumed",))

    def cancel(self) -> None:
        """End the order: no more lines, wait for standstill, heaters off."""
        self._abandon("cancelled")

    def give_up(self, why: str) -> None:
        """End the order as ``cancel`` does, for a reason of ours."""
        self._abandon(why)

    def insert(self, lines: "list[str]") -> None:
        """Lines of ours, sent while an order stands still."""
        self._own += [(text, "") for text in lines]

    def stop(self) -> None:
        """Emergency stop in software: M112 past all queues; the machine needs a reset then."""
        self.out = bytearray(b"M112\n")
        if self._hears():
            self._halt("stopped")
        else:  # M112 waits in its queue like any line
            self._halt("stop was sent, but this machine may hear it late: use its own switch")

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

    def _hears(self) -> bool:
        """Say whether M108, M112 and M410 reach the machine past its queue."""
        return self.dialect == "klipper" or self.caps.get("EMERGENCY_PARSER", False)

    # sending -------------------------------------------------------------------------------------
    def _next_line(self) -> "tuple[str, str]":
        if self._own:
            return self._own.pop(0)
        if self.state != "running" or self._source is None:
            return "", ""
        taken = self._source.take()
        if taken is None:
            self.state = "ending"
            return "M400", "drained"
        return taken, "program"

    def _cannot_send(self, why: str) -> None:
        self._abandon(why)

    # replies -------------------------------------------------------------------------------------
    def _take_ok(self, reply: "Reply", now_ms: int) -> None:
        if self.state == "held":
            self._asked_to_resume("")  # the line it held at is done
        super()._take_ok(reply, now_ms)

    def _take_busy(self, reply: "Reply", now_ms: int) -> None:
        self._busy_seen = True
        self._probes = 0
        if reply[1] != "processing":
            self._hold("machine is " + reply[1])

    def _take_error(self, reply: "Reply", now_ms: int) -> None:
        if reply[1] in _HARMLESS or self.state in ("silent", "halted"):
            return
        if reply[1] != "other":
            self.events.append(("fault", reply[1], reply[2]))
            self._halt(reply[2])
        elif reply[2][:2] == "!!":
            if any([words in reply[2] for words in _DOWN]):
                self.events.append(("fault", "shutdown", reply[2]))
                self._halt(reply[2])
            else:
                self._abandon(reply[2])

    def _take_unknown(self, reply: "Reply", now_ms: int) -> None:
        if any([words in reply[1] for words in _DOWN]) and self.state not in ("silent", "halted"):
            self.events.append(("fault", "shutdown", reply[1]))
            self._halt(reply[1])
        else:
            super()._take_unknown(reply, now_ms)

    def _take_start(self, reply: "Reply", now_ms: int) -> None:
        if self.state == "silent":
            return
        if self._source is not None:
            self.events.append(("fault", "reset", "machine was reset while an order ran"))
        self._halt("machine was reset")
        self.state = "silent"

    def _take_cold(self, reply: "Reply", now_ms: int) -> None:
        if self._hears() and self._source is not None and self.state != "cancelling":
            self.out += b"M410\n"  # what is planned would be printed on nothing
            self._certain = False
        self._abandon("cold extrusion prevented: nozzle was not hot enough")

    # what the machine asks for -------------------------------------------------------------------
    def _take_action(self, reply: "Reply", now_ms: int) -> None:
        act = self._actions.get(reply[1])
        if act is not None:
            act(reply[2])

    def _asked_to_pause(self, args: str) -> None:
        if self.state == "running":
            self.pause()
            self._why = self._ran_out or "machine asked"

    def _asked_to_resume(self, args: str) -> None:
        self._prompt = self._ran_out = ""
        if self.state == "held":
            self.state = self._goes_on
            self.events.append(("resumed",))
        elif self.state in ("paused", "pausing"):
            self.resume()

    def _runs_out(self, args: str) -> None:
        self._ran_out = "filament ran out on " + (args or "T0")
        self.events.append(("need", self._ran_out))

    def _hold(self, why: str) -> None:
        if self.state in ("running", "pausing", "ending"):
            self._goes_on = "running" if self.state == "pausing" else self.state
            self.state = "held"
            self.events.append(("paused", why))
            self.events.append(("need", why))

    def _prompt_begin(self, args: str) -> None:
        self._prompt = args

    def _prompt_button(self, args: str) -> None:
        self._prompt += " [{}]".format(args)

    def _prompt_show(self, args: str) -> None:
        if self._prompt and "[" in self._prompt:
            self._hold("machine asks: " + self._prompt)
            self._notify("machine asks: " + self._prompt)

    def _notify(self, args: str) -> None:
        if args and self.state == "held":
            self.events.append(("need", args))

    # turns ---------------------------------------------------------------------------------------
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
        if self._hears() and (self._long or self.state == "held"):
            self.out += b"M108\n"  # stop waiting for heat, or for a person
        self.state = "cancelling"
        self._why = why
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
            self.events.append(("ended", ok, "" if ok else self._why, self._certain))

    def _leave(self) -> bool:
        super()._leave()
        had = self._source is not None
        if self._source is not None:
            self._source.close()
        self._source = None
        return had

    def _halt(self, why: str) -> None:
        """The machine stopped for good and needs a person."""
        if self._leave():
            self.events.append(("ended", False, why, False))
        if self.state != "silent":
            self.events.append(("offline", why))
        self.state = "halted"

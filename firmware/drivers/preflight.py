"""What is known of a GRBL machine, and why a program must not run on it.

Settings that count: $13 reports in inches, $22 homing, $32 laser mode, $130-132 travel (gnea/grbl
``doc/markdown/settings.md``). Lengths um.
"""

from firmware.drivers.envelope import AXES, GROUPS, Envelope
from protocols.gcode import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from protocols.records import Record

SLACK_UM = 100  # single-precision arcs, rounded offsets
_KEPT = (13, 22, 32, 130, 131, 132)
_SWITCHES = (("D", "the safety door is open"), ("H", "a hold switch is pressed"))


class Machine:
    """Folded from the machine's replies."""

    def __init__(self) -> None:
        self.firmware = "grbl"
        self.version = ""
        self.blocks = 0
        self.rx_bytes = 0
        self.settings: "dict[int, int]" = {}  # thousandths
        self.offsets: "dict[str, list[int]]" = {}
        self.modes: "list[str]" = []
        self.pins = ""
        self.mpos = [0, 0, 0]
        self._wco = [0, 0, 0]
        self._takes: "dict[str, Callable[..., None]]" = {
            "banner": self._banner,
            "ver": self._ver,
            "opt": self._opt,
            "setting": self._setting,
            "offset": self._offset,
            "gc": self._gc,
            "status": self._status,
        }

    def take(self, reply: "tuple[Any, ...]") -> None:
        """Take any reply."""
        take = self._takes.get(reply[0])
        if take is not None:
            take(*reply[1:])

    def identity(self) -> "Record":
        """What the machine says it is."""
        text = "{} {}".format(self.firmware, self.version).strip()
        caps = "blocks {}, rx {}".format(self.blocks, self.rx_bytes)
        return {"firmware": text, "caps": caps, "dialect": self.firmware}

    def _banner(self, firmware: str, version: str) -> None:
        self.firmware, self.version = firmware, version

    def _ver(self, version: str, text: str) -> None:
        self.version = version

    def _opt(self, flags: str, blocks: int, rx_bytes: int) -> None:
        self.blocks, self.rx_bytes = blocks, rx_bytes

    def _setting(self, n: int, text: str) -> None:
        if n in _KEPT:
            try:
                self.settings[n] = number(text) // 1000
            except ValueError:
                pass

    def _offset(self, name: str, um: "list[int]") -> None:
        self.offsets[name] = um

    def _gc(self, text: str) -> None:
        self.modes = text.split()

    def _status(self, report: "Record") -> None:
        self.pins = report.get("pins", "")
        self._wco = report.get("wco", self._wco)
        if "mpos" in report:
            self.mpos = report["mpos"]
        elif "wpos" in report:
            self.mpos = [w + o for w, o in zip(report["wpos"], self._wco)]

    # words for people ----------------------------------------------------------------------------
    def error_words(self, code: int) -> str:
        """What an error of this machine says."""
        return self._words("error", code)

    def alarm_words(self, code: int) -> str:
        """What an alarm of this machine says, and what follows from it."""
        words = self._words("alarm", code)
        if "position is lost" in words and not self.settings.get(22):
            words += "; set the work zero again"
        return words

    def _words(self, kind: str, code: int) -> str:
        try:
            from protocols import grbl_codes  # words that most orders never need

            find = grbl_codes.alarm_words if kind == "alarm" else grbl_codes.error_words
            return find(code, self.firmware)
        except MemoryError:
            return "{}:{} of {}".format(kind, code, self.firmware)

    # preflight -----------------------------------------------------------------------------------
    def envelope(self) -> Envelope:
        """A box for a program that starts now."""
        return Envelope(self.mpos, self.offsets)

    def not_ready(self) -> str:
        """Why nothing may start now; "" when it may."""
        for pin, why in _SWITCHES:
            if pin in self.pins:
                return why
        if self.settings.get(32):
            return "laser mode is on ($32)"
        if self.settings.get(13):
            return "reports are in inches ($13)"
        return ""

    def too_far(self, box: Envelope) -> str:
        """Why a program does not fit the machine; "" when it does.

        To be asked after each line. A homed GRBL counts its travel from 0 down; where the zero
        is not known, the size must fit.
        """
        if not box.grew:
            return ""
        box.grew = False
        for i, axis in enumerate(AXES):
            low, high = box.low[i], box.high[i]
            travel = self.settings.get(130 + i, 0)
            if low is None or high is None or not travel:
                continue
            if high - low > travel + SLACK_UM:
                return _beyond(axis, high - low, "is the size of the program", travel)
            if self._is_homed(i) and low < -travel - SLACK_UM:
                return _beyond(axis, low, "is where the program goes", -travel)
            if self._is_homed(i) and high > SLACK_UM:
                return _beyond(axis, high, "is where the program goes", 0)
        return ""

    def _is_homed(self, axis: int) -> bool:
        travel = self.settings.get(130 + axis, 0)
        known = self.firmware == "grbl" and self.settings.get(22, 0) > 0
        return known and -travel - SLACK_UM <= self.mpos[axis] <= SLACK_UM

    def wrong_mode(self, box: Envelope) -> str:
        """Mode of the machine that differs from a fresh one's and that the program leaves so."""
        for name, codes in GROUPS:
            if name in box.given:
                continue
            for code in codes[1:]:
                if "G{}".format(code) in self.modes:
                    return "machine starts with G{}, the program does not set its {}".format(
                        code, name
                    )
        return ""


def _beyond(axis: str, um: int, what: str, limit: int) -> str:
    return "{} {:.1f} mm {}, the machine ends at {:.1f} mm".format(
        axis, um / 1000, what, limit / 1000
    )

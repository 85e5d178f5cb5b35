"""Lines of an order for a GRBL machine: gone through dry first, then for real, ended properly.

M6 is not for the machine (GRBL 1.1 refuses it, grblHAL and FluidNC each do something else with it):
the line stops the program, a person changes the tool, and the rest of the line is sent then.
"""

from firmware.drivers.envelope import Envelope
from protocols.gcode import SCALE, words, write_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.streamer import Streamer

END = "M30"  # spindle and coolant off, modes back: sent after a program that does not end itself
_ENDS = (2 * SCALE, 30 * SCALE)
_CHANGE = ("M", 6 * SCALE)


def has_m(code: str, values: "tuple[int, ...]") -> bool:
    """Say whether a line holds an M word with one of these values."""
    if "M" not in code and "m" not in code:
        return False
    return any([k == "M" and v in values for k, v in words(code)])


def without_change(code: str) -> str:
    """A line without its M6."""
    return write_words([word for word in words(code) if word != _CHANGE])


class Program:
    """One order's lines; ``dry`` while they are only checked. box: how far they reach."""

    def __init__(self, source: "Streamer") -> None:
        self.source = source
        self.box = Envelope([0, 0, 0], {})
        self.dry = True
        self.change: "str | None" = None  # line that waits for a tool change
        self._held: "str | None" = None  # taken, and did not fit yet
        self._ended = False

    def check(self, box: "Envelope") -> None:
        """Dry from the first line; box: where the machine stands."""
        self.source.rewind()
        self.box = box
        self._held = None

    def begin(self) -> None:
        """From the first line, for real."""
        self.source.rewind()
        self.dry = False
        self._held = None

    def take(self) -> "str | None":
        """Next line; "" when it must wait, None when the program is over."""
        code = self._held
        self._held = None
        if code is not None:
            return code
        return self._take_dry() if self.dry else self._take_real()

    def _take_dry(self) -> "str | None":
        while True:
            code = self.source.preview()
            if not code:
                return code
            self.box.feed(code)
            code = without_change(code) if has_m(code, _CHANGE[1:]) else code
            if code:
                return code

    def _take_real(self) -> "str | None":
        code = self.source.take()
        if code and has_m(code, _CHANGE[1:]):
            self.change = code
            return ""
        if code and has_m(code, _ENDS):
            self._ended = True
        return code

    def changed(self) -> None:
        """The tool was changed: the rest of the line goes next."""
        if self.change is not None:
            self._held = without_change(self.change) or None
            if self._held is None:
                self.source.acknowledge()
            self.change = None

    def give_back(self, code: str) -> None:
        """Keep a line that did not fit."""
        self._held = code

    def drop(self) -> None:
        """Forget a line kept."""
        self._held = None

    def ending(self) -> "list[str]":
        """Lines that end the program where it did not end itself."""
        return [] if self._ended else [END]


def tool_words(code: str) -> str:
    """What a person is asked for at a tool change."""
    for letter, value in words(code):
        if letter == "T" and value is not None:
            return "put in tool {}".format(value // SCALE)
    return "change the tool"

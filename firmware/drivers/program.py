"""Lines of an order for a GRBL machine: gone through dry first, then for real, ended properly."""

from protocols.gcode import SCALE, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.streamer import Streamer

END = "M30"  # spindle and coolant off, modes back: sent after a program that does not end itself
_ENDS = (2 * SCALE, 30 * SCALE)


def ends_program(code: str) -> bool:
    """Say whether a line holds M2 or M30."""
    if "M" not in code and "m" not in code:
        return False
    return any([k == "M" and v in _ENDS for k, v in words(code)])


class Program:
    """One order's lines; ``dry`` while they are only checked."""

    def __init__(self, source: "Streamer") -> None:
        self.source = source
        self.dry = True
        self._held: "str | None" = None  # taken, and did not fit yet
        self._ended = False

    def begin(self) -> None:
        """From the first line, for real."""
        self.source.rewind()
        self.dry = False
        self.drop()

    def take(self) -> "str | None":
        """Next line; "" when it must wait, None when the program is over."""
        code = self._held
        self._held = None
        if code is not None:
            return code
        code = self.source.preview() if self.dry else self.source.take()
        if code and not self.dry and ends_program(code):
            self._ended = True
        return code

    def give_back(self, code: str) -> None:
        """Keep a line that did not fit."""
        self._held = code

    def drop(self) -> None:
        """Forget a line kept."""
        self._held = None

    def ending(self) -> "list[str]":
        """Lines that end the program where it did not end itself."""
        return [] if self._ended else [END]

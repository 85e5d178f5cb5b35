"""A program on flash as lines for a driver: constant memory, metered before each line is sent."""

from protocols.gcode import strip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from protocols.records import Record

BLOCK = 256
_LONGEST = 1024  # of a line; the rest of a longer one is dropped (no machine takes such a line)
HOLD = ""  # nothing may be sent now


def spooled(program: "Record") -> str:
    """Name of a program on flash."""
    return "p-" + program["sha"][:32] + ".bin"


class Lines:
    """Stripped lines of a file read in blocks; ``offset`` is the bytes behind the lines given.

    A file whose ``read`` gives None has nothing now: no line comes, and ``starved`` is true.
    """

    def __init__(self, file: "Any") -> None:
        self._file = file
        self._rest = b""
        self._parts: "list[bytes]" = []
        self._eof = False
        self.starved = False
        self.offset = 0

    def raw(self) -> "bytes | None":
        """Next line as it stands, without its end; None after the last, or while starved."""
        self.starved = False
        while not self._parts:
            if self._eof or self.starved:
                return None
            self._read()
        line = self._parts.pop()
        self.offset += len(line) + 1
        return line

    def _read(self) -> None:
        block = self._file.read(BLOCK)
        if block is None:
            self.starved = True
        elif not block:
            self._eof = True
            self._parts = [self._rest] if self._rest else []
        else:
            parts = (self._rest + block).split(b"\n")
            self._rest = parts.pop()[:_LONGEST]
            parts.reverse()
            self._parts = parts

    def next(self) -> "str | None":
        """Next line that is left after stripping; None after the last, or while starved."""
        while True:
            line = self.raw()
            if line is None:
                return None
            code = strip(line)
            if code:
                return code


class Streamer:
    """Program of one order. before(code) says whether a line may be sent."""

    def __init__(self, file: "Any", size: int, before: "Callable[[str], bool]") -> None:
        self._file = file
        self._size = size
        self._before = before
        self._lines = Lines(file)
        self._held: "str | None" = None
        self.acknowledged_n = 0

    def take(self) -> "str | None":
        """Next line; HOLD when it must wait, None when the program is over."""
        code = self._held or self._lines.next()
        if code is None:
            return HOLD if self._lines.starved else None
        if not self._before(code):
            self._held = code
            return HOLD
        self._held = None
        return code

    def preview(self) -> "str | None":
        """Next line for a dry run, not metered; HOLD, None as ``take``; ``rewind`` afterwards."""
        code = self._lines.next()
        return HOLD if code is None and self._lines.starved else code

    @property
    def starved(self) -> bool:
        """Say whether the last line asked for is not here yet."""
        return self._lines.starved

    def rewind(self) -> None:
        """Begin again at the first line."""
        self._file.seek(0)
        self._lines = Lines(self._file)

    def acknowledge(self) -> None:
        """The machine took one more line."""
        self.acknowledged_n += 1

    @property
    def done_ppm(self) -> int:
        """Share of the program taken so far; all of it only when it ended."""
        if not self._size:
            return 0
        return min(999999, self._lines.offset * 1000000 // self._size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

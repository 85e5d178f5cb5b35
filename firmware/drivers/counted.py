"""Character counting: how GRBL's receive buffer is kept full and never flooded.

Every line gets exactly one answer, ``ok`` or ``error:N``, in order; a line occupies the buffer
until then. Lines that read or write settings memory go alone: GRBL may lose bytes meanwhile
(gnea/grbl ``doc/markdown/interface.md``, "EEPROM issues").
"""

RESERVE = 8  # bytes of the buffer left alone, as other hosts do
_ALONE = ("$", "G10", "G28", "G30", "G54", "G55", "G56", "G57", "G58", "G59")


def goes_alone(code: str) -> bool:
    """Say whether a line touches settings memory."""
    return any([word in code for word in _ALONE])


class CountedFlow:
    """Lines in flight, each with a tag that comes back with its answer."""

    def __init__(self, rx_bytes: int = 128) -> None:
        self.room = rx_bytes - RESERVE
        self._flight: "list[tuple[int, str]]" = []
        self._used = 0
        self._alone = False

    def set_size(self, rx_bytes: int) -> None:
        """Take the size of the machine's receive buffer, as ``$I`` tells it."""
        self.room = rx_bytes - RESERVE

    @property
    def empty(self) -> bool:
        """Say whether every line was answered."""
        return not self._flight

    def fits(self, code: str) -> bool:
        """Say whether a line may be sent now; one that is longer than the room goes alone."""
        if not self._flight:
            return True
        return not self._alone and not goes_alone(code) and self._used + len(code) < self.room

    def send(self, code: str, tag: str) -> bytes:
        """Bytes of a line now in flight."""
        data = code.encode() + b"\n"
        self._flight.append((len(data), tag))
        self._used += len(data)
        self._alone = goes_alone(code)
        return data

    def answered(self) -> str:
        """Tag of the line an answer belongs to; "none" for an answer nobody asked for."""
        if not self._flight:
            return "none"
        size, tag = self._flight.pop(0)
        self._used -= size
        return tag

    def clear(self) -> None:
        """Forget all lines: the machine was reset."""
        self._flight = []
        self._used = 0
        self._alone = False

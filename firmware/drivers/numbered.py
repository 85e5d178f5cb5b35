"""Numbered lines with a window and go-back-N: how Marlin keeps a stream whole.

Marlin takes line N only after N-1 and answers each line with ``ok``; anything else it answers
with ``Resend: k``, k being the one line it wants. So a line may be sent again without harm, and
the answer tells what arrived. Lines up to k-1 were taken: ``Resend: k`` is also an
acknowledgement, which repairs a lost ``ok``.
"""

from protocols.marlin import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    Entry = tuple[int, bytes, str]

HISTORY = 24  # lines kept for sending again: a window, Marlin's queue, and some
MAX_WINDOW = 3  # lines in flight, where the machine tells how many it has room for
RX_BYTES = 120  # of 128 in the smallest receive buffer (AVR HardwareSerial)
CAREFUL_N = 50  # lines sent one by one after a resend, which throws away all that is in flight
_NONE = (0, b"", "")


class NumberedFlow:
    """Lines in flight. A line's tag comes back once, when the line is first acknowledged."""

    def __init__(self, window: int = 1) -> None:
        """window: lines in flight; 0 = as many as an ADVANCED_OK has room for."""
        self._fixed = window
        self.window = window or 1
        self._careful = 0
        self._entries: "list[Entry]" = [_NONE] * HISTORY  # line n stands at n % HISTORY
        self._last_n = 0  # highest number ever given
        self._sent_n = 0  # highest number sent since the last going back
        self._acked_n = 0  # what the machine has, as far as known
        self._done_n = 0  # highest number whose tag was given back

    def restart(self) -> bytes:
        """Forget everything; the bytes that set the machine's line number to 0."""
        self.__init__(self._fixed)
        return frame(0, "M110 N0")

    @property
    def outstanding(self) -> bool:
        """Say whether an answer is awaited."""
        return self._acked_n < self._sent_n

    @property
    def last_n(self) -> int:
        """Highest number given."""
        return self._last_n

    def awaits(self, n: int) -> bool:
        """Say whether line n, or one before it, has no answer yet."""
        return self._acked_n < n

    def can_send(self) -> bool:
        """Say whether the window has room."""
        flying = self._sent_n - self._acked_n
        if not flying:
            return True
        return flying < self.window and self._bytes(flying) < RX_BYTES

    def _bytes(self, flying: int) -> int:
        return sum([len(self._frame(self._sent_n - i)) for i in range(flying)]) + 40

    def again(self) -> bytes:
        """The next line that must be sent again, b"" when there is none."""
        if self._sent_n >= self._last_n:
            return b""
        self._sent_n += 1
        return self._frame(self._sent_n)

    def new(self, text: str, tag: str) -> bytes:
        """Number a new line; raise WireError when it does not fit the machine's buffer."""
        data = frame(self._last_n + 1, text)
        self._last_n += 1
        self._sent_n = self._last_n
        self._entries[self._last_n % HISTORY] = (self._last_n, data, tag)
        return data

    def probe(self) -> bytes:
        """The last line sent, once more: harmless, and the answer tells what arrived."""
        return self._frame(self._sent_n)

    def ok(self, n: "int | None", slots: "int | None" = None) -> "list[str]":
        """Take an ``ok``, with number and free slots when told; return the tags of lines done."""
        self._careful = max(0, self._careful - 1)
        if not self._fixed and slots is not None:
            self.window = 1 if self._careful else max(1, min(slots, MAX_WINDOW))
        if n is not None and self._acked_n < n <= self._sent_n:
            return self._acknowledge(n)
        return self._acknowledge(min(self._acked_n + 1, self._sent_n))

    def resend(self, k: "int | None") -> "list[str] | None":
        """Take a ``Resend: k``; return tags of lines now done, None when k makes no sense."""
        if not self._fixed:
            self.window = 1
            self._careful = CAREFUL_N
        if k is None or k > self._last_n + 1 or k < self._oldest():
            self._sent_n = self._acked_n
            return None
        done = self._acknowledge(k - 1)
        self._acked_n = self._sent_n = k - 1
        return done

    def _oldest(self) -> int:
        return max(1, self._last_n - HISTORY + 1)

    def _frame(self, n: int) -> bytes:
        return self._entries[n % HISTORY][1] if n else b""

    def _acknowledge(self, n: int) -> "list[str]":
        self._acked_n = n
        done: "list[str]" = []
        while self._done_n < n:
            self._done_n += 1
            done.append(self._entries[self._done_n % HISTORY][2])
        return done

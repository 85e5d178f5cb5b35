"""Bytes of a serial line cut into text lines, memory bounded."""

MAX_LINE = 256


class LineSplitter:
    """Cuts at CR, LF or both; empty lines are dropped, over-long ones cut and counted."""

    def __init__(self) -> None:
        self.overlong_n = 0
        self._rest = b""

    def feed(self, data: bytes) -> "list[bytes]":
        """Take a chunk; return the lines it completed."""
        if b"\r" in data:
            data = data.replace(b"\r", b"\n")
        parts = (self._rest + data).split(b"\n")
        self._rest = parts.pop()
        if len(self._rest) > MAX_LINE:
            self.overlong_n += 1
            self._rest = self._rest[-MAX_LINE:]
        return [part[:MAX_LINE] for part in parts if part]

    def clear(self) -> None:
        """Forget a line begun."""
        self._rest = b""

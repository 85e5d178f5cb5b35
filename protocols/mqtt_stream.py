"""MQTT byte stream: chunks in, packets out, memory bounded; and packet ids."""

from protocols.errors import WireError
from protocols.mqtt import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.mqtt import Packet

MAX_PID = 65535  # 2.3.1


class Reader:
    """Cuts a stream into packets with bounded memory.

    A packet longer than max_bytes is skipped without being stored and counted in ``dropped``.
    After a WireError the stream is lost: close the connection.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.dropped = 0
        self._held = bytearray()
        self._skip = 0

    def feed(self, data: "bytes | memoryview") -> "list[Packet]":
        """Take a chunk; return the packets it completed; raise WireError."""
        if self._skip:
            cut = min(self._skip, len(data))
            self._skip -= cut
            data = data[cut:]
        self._held += data
        out: "list[Packet]" = []
        while True:
            packet = self._next()
            if packet is None:
                return out
            if packet:
                out.append(packet)

    def _next(self) -> "Packet | None":
        """Return next packet, () for one that was skipped, None when more bytes are needed."""
        size, start = self._header()
        if not start:
            return None
        if size > self.max_bytes:
            self._drop(start + size)
            return ()
        if len(self._held) < start + size:
            return None
        first = self._held[0]
        body = bytes(self._held[start : start + size])
        self._held = self._held[start + size :]
        return decode(first, body)

    def _header(self) -> "tuple[int, int]":
        """Remaining length and where the body starts; (0, 0) when not all there."""
        size = 0
        for at in range(1, 5):
            if at >= len(self._held):
                return 0, 0
            digit = self._held[at]
            size |= (digit & 127) << 7 * (at - 1)
            if not digit & 128:
                return size, at + 1
        raise WireError("mqtt", "", "remaining length has more than four bytes")

    def _drop(self, size: int) -> None:
        self.dropped += 1
        self._skip = max(0, size - len(self._held))
        self._held = self._held[size:]


class PacketIds:
    """Hands out packet ids 1 to 65535 in turn, never one still in flight."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, in_flight: "dict[int, Any]") -> int:
        """Next free id; raise WireError when all are in flight."""
        for _ in range(MAX_PID):
            self._last = self._last % MAX_PID + 1
            if self._last not in in_flight:
                return self._last
        raise WireError("mqtt", "", "every packet id is in flight")

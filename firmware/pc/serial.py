"""Serial lines of a PC through pyserial: a device, or TCP as ``tcp:host:port``.

A thread reads (pyserial's only way that works on every system) and hands chunks to the event loop.
"""

import asyncio
import threading
from typing import Any

import serial

_READ_S = 0.2


class Line:
    """A byte line; OSError when it is gone."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._open = True
        self._thread = threading.Thread(target=self._read_for_ever, daemon=True)
        self._thread.start()

    async def read(self) -> bytes:
        """Read what is there, waiting for at least one byte."""
        data = await self._chunks.get()
        if not data:
            raise OSError("line was closed")
        return data

    def write(self, data: bytes | bytearray) -> None:
        """Write all of it."""
        self._port.write(bytes(data))

    def close(self) -> None:
        """Close; the reading thread ends by itself."""
        self._open = False
        try:
            self._port.cancel_read()
        except (AttributeError, OSError):
            pass
        self._thread.join(1)
        self._port.close()

    def _read_for_ever(self) -> None:
        try:
            while self._open:
                data = self._port.read(1)
                if data:
                    more = self._port.in_waiting
                    self._hand_over(data + self._port.read(more) if more else data)
        except (OSError, TypeError, ValueError):  # pyserial on a port that went away
            pass
        self._hand_over(b"")

    def _hand_over(self, data: bytes) -> None:
        try:
            self._loop.call_soon_threadsafe(self._chunks.put_nowait, data)
        except RuntimeError:  # the event loop has ended
            self._open = False


def open_serial(settings: dict[str, Any]) -> Line:
    """Open {port, baud}; raise OSError."""
    port = settings["port"]
    if port.startswith("tcp:"):
        return Line(serial.serial_for_url("socket://" + port[4:], timeout=_READ_S))
    return Line(serial.Serial(port, settings["baud"], timeout=_READ_S, exclusive=True))

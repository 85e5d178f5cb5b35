"""Serial ports of a PC for one who asks and waits: their names, and a line that blocks shortly."""

from typing import Any

import serial
from serial.tools import list_ports

_READ_S = 0.1
_WRITE_S = 2.0


class Port:
    """A serial device, or TCP as ``tcp:host:port``; OSError or ValueError when it cannot be opened.

    A device another program holds is not opened.
    """

    def __init__(self, port: str, baud: int) -> None:
        if port.startswith("tcp:"):
            self._port: Any = serial.serial_for_url("socket://" + port[4:], timeout=_READ_S)
        else:
            self._port = serial.Serial(
                port, baud, timeout=_READ_S, write_timeout=_WRITE_S, exclusive=True
            )

    def read(self) -> bytes:
        """Bytes that came within 0.1 s; OSError when the line is gone."""
        first = self._port.read(1)
        return first + self._port.read(self._port.in_waiting) if first else b""

    def write(self, data: bytes) -> None:
        """Send all of it; OSError."""
        self._port.write(data)

    def close(self) -> None:
        """Give the port back."""
        self._port.close()


def names() -> "list[str]":
    """Serial ports of this computer."""
    return sorted([port.device for port in list_ports.comports()])

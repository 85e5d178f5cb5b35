"""Serial lines of MicroPython's unix port: a terminal device, a pseudo-terminal, or TCP.

asyncio waits for them in the kernel (poll on the file descriptor), so an answer of the machine is
taken at once and nothing turns in a loop. Reads never block (VMIN = VTIME = 0).
"""

import asyncio
import socket
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.records import Record

_READ_BYTES = 128  # a small piece at a time: a used heap has no large holes
_CC, _ISPEED, _OSPEED = 6, 4, 5  # places in what tcgetattr returns
_VTIME, _VMIN = 5, 6
_IPPROTO_TCP, _TCP_NODELAY = 6, 1


class Line:
    """A byte line that asyncio can wait for; OSError when it is gone."""

    def __init__(self, file: "Any") -> None:
        self._file = file
        self._reader: "Any" = asyncio.StreamReader(file)
        self._buffer = bytearray(_READ_BYTES)

    async def read(self) -> bytes:
        """Read what is there, waiting for at least one byte."""
        size = await self._reader.readinto(self._buffer)
        if not size:
            raise OSError("line was closed")
        return bytes(memoryview(self._buffer)[:size])

    def write(self, data: "bytes | bytearray") -> None:
        """Write all of it; what a line takes at once is far more than a window."""
        self._file.write(data)

    def close(self) -> None:
        """Close."""
        self._file.close()


def _open_device(port: str, baud: int) -> "Any":
    file: "Any" = open(port, "r+b")
    tty: "Any" = termios
    tty.setraw(file.fileno())
    attributes: "Any" = tty.tcgetattr(file.fileno())
    attributes[_CC][_VTIME] = 0
    attributes[_CC][_VMIN] = 0
    speed: "int | None" = getattr(tty, "B{}".format(baud), None)
    if speed is not None:  # any other speed stays as ``stty`` left it; a pty has none
        attributes[_ISPEED] = attributes[_OSPEED] = speed
    tty.tcsetattr(file.fileno(), tty.TCSANOW, attributes)
    return file


def _open_tcp(place: str) -> "Any":
    host, _, port = place.rpartition(":")
    sock: "Any" = socket.socket()
    sock.connect(socket.getaddrinfo(host, int(port))[0][-1])
    sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
    sock.setblocking(False)
    return sock


def open_serial(settings: "Record") -> Line:
    """Open {port, baud}; raise OSError."""
    port = settings["port"]
    if port[:4] == "tcp:":
        return Line(_open_tcp(port[4:]))
    return Line(_open_device(port, settings["baud"]))

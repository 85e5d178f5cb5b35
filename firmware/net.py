"""TCP connections over asyncio streams, the same on CPython and MicroPython.

MicroPython's streams differ in three ways that matter here (extmod/asyncio/stream.py): only
``wait_closed`` closes; ``drain`` must not run twice at once; cancelling one task that waits on a
stream forgets the other direction's waiter. So one task writes, and all tasks of a connection are
cancelled together.
"""

import asyncio
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MICROPYTHON = sys.implementation.name == "micropython"
_IPPROTO_TCP = 6
_TCP_NODELAY = getattr(socket, "TCP_NODELAY", 1)  # lwIP numbers it differently
CONNECT_S = 10


class Refused(Exception):
    """What was asked for will never be right; trying again is of no use."""


class Connection:
    """One connection; OSError passes through."""

    def __init__(self, reader: "Any", writer: "Any") -> None:
        self._reader = reader
        self._writer = writer

    async def read_into(self, buffer: "bytearray | memoryview") -> int:
        """Read what is there, at most a buffer full; 0 at the end of the stream."""
        if _MICROPYTHON:
            return await self._reader.readinto(buffer) or 0
        data = await self._reader.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    async def write(self, data: "bytes | bytearray") -> None:
        """Write all of it; only one task may write to a connection."""
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        """Close; never raises OSError."""
        try:
            self._writer.close()
            await self._writer.wait_closed()
        except OSError:
            pass


def _trusting(ca: bytes) -> "Any":
    """TLS that takes no certificate but one by this CA (DER)."""
    import ssl  # tens of kilobytes on a board, for those that need it

    context: "Any" = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ca)
    return context


async def connect(host: str, port: int, tls: "tuple[bytes, str] | None" = None) -> Connection:
    """Connect with TCP_NODELAY (100 times less delay for small messages); raise OSError.

    tls: (CA in DER, name the peer's certificate must be for).
    """
    extra: "Any" = {"ssl": _trusting(tls[0]), "server_hostname": tls[1]} if tls else {}
    try:
        opened = await asyncio.wait_for(asyncio.open_connection(host, port, **extra), CONNECT_S)
    except asyncio.TimeoutError:
        raise OSError("no connection within {} s".format(CONNECT_S))
    except ValueError as error:  # MicroPython: certificate refused
        raise OSError("TLS: {}".format(error))
    reader: "Any" = opened[0]
    writer: "Any" = opened[1]
    sock: "Any" = writer.s if _MICROPYTHON else writer.get_extra_info("socket")
    if not (_MICROPYTHON and tls):  # its TLS sockets have no options
        sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
    return Connection(reader, writer)

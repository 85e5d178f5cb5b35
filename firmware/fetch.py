"""Files by ranged HTTP/1.1: bounded memory, resumed, verified.

A file is asked for in ranges of 64 KiB over one connection; after a failure it goes on where it
stopped. Nothing is used before size and SHA-256 are right.
"""

import asyncio
import hashlib
from binascii import hexlify

from firmware.net import Refused, connect
from protocols.gcode import ascii_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.net import Connection
    from protocols.records import Record

RANGE_BYTES = 65536
ATTEMPTS = 6
_BUFFER_BYTES = 512  # a used heap has no large holes
_HEAD_BYTES = 4096


def _split_url(url: str) -> "tuple[str, int, str]":
    """(host, port, path) of an http URL; raise Refused."""
    if url[:7] != "http://":
        raise Refused("address of the program is not http://")
    place, slash, path = url[7:].partition("/")
    host, colon, port = place.partition(":")
    if not host or (colon and not all([c in "0123456789" for c in port or "?"])):
        raise Refused("address of the program cannot be read")
    return host, int(port) if colon else 80, slash + path or "/"


def _request(host: str, path: str, first: int, last: int) -> bytes:
    text = "GET {} HTTP/1.1\r\nHost: {}\r\nRange: bytes={}-{}\r\nAccept-Encoding: identity\r\n\r\n"
    return text.format(path, host, first, last).encode()


def _parse_head(head: bytes) -> "tuple[int, dict[str, str]]":
    """Status and headers (lower case) of a response; raise OSError."""
    lines = [ascii_text(line) for line in head.split(b"\r\n")]
    parts = lines[0].split(" ")
    if len(parts) < 2 or not parts[1].isdigit() or len(parts[1]) > 3:
        raise OSError("answer is not HTTP")
    headers: "dict[str, str]" = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(parts[1]), headers


def _body_bytes(head: bytes, first: int, size: int) -> int:
    """Bytes of the body that follows, which begins at ``first``; raise OSError or Refused."""
    status, headers = _parse_head(head)
    if status in (401, 403, 404, 410, 416):
        raise Refused("program is not there: HTTP {}".format(status))
    length = headers.get("content-length", "")
    if status not in (200, 206) or not length.isdigit() or len(length) > 15:
        raise OSError("HTTP {}".format(status))
    if status == 206 and headers.get("content-range", "")[6:].split("-")[0] != str(first):
        raise OSError("server sent another range")
    if status == 200 and first:
        raise OSError("server knows no ranges")
    if first + int(length) > size:
        raise Refused("program is longer than said")
    return int(length)


class Download:
    """Bytes of a program from ``done`` up to ``size`` on their way to an open file."""

    def __init__(self, file: "Any", program: "Record", buffer: bytearray) -> None:
        self.file = file
        self.size: int = program["size"]
        self.done = 0
        self.hash = hashlib.sha256()
        self._buffer = buffer
        self._place = _split_url(program["url"])

    async def attempt(self) -> None:
        """Fetch what is missing over one connection; raise OSError, Refused."""
        host, port, path = self._place
        connection = await connect(host, port)
        try:
            while self.done < self.size:
                last = min(self.done + RANGE_BYTES, self.size) - 1
                await connection.write(_request(host, path, self.done, last))
                await self._range(connection)
        finally:
            await connection.close()

    async def _range(self, connection: "Connection") -> None:
        head = b""
        end = -1
        while end < 0:
            size = await self._read(connection, _BUFFER_BYTES)
            head += bytes(self._buffer[:size])
            end = head.find(b"\r\n\r\n")
            if end < 0 and len(head) > _HEAD_BYTES:
                raise OSError("header is too long")
        missing = _body_bytes(head[:end], self.done, self.size)
        rest = head[end + 4 :]
        self._keep(rest[:missing])
        missing -= len(rest)
        while missing > 0:
            size = await self._read(connection, min(missing, _BUFFER_BYTES))
            self._keep(memoryview(self._buffer)[:size])
            missing -= size

    async def _read(self, connection: "Connection", most: int) -> int:
        size = await connection.read_into(memoryview(self._buffer)[:most])
        if not size:
            raise OSError("server closed the connection")
        return size

    def _keep(self, part: "bytes | memoryview") -> None:
        self.hash.update(part)
        self.file.write(part)
        self.done += len(part)


async def download(file: "Any", program: "Record") -> None:
    """Fetch {url, size, sha} into an open file, resumed after failures; raise OSError, Refused."""
    got = Download(file, program, bytearray(_BUFFER_BYTES))
    await _persist(got)
    if hexlify(got.hash.digest()).decode() != program["sha"]:
        raise Refused(program["url"].rpartition("/")[2] + " does not match its hash")


async def _persist(download: Download) -> None:
    pause_s = 0.2
    for attempt in range(ATTEMPTS):
        before = download.done
        try:
            await download.attempt()
            return
        except OSError:
            if attempt == ATTEMPTS - 1 and download.done == before:
                raise
        await asyncio.sleep(pause_s)
        pause_s = min(5, pause_s * 2)
    if download.done < download.size:
        raise OSError("server fails too often")

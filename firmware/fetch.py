"""Programs by ranged HTTP/1.1 into a spool on flash: bounded memory, resumed, verified.

The program is asked for in ranges of 64 KiB over one connection; after a failure it goes on where
it stopped. Nothing is used before size and SHA-256 are right and every line is one the machine
takes and may be sent.
"""

import asyncio
import hashlib
from binascii import hexlify

from firmware.net import connect
from firmware.streamer import Lines, spooled
from protocols.forbidden import forbidden
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
_LINES_A_TURN = 50
_PLAIN_BYTES = 79
_REALTIME = (b"?", b"!", b"~", b"$", b"\x18")


class Refused(Exception):
    """What was asked for will never be right; trying again is of no use."""


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


def check_line(raw: bytes, dialect: str, program: "Record") -> "str | None":
    """Why a line of a program must not run here, None when it may."""
    return None if _is_plain_move(raw) else forbidden(raw, dialect, program.get("rules"))


def _is_plain_move(raw: bytes) -> bool:
    """Say whether a line is surely one that may be sent; most lines are, and boards are slow."""
    return (
        raw[:3] in (b"G1 ", b"G0 ")
        and len(raw) < _PLAIN_BYTES
        and raw.find(b"G", 1) < 0
        and raw.find(b"M") < 0
        and max(raw) < 127
        and not any([mark in raw for mark in _REALTIME])
    )


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


class Spool:
    """Programs on flash, named by their hash; one is kept at a time on a small flash."""

    def __init__(self, flash: "Any", dialect: str, limit_bytes: int) -> None:
        self._flash = flash
        self._dialect = dialect
        self._limit = limit_bytes
        self._buffer = bytearray(_BUFFER_BYTES)

    async def fetch(self, program: "Record") -> str:
        """Have a program here, verified and checked; return "" or why it is refused."""
        try:
            if program["size"] > self._limit:
                await self._survey(program)
                return ""
            if not await self._is_here(program):
                await self._download(program)
            return await self._check(program)
        except Refused as error:
            return str(error)
        except OSError as error:
            return "program cannot be fetched: {}".format(error)

    async def _is_here(self, program: "Record") -> bool:
        try:
            if self._flash.size(spooled(program)) != program["size"]:
                return False
        except OSError:
            return False
        total = hashlib.sha256()
        with self._flash.open(spooled(program), "rb") as file:
            size = file.readinto(self._buffer)
            while size:
                total.update(memoryview(self._buffer)[:size])
                await asyncio.sleep(0)
                size = file.readinto(self._buffer)
        return hexlify(total.digest()).decode() == program["sha"]

    async def _survey(self, program: "Record") -> None:
        """Read a program that is larger than the spool once, verified and checked; see ``ring``."""
        from firmware import ring

        ring.chunks_of(program, self._limit)
        self._make_room(self._limit)
        with self._flash.open(ring.sums_name(program), "wb") as sums:
            survey = ring.Survey(sums, self._dialect, program)
            await download(survey, program)
            survey.end()
            self._flash.sync(sums)

    def _make_room(self, size: int) -> None:
        """Remove programs until so many bytes of the spool are free."""
        used = 0
        for name in self._flash.names():
            if name[:2] in ("p-", "r-"):
                used += self._flash.size(name)
                if used + size > self._limit or name[-4:] == ".tmp":
                    self._flash.remove(name)

    async def _download(self, program: "Record") -> None:
        self._make_room(program["size"])
        temporary = spooled(program)[:-4] + ".tmp"
        with self._flash.open(temporary, "wb") as file:
            got = Download(file, program, self._buffer)
            await _persist(got)
            self._flash.sync(file)
        if hexlify(got.hash.digest()).decode() != program["sha"]:
            self._flash.remove(temporary)
            raise Refused("program does not match its hash")
        self._flash.rename(temporary, spooled(program))

    async def _check(self, program: "Record") -> str:
        """Why the program must not run, "" when it may."""
        number = 0
        with self._flash.open(spooled(program), "rb") as file:
            lines = Lines(file)
            raw = lines.raw()
            while raw is not None:
                number += 1
                why = check_line(raw, self._dialect, program)
                if why:
                    return "line {} {}".format(number, why)
                if number % _LINES_A_TURN == 0:
                    await asyncio.sleep(0)
                raw = lines.raw()
        return ""

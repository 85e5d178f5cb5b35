"""Programs larger than the spool: read once to be verified, then streamed through a ring on flash.

Before the claim the whole program is read by ranges and kept nowhere: its SHA-256 must be right and
every line one the machine may get. What stays is a short hash of each chunk, in a file. While the
order runs, chunks are fetched ahead into a ring of files, and no line of a chunk is used before its
hash is that of the first reading. So nothing unverified runs, in constant memory, and a server that
gives other bytes the second time is found at the chunk. A connection that breaks goes on at the
byte where it stopped.
"""

import asyncio
import hashlib

from firmware.fetch import Download
from firmware.net import Refused
from firmware.streamer import Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from protocols.records import Record

CHUNK_BYTES = 65536
SUM_BYTES = 8  # of each chunk's SHA-256; the whole program's was right once
MOST_CHUNKS = 8
_WRONG_N = 3  # times a chunk may differ before its program is given up
_PAUSE_S, _LAST_PAUSE_S = 0.2, 5
_WAIT_S = 0.05


def sums_name(program: "Record") -> str:
    """Name of the file of a program's chunk hashes."""
    return "p-" + program["sha"][:32] + ".sum"


def chunks_of(program: "Record", limit_bytes: int) -> int:
    """Chunks of the ring that fit a spool of so many bytes; raise Refused."""
    sums_bytes = (program["size"] // CHUNK_BYTES + 1) * SUM_BYTES
    count = min(MOST_CHUNKS, (limit_bytes - sums_bytes) // CHUNK_BYTES)
    if count < 2:
        raise Refused("program is too large for a spool of {} B".format(limit_bytes))
    return count


class Survey:
    """Takes a program's bytes as a file does: hashes its chunks, checks its lines.

    why_not(raw): why a line must not run, None when it may.
    """

    def __init__(self, sums: "Any", why_not: "Callable[[bytes], str | None]") -> None:
        self._sums = sums
        self._why_not = why_not
        self._hash = hashlib.sha256()
        self._left = CHUNK_BYTES
        self._block: "bytes | None" = None
        self._lines = Lines(self)
        self._number = 0

    def read(self, most: int) -> "bytes | None":
        """What was written last, for the lines; None until there is more."""
        block, self._block = self._block, None
        return block

    def write(self, part: "bytes | memoryview") -> None:
        """Take the next bytes; raise Refused for a line that must not run."""
        at = 0
        while at < len(part):
            size = min(len(part) - at, self._left)
            self._hash.update(part[at : at + size])
            at += size
            self._left -= size
            if not self._left:
                self._sum()
        self._block = bytes(part)
        self._check()

    def end(self) -> None:
        """The program is over."""
        if self._left < CHUNK_BYTES:
            self._sum()
        self._block = b""
        self._check()

    def _sum(self) -> None:
        self._sums.write(self._hash.digest()[:SUM_BYTES])
        self._hash = hashlib.sha256()
        self._left = CHUNK_BYTES

    def _check(self) -> None:
        raw = self._lines.raw()
        while raw is not None:
            self._number += 1
            why = self._why_not(raw)
            if why:
                raise Refused("line {} {}".format(self._number, why))
            raw = self._lines.raw()


class Ring:
    """A program's bytes, ahead of who reads them; ``failed`` says why no more will come."""

    def __init__(self, flash: "Any", program: "Record", limit_bytes: int) -> None:
        self.failed = ""
        self.fetched_n = 0  # chunks that came, with those that came again
        self._flash = flash
        self._program = program
        self._count = chunks_of(program, limit_bytes)
        self._buffer = bytearray(512)
        self._task: "Any" = None
        self.seek(0)

    def seek(self, offset: int) -> None:
        """Begin again at the first byte (offset is 0)."""
        self.close()
        self._offset = 0  # of the next byte to read
        self._ready = 0  # chunks verified and on flash
        self._file: "Any" = None
        self._task = asyncio.create_task(self._run())

    # reader --------------------------------------------------------------------------------------
    def read(self, most: int) -> "bytes | None":
        """Next bytes; b"" at the end, None while they are not here yet."""
        if self._offset >= self._program["size"]:
            return b""
        chunk, at = divmod(self._offset, CHUNK_BYTES)
        if chunk >= self._ready:
            return None
        if self._file is None:
            self._file = self._flash.open(self._name(chunk), "rb")
        data = self._file.read(min(most, CHUNK_BYTES - at))
        self._offset += len(data)
        if self._offset % CHUNK_BYTES == 0:
            self._close_file()
        return data

    def is_ahead(self) -> bool:
        """Say whether enough is here to go on."""
        behind = self._ready - self._offset // CHUNK_BYTES
        return behind >= self._count or self._ready * CHUNK_BYTES >= self._program["size"]

    def close(self) -> None:
        """Fetch no more and give the flash back."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            self._close_file()
            for chunk in range(self._count):
                self._flash.remove(self._name(chunk))

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _name(self, chunk: int) -> str:
        return "r-{}.bin".format(chunk % self._count)

    # fetcher -------------------------------------------------------------------------------------
    async def _run(self) -> None:
        try:
            with self._flash.open(sums_name(self._program), "rb") as sums:
                while self._ready * CHUNK_BYTES < self._program["size"]:
                    if self._ready - self._offset // CHUNK_BYTES >= self._count:
                        await asyncio.sleep(_WAIT_S)
                    else:
                        await self._fetch(self._ready, sums.read(SUM_BYTES))
        except Refused as error:
            self.failed = str(error)
        except OSError as error:
            self.failed = "program cannot be kept: {}".format(error)

    async def _fetch(self, chunk: int, wanted: bytes) -> None:
        for _ in range(_WRONG_N):
            with self._flash.open(self._name(chunk), "wb") as file:
                download = Download(file, self._program, self._buffer)
                download.done = chunk * CHUNK_BYTES
                download.size = min(download.done + CHUNK_BYTES, self._program["size"])
                await self._persist(download)
            self.fetched_n += 1
            if download.hash.digest()[:SUM_BYTES] == wanted:
                self._ready = chunk + 1
                return
        raise Refused("program on the server is another one now")

    async def _persist(self, download: Download) -> None:
        """Fetch the missing bytes of a chunk however often the network goes."""
        pause_s = _PAUSE_S
        while download.done < download.size:
            before = download.done
            try:
                await download.attempt()
            except OSError:
                pause_s = _PAUSE_S if download.done > before else min(_LAST_PAUSE_S, pause_s * 2)
                await asyncio.sleep(pause_s)

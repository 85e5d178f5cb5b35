"""Programs on flash: fetched before they are claimed, verified, every line checked.

A program is used only when its size and SHA-256 are right and every line is one the machine takes
and may be sent. One larger than the spool is read once and kept as hashes, see ``ring``.
"""

import asyncio
import hashlib
from binascii import hexlify

from firmware.net import Refused
from firmware.overlay import forget
from firmware.streamer import Lines, spooled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.records import Record

_BUFFER_BYTES = 512
_LINES_A_TURN = 50
_PLAIN_BYTES = 79
_PLAIN = b"XYZEF 0123456789.-"


def is_plain_move(raw: bytes) -> bool:
    """Say whether a line holds a move's letters and digits only; most do, and boards are slow.

    How its numbers are written is not looked at: whoever named the program's hash has read them.
    """
    plain = raw[:3] in (b"G1 ", b"G0 ") and len(raw) < _PLAIN_BYTES
    return plain and not raw[2:].rstrip().strip(_PLAIN)


class Spool:
    """Programs on flash, named by their hash; one is kept at a time on a small flash."""

    def __init__(self, flash: "Any", dialect: str, limit_bytes: int) -> None:
        self._flash = flash
        self._dialect = dialect
        self._limit = limit_bytes

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
        buffer = bytearray(_BUFFER_BYTES)
        with self._flash.open(spooled(program), "rb") as file:
            size = file.readinto(buffer)
            while size:
                total.update(memoryview(buffer)[:size])
                await asyncio.sleep(0)
                size = file.readinto(buffer)
        return hexlify(total.digest()).decode() == program["sha"]

    async def _survey(self, program: "Record") -> None:
        """Read a program that is larger than the spool once, verified and checked; see ``ring``."""
        from firmware import ring  # most programs fit
        from firmware.fetch import download

        ring.chunks_of(program, self._limit)
        self._make_room(self._limit)
        with self._flash.open(ring.sums_name(program), "wb") as sums:
            survey = ring.Survey(sums, lambda raw: self._why_not(raw, program))
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
        from firmware.fetch import download

        self._make_room(program["size"])
        temporary = spooled(program)[:-4] + ".tmp"
        with self._flash.open(temporary, "wb") as file:
            await download(file, program)
            self._flash.sync(file)
        self._flash.rename(temporary, spooled(program))
        forget("firmware.fetch")  # before lines are checked: small boards have no room for both

    def _why_not(self, raw: bytes, program: "Record") -> "str | None":
        if is_plain_move(raw):
            return None
        from protocols.forbidden import forbidden

        return forbidden(raw, self._dialect, program.get("rules"))

    async def _check(self, program: "Record") -> str:
        """Why the program must not run, "" when it may."""
        number = 0
        with self._flash.open(spooled(program), "rb") as file:
            lines = Lines(file)
            raw = lines.raw()
            while raw is not None:
                number += 1
                why = self._why_not(raw, program)
                if why:
                    return "line {} {}".format(number, why)
                if number % _LINES_A_TURN == 0:
                    await asyncio.sleep(0)
                raw = lines.raw()
        return ""

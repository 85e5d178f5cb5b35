"""Flash of a fault campaign: stops this process, or finds no room, at the n-th pass of a point.

``FABCOMMONS_FAULT=flash.synced:7`` ends the firmware as kill -9 would, right after the seventh
sync; ``flash.torn:7`` leaves half of the seventh write behind; ``flash.full:7:20`` finds no room
from the seventh write on, twenty times. Never on a board, and off without the variable.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.flash import Flash

VARIABLE = "FABCOMMONS_FAULT"
POINTS = (
    "flash.write",
    "flash.torn",
    "flash.full",
    "flash.sync",
    "flash.synced",
    "flash.rename",
    "flash.renamed",
    "flash.remove",
)


def _die() -> None:
    system: "Any" = os
    if hasattr(os, "kill"):
        os.kill(os.getpid(), 9)
    system.system("kill -9 $PPID")  # MicroPython: by the shell below this process


class _File:
    """An open file whose writes pass the points; all else is the file's own."""

    def __init__(self, file: "Any", flash: "FaultFlash") -> None:
        self.file = file
        self._flash = flash

    def write(self, data: "bytes | bytearray | memoryview") -> int:
        self._flash.reach("flash.write")
        if self._flash.reach("flash.torn", False):
            self.file.write(bytes(data)[: len(data) // 2])
            self.file.flush()
            _die()
        self._flash.reach("flash.full")
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *_: "Any") -> None:
        self.file.close()


class FaultFlash:
    """A Flash with one fault armed, ``POINT:N`` or ``flash.full:N:TIMES``."""

    def __init__(self, flash: "Flash", text: str) -> None:
        self._flash = flash
        parts = text.split(":")
        self._point, self._first = parts[0], int(parts[1])
        self._last = self._first + (int(parts[2]) if len(parts) > 2 else 1)
        self._seen = 0

    def reach(self, name: str, act: bool = True) -> bool:
        """Pass a point; say whether the fault is due there, and let it happen if ``act``."""
        if name != self._point:
            return False
        self._seen += 1
        if not self._first <= self._seen < self._last:
            return False
        if act and name == "flash.full":
            raise OSError(28, "no space")
        if act:
            _die()
        return True

    def names(self) -> "list[str]":
        """As Flash."""
        return self._flash.names()

    def open(self, name: str, mode: str) -> "Any":
        """As Flash."""
        file = self._flash.open(name, mode)
        return file if mode == "rb" else _File(file, self)

    def sync(self, file: "Any") -> None:
        """As Flash."""
        self.reach("flash.sync")
        self._flash.sync(file.file)
        self.reach("flash.synced")

    def rename(self, old: str, new: str) -> None:
        """As Flash."""
        self.reach("flash.rename")
        self._flash.rename(old, new)
        self.reach("flash.renamed")

    def remove(self, name: str) -> None:
        """As Flash."""
        self.reach("flash.remove")
        self._flash.remove(name)

    def size(self, name: str) -> int:
        """As Flash."""
        return self._flash.size(name)


def arm(platform: "Any") -> None:
    """Let a platform's flash fail as the environment asks; nothing without the variable."""
    text = os.getenv(VARIABLE) or ""
    if text[:6] == "flash.":

        def wrapped(flash: "Flash") -> FaultFlash:
            return FaultFlash(flash, text)

        platform.wrap_flash = wrapped

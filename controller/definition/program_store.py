"""Programs kept by content: each is stored once, under its SHA-256, and never changes."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from controller.definition.problems import fail

_BLOCK = 256 * 1024
_HEX = frozenset("0123456789abcdef")


class ProgramStore:
    """Folder of programs by SHA-256; safe against a crash and against writers side by side."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, source: Path) -> str:
        """Keep a copy of a file; its SHA-256. On disk before this returns; raise DesignError."""
        try:
            with source.open("rb") as file:
                return self._keep(file)
        except OSError as error:
            message = f"cannot be stored: {error.strerror}"
            raise fail(source.name, "", message, "check the file and the disk") from None

    def _keep(self, file: BinaryIO) -> str:
        digest = hashlib.sha256()
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".put-")
        try:
            with os.fdopen(handle, "wb") as out:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            place = self.path(digest.hexdigest())
            if not place.exists():
                os.chmod(name, 0o644)
                os.replace(name, place)
                self._sync()
        finally:
            Path(name).unlink(missing_ok=True)
        return digest.hexdigest()

    def _sync(self) -> None:
        """Make the new name durable; not every system lets a folder be synced."""
        try:
            handle = os.open(self.folder, os.O_RDONLY)
        except OSError:
            return
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def path(self, sha: str) -> Path:
        """Where a program stands or would stand; raise DesignError for what is no SHA-256."""
        if len(sha) != 64 or not _HEX.issuperset(sha):
            raise fail("", "sha", "is not a SHA-256", "64 lower-case hexadecimal digits")
        return self.folder / f"{sha}.gcode"

    def open(self, sha: str) -> BinaryIO:
        """Program for reading; raise DesignError when it is not kept here."""
        try:
            return self.path(sha).open("rb")
        except OSError:
            raise fail(
                "", "sha", f"no program {sha[:12]} is kept", "import the design again"
            ) from None

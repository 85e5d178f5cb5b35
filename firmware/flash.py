"""Files of one folder on flash; the only file calls the firmware makes outside ``board/``.

Durable means ``sync``: on a board and on MicroPython's unix port a flush is a sync; on CPython
the bytes also have to leave the operating system (fsync, of the folder too after a rename).
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FSYNC = getattr(os, "fsync", None)
_REPLACE = getattr(os, "replace", None) or os.rename
_DIRECTORY = getattr(os, "O_DIRECTORY", None)


def make_folder(folder: str) -> None:
    """Make a folder and those above it."""
    path = ""
    for part in folder.split("/"):
        path += part
        if path and path != ".":
            try:
                os.mkdir(path)
            except OSError:  # there already; a real failure shows at the first open
                pass
        path += "/"


class Flash:
    """Real files below a folder; names have no folders. OSError passes through."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        make_folder(folder)

    def _path(self, name: str) -> str:
        return self.folder + "/" + name

    def names(self) -> "list[str]":
        """Names of all files, sorted."""
        return sorted(os.listdir(self.folder))

    def open(self, name: str, mode: str) -> "Any":
        """Open a file in a binary mode."""
        return open(self._path(name), mode)

    def sync(self, file: "Any") -> None:
        """Return when what was written to an open file survives a power cut."""
        file.flush()
        if _FSYNC is not None:
            _FSYNC(file.fileno())

    def rename(self, old: str, new: str) -> None:
        """Put a file in the place of another, all or nothing."""
        _REPLACE(self._path(old), self._path(new))
        self._sync_folder()

    def remove(self, name: str) -> None:
        """Remove a file; fine when it is not there."""
        try:
            os.remove(self._path(name))
        except OSError:
            pass

    def size(self, name: str) -> int:
        """Bytes of a file; raise OSError when it is not there."""
        return os.stat(self._path(name))[6]

    def _sync_folder(self) -> None:
        if _FSYNC is None or _DIRECTORY is None:
            return
        handle = os.open(self.folder, _DIRECTORY)
        try:
            _FSYNC(handle)
        finally:
            os.close(handle)

"""Spool: lines on disk until somebody took them; each write is one file, whole or not there.

A line counts as kept once its file was renamed: written, flushed to disk, renamed. Files are taken
oldest first. Past ``max_bytes`` the oldest files go, and their lines are counted as dropped.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

BLOCK_BYTES = 4096  # what a file takes on disk at least
MERGE_FILES = 256


class Spool:
    """Files of lines in a folder; ``append`` and ``take`` may be called by different threads."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        for torn in folder.glob("*.tmp"):
            torn.unlink()
        self._sizes = {path: _cost(path.stat().st_size) for path in sorted(folder.glob("*.lp"))}
        self._bytes = sum(self._sizes.values())
        self._number = max((int(path.stem) for path in self._sizes), default=0)
        self._taken: list[Path] = []
        self.dropped = 0

    def waiting_bytes(self) -> int:
        """Bytes on disk of what nobody took yet."""
        return self._bytes

    def append(self, lines: Sequence[str]) -> None:
        """Keep lines; raise OSError when they cannot be kept."""
        data = ("\n".join(lines) + "\n").encode()
        cost = _cost(len(data))
        with self._lock:
            if cost > self._max_bytes:
                self.dropped += len(lines)
                return
            self._make_room(cost)
            self._number += 1
            self._write(self._folder / f"{self._number:012}.lp", data)

    def take(self, max_bytes: int) -> list[str]:
        """The oldest lines, of whole files up to ``max_bytes`` but at least one file."""
        with self._lock:
            self._taken = []
            total = 0
            for path, size in self._sizes.items():
                if self._taken and total + size > max_bytes:
                    break
                self._taken.append(path)
                total += size
            return [line for path in self._taken for line in path.read_text().splitlines()]

    def forget(self) -> None:
        """Remove what was taken last."""
        with self._lock:
            for path in self._taken:
                self._remove(path)
            self._taken = []

    def merge(self, max_bytes: int) -> bool:
        """While nothing flows, make one file of many small ones; say whether that was needed.

        A crash between leaves lines twice, never none.
        """
        with self._lock:
            small = [path for path in self._sizes if path not in self._taken][:MERGE_FILES]
            data = b""
            merged: list[Path] = []
            for path in small if len(self._sizes) > 2 * MERGE_FILES else []:
                more = path.read_bytes()
                if len(data) + len(more) > max_bytes:
                    break
                data += more
                merged.append(path)
            if len(merged) < 2:
                return False
            self._write(merged[0], data)
            for path in merged[1:]:
                self._remove(path)
            return True

    def _make_room(self, cost: int) -> None:
        for path in [path for path in self._sizes if path not in self._taken]:
            if self._bytes + cost <= self._max_bytes:
                return
            self.dropped += path.read_bytes().count(b"\n")
            self._remove(path)

    def _write(self, path: Path, data: bytes) -> None:
        torn = path.with_suffix(".tmp")
        with torn.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        torn.replace(path)
        _sync(self._folder)
        self._bytes += _cost(len(data)) - self._sizes.get(path, 0)
        self._sizes[path] = _cost(len(data))

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._bytes -= self._sizes.pop(path)


def _cost(size: int) -> int:
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

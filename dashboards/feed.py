"""The floor as a document and the numbered patches that change it.

One diff is made for all readers and kept in a bounded ring. A reader holds only its position, so
a slow one costs nothing: when the ring has moved past it, it is told to take a new snapshot.
"""

import json
import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from dashboards.models import FloorDocument
from dashboards.patch import diff

RING_PATCHES = 512
RING_BYTES = 1_000_000


class Patch(NamedTuple):
    """One change of the floor; data is its merge patch as JSON."""

    seq: int
    data: bytes


class Snapshot(NamedTuple):
    """The document and the position from which patches continue it."""

    seq: int
    floor: FloorDocument


class Feed:
    """Snapshot and patches of one floor; ``build`` reads the floor as it is now. Thread-safe."""

    def __init__(self, build: Callable[[], FloorDocument]) -> None:
        self._build = build
        # two locks: a build that hangs on the database must not hold up who reads the ring
        self._building = threading.Lock()
        self._lock = threading.Lock()
        self._floor: FloorDocument | None = None
        self._ring: deque[Patch] = deque(maxlen=RING_PATCHES)
        self._ring_bytes = 0
        self._seq = 0
        # new at each start of the process, so that a position of an earlier one is not continued
        self.boot = secrets.token_hex(2)

    def refresh(self) -> Snapshot:
        """Read the floor again; append a patch if anything a page shows has changed."""
        with self._building:
            floor = self._build()
            before = self._floor
            patch = None if before is None else diff(_plain(before), _plain(floor))
            with self._lock:
                if patch:
                    self._append(json.dumps(patch, separators=(",", ":"), ensure_ascii=False))
                self._floor = floor
                return Snapshot(self._seq, floor)

    def _append(self, text: str) -> None:
        if len(self._ring) == self._ring.maxlen:
            self._ring_bytes -= len(self._ring[0].data)
        self._seq += 1
        patch = Patch(self._seq, text.encode())
        self._ring.append(patch)
        self._ring_bytes += len(patch.data)
        while self._ring_bytes > RING_BYTES and len(self._ring) > 1:
            self._ring_bytes -= len(self._ring.popleft().data)

    def since(self, seq: int) -> list[Patch] | None:
        """Patches after a position; None when they are no longer kept: take a new snapshot."""
        with self._lock:
            if seq == self._seq:
                return []
            if seq > self._seq or not self._ring or seq < self._ring[0].seq - 1:
                return None
            return [p for p in self._ring if p.seq > seq]

    def position(self, seq: int) -> str:
        """Position as text for ``Last-Event-ID``."""
        return f"{self.boot}.{seq}"

    def parse_position(self, text: str) -> int | None:
        """Position from text; None when it is not one of this process."""
        boot, _, number = text.partition(".")
        if boot != self.boot or not (number.isascii() and number.isdigit() and len(number) < 16):
            return None
        return int(number)


def _plain(floor: FloorDocument) -> dict[str, Any]:
    return cast(dict[str, Any], floor)

"""The audit log's pen: what was asked for and refused or done, appended soon after the answer.

Never in the way of a command: lines wait in a bounded queue, what does not fit is counted and
told in the log itself.
"""

import queue
import threading
from collections.abc import Callable
from typing import Any

from controller.adapters.store import Tx
from controller.people.accounts import audit
from controller.people.records import AuditLine
from controller.writer import WriterClosed

BOUND = 2_000
BATCH = 200
WAIT_S = 0.2


class Trail:
    """Appends lines from a thread of its own; ``dropped`` counts those there was no room for."""

    def __init__(self, submit: Callable[[Callable[[Tx], Any]], Any]) -> None:
        self._submit = submit
        self._lines: queue.Queue[AuditLine | None] = queue.Queue(BOUND)
        self.dropped = 0
        self._told = 0
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def add(self, line: AuditLine) -> None:
        """Keep a line; returns at once."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what waits, then stop."""
        if self._thread.is_alive():
            self._lines.put(None)
            self._thread.join(10)

    def _run(self) -> None:
        while True:
            batch, last = self._batch()
            if batch:
                self._write(batch)
            if last:
                return

    def _batch(self) -> tuple[list[AuditLine], bool]:
        batch: list[AuditLine] = []
        while len(batch) < BATCH:
            try:
                line = self._lines.get(timeout=WAIT_S if batch else None)
            except queue.Empty:
                break
            if line is None:
                return batch, True
            batch.append(line)
        return batch, False

    def _write(self, batch: list[AuditLine]) -> None:
        lost = self.dropped - self._told
        if lost:
            words = f"{lost} lines had no room"
            batch.append(AuditLine(None, batch[-1].at, "audit", "", words, "", "dropped"))
        try:
            self._submit(lambda tx: [audit(tx, line) for line in batch])
            self._told += lost
        except WriterClosed:
            self.dropped += len(batch)
        except Exception:  # noqa: BLE001  # top loop: a store that fails must not end the thread
            self.dropped += len(batch)

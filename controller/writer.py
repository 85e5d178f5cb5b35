"""The one writer: a thread that owns writing, in batches of at most 500 items or 20 ms.

One batch is one transaction; every item runs in its own savepoint, so one that fails undoes only
itself. Effects (acknowledgements, documents to machines, notices) happen after the commit only.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from controller.adapters.store import Store, Tx
from controller.values import StoreFailed

T = TypeVar("T")
MAX_BATCH = 500
MAX_WAIT_S = 0.02
RETRY_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Item:
    """Work for the writer; ``done`` runs after the commit, ``future`` receives the result."""

    run: Callable[[Tx], Any]
    future: Future[Any] | None = None
    done: Callable[[], None] | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the site does around a commit."""

    before: Callable[[Tx], None]
    after: Callable[[Tx], None]
    reach: Callable[[str], None] | None = None  # fault points; None in production


class WriterClosed(Exception):
    """The site is closing; nothing more is written."""


class Writer:
    """Runs items in order on one thread; ``failures`` counts items and commits that failed."""

    def __init__(self, store: Store, hooks: Hooks, bound: int = 10_000) -> None:
        self._store = store
        self._hooks = hooks
        self._reach = hooks.reach
        self._queue: queue.Queue[Item | None] = queue.Queue(bound)
        self._held: Item | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="site-writer", daemon=True)
        self.failures = 0
        self.commits = 0
        self.store_error = ""

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def put(self, item: Item) -> None:
        """Queue an item; waits while the queue is full."""
        if self._closing.is_set():
            raise WriterClosed
        self._queue.put(item)

    def offer(self, item: Item) -> bool:
        """Queue an item unless the queue is full; say whether it was taken."""
        if self._closing.is_set():
            return False
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            return False
        return True

    def submit(self, run: Callable[[Tx], T], timeout_s: float = 30.0) -> T:
        """Run a function on the writer inside a transaction; return once that is committed."""
        future: Future[T] = Future()
        self.put(Item(run, future=future))
        return future.result(timeout_s)

    def depth(self) -> int:
        """Items waiting."""
        return self._queue.qsize()

    def close(self) -> None:
        """Finish what is queued, then stop."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join()

    def halt(self) -> None:
        """Stop after the batch at hand, without doing what is queued; as a crash would."""
        self._closing.set()
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while True:
            batch, last = self._collect()
            if batch:
                self._work(batch)
            if last:
                return

    def _collect(self) -> tuple[list[Item], bool]:
        first = self._held if self._held is not None else self._queue.get()
        self._held = None
        if first is None:
            return [], True
        batch = [first]
        if first.alone:
            return batch, False
        deadline = time.monotonic() + MAX_WAIT_S
        while len(batch) < MAX_BATCH:
            try:
                item = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if item is None:
                return batch, True
            if item.alone:
                self._held = item
                break
            batch.append(item)
        return batch, False

    def _work(self, batch: list[Item]) -> None:
        while not self._try(batch):
            batch = [item for item in batch if item.future is None]
            if not batch or self._closing.wait(RETRY_S):
                return

    def _try(self, batch: list[Item]) -> bool:
        results: list[tuple[Item, Any, Exception | None]] = []
        try:
            with self._store.write() as tx:
                for item in batch:
                    results.append((item, *self._run(tx, item)))
                self._pass("writer.ran")
                self._hooks.before(tx)
                self._pass("writer.settled")
        except Exception as error:  # noqa: BLE001  # top loop: the store failed, try again
            self._commit_failed(batch, error)
            return False
        self._pass("writer.committed")
        self.commits += 1
        self.store_error = ""
        self._finish(tx, results)
        return True

    def _pass(self, point: str) -> None:
        if self._reach is not None:
            self._reach(point)

    def _run(self, tx: Tx, item: Item) -> tuple[Any, Exception | None]:
        try:
            with tx.savepoint():
                return item.run(tx), None
        except StoreFailed:
            raise  # the transaction is gone, with every other item of the batch
        except Exception as error:  # noqa: BLE001  # top loop: an item must not end the others
            if item.future is None:
                self.failures += 1
                _log.exception("an item failed and was undone")
            return None, error

    def _commit_failed(self, batch: list[Item], error: Exception) -> None:
        self.failures += 1
        self.store_error = str(error)
        _log.error("the store did not commit", exc_info=error)
        for item in batch:
            if item.future is not None:
                item.future.set_exception(error)

    def _finish(self, tx: Tx, results: list[tuple[Item, Any, Exception | None]]) -> None:
        try:
            for item, _, _ in results:
                if item.done is not None:
                    item.done()
            self._pass("writer.acknowledged")
            self._hooks.after(tx)
            self._pass("writer.released")
        except Exception:  # noqa: BLE001  # top loop: effects are level-triggered, sent again
            self.failures += 1
            _log.exception("an effect failed")
        for item, value, error in results:
            if item.future is not None:
                if error is None:
                    item.future.set_result(value)
                else:
                    item.future.set_exception(error)

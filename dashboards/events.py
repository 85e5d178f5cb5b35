"""Server-sent events: deltas of the floor to every open page.

A thread waits for changes, coalesces them and refreshes the feed once for all pages; each page's
coroutine then sends what it has not sent. Nothing runs while no page is open.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from dashboards.feed import Feed, Patch

COALESCE_S = 0.2
LOOK_S = 1.0  # progress and silence change without a notice, so look now and then
HEARTBEAT_S = 15.0
MAX_PAGES = 64
RETRY_MS = 2_000
RESNAPSHOT = b"event: resnapshot\ndata:\n\n"


class Clock(NamedTuple):
    """What a page needs to show floor time: ms UTC now and floor seconds per second."""

    at: int
    rate: int


class Page:
    """One open page: where it is in the feed and how to wake it."""

    def __init__(self, seq: int | None) -> None:
        self.seq = seq
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Wake the page's coroutine; from any thread."""
        with contextlib.suppress(RuntimeError):  # its loop has ended, and the page with it
            self._loop.call_soon_threadsafe(self._wake.set)

    async def wait(self, seconds: float) -> bool:
        """Wait for a wake-up; False when the time ran out."""
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return False
        self._wake.clear()
        return True


class Hub:
    """Joins one feed to its open pages; ``start`` and ``stop`` bound its thread's life."""

    def __init__(
        self, feed: Feed, heartbeat_s: float = HEARTBEAT_S, look_s: float = LOOK_S
    ) -> None:
        self.feed = feed
        self.failures = 0
        self._heartbeat_s = heartbeat_s
        self._look_s = look_s
        self._woken_for = -1
        self._pages: set[Page] = set()
        self._lock = threading.Lock()
        self._dirty = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="floor-feed", daemon=True)

    def start(self) -> None:
        """Begin to follow changes."""
        self._thread.start()

    def stop(self) -> None:
        """End all streams and the thread; may be called before ``start``."""
        self._stopped.set()
        self._dirty.set()
        self._wake_all()
        if self._thread.is_alive():
            self._thread.join(5)

    def changed(self) -> None:
        """The floor changed; returns at once."""
        self._dirty.set()

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return len(self._pages)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._dirty.wait(self._look_s)
            self._dirty.clear()
            if self._pages and not self._stopped.is_set():
                began = time.thread_time()
                self._refresh()
                # a big floor takes longer to read: keep to a fifth of one processor
                self._stopped.wait(max(COALESCE_S, 4 * (time.thread_time() - began)))

    def _refresh(self) -> None:
        try:
            seq = self.feed.refresh().seq
        except Exception:  # noqa: BLE001  # the feed outlives a busy database; counted and shown
            self.failures += 1
            return
        if seq != self._woken_for:  # waking for nothing would put off the heartbeat for ever
            self._woken_for = seq
            self._wake_all()

    def _wake_all(self) -> None:
        with self._lock:
            for page in self._pages:
                page.wake()

    async def stream(self, position: str, clock: Callable[[], Clock]) -> AsyncIterator[bytes]:
        """Bytes of one page's stream from a position; ends with a resnapshot or with the hub."""
        page = Page(self.feed.parse_position(position))
        with self._lock:
            self._pages.add(page)
        self.changed()
        try:
            yield b"retry: %d\n" % RETRY_MS + _beat(clock())
            while not self._stopped.is_set():
                patches = None if page.seq is None else self.feed.since(page.seq)
                if patches is None:
                    yield RESNAPSHOT
                    return
                if patches:
                    page.seq = patches[-1].seq
                    yield b"".join(self._event(patch) for patch in patches)
                if not await page.wait(self._heartbeat_s):
                    yield _beat(clock())
        finally:
            with self._lock:
                self._pages.discard(page)

    def _event(self, patch: Patch) -> bytes:
        return b"id: %s\ndata: %s\n\n" % (self.feed.position(patch.seq).encode(), patch.data)


def _beat(now: Clock) -> bytes:
    """Heartbeat: an event and no comment, because a page's script cannot see comments."""
    return b"event: clock\ndata: [%d,%d]\n\n" % (now.at, now.rate)

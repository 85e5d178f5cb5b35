"""The controller of the campaign: the real ``Site`` on a real SQLite file, turned by hand.

No threads: what a ``Writer`` thread would batch is committed by ``work``; loops are beats of the
world. A crash may come at every fault point of the writer and before every document sent; files are
then copied as they lie on disk (WAL and all, its tail torn if asked) and opened by the next life.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from controller.adapters.store import Store, Tx
from controller.adapters.store.backup import fence
from controller.adapters.store.dialects import store_url
from controller.app import Parts, Site, SiteConfig
from controller.values import Refused
from controller.writer import Item
from support.chaos_broker import SimBroker, SiteLink

T = TypeVar("T")
START_MS = 1_760_000_000_000
MAX_PAGES = 1073741823


class Killed(BaseException):
    """The controller was stopped as kill -9 does; no code of the controller may catch this."""


class Away(Exception):
    """The controller does not answer."""


class DeskClock:
    """Floor time that may jump; monotonic time that does not."""

    rate = 1

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.jump_ms = 0

    def now_ms(self) -> int:
        return START_MS + int(self._now()) + self.jump_ms

    def monotonic_s(self) -> float:
        return self._now() / 1000


class Desk:
    """The controller: ``site`` is None while it is down. ``reached`` counts fault points passed."""

    def __init__(
        self, folder: Path, parts: Callable[..., Parts], broker: SimBroker, clock: DeskClock
    ) -> None:
        self._folder, self._parts, self._broker = folder, parts, broker
        self.clock = clock
        self.site: Site | None = None
        self.store: Store | None = None
        self.link: SiteLink | None = None
        self.frozen = False
        self.generation = 0
        self.kill_at: tuple[str, int, bool] | None = None  # (point, passes, only with events)
        self.torn = False
        self.rng = random.Random(0)
        self.reached: dict[str, int] = {}
        self.on_work: Callable[[], None] = lambda: None
        self.on_crash: Callable[[], None] = lambda: None
        self.on_site: Callable[[Site], None] = lambda site: None
        self._held: list[Item] = []
        self._events = False  # the batch at hand holds reports of machines

    @property
    def path(self) -> Path:
        return self._folder / f"life-{self.generation}" / "site.sqlite"

    # life --------------------------------------------------------------------------------------
    def boot(self) -> None:
        """Start on the store that is there."""
        if self.site is not None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.store = Store(self.path, self.clock.now_ms)
        config = SiteConfig("chaos", self.path)
        site = Site(config, self._parts(clock=self.clock, reach=self._reach), self.store)
        site.submit = self.submit
        self._held = []
        self.site = site
        self.on_site(site)
        self.guarded(lambda: self.submit(site._begin))
        if self.site is not site:
            return
        self.link = SiteLink(self._broker, self._heard)
        self.link.sends = lambda: self._reach("link.send")
        site.mqtt = site.outlet.links["mqtt"] = self.link
        self.connect()

    def connect(self) -> None:
        """Reach the broker, if it is there."""
        site, link = self.site, self.link
        if site is not None and link is not None and not link.connected and link.connect():
            site._connected()
            self.guarded(self._resend)

    def _resend(self) -> None:
        assert self.site is not None
        self.site._tell_time()
        self.site.resend()
        self.work()

    def crash(self) -> None:
        """Gone: what is committed lies on disk, all else never was."""
        store, site = self.store, self.site
        if store is None or site is None:
            return
        self.site = self.store = None
        if self.link is not None:
            self.link.lose()
        self.kill_at = None
        before = self.path
        self.generation += 1
        self.path.parent.mkdir(parents=True)
        for end in ("", "-wal"):
            source = before.with_name(before.name + end)
            if source.exists():
                shutil.copyfile(source, self.path.with_name(self.path.name + end))
        if self.torn:
            self._tear()
        store.close()
        shutil.rmtree(before.parent)
        self.on_crash()

    def _tear(self) -> None:
        """A transaction was being written when power failed: part of it is at the WAL's end."""
        wal = self.path.with_name(self.path.name + "-wal")
        if wal.exists():
            with wal.open("ab") as file:
                file.write(self.rng.randbytes(self.rng.randint(1, 9000)))
        self.torn = False

    # a backup -------------------------------------------------------------------------------
    def back_up(self) -> None:
        """Keep a copy of the store as it is now."""
        if self.site is not None:
            shutil.rmtree(self._folder / "backup", ignore_errors=True)
            shutil.copytree(self.path.parent, self._folder / "backup")

    def restore(self) -> bool:
        """The store is lost; the copy takes its place, fenced as the command does."""
        kept = self._folder / "backup"
        if self.site is None or not kept.exists():
            return False
        self.crash()
        shutil.rmtree(self.path.parent)
        shutil.copytree(kept, self.path.parent)
        (self.path.parent / "site.sqlite-shm").unlink(missing_ok=True)
        fence(store_url(self.path))
        return True

    def _reach(self, point: str) -> None:
        self.reached[point] = self.reached.get(point, 0) + 1
        if self.kill_at is None or self.kill_at[0] != point:
            return
        _, left, busy = self.kill_at
        if not busy or self._events:
            self.kill_at = (point, left - 1, busy)
            if left <= 1:
                raise Killed(point)

    def guarded(self, act: Callable[[], Any]) -> None:
        """Do something that may be cut short."""
        if self.site is None or self.frozen:
            return
        try:
            act()
        except Killed:
            self.crash()

    # writer ------------------------------------------------------------------------------------
    def _heard(self, message: Any) -> None:
        if self.site is not None:
            self.site._heard(message)
            self._events = self._events or message.topic.endswith("/up/ev")
            self.on_work()

    def work(self) -> None:
        """One batch: what was held after a store that failed, then what is queued."""
        site = self.site
        if site is None:
            return
        batch, self._held = self._held, []
        while not site.writer._queue.empty():
            item = site.writer._queue.get_nowait()
            assert item is not None
            batch.append(item)
        if batch and not site.writer._try(batch):
            self._held = [item for item in batch if item.future is None]
        self._events = False

    @property
    def stuck(self) -> bool:
        """Whether a batch waits for a store that fails."""
        return bool(self._held)

    def submit(self, run: Callable[[Tx], T], timeout_s: float = 30.0) -> T:
        """As ``Site.submit``, on this thread."""
        assert self.site is not None
        future: Future[T] = Future()
        self.site.writer._queue.put(Item(run, future=future))
        self.work()
        return future.result(0)

    def ask(self, verb: Callable[[Site], T]) -> T:
        """A person asks something of the controller; raise Refused, or Away when none answers."""
        if self.site is None or self.frozen:
            raise Away
        try:
            return verb(self.site)
        except Refused:
            raise
        except Killed as killed:
            self.crash()
            raise Away from killed
        except Exception as error:  # the store is full: the page shows an error
            raise Away from error

    # faults ------------------------------------------------------------------------------------
    def fill_disk(self, full: bool) -> None:
        """SQLite's own limit of pages: its answer is the one of a full disk."""
        if self.store is None:
            return
        with self.store._writer.connect() as conn:
            pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
            conn.exec_driver_sql(f"PRAGMA max_page_count={pages if full else MAX_PAGES}")
            conn.rollback()

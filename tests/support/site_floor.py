"""A whole site on a broker with the small floor in it; it can crash and come back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.adapters.clock import SystemClock
from controller.adapters.mqtt import Broker
from controller.app import Parts, Site, SiteConfig
from support import small_floor
from support.postgres import store_place

WAIT_S = 60.0


class SiteFloor:
    """``site`` is the one that runs now."""

    def __init__(self, folder: Path, broker: Any, router: Any = small_floor.print_only) -> None:
        self.config = SiteConfig(
            "floor",
            store_place(folder / "site.sqlite"),
            Broker(broker.host, broker.port),
            plan_every_s=0.2,
        )
        self.parts = Parts(clock=SystemClock(), router=router, planner=small_floor.plan)
        self.site = Site.open(self.config, self.parts)
        self.site.submit(small_floor.fill)

    def crash(self) -> None:
        """End the controller as a power cut would: nothing queued is done, nothing said."""
        site = self.site
        assert site.mqtt is not None
        site.mqtt.drop()
        site.writer.halt()
        for loop in site.loops.values():
            loop.close()
        site._store.close()

    def reopen(self) -> None:
        """Start the controller again on the same store."""
        self.site = Site.open(self.config, self.parts)

    def restart(self) -> None:
        """Crash, then start again."""
        self.crash()
        self.reopen()

    def until(self, test: Callable[[Any], Any]) -> Any:
        """Wait until ``test`` of a read view gives something true, looking after each change."""
        feed = self.site.changes.subscribe()
        deadline = self.site.clock.monotonic_s() + WAIT_S
        try:
            while self.site.clock.monotonic_s() < deadline:
                with self.site.read() as tx:
                    found = test(tx)
                if found:
                    return found
                feed.take(0.2)
        finally:
            self.site.changes.unsubscribe(feed)
        raise AssertionError("the floor never came to the state waited for")

    def close(self) -> None:
        """End the site in order."""
        self.site.close()

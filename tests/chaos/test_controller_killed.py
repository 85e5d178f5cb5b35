"""The controller is killed in the middle of an order and started again on the same store."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import yaml

from controller.adapters.broker import free_port, open_broker
from controller.adapters.clock import SystemClock
from controller.adapters.site_file import CommunityEntry, SiteFile
from controller.adapters.store import Store
from fabcommons.floor import Extent, Floor
from fabcommons.processes import Children
from fabcommons.verdict import Rows, findings, rows_of

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 90


class Workshop:
    """A controller in a process of its own, one printer, one technician."""

    def __init__(self, folder: Path, children: Children, broker: Any) -> None:
        self.folder, self.children = folder, children
        self.floor = Floor(Extent(printers=1, mills=0, cells=0, time_scale=120), folder / "floor")
        (folder / "floor").mkdir()
        http = f"127.0.0.1:{free_port()}"
        self.url = f"http://{http}"
        settings = SiteFile(
            site="workshop",
            broker=f"{broker.host}:{broker.port}",
            http=http,
            clock_rate=120,
            communities=[CommunityEntry("north", "North Workshop", members=1)],
            machines=self.floor.machines(),
            lots=self.floor.lots(),
            designs=[str(ROOT / "designs" / "cable-clip")],
        )
        self.file = folder / "site.yml"
        self.file.write_text(yaml.safe_dump(msgspec.to_builtins(settings)))
        self.store = folder / settings.store

    def start(self) -> None:
        """Start the controller and wait until it answers."""
        command = [sys.executable, "-m", "fabcommons", "controller", str(self.file)]
        self.children.start("controller", command)
        self.until(lambda: bool(self.state()))

    def until(self, test: Callable[[], bool]) -> None:
        """Return once ``test`` holds; a controller that is away is waited for."""
        pause = threading.Event()
        for _ in range(WAIT_S * 10):
            self.children.check()
            with contextlib.suppress(httpx.TransportError):
                if test():
                    return
            pause.wait(0.1)
        raise AssertionError("the floor never came to the state waited for")

    def state(self) -> str:
        """State the printer's tile shows; "" while the site does not know it yet."""
        floor = httpx.get(f"{self.url}/api/floor", timeout=60).json()["floor"]
        tile = floor.get("machines", {}).get("printer-1", {})
        return str(tile.get("state", ""))

    def need(self) -> str:
        """State the one need, again and again the same; its id."""
        need = {"community": "north", "design": "cable-clip", "stated_by": "a test"}
        headers = {"X-Fabcommons": "1", "Idempotency-Key": "need-1"}
        answer = httpx.post(f"{self.url}/api/needs", json=need, headers=headers, timeout=60)
        return str(answer.json()["lines"][0]["need"])

    def delivered(self) -> bool:
        """Whether a need was delivered."""
        asked = {"state": "delivered"}
        return bool(httpx.get(f"{self.url}/api/needs", params=asked, timeout=60).json())

    def rows(self) -> Rows:
        """What the store holds."""
        store = Store(self.store, SystemClock().now_ms)
        with store.read() as tx:
            rows = rows_of(tx)
        store.close()
        return rows


def test_a_killed_controller_goes_on_where_it_was(tmp_path: Path) -> None:
    broker = open_broker("auto", tmp_path / "broker")
    with Children(tmp_path / "logs") as children:
        shop = Workshop(tmp_path, children, broker)
        shop.start()
        shop.floor.start(children, "workshop", (broker.host, broker.port))
        technician = ["-m", "simulators.technician", "--url", shop.url, "--delay", "120"]
        children.start("technician", [sys.executable, *technician])
        need = shop.need()
        for state in ("running", "clear"):
            shop.until(lambda s=state: shop.state() == s)
            children.kill("controller")
            shop.start()
            assert shop.need() == need
        shop.until(shop.delivered)
        children.stop("technician")
        children.stop("controller")
        shop.floor.settle(children)
    broker.close()
    rows = shop.rows()
    assert findings(rows, shop.floor.truths()) == []
    prints = [order for order in rows.orders if order.machine == "printer-1"]
    assert [order.state for order in prints] == ["SUCCEEDED"]
    assert [row.id for row in rows.needs] == [need]
    assert (rows.needs[0].delivered_at or 0) > rows.needs[0].created_at, "floor time goes forward"

"""The controller is killed in the middle of an order and started again on the same store."""

from __future__ import annotations

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
from fabcommons.verdict import findings, rows_of

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
        self.until(lambda floor: True)

    def until(self, test: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The floor once ``test`` holds of it."""
        pause = threading.Event()
        for _ in range(WAIT_S * 10):
            self.children.check()
            try:
                floor = httpx.get(f"{self.url}/api/floor", timeout=10).json()["floor"]
                if test(floor):
                    return floor
            except httpx.TransportError:
                pass  # not up yet
            pause.wait(0.1)
        raise AssertionError("the floor never came to the state waited for")


def test_a_killed_controller_goes_on_where_it_was(tmp_path: Path) -> None:
    broker = open_broker("auto", tmp_path / "broker")
    with Children(tmp_path / "logs") as children:
        shop = Workshop(tmp_path, children, broker)
        shop.start()
        shop.floor.start(children, "workshop", (broker.host, broker.port))
        technician = ["-m", "simulators.technician", "--url", shop.url, "--delay", "120"]
        children.start("technician", [sys.executable, *technician])
        need = {"community": "north", "design": "cable-clip", "stated_by": "a test"}
        headers = {"X-Fabcommons": "1", "Idempotency-Key": "need-1"}
        url = f"{shop.url}/api/needs"
        first = httpx.post(url, json=need, headers=headers, timeout=30).json()
        for state in ("running", "clear"):
            shop.until(lambda f, s=state: f["machines"]["printer-1"]["state"] == s)
            children.kill("controller")
            shop.start()
            again = httpx.post(url, json=need, headers=headers, timeout=30).json()
            assert again["lines"][0]["need"] == first["lines"][0]["need"]
        delivered = {"state": "delivered"}
        pause = threading.Event()
        for _ in range(WAIT_S * 10):
            if httpx.get(url, params=delivered, timeout=10).json():
                break
            pause.wait(0.1)
        children.stop("technician")
        children.stop("controller")
        shop.floor.settle(children)
    broker.close()
    store = Store(shop.store, SystemClock().now_ms)
    with store.read() as tx:
        rows = rows_of(tx)
    store.close()
    assert findings(rows, shop.floor.truths()) == []
    prints = [order for order in rows.orders if order.machine == "printer-1"]
    assert [order.state for order in prints] == ["SUCCEEDED"]
    assert len(rows.needs) == 1 and rows.needs[0].delivered_at is not None
    assert rows.needs[0].delivered_at > rows.needs[0].created_at, "floor time never goes back"

"""Two controllers of one site over one database and one broker, as processes; and a wire tap."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import paho.mqtt.client as mqtt
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from controller.adapters.broker import free_port
from controller.adapters.clock import SystemClock
from controller.adapters.site_file import CommunityEntry, PlanningEntry, SiteFile
from controller.adapters.store import Store, StoreUnreachable
from controller.adapters.store.leader import LeaderRow, Seen
from controller.replica_settings import ReplicaEntry
from fabcommons.floor import Extent, Floor
from fabcommons.processes import Children
from fabcommons.verdict import Rows, rows_of

ROOT = Path(__file__).resolve().parents[2]
SITE = "shop"
WAIT_S = 90
PEOPLE = {"X-Fabcommons": "1"}


class Tap:
    """Everything that is published to machines: (monotonic s, machine, leaf, document)."""

    def __init__(self, broker: Any) -> None:
        self.heard: list[tuple[float, str, str, dict[str, Any]]] = []
        self.answers: list[dict[str, Any]] = []
        self._news = threading.Condition()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, "tap", protocol=mqtt.MQTTv311)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.connect(broker.host, broker.port)
        client.loop_start()
        self.client = client

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(f"fab/1/{SITE}/#", 1)

    def _on_message(self, _c: Any, _d: Any, message: Any) -> None:
        _, _, _, machine, *rest = message.topic.split("/")
        leaf = "/".join(rest)
        with self._news:
            if leaf.startswith("dn/"):
                at = time.monotonic()
                self.heard.append((at, machine, leaf, json.loads(message.payload)))
            elif leaf == "up/rsp":
                self.answers.append(json.loads(message.payload))
            self._news.notify_all()

    def until(self, test: Callable[[], Any]) -> Any:
        """Wait until ``test`` gives something true, looking again after each message."""
        with self._news:
            found = self._news.wait_for(test, WAIT_S)
        assert found, f"in vain; heard {self.heard[-5:]}"
        return found

    def first_of(self, term: int) -> float:
        """When the first document of this term or a later one was heard, monotonic s."""
        return self.until(
            lambda: next((at for at, _, _, doc in self.heard if doc.get("term", 0) >= term), None)
        )

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()


class Shop:
    """A floor of MicroPython printers and two replicas, ``a`` and ``b``, of its controller."""

    def __init__(self, folder: Path, children: Children, broker: Any, database: str) -> None:
        self.folder, self.children, self.database = folder, children, database
        extent = Extent(printers=1, mills=0, cells=0, stations=1, time_scale=60)
        self.floor = Floor(extent, folder / "floor")
        (folder / "floor").mkdir()
        self.ports = {"a": free_port(), "b": free_port()}
        settings = SiteFile(
            site=SITE,
            store=database,
            broker=f"{broker.host}:{broker.port}",
            clock_rate=60,
            communities=[CommunityEntry("north", "North Workshop", members=1)],
            machines=self.floor.machines(),
            lots=self.floor.lots(),
            designs=[str(ROOT / "designs" / "cable-clip")],
            planning=PlanningEntry(search=False),
            replica=ReplicaEntry(lease_s=4),
        )
        self.file = folder / "site.yml"
        self.file.write_text(yaml.safe_dump(msgspec.to_builtins(settings)))
        self.row = LeaderRow(database, SITE, "a-test", "")
        self._http = httpx.Client(verify=False, timeout=20)
        self._last: Seen | None = None

    def start(self, name: str) -> None:
        """Start one replica."""
        http = f"127.0.0.1:{self.ports[name]}"
        command = ["-m", "fabcommons", "controller", str(self.file), "--http", http]
        self.children.start(name, [sys.executable, *command])

    def url(self, name: str) -> str:
        """Where a replica's page is."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def technicians(self) -> None:
        """Somebody at each replica's page; who comes second finds the work done."""
        for name in self.ports:
            command = ["-m", "simulators.technician", "--url", self.url(name), "--delay", "60"]
            self.children.start(f"technician-{name}", [sys.executable, *command])

    def seen(self) -> Seen | None:
        """The lease, while somebody holds it."""
        with contextlib.suppress(StoreUnreachable):  # its tables are not made yet
            self._last = self.row.look()
        seen = self._last
        return seen if seen is not None and seen.left_ms > 0 else None

    def leader(self) -> str:
        """Name of the replica that leads, "" when none does."""
        seen = self.seen()
        names = [n for n in self.ports if seen is not None and seen.address == self.url(n)]
        return names[0] if names else ""

    def until(self, test: Callable[[], Any]) -> Any:
        """Wait until ``test`` gives something true; who does not answer is waited for."""
        pause = threading.Event()
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                found = test()
                if found:
                    return found
            pause.wait(0.2)
        words = {name: self.children.last_words(name, 12) for name in self.ports}
        orders = [(o.id, o.machine, o.state, o.outcome_why) for o in self.rows().orders]
        raise AssertionError(f"the floor never came to the state waited for: {orders} {words}")

    def states(self, name: str) -> dict[str, str]:
        """States of the printers as a replica's page shows them."""
        floor = self._http.get(f"{self.url(name)}/api/floor").json()["floor"]
        return {m: str(tile.get("state", "")) for m, tile in floor.get("machines", {}).items()}

    def need(self, key: str, at: str) -> bool:
        """State a need at a replica, again and again the same; whether it was taken."""
        need = {"community": "north", "design": "cable-clip", "stated_by": "a test"}
        headers = {**PEOPLE, "Idempotency-Key": key}
        answer = self._http.post(f"{self.url(at)}/api/needs", json=need, headers=headers)
        return answer.status_code < 300 and bool(answer.json()["lines"][0].get("need"))

    def close(self) -> None:
        """Let go of the database and the pages."""
        self.row.close()
        self._http.close()

    def busy(self, at: str) -> bool:
        """Whether a printer runs, as a replica's page shows it."""
        return "running" in self.states(at).values()

    def delivered(self, at: str) -> int:
        """How many needs were delivered."""
        asked = {"state": "delivered"}
        return len(self._http.get(f"{self.url(at)}/api/needs", params=asked).json())

    def signal(self, name: str, number: signal.Signals) -> float:
        """Send a replica a signal; when, monotonic s."""
        at = time.monotonic()
        self.children.signal(name, number)
        return at

    def rows(self) -> Rows:
        """What the store holds."""
        store = Store(self.database, SystemClock().now_ms)
        with store.read() as tx:
            rows = rows_of(tx)
        store.close()
        return rows

"""Intake beside a bare client in one run: a paho loop that decodes, then the controller.

The same reports (``up/ev`` material, 100 machines) are queued at mosquitto for each persistent
session in turn, then the session is let loose. ``cpu_us`` is processor time of the receiver for a
message, the figure that holds on a busy machine. ``--reports N``; writes run/bench/intake.json.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import msgspec  # noqa: E402
import paho.mqtt.client as paho  # noqa: E402

from controller import resources  # noqa: E402
from controller.adapters.broker import open_broker  # noqa: E402
from controller.adapters.mqtt import Broker  # noqa: E402
from controller.app import Site, SiteConfig  # noqa: E402
from controller.values import Lot, Machine  # noqa: E402
from protocols.messages import encode  # noqa: E402
from protocols.topics import machine_topic, up_filter  # noqa: E402

MACHINES, SITE, LIMIT_S = 100, "bench", 300.0


def report(machine: int, s: int) -> bytes:
    return encode(
        "up/ev",
        {"v": 1, "jid": "j-1", "s": s, "tq": "synced", "ty": "material", "ch": 0,
         "lot": f"lot-{machine}", "cum_mg": 1000 * s, "unc_mg": 0, "src": "lines"},
    )  # fmt: skip


def client(name: str) -> paho.Client:
    made = paho.Client(
        paho.CallbackAPIVersion.VERSION2, name, clean_session=False, protocol=paho.MQTTv311
    )
    made.max_inflight_messages_set(200)
    return made


def publish(broker: Any, count: int) -> None:
    done = threading.Event()
    sender = client("bench-sender")
    left = [count]

    def sent(*_: Any) -> None:
        left[0] -= 1
        if not left[0]:
            done.set()

    sender.on_publish = sent
    sender.connect(broker.host, broker.port)
    sender.loop_start()
    for n in range(count):
        machine = n % MACHINES
        topic = machine_topic(SITE, f"m-{machine}", "up/ev")
        sender.publish(topic, report(machine, n // MACHINES + 1), 1)
    assert done.wait(LIMIT_S)
    sender.disconnect()
    sender.loop_stop()


def subscribe(broker: Any, name: str) -> None:
    """Make a persistent session that gathers what is published."""
    ready = threading.Event()
    made = client(name)
    made.on_connect = lambda c, *_: c.subscribe(up_filter(SITE), 1)
    made.on_subscribe = lambda *_: ready.set()
    made.connect(broker.host, broker.port)
    made.loop_start()
    assert ready.wait(LIMIT_S)
    made.disconnect()
    made.loop_stop()


def timed(count: int, start: Callable[[], Any], done: Callable[[], bool]) -> dict[str, float]:
    cpu, wall = time.process_time(), time.monotonic()
    start()
    pause = threading.Event()
    while not done():
        assert time.monotonic() - wall < LIMIT_S
        pause.wait(0.02)
    used, took = time.process_time() - cpu, time.monotonic() - wall
    return {"cpu_us": round(used / count * 1e6, 1), "per_s": round(count / took)}


def bare(broker: Any, count: int) -> dict[str, float]:
    made = client("bench-bare")
    seen = [0]

    def take(_c: Any, _d: Any, message: Any) -> None:
        msgspec.json.decode(message.payload)
        seen[0] += 1

    made.on_message = take

    def start() -> None:
        made.connect(broker.host, broker.port)
        made.loop_start()

    found = timed(count, start, lambda: seen[0] >= count)
    made.disconnect()
    made.loop_stop()
    return found


def ours(broker: Any, count: int, folder: Path) -> dict[str, float]:
    """The controller: every report committed (synchronous FULL) before it is acknowledged."""
    place = folder / "site.db"
    site = Site.open(SiteConfig(SITE, place))

    def fill(tx: Any) -> None:
        for n in range(MACHINES):
            resources.register_machine(tx, Machine(f"m-{n}", "printer", "mqtt", f"m-{n}", {}))
            lot = Lot(f"lot-{n}", "petg", "spool", ug_per_m=3_000_000)
            resources.create_lot(tx, lot, 1_000_000_000, 0, "bench")

    site.submit(fill)
    site.close()
    opened: list[Site] = []
    config = SiteConfig(SITE, place, Broker(broker.host, broker.port))

    def committed() -> bool:
        with opened[0].read() as tx:
            return tx.inbox.count() >= count

    found = timed(count, lambda: opened.append(Site.open(config)), committed)
    opened[0].close()
    return found


def main() -> None:
    count = int(sys.argv[sys.argv.index("--reports") + 1]) if "--reports" in sys.argv else 5000
    with tempfile.TemporaryDirectory() as folder:
        broker = open_broker("mosquitto", Path(folder) / "broker")
        for name in ("bench-bare", f"fab-{SITE}"):
            subscribe(broker, name)
        publish(broker, count)
        figures: dict[str, Any] = {"reports": count, "paho": bare(broker, count)}
        figures["controller"] = ours(broker, count, Path(folder))
        broker.close()
    ratio = figures["paho"]["cpu_us"] / figures["controller"]["cpu_us"]
    figures["of_bare_percent"] = round(100 * ratio, 1)
    print(json.dumps(figures, indent=1))
    out = ROOT / "run" / "bench" / "intake.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

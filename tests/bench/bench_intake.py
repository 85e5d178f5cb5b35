"""Intake beside a bare client in one run: a paho loop that decodes, then the controller.

The same reports (``up/ev`` material, 100 machines), then the same readings (``up/tele``), are
queued at mosquitto for each persistent session in turn, then the session is let loose. ``cpu_us``
is processor time of the receiver for a message, the figure that holds on a busy machine. Then a
site of its own takes 1,000 machines at 1 Hz of telemetry and a report every 10 s for so many
minutes, and its memory is looked at every few seconds: 60 minutes show that it is flat.
``--reports N --readings N --minutes N``; writes run/bench/intake.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
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
from support import load_site  # noqa: E402

MACHINES, SITE, LIMIT_S = 100, "bench", 300.0
STEADY_MACHINES, TELE_S, EVENT_S, STATE_S = 1000, 1, 10, 15
LOOKS = 60  # at memory
Message = tuple[str, bytes]  # topic, payload


def report(machine: int, s: int) -> bytes:
    return encode(
        "up/ev",
        {"v": 1, "jid": "j-1", "s": s, "tq": "synced", "ty": "material", "ch": 0,
         "lot": f"lot-{machine}", "cum_mg": 1000 * s, "unc_mg": 0, "src": "lines"},
    )  # fmt: skip


def reading(machine: int, n: int) -> bytes:
    noise = (n + machine) * 7919 % 601 - 300
    values = {
        "nozzle_mc": 215_000 + noise, "bed_mc": 60_000 + noise // 3, "done_ppm": n % 1_000_000,
        "x_um": noise * 300, "y_um": noise * 170, "z_um": n * 3, "lines_n": n * 40, "planner_n": 12,
    }  # fmt: skip
    return encode("up/tele", {"v": 1, "bn": f"b-{machine}", "n": n, "tq": "none", "m": values})


def messages(leaf: str, make: Callable[[int, int], bytes], count: int) -> list[Message]:
    return [
        (machine_topic(SITE, f"m-{n % MACHINES}", leaf), make(n % MACHINES, n // MACHINES + 1))
        for n in range(count)
    ]


def client(name: str) -> paho.Client:
    made = paho.Client(
        paho.CallbackAPIVersion.VERSION2, name, clean_session=False, protocol=paho.MQTTv311
    )
    made.max_inflight_messages_set(200)
    return made


def publish(broker: Any, what: list[Message]) -> None:
    """Everything at QoS 1, so that a session that is away gathers it."""
    done = threading.Event()
    sender = client("bench-sender")
    left = [len(what)]

    def sent(*_: Any) -> None:
        left[0] -= 1
        if not left[0]:
            done.set()

    sender.on_publish = sent
    sender.connect(broker.host, broker.port)
    sender.loop_start()
    for topic, payload in what:
        sender.publish(topic, payload, 1)
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


def furnished(folder: Path) -> Path:
    """A store with the machines and a spool for each."""
    place = folder / "site.db"
    site = Site.open(SiteConfig(SITE, place))

    def fill(tx: Any) -> None:
        for n in range(MACHINES):
            resources.register_machine(tx, Machine(f"m-{n}", "printer", "mqtt", f"m-{n}", {}))
            lot = Lot(f"lot-{n}", "petg", "spool", ug_per_m=3_000_000)
            resources.create_lot(tx, lot, 1_000_000_000, 0, "bench")

    site.submit(fill)
    site.close()
    return place


def ours(broker: Any, count: int, place: Path, taken: Callable[[Site], int]) -> dict[str, float]:
    """The controller: a report is committed (synchronous FULL) before it is acknowledged."""
    opened: list[Site] = []
    config = SiteConfig(SITE, place, Broker(broker.host, broker.port))
    found = timed(
        count, lambda: opened.append(Site.open(config)), lambda: taken(opened[0]) >= count
    )
    opened[0].close()
    return found


def committed(site: Site) -> int:
    with site.read() as tx:
        return tx.inbox.count()


def beside(count: int, what: list[Message], taken: Callable[[Site], int]) -> dict[str, Any]:
    """A bare client and the controller, each taking the same messages."""
    with tempfile.TemporaryDirectory() as folder:
        broker = open_broker("mosquitto", Path(folder) / "broker")
        for name in ("bench-bare", f"fab-{SITE}"):
            subscribe(broker, name)
        publish(broker, what)
        found: dict[str, Any] = {"messages": count, "paho": bare(broker, count)}
        found["controller"] = ours(broker, count, furnished(Path(folder)), taken)
        broker.close()
    ratio = found["paho"]["cpu_us"] / found["controller"]["cpu_us"]
    return found | {"of_bare_percent": round(100 * ratio, 1)}


def steady(minutes: float) -> dict[str, Any]:
    """A site at work for so long: memory, what was taken of what was sent, processor time."""
    pause = threading.Event()
    looks: list[float] = []
    with load_site.running(STEADY_MACHINES) as site:
        site.swarm.ask("load", tele_s=TELE_S, state_s=STATE_S, event_s=EVENT_S)
        used, began = load_site.cpu_s(site.controller), time.monotonic()
        for _ in range(LOOKS):
            pause.wait(minutes * 60 / LOOKS)  # so long is measured
            looks.append(load_site.memory_mb(site.controller))
        cpu = load_site.cpu_s(site.controller) - used
        took, sent, took_in = time.monotonic() - began, site.swarm.ask("counts"), site.metrics()
    quarters = [looks[n * LOOKS // 4 : (n + 1) * LOOKS // 4] for n in range(4)]
    return {
        "machines": STEADY_MACHINES, "minutes": minutes, "cpu_percent": round(100 * cpu / took, 1),
        "memory_mb_by_quarter": [round(statistics.median(part), 1) for part in quarters],
        "readings_sent": sent["sent"]["up/tele"],
        "readings_taken": int(took_in["fabcommons_telemetry_readings_total"]),
        "readings_dropped": int(took_in["fabcommons_telemetry_dropped_total"]),
        "reports_sent": sent["events"],
        "reports_committed": int(took_in["fabcommons_inbox_events_total"]),
        "swarm_late_s": sent["late_s"],
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--reports", type=int, default=5000)
    options.add_argument("--readings", type=int, default=10_000)
    options.add_argument("--minutes", type=float, default=0.5)
    asked = options.parse_args()
    figures: dict[str, Any] = {}
    if asked.reports:
        what = messages("up/ev", report, asked.reports)
        figures["reports"] = beside(asked.reports, what, committed)
    if asked.readings:
        what = messages("up/tele", reading, asked.readings)
        figures["readings"] = beside(asked.readings, what, lambda site: site.readings.taken)
    if asked.minutes:
        figures["steady"] = steady(asked.minutes)
    print(json.dumps(figures, indent=1))
    out = ROOT / "run" / "bench" / "intake.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

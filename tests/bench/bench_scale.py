"""What a machine costs the controller: 10, 100, 1,000 ... machines at work, measured.

mosquitto, the controller as its own process, and machines that speak our wire: telemetry at 1 Hz,
a report every 10 s, state every 15 s, an order each. For each size: processor time of controller
and broker, memory, what the store grows by, messages, and whether all was taken: ``behind`` are
reports not yet committed at the end, ``lost`` readings dropped. A line through all sizes gives the
fixed part and the part of each machine. Writes run/bench/scale.json.
``--sizes 10,100,1000`` (add 10000 for the ceiling), ``--seconds N`` measured at each,
``--every N`` s between two readings of a machine (1), with reports ten times as far apart.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import load_site  # noqa: E402  # found by the path above
from support.waiting import until  # noqa: E402  # found by the path above

STATE_S, EVENTS_APART = 15, 10
SETTLE_S = 600.0
Row = dict[str, Any]


def settled(site: load_site.LoadSite) -> bool:
    """Whether the controller has taken everybody's first words."""
    return site.metrics()["fabcommons_writer_queue_items"] < 10


def measure(machines: int, seconds: float, every_s: float) -> Row:
    """One size."""
    with load_site.running(machines) as site:
        until(lambda: settled(site), SETTLE_S, "the first words of all machines")
        memory = load_site.memory_mb(site.controller)
        event_s, state_s = EVENTS_APART * every_s, max(STATE_S, every_s)
        site.swarm.ask("load", tele_s=every_s, state_s=state_s, event_s=event_s)
        pause = threading.Event()
        pause.wait(min(seconds, 5.0 * every_s))  # until everybody has begun to speak
        before, bytes_, told = Used(site), site.store_bytes(), site.swarm.ask("counts")
        pause.wait(seconds)  # what is measured is a rate
        after, grown, heard = Used(site), site.store_bytes() - bytes_, site.swarm.ask("counts")
        took_in = site.metrics()
        took = after.at - before.at
        up = sum(heard["sent"].values()) - sum(told["sent"].values())
        down = sum(heard["heard"].values()) - sum(told["heard"].values())
        return {
            "machines": machines,
            "reading_every_s": every_s,
            "controller_percent": round(100 * (after.controller - before.controller) / took, 1),
            "broker_percent": round(100 * (after.broker - before.broker) / took, 1),
            "memory_mb": round(load_site.memory_mb(site.controller), 1),
            "memory_mb_idle": round(memory, 1),
            "store_bytes_per_s": round(grown / took),
            "messages_up_per_s": round(up / took, 1),
            "messages_down_per_s": round(down / took, 1),
            "reports_behind": heard["events"] - int(took_in["fabcommons_inbox_events_total"]),
            "readings_lost": lost(took_in),
            "swarm_late_s": heard["late_s"],
        }


def lost(counted: dict[str, float]) -> int:
    """Readings that came and were dropped, and numbers that never came."""
    names = ("fabcommons_telemetry_dropped_total", "fabcommons_telemetry_lost_total")
    return int(sum(counted[name] for name in names))


class Used:
    """Processor time used so far."""

    def __init__(self, site: load_site.LoadSite) -> None:
        self.controller = load_site.cpu_s(site.controller)
        self.broker = load_site.cpu_s(site.broker)
        self.at = time.monotonic()


def law(rows: list[Row], field: str) -> dict[str, float]:
    """A line through the sizes that kept up: fixed part and the part of each machine."""
    kept = [row for row in rows if not row["reports_behind"] > row["machines"]]
    if len(kept) < 2:
        return {}
    line = statistics.linear_regression(
        [float(row["machines"]) for row in kept], [float(row[field]) for row in kept]
    )
    return {"fixed": round(line.intercept, 2), "per_machine": round(line.slope, 4)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", default="10,100,1000")
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--every", type=float, default=1.0)
    asked = options.parse_args()
    rows: list[Row] = []
    for size in asked.sizes.split(","):
        rows.append(measure(int(size), asked.seconds, asked.every))
        print(" ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    fields = ("controller_percent", "broker_percent", "memory_mb", "store_bytes_per_s")
    figures = {"sizes": rows, "law": {field: law(rows, field) for field in fields}}
    print(json.dumps(figures["law"], indent=1))
    out = ROOT / "run" / "bench" / "scale.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

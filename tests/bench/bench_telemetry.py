"""The embedded store of telemetry: 50 machines x 6 fields every 10 s, 4 days or as many as asked.

Rollups of five minutes reach back 30 days for every machine, of hours for the one whose month is
charted. Every figure is CPU time of this thread (the machine may be busy); charts are the medians
of 50. Beside us: the same charts made of raw readings. Writes run/bench/telemetry.json.
``--days 10`` is what is asked of us, and takes minutes; ``--quick`` keeps one day.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from controller import telemetry  # noqa: E402  # found by the path above
from controller.adapters.clock import ManualClock  # noqa: E402  # found by the path above
from controller.adapters.store import Store, Tx  # noqa: E402  # found by the path above
from controller.adapters.store.telemetry import HOUR_MS, folded  # noqa: E402  # as above
from controller.values import Machine  # noqa: E402  # found by the path above
from dashboards.readings import Span, fleet, series  # noqa: E402  # found by the path above

MACHINES, EVERY_MS, ROLLUP_DAYS, DAY_MS = 50, 10_000, 30, 24 * HOUR_MS
FIELDS = ("nozzle_mc", "bed_mc", "power_mw", "done_ppm", "feed_um_s", "spool_mg")
T0 = 1_790_000_000_000 // DAY_MS * DAY_MS
CHARTED = "m-7"
Sample = tuple[str, int, dict[str, int]]


def reading(machine: int, at: int) -> dict[str, int]:
    """Something that moves as the real thing does: noise on plateaus, ramps."""
    n = at // EVERY_MS + machine * 31
    noise = n * 7919 % 601 - 300
    warm = n % 720 < 600
    return {
        "nozzle_mc": (215_000 if warm else 25_000) + noise,
        "bed_mc": (60_000 if warm else 24_000) + noise // 3,
        "power_mw": 120_000 + noise * 40,
        "done_ppm": n % 600 * 1666,
        "feed_um_s": 60_000 if n % 5 else 120_000,
        "spool_mg": 900_000 - n % 60_000 * 14,
    }


def hour(at: int, every_ms: int = EVERY_MS) -> list[Sample]:
    return [
        (f"m-{m}", t, reading(m, t))
        for m in range(MACHINES)
        for t in range(at, at + HOUR_MS, every_ms)
    ]


def cpu(run: Callable[[], Any]) -> float:
    began = time.thread_time()
    run()
    return time.thread_time() - began


def median_ms(run: Callable[[], Any], times: int = 50) -> float:
    run()
    return round(statistics.median(cpu(run) for _ in range(times)) * 1000, 2)


class Bench:
    """One store, filled as a site would fill it."""

    def __init__(self, folder: Path, raw_days: int) -> None:
        self.path = folder / "site.db"
        self.clock = ManualClock(T0)
        self.store = Store(self.path, self.clock.now_ms)
        self.begin_at = T0 - raw_days * DAY_MS
        self.figures: dict[str, Any] = {
            "machines": MACHINES, "fields": len(FIELDS), "raw_days": raw_days,
            "readings": MACHINES * raw_days * DAY_MS // EVERY_MS,
        }  # fmt: skip
        self._write(
            lambda tx: [
                tx.machines.add(Machine(f"m-{m}", "printer", "mqtt", f"m-{m}", {}))
                for m in range(MACHINES)
            ]
        )

    def _write(self, run: Callable[[Tx], Any]) -> Any:
        with self.store.write() as tx:
            return run(tx)

    def _tidy(self, keep: telemetry.Keep = telemetry.KEEP) -> list[float]:
        """CPU and time on the clock of each step of upkeep, s."""
        steps: list[float] = []
        more = True
        while more:
            began = time.monotonic()
            more = self._write(lambda tx: telemetry.tidy(tx, keep))
            steps.append(time.monotonic() - began)
        return steps[:-1]

    def fill(self) -> None:
        for day_at in range(T0 - ROLLUP_DAYS * DAY_MS, self.begin_at, DAY_MS):
            self._write(lambda tx, at=day_at: self._history(tx, at))
        ingest, packing, count = 0.0, 0.0, 0
        for at in range(self.begin_at, T0, HOUR_MS):
            samples = hour(at)
            count += len(samples)
            ingest += cpu(lambda s=samples: self._write(lambda tx: tx.telemetry.add(s)))
            if at % DAY_MS == 0:
                packing += cpu(self._tidy)
        self.clock.advance_ms(2 * telemetry.CLOSED_MS)
        size = self.path.stat().st_size
        packing += cpu(self._tidy)
        second = [(f"m-{m}", T0, reading(m, T0)) for m in range(MACHINES)]
        self.figures |= {
            "ingest_krows_per_cpu_s": round(count / ingest / 1000, 1),
            "packing_krows_per_cpu_s": round(count / packing / 1000, 1),
            "commit_of_50_rows_cpu_ms": median_ms(
                lambda: self._write(lambda tx: tx.telemetry.add(second))
            ),
            "file_mb": round(max(size, self.path.stat().st_size) / 1e6, 1),
        }
        with self.store.read() as tx:
            packed = tx.telemetry.packed_bytes()
        self.figures["packed_bytes_per_reading"] = round(packed / count, 1)

    def _history(self, tx: Tx, day_at: int) -> None:
        """A day of which rollups alone are left."""
        hours = range(day_at, day_at + DAY_MS, HOUR_MS)
        tx.telemetry._put_rollups([one for at in hours for one in hour(at, 300_000)])
        for at in hours:
            tx.telemetry._fold(CHARTED, (at, at + HOUR_MS))

    def ask(self) -> None:
        with self.store.read() as tx:
            now = tx.now_ms
            month = Span("nozzle_mc", now - 30 * DAY_MS)
            day = Span("nozzle_mc", now - DAY_MS)
            self.figures |= {
                "points_30_days": len(series(tx, CHARTED, month)[0]),
                "chart_1_machine_30_days_cpu_ms": median_ms(lambda: series(tx, CHARTED, month)),
                "chart_1_machine_24_h_cpu_ms": median_ms(lambda: series(tx, CHARTED, day)),
                "chart_1_machine_3_h_raw_cpu_ms": median_ms(
                    lambda: series(tx, CHARTED, Span("nozzle_mc", now - 3 * HOUR_MS))
                ),
                "points_50_machines_24_h": sum(
                    len(one["mean"]) for one in fleet(tx, day)["machines"].values()
                ),
                "chart_50_machines_24_h_cpu_ms": median_ms(lambda: fleet(tx, day), 20),
                "last_values_of_all_cpu_ms": median_ms(tx.telemetry.last, 20),
                "rival_1_machine_of_raw_cpu_ms": median_ms(lambda: self._of_raw(tx), 3),
            }

    def _of_raw(self, tx: Tx) -> Any:
        """The longest chart made of raw readings, as without rollups."""
        raw = tx.telemetry.raw(CHARTED, self.begin_at, T0)
        values = ((at, m["nozzle_mc"]) for at, m in raw)
        return folded(((at, v, v, v, 1) for at, v in values), HOUR_MS)

    def age(self) -> None:
        """A day of raw readings of 50 machines goes."""
        days = int(self.figures["raw_days"]) - 1
        steps = sorted(self._tidy(telemetry.Keep(max(days, 0), ROLLUP_DAYS - 1)))
        self.figures |= {
            "retention_steps": len(steps),
            "retention_step_ms_median": round(statistics.median(steps) * 1000, 1),
            "retention_step_ms_most": round(steps[-1] * 1000, 1),
        }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=4)
    options.add_argument("--quick", action="store_true")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), 1 if asked.quick else asked.days)
        bench.fill()
        bench.ask()
        bench.age()
        bench.store.close()
    out = ROOT / "run" / "bench" / "telemetry.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(bench.figures, indent=1) + "\n")
    for name, value in bench.figures.items():
        print(f"{name:38} {value}")


if __name__ == "__main__":
    main()

"""Emergency stop from the broker to the serial wire while the firmware streams as fast as it can.

Many orders, each stopped at a moment of its own: the time from publishing ``dn/cmd stop`` until the
first byte of M112 came out of the serial line, at our simulated printer behind a pty (the peer of
``bench-firmware``: its moves take no time, so a line is always in flight). On MicroPython's unix
port; ``--interpreter cpython`` for CPython. The journal lies in memory (/dev/shm), so that no disk
of this computer is measured; ``--flash DIR`` puts it there. Writes run/bench/firmware_stop.json.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import bench_floor  # noqa: E402  # found by the path above
from support.bench_floor import Controller, Floor  # noqa: E402  # the same
from support.bench_peer import peer, program  # noqa: E402  # the same
from support.waiting import until  # noqa: E402  # the same

LINES = 20000
LIMIT_S = 120


class Bench:
    """One machine that is started and stopped over and over."""

    def __init__(
        self, floor: Floor, controller: Controller, machine: subprocess.Popen[str]
    ) -> None:
        self.controller = controller
        self.part = floor.program(program(LINES))
        self.stops: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, args=(machine,), daemon=True).start()
        self.random = random.Random(1)
        self.moment = threading.Event()  # never set

    def _read(self, machine: subprocess.Popen[str]) -> None:
        assert machine.stdout is not None
        for line in machine.stdout:
            if '"stop"' in line:
                self.stops.put(json.loads(line))

    def ready(self) -> None:
        """Clear the machine and wait until it takes an order."""
        asked_at = 0.0

        def is_ready() -> bool:
            nonlocal asked_at
            state = self.controller.state
            if state.get("ready") and state["st"] == "idle":
                return True
            if time.monotonic() - asked_at > 2 and "bn" in state:
                self.controller.command("clear")
                asked_at = time.monotonic()
            return False

        until(is_ready, LIMIT_S, "a ready machine")

    def press(self, ep: int) -> tuple[float, int]:
        """One order, stopped at some moment; (ms to the wire, lines run since the last stop)."""
        self.ready()
        started = len(self.controller.heard("started"))
        self.controller.offer(ep, self.part, [{"ch": 0, "lot": "a", "ug_per_m": 2982000}])
        until(lambda: len(self.controller.heard("started")) > started, LIMIT_S, "a start")
        self.moment.wait(0.1 + self.random.random())  # a press comes at any moment of a print
        pressed = time.monotonic()
        self.controller.command("stop")
        found = self.stops.get(timeout=LIMIT_S)
        until(lambda: self.controller.state.get("st") == "stopped", LIMIT_S, "a stop told")
        return (found["stop"] - pressed) * 1000, found["ran"]


def bench(folder: Path, presses: int, interpreter: str) -> dict[str, Any]:
    (folder / "www").mkdir()
    with (
        bench_floor.mosquitto(folder) as port,
        bench_floor.program_server(folder / "www") as server,
        peer(folder) as machine,
    ):
        floor = Floor(folder, port, server, interpreter)
        controller = Controller(port)
        with floor.firmware() as running:
            (folder / "pid").write_text(str(running.pid))
            test = Bench(floor, controller, machine)
            found = [test.press(ep) for ep in range(1, presses + 1)]
        controller.close()
    took = sorted(ms for ms, _ in found)
    return {
        "interpreter": interpreter,
        "presses": presses,
        "lines_run": found[-1][1],
        "median_ms": round(statistics.median(took), 2),
        "p99_ms": round(took[-(-len(took) * 99 // 100) - 1], 2),
        "worst_ms": round(took[-1], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presses", type=int, default=200)
    parser.add_argument("--interpreter", choices=["micropython", "cpython"], default="micropython")
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    parser.add_argument("--flash", default=memory, help="folder to make the journal's in")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.flash) as folder:
        figures = bench(Path(folder), asked.presses, asked.interpreter)
    out = ROOT / "run" / "bench" / "firmware_stop.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n")
    print("  ".join(f"{name} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()

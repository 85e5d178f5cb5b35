"""Many machines of real MicroPython on one PC, each telling its state once a second.

Every machine is a process of its own: Debian's 32-bit MicroPython (objects as large as on a board)
running the firmware's bytecode in place, with its journal, its connection to one mosquitto and its
serial line to a simulated printer. Counted at the broker over ``--seconds``; memory is what the
kernel gives as PSS (shared pages in parts) and private pages, CPU that of the process. Writes
run/bench/fleet.json; exits 1 when a machine takes more than 0.5 MB or is missing.
``--machines N``.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fabcommons.image import build  # noqa: E402  # found by the path above
from protocols.messages import decode  # noqa: E402  # the same
from protocols.topics import parse_topic, up_filter  # noqa: E402  # the same
from support import bench_floor, memory_gate  # noqa: E402  # the same
from support.bench_peer import cpu_s  # noqa: E402  # the same
from support.waiting import until  # noqa: E402  # the same

HEAP_B = 112 * 1024
MOST_B = 500_000  # of memory, each
ONLINE_S = 300


class Listener:
    """Hears up/state of every machine."""

    def __init__(self, port: int) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.heard: collections.Counter[str] = collections.Counter()
        self.lock = threading.Lock()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="listener")
        self._client.on_message = self._on_message
        self._client.on_connect = lambda *_: self._client.subscribe(up_filter("test"), 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        _, machine, leaf = parse_topic(message.topic)
        if leaf == "up/state":
            with self.lock:
                self.states[machine] = decode(leaf, message.payload)
                self.heard[machine] += 1

    def idle(self) -> int:
        """Machines whose printer answers."""
        with self.lock:
            return sum(state.get("st") == "idle" for state in self.states.values())

    def count(self) -> collections.Counter[str]:
        with self.lock:
            return self.heard.copy()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def memory_b(pid: int) -> tuple[int, int, int]:
    """Resident, proportional and private bytes of a process."""
    kb: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, value = line.partition(":")
        kb[name] = int(value.split()[0])
    private = kb["Private_Clean"] + kb["Private_Dirty"]
    return kb["Rss"] * 1024, kb["Pss"] * 1024, private * 1024


def machine(folder: Path, number: int, port: int) -> list[str]:
    """Arguments that run one machine."""
    config = {
        "site": "test",
        "machine": f"m{number}",
        "broker": {"host": "127.0.0.1", "port": port},
        "serial": {"port": str(folder / "lines" / str(number)), "baud": 250000},
        "dialect": "marlin",
        "flash": str(folder / f"flash-{number}"),
        "heartbeat_s": 1,
    }
    path = folder / f"config-{number}.json"
    path.write_text(json.dumps(config))
    command = [memory_gate.INTERPRETER, "-X", f"heapsize={HEAP_B}", "tests/support/rom_start.py"]
    return [*command, str(folder / "image.romfs"), str(path)]


@contextlib.contextmanager
def printers(folder: Path, count: int) -> Any:
    command = [sys.executable, "tests/support/bench_machines.py", str(folder), str(count)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as running:
        try:
            assert running.stdout.readline().strip() == "ready"
            yield
        finally:
            running.stdin.close()


def bench(folder: Path, machines: int, seconds: float) -> dict[str, Any]:
    (folder / "lines").mkdir()
    (folder / "image.romfs").write_bytes(build("marlin", "unix").rom())
    environment = {**os.environ, "MICROPYPATH": ".frozen"}
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(bench_floor.mosquitto(folder))
        stack.enter_context(printers(folder / "lines", machines))
        listener = Listener(port)
        stack.callback(listener.close)
        began = time.monotonic()
        running = [
            stack.enter_context(bench_floor.process(machine(folder, n, port), env=environment))
            for n in range(1, machines + 1)
        ]
        until(lambda: listener.idle() == machines, ONLINE_S, "every machine")
        online_s = time.monotonic() - began
        before, cpu_before = listener.count(), [cpu_s(one.pid) for one in running]
        began = time.monotonic()
        time.sleep(seconds)  # the span that is measured
        took_s = time.monotonic() - began
        after, cpu_after = listener.count(), [cpu_s(one.pid) for one in running]
        memory = [memory_b(one.pid) for one in running]
    told = [after[name] - before[name] for name in after]
    cpu = [b - a for a, b in zip(cpu_before, cpu_after, strict=True)]
    return {
        "machines": machines,
        "heap_b": HEAP_B,
        "all_online_after_s": round(online_s, 1),
        "states_per_s": round(sum(told) / took_s, 1),
        "states_per_machine_per_s_least": round(min(told) / took_s, 2),
        "cpu_percent_each": round(statistics.mean(cpu) / took_s * 100, 2),
        "rss_kb_median": round(statistics.median(m[0] for m in memory) / 1000),
        "pss_kb_median": round(statistics.median(m[1] for m in memory) / 1000),
        "pss_kb_most": round(max(m[1] for m in memory) / 1000),
        "private_kb_most": round(max(m[2] for m in memory) / 1000),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args()
    if why := memory_gate.missing():
        print(why, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        figures = bench(Path(folder), asked.machines, asked.seconds)
    out = ROOT / "run" / "bench" / "fleet.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{name:32} {value}")
    return 1 if figures["pss_kb_most"] * 1000 > MOST_B else 0


if __name__ == "__main__":
    sys.exit(main())

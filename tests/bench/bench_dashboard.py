"""Bytes and delay of live pages: 200 machines, 20 open pages, changes 10 times a second.

Beside us: the same floor sent as a whole at each change, which is what polling a snapshot costs.
Writes run/bench/dashboard.json. ``--quick`` measures for 3 s in place of 15 s.
"""

from __future__ import annotations

import json
import resource
import socket
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT))

from dashboards.server import PageServer  # noqa: E402  # found by the path above
from support import dash_floor  # noqa: E402  # found by the path above

MACHINES, PAGES, PER_S = 200, 20, 10


def fill(tx: Any) -> None:
    tx.communities.put(dash_floor.Community("north", "Northside workshop", 40))
    tx.designs.put(dash_floor.design("clamp", "Table clamp"))
    for n in range(MACHINES):
        name = f"printer-{n}"
        tx.machines.add(dash_floor.machine(name, state="busy", ready=False, order_id=f"o-{n}"))
        tx.needs.add(dash_floor.need(f"n-{n}", quantity=1))
        op = dash_floor.operation(f"op-{n}", f"n-{n}", state="running", machine=name)
        tx.operations.add([op], [])
        tx.orders.add(dash_floor.order(f"o-{n}", op.id, name, ep=n + 1, started_at=dash_floor.T0))


class Page(threading.Thread):
    """One open page: counts the bytes of its stream and notes when each change came."""

    def __init__(self, port: int, seq: str) -> None:
        super().__init__(daemon=True)
        self.bytes = 0
        self.came: dict[tuple[str, int], float] = {}
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ask = f"GET /api/events?since={seq} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        self._socket.sendall(ask.encode())

    def run(self) -> None:
        for line in self._socket.makefile("rb"):
            now = time.monotonic()
            self.bytes += len(line)
            if line.startswith(b"data: {"):
                for name, tile in json.loads(line[6:]).get("machines", {}).items():
                    self.came[name, tile.get("percent", -1)] = now


def measure(seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        desk = dash_floor.FakeDesk(Path(folder))
        desk.change(fill)
        server = PageServer(desk, port=0)
        try:
            return _measure(desk, server, seconds)
        finally:
            server.close()
            desk.close()


def _measure(desk: Any, server: PageServer, seconds: float) -> dict[str, Any]:
    with urllib.request.urlopen(f"{server.url}/api/floor") as answer:
        whole = answer.read()
    pages = [Page(server.port, json.loads(whole)["seq"]) for _ in range(PAGES)]
    for page in pages:
        page.start()
    time.sleep(2.0)  # measuring, not a test: let the streams open
    idle_from = sum(p.bytes for p in pages)
    time.sleep(seconds)
    idle = sum(p.bytes for p in pages) - idle_from
    began, cpu = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    busy_from = sum(p.bytes for p in pages)
    sent: dict[tuple[str, int], float] = {}
    for n in range(int(seconds * PER_S)):
        name, percent = f"printer-{n % MACHINES}", n // MACHINES + 1
        order = f"o-{n % MACHINES}"
        desk.change(lambda tx, o=order, p=percent: tx.orders.change(o, done_ppm=p * 10_000))
        sent[name, percent] = time.monotonic()
        time.sleep(max(0.0, began + (n + 1) / PER_S - time.monotonic()))
    time.sleep(1.5)
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    busy = sum(p.bytes for p in pages) - busy_from
    delays = [p.came[k] - at for p in pages for k, at in sent.items() if k in p.came]
    return {
        "machines": MACHINES,
        "pages": PAGES,
        "bytes_per_change_and_page": round(busy / len(sent) / PAGES, 1),
        "bytes_per_s_idle_machine_and_page": round(idle / seconds / PAGES / MACHINES, 4),
        "bytes_whole_snapshot": len(whole),
        "changes_missing": len(sent) * PAGES - len(delays),
        "delay_ms_median": round(statistics.median(delays) * 1000, 1),
        "delay_ms_p99": round(statistics.quantiles(delays, n=100)[98] * 1000, 1),
        "cpu_share": round(
            (after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime) / took, 3
        ),
    }


def main() -> None:
    figures = measure(3.0 if "--quick" in sys.argv else 15.0)
    out = ROOT / "run" / "bench" / "dashboard.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{name:38} {value}")


if __name__ == "__main__":
    main()

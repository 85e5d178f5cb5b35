"""Emergency stop from the press to the wire: HTTP, controller, mosquitto, firmware, serial.

The controller is a process of its own with its page, store and broker connection; the firmware
runs on MicroPython's unix port (``--cpython`` for CPython), its serial line is TCP to a simulated
printer here, where the first byte of M112 is timed. Three times over: calm; with the database
locked by another process; with a planner that keeps the controller's interpreter busy all the time.
Writes run/bench/stop_path.json. ``--quick`` presses 50 times in place of 1,000.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT))

from controller.adapters.broker import open_broker  # noqa: E402  # found by the path above
from controller.adapters.clock import SystemClock  # noqa: E402  # found by the path above
from controller.adapters.mqtt import Broker  # noqa: E402  # found by the path above
from controller.app import Parts, Site, SiteConfig  # noqa: E402  # found by the path above
from controller.picture import FloorPicture, FloorPlan  # noqa: E402  # found by the path above
from dashboards.server import PageServer  # noqa: E402  # found by the path above
from dashboards.site_desk import SiteDesk  # noqa: E402  # found by the path above
from fabcommons.running import SWITCH_S  # noqa: E402  # found by the path above
from simulators.printer import Printer  # noqa: E402  # found by the path above
from support import small_floor  # noqa: E402  # found by the path above
from support.waiting import until  # noqa: E402  # found by the path above

PRESSES, QUICK = 1000, 50
PAUSE_S = 0.02
LIMIT_S = 60.0
BUSY_S = 0.5
MACHINE = "printer-1"


def serve(folder: Path, port: int) -> None:
    """The controller's process: a site with its page; ``busy`` and ``calm`` on standard input."""
    logging.disable()  # a locked database makes the controller say so, at length
    sys.setswitchinterval(SWITCH_S)
    busy = threading.Event()

    def plan(picture: FloorPicture) -> FloorPlan:
        until = time.monotonic() + BUSY_S if busy.is_set() else 0.0
        count = 0
        while time.monotonic() < until:
            count += 1  # pure Python: the worst there is for the other threads
        return FloorPlan((), {op.id: "nothing is planned here" for op in picture.operations})

    config = SiteConfig("floor", folder / "site.sqlite", Broker("127.0.0.1", port), plan_every_s=0)
    site = Site.open(config, Parts(clock=SystemClock(), planner=plan))
    site.submit(small_floor.fill)
    page = PageServer(SiteDesk(site), port=0)
    print(page.port, flush=True)
    for line in sys.stdin:
        {"busy": busy.set, "calm": busy.clear}.get(line.strip(), busy.clear)()
        print("ok", flush=True)
    os._exit(0)  # what is queued behind a locked database is of no interest here


class Wire(threading.Thread):
    """The machine's end of the serial line: a simulated printer; notes when each M112 begins."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.came = threading.Semaphore(0)
        self.at = 0.0

    def run(self) -> None:
        while True:
            line, _ = self._server.accept()
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.settimeout(0.05)
            self._talk(line, Printer())

    def _talk(self, line: socket.socket, printer: Printer) -> None:
        while True:
            try:
                data = line.recv(4096)
            except TimeoutError:
                data = None
            except OSError:
                return
            if data == b"":
                return
            now = time.monotonic()
            if data:
                printer.feed(data, int(now * 1000))
                for _ in range(data.count(b"M112")):
                    self.at = now
                    self.came.release()
            answer = printer.step(int(time.monotonic() * 1000))
            if answer:
                line.sendall(answer)


@contextmanager
def started(arguments: list[str], **options: Any) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(arguments, cwd=ROOT, text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def firmware(folder: Path, broker: int, wire: int) -> list[str]:
    """Arguments that run the firmware with its settings."""
    config = {
        "site": "floor",
        "machine": MACHINE,
        "broker": {"host": "127.0.0.1", "port": broker},
        "serial": {"port": f"tcp:127.0.0.1:{wire}", "baud": 250000},
        "dialect": "marlin",
        "flash": str(folder / "flash"),
        "heartbeat_s": 5,
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    python = [sys.executable]
    if "--cpython" not in sys.argv:
        python = [str(Path(sys.executable).with_name("micropython")), "-X", "heapsize=512k"]
    return [*python, "-m", "firmware", str(path)]


class Button:
    """A page's stop button: one kept connection, one request a press."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def press(self) -> int:
        self._connection.request(
            "POST", f"/api/machines/{MACHINE}/stop", b"{}", {"X-Fabcommons": "1"}
        )
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


def measure(button: Button, wire: Wire, presses: int) -> dict[str, Any]:
    """Milliseconds from the press to the first byte of M112 on the wire."""
    took: list[float] = []
    pause = threading.Event()
    for _ in range(presses):
        began = time.monotonic()
        status = button.press()
        assert status == 200, status
        assert wire.came.acquire(timeout=LIMIT_S), "the stop never reached the wire"
        took.append((wire.at - began) * 1000)
        pause.wait(PAUSE_S)  # a person's finger is not faster
    cuts = statistics.quantiles(took, n=100)
    return {
        "presses": presses,
        "median_ms": round(statistics.median(took), 1),
        "p99_ms": round(cuts[98], 1),
        "worst_ms": round(max(took), 1),
    }


def ready(button: Button, wire: Wire) -> None:
    """Wait until the machine can be reached, and what was pressed meanwhile has come."""
    until(lambda: button.press() == 200, LIMIT_S)
    assert wire.came.acquire(timeout=LIMIT_S), "the stop never reached the wire"
    while wire.came.acquire(timeout=1.0):
        pass


def bench(folder: Path, presses: int) -> dict[str, Any]:
    broker = open_broker("mosquitto", folder / "broker")
    wire = Wire()
    wire.start()
    own = [sys.executable, __file__, "--serve", str(folder), str(broker.port)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
    with (
        started(own, **pipes) as controller,
        started(firmware(folder, broker.port, wire.port), env=environment),
    ):
        assert controller.stdin is not None and controller.stdout is not None
        button = Button(int(controller.stdout.readline()))
        ready(button, wire)
        figures = {"calm": measure(button, wire, presses)}
        lock = sqlite3.connect(folder / "site.sqlite", timeout=LIMIT_S, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        figures["database locked"] = measure(button, wire, presses)
        lock.execute("ROLLBACK")
        lock.close()
        print("busy", file=controller.stdin, flush=True)
        controller.stdout.readline()
        figures["planner busy"] = measure(button, wire, presses)
    broker.close()
    return figures


def main() -> None:
    if "--serve" in sys.argv:
        folder, port = sys.argv[-2:]
        serve(Path(folder), int(port))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "broker").mkdir()
        (folder / "flash").mkdir()
        figures = bench(folder, QUICK if "--quick" in sys.argv else PRESSES)
    out = ROOT / "run" / "bench" / "stop_path.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n")
    for name, row in figures.items():
        print(f"{name:16} " + "  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()

"""Live pages of a real floor: mosquitto, the controller as its own process, 200 machines at work
that speak our wire, 20 open pages, one of them a Chromium.

Three times over: machines that only say they are there; machines at work (telemetry every 2 s,
a report every 10 s); and with machines that pause and resume 5 times a second, each timed from
the machine's publish to the event at a page and to the pixel in Chromium. Processor time is of the
controller's process and its children. Beside us: what sending the whole floor at each change costs.
Writes run/bench/dashboard.json. ``--machines N --pages N --seconds N``; ``--quick`` is 5 s each.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import browser, load_site  # noqa: E402  # found by the path above
from support.waiting import until  # noqa: E402  # found by the path above

FLIPS_PER_S = 5
LIMIT_S = 60.0
Came = dict[tuple[int, str, str], list[float]]  # page, machine, state: when it came


class Pages(threading.Thread):
    """Open pages: counts the bytes of their streams, and notes when each state came."""

    def __init__(self, url: str, seq: str, count: int) -> None:
        super().__init__(daemon=True)
        self.bytes = self.changes = self.patches = 0
        self.came: Came = defaultdict(list)
        self._selector = selectors.DefaultSelector()
        host, _, port = url.rpartition("/")[2].rpartition(":")
        ask = f"GET /api/events?since={seq} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
        for number in range(count):
            line = socket.create_connection((host, int(port)))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(ask.encode())
            self._selector.register(line, selectors.EVENT_READ, (number, bytearray()))

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                line: Any = key.fileobj
                data = line.recv(65536)
                if not data:  # the floor is closed
                    return
                number, held = key.data
                self._take(number, held, data, time.monotonic())

    def _take(self, number: int, held: bytearray, data: bytes, now: float) -> None:
        self.bytes += len(data)
        held += data
        *lines, rest = bytes(held).split(b"\n")
        held[:] = rest
        for text in lines:
            if text.startswith(b"data: {"):
                machines = json.loads(text[6:]).get("machines", {})
                self.patches += 1
                self.changes += len(machines)
                for name, tile in machines.items():
                    if "state" in tile:
                        self.came[number, name, tile["state"]].append(now)


class Chromium:
    """A real browser on the floor's page."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            ["node", "pixels.mjs", url],
            cwd=browser.WEB, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "open", "Chromium did not open the page"

    def painted(self, sent: list[dict[str, Any]]) -> list[float]:
        """How long after each change it was painted, s; ends the browser."""
        wanted = [[one["machine"], one["state"], one["wall"] * 1000] for one in sent]
        said, _ = self._process.communicate(json.dumps(wanted) + "\n", LIMIT_S)
        came: Came = defaultdict(list)
        for name, state, at in json.loads(said):
            came[0, name, state].append(at / 1000)
        return [after(came[0, one["machine"], one["state"]], one["wall"]) for one in sent]


class Bench:
    """One floor with its pages."""

    def __init__(self, site: load_site.LoadSite, seconds: float, pages: int) -> None:
        self.site, self.seconds = site, seconds
        self.count = pages
        with urllib.request.urlopen(f"{site.url}/api/floor") as answer:
            self.whole = answer.read()
        self.chromium = None if browser.missing() else Chromium(site.url)
        light = pages - (self.chromium is not None)
        self.pages = Pages(site.url, json.loads(self.whole)["seq"], light)
        self.light = light
        self.pages.start()
        until(lambda: site.metrics()["fabcommons_pages_open"] == pages, what="the pages")

    def phase(self, work: Callable[[threading.Event], Any]) -> dict[str, Any]:
        """Figures of a while; ``work`` goes on meanwhile until it is told to end."""
        told, pause = threading.Event(), threading.Event()
        pages, before = self.pages, self.site.swarm.ask("counts")
        bytes_, changes, began = pages.bytes, pages.changes, time.monotonic()
        used = load_site.cpu_s(self.site.controller)
        working = threading.Thread(target=work, args=(told,))
        working.start()
        pause.wait(self.seconds)  # what is measured is a rate: so long, whatever happens
        told.set()
        working.join()
        took = time.monotonic() - began
        cpu = load_site.cpu_s(self.site.controller) - used
        got, changed = pages.bytes - bytes_, pages.changes - changes
        sent = self.site.swarm.ask("counts")["bytes_sent"] - before["bytes_sent"]
        return {
            "cpu_percent": round(100 * cpu / took, 1),
            "bytes_per_s_and_page": round(got / took / self.light, 1),
            "tiles_changed_per_s": round(changed / took / self.light, 2),
            "bytes_per_change_and_page": round(got / changed, 1) if changed else None,
            "bytes_per_s_of_machines": round(sent / took),
        }

    def flips(self, told: threading.Event, sent: list[dict[str, Any]]) -> None:
        """Pause and resume machines, one after the other."""
        began, number = time.monotonic(), 0
        while not told.wait(max(0.0, began + number / FLIPS_PER_S - time.monotonic())):
            machine = f"m-{number % self.site.machines}"
            sent.append(self.site.swarm.ask("flip", machine=machine))
            number += 1

    def measure(self) -> dict[str, Any]:
        """Three phases, and how long changes took."""
        swarm = self.site.swarm
        swarm.ask("load", tele_s=0, state_s=15, event_s=0)
        found: dict[str, Any] = {"idle": self.phase(lambda told: told.wait())}
        swarm.ask("load", tele_s=2, state_s=15, event_s=10)
        found["at work"] = self.phase(lambda told: told.wait())
        sent: list[dict[str, Any]] = []
        found["at work, changing"] = self.phase(lambda told: self.flips(told, sent))
        pages = [(number, one) for number in range(self.light) for one in sent]
        until(lambda: all(self._took(*each) for each in pages), what="all changes")
        found["to_the_page_ms"] = spread([self._took(*each) for each in pages])
        if self.chromium is not None:
            found["to_the_pixel_ms"] = spread(self.chromium.painted(sent))
        return found

    def _took(self, number: int, sent: dict[str, Any]) -> float:
        """How long a change took to a page, s; 0 while it has not come."""
        return after(self.pages.came[number, sent["machine"], sent["state"]], sent["at"])


def after(times: list[float], began: float) -> float:
    """How long after ``began`` the first of these was, s; 0 for none."""
    return next((at - began for at in times if at >= began), 0.0)


def spread(delays_s: list[float]) -> dict[str, Any]:
    """Median, p99 and worst, ms."""
    cuts = statistics.quantiles(delays_s, n=100)
    return {
        "changes": len(delays_s),
        "median": round(statistics.median(delays_s) * 1000),
        "p99": round(cuts[98] * 1000),
        "worst": round(max(delays_s) * 1000),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--machines", type=int, default=200)
    options.add_argument("--pages", type=int, default=20)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--quick", action="store_true")
    asked = options.parse_args()
    seconds = 5.0 if asked.quick else asked.seconds
    figures: dict[str, Any] = {"machines": asked.machines, "pages": asked.pages, "seconds": seconds}
    with load_site.running(asked.machines) as site:
        bench = Bench(site, seconds, asked.pages)
        figures |= bench.measure()
        figures["bytes_whole_floor"] = len(bench.whole)
        figures["memory_mb"] = round(load_site.memory_mb(site.controller))
    out = ROOT / "run" / "bench" / "dashboard.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()

"""A real site under load: mosquitto, the controller as its own process, a swarm of machines.

Processor time is of whole process trees, from /proc; the store is made beforehand as a floor at
work: every machine runs an order of a need, from a spool of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from controller import resources
from controller.adapters.broker import free_port, open_broker
from controller.adapters.clock import utc_ms
from controller.adapters.store import Store, Tx
from controller.values import Lot
from support import dash_floor
from support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
SITE = "bench"
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
LIMIT_S = 300.0
DURATION_S = 1_000_000
HOUR_MS = 3_600_000


def children(pid: int) -> list[int]:
    """A process and everything it started."""
    found, at = [pid], 0
    while at < len(found):
        for task in Path(f"/proc/{found[at]}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(text) for text in task.read_text().split()]
        at += 1
    return found


def cpu_s(pid: int) -> float:
    """Processor time of a process and its children, those that ended included."""
    total = 0
    for one in children(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(") ")[2].split()
            total += sum(int(fields[n]) for n in (11, 12, 13, 14))
    return total * TICK_S


def memory_mb(pid: int) -> float:
    """Resident memory of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def fill(tx: Tx, machines: int) -> None:
    """A floor at work."""
    now = tx.now_ms
    tx.communities.put(dash_floor.Community("north", "Northside workshop", 40))
    tx.designs.put(dash_floor.design("clamp", "Table clamp"))
    for n in range(machines):
        name, lot = f"m-{n}", f"lot-{n}"
        machine = dash_floor.machine(name, kind="printer", state="busy", ready=False)
        tx.machines.add(machine)
        tx.machines.change(name, order_id=f"o-{n}", ep=n + 1, online=True, last_seen_at=now)
        spool = Lot(lot, "petg", "spool", ug_per_m=3_000_000, created_at=now)
        resources.create_lot(tx, spool, 1_000_000_000, 0, "bench")
        tx.lots.place(lot, name, 0)
        tx.needs.add(dash_floor.need(f"n-{n}", quantity=1, created_at=now))
        operation = dash_floor.operation(
            f"op-{n}", f"n-{n}", state="running", machine=name, duration_s=DURATION_S
        )
        tx.operations.add([operation], [])
        order = dash_floor.order(f"o-{n}", f"op-{n}", name, ep=n + 1, offered_at=now)
        tx.orders.add(order)
        tx.orders.change(order.id, started_at=now, claim_jid=f"j-{n}", claim_s=1)
    tx.site.put("epoch", str(machines))


class Swarm:
    """A process of light machines (support/swarm.py)."""

    def __init__(self, broker: Any, machines: range) -> None:
        place = f"{broker.host}:{broker.port}"
        arguments = [sys.executable, str(ROOT / "tests/support/swarm.py"), place, SITE]
        self._process = subprocess.Popen(
            [*arguments, str(len(machines)), str(machines.start)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.pid = self._process.pid

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Ask for something; its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps({"do": do, **fields}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the swarm ended"
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


@dataclass
class LoadSite:
    """What runs: where the page is, whose processor time counts, and the machines."""

    folder: Path
    url: str
    controller: int
    broker: int
    swarm: Swarm
    machines: int

    def metrics(self) -> dict[str, float]:
        """The controller's own counters, by name; samples with labels are left out."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.split(" ") for line in lines if line[:1] not in ("#", "") and "{" not in line)
        return {pair[0]: float(pair[1]) for pair in pairs}

    def store_bytes(self) -> int:
        """Pages the store holds, its log's included, in bytes."""
        place = f"file:{self.folder / 'site.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(place, uri=True, timeout=60)) as store:
            pages, size = (
                store.execute(f"PRAGMA page_{n}").fetchone()[0] for n in ("count", "size")
            )
        return pages * size


def settings(folder: Path, broker: Any, port: int) -> Path:
    """The site's settings file; its machines are in the store."""
    document = {
        "site": SITE,
        "broker": f"{broker.host}:{broker.port}",
        "http": f"127.0.0.1:{port}",
    }
    path = folder / "site.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether the controller answers; fails when it ended."""
    assert process.poll() is None, "the controller ended"
    try:
        urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
    except (OSError, urllib.error.URLError):
        return False
    return True


@contextlib.contextmanager
def running(machines: int) -> Generator[LoadSite]:
    """A site with so many machines at work, all connected and heard."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fab-bench-")))
        broker: Any = open_broker("mosquitto", folder / "broker")
        stack.callback(broker.close)
        store = Store(folder / "site.db", utc_ms)
        with store.write() as tx:
            fill(tx, machines)
        store.close()
        port = free_port()
        path = settings(folder, broker, port)
        log = stack.enter_context((folder / "controller.log").open("wb"))
        process = subprocess.Popen(
            [sys.executable, "-m", "fabcommons", "controller", str(path)],
            cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip
        stack.callback(_end, process)
        url = f"http://127.0.0.1:{port}"
        until(lambda: answers(url, process), LIMIT_S, "the controller")
        swarm = Swarm(broker, range(machines))
        stack.callback(swarm.close)
        site = LoadSite(folder, url, process.pid, broker.pid, swarm, machines)
        swarm.ask("open")
        yield site


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

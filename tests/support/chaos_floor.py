"""The fault campaign on real processes: broker, controller, database, firmware, machines.

``RealFloor`` starts what a workshop has (mosquitto, ``fabcommons controller`` on SQLite or
PostgreSQL, MicroPython driving faulty simulated machines over pseudo-terminals, a technician on the
HTTP API) and does to it what a seed says. The verdict is ``fabcommons.verdict`` over what the
machines physically did.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import yaml

from controller.adapters.broker import free_port, open_broker
from controller.adapters.clock import SystemClock
from controller.adapters.faultpoints import VARIABLE, WRITER
from controller.adapters.site_file import CommunityEntry, SiteFile
from controller.adapters.store import Store
from fabcommons.faults import machine_faults
from fabcommons.floor import Extent, Floor, firmware_command
from fabcommons.processes import Children
from fabcommons.verdict import Rows, findings, rows_of
from support.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
FLASH = ("flash.write", "flash.torn", "flash.sync", "flash.synced", "flash.rename", "flash.renamed")
LOOK_S = 0.2


@dataclass(frozen=True)
class Plan:
    """How large a floor, for how long, and what is done to it every how many seconds."""

    seed: int = 1
    printers: int = 2
    mills: int = 0
    needs: int = 3
    every_s: float = 6.0
    acts: tuple[str, ...] = ()  # () = every act there is
    postgres: bool = False
    machine_faults: bool = True
    limit_s: float = 600.0
    time_scale: int = 120


class RealFloor:
    """A context manager; ``run`` returns findings, ``done`` counts what was done to the floor."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.rng = random.Random(plan.seed)
        self.done: Counter[str] = Counter()
        self.children = Children(folder / "logs")
        self.broker: Any = open_broker("mosquitto", folder / "broker")
        self.database = Postgres() if plan.postgres else None
        extent = Extent(plan.printers, plan.mills, cells=0, stations=1,
                        time_scale=plan.time_scale, seed=plan.seed)  # fmt: skip
        if plan.machine_faults:
            extent = _with_faults(extent, plan.seed)
        self.floor = Floor(extent, folder / "floor")
        (folder / "floor").mkdir(parents=True)
        self.machines = [entry.id for entry in self.floor.machines() if entry.link == "mqtt"]
        http = f"127.0.0.1:{free_port()}"
        self.url = f"http://{http}"
        settings = SiteFile(
            site="chaos",
            broker=f"{self.broker.host}:{self.broker.port}",
            http=http,
            clock_rate=plan.time_scale,
            communities=[CommunityEntry("north", "North", members=1)],
            machines=self.floor.machines(),
            lots=self.floor.lots(),
            designs=[str(ROOT / "designs" / name) for name in ("cable-clip",)],
        )
        if self.database is not None:
            settings.store = self.database.database()
        self.settings = settings
        self.file = folder / "site.yml"
        self.file.write_text(yaml.safe_dump(msgspec.to_builtins(settings)))
        self._stopped: dict[str, float] = {}  # frozen process: when it goes on
        self._stated = 0

    def __enter__(self) -> RealFloor:
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._stopped:
            self._signal(name, signal.SIGCONT)
        self.children.close()
        self.broker.close()
        if self.database is not None:
            self.database.close()

    # processes ---------------------------------------------------------------------------------
    def start_controller(self, fault: str = "") -> None:
        command = [sys.executable, "-m", "fabcommons", "controller", str(self.file)]
        self.children.start("controller", command, {VARIABLE: fault} if fault else {})

    def start_firmware(self, machine: str, fault: str = "") -> None:
        config = str(self.folder / "floor" / f"{machine}.json")
        command = [*firmware_command("auto"), config]
        self.children.start(machine, command, {VARIABLE: fault} if fault else {})

    def mend(self) -> None:
        """Start again what ended; let go on what was frozen long enough."""
        for name, at in list(self._stopped.items()):
            if time.monotonic() >= at:
                del self._stopped[name]
                self._signal(name, signal.SIGCONT)
        ended = self.children.ended()
        for name in ended:
            if name == "controller":
                self.start_controller()
            elif name in self.machines:
                self.start_firmware(name)

    def _signal(self, name: str, number: int) -> None:
        """Signal a child and what runs below it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.children.pid(name), number)

    def get(self, path: str, **asked: str) -> Any:
        """What the API says, or None while it does not answer."""
        with contextlib.suppress(httpx.HTTPError, ValueError):
            return httpx.get(self.url + path, params=asked, timeout=10).json()
        return None

    def until(self, test: Callable[[], Any], limit_s: float) -> bool:
        """Mend and look until ``test`` holds; whether it did in time."""
        pause, end = threading.Event(), time.monotonic() + limit_s
        while time.monotonic() < end:
            self.mend()
            if test():
                return True
            pause.wait(LOOK_S)
        return False

    # what people do ----------------------------------------------------------------------------
    def state_needs(self) -> bool:
        """State what is not stated yet, under keys of their own."""
        while self._stated < self.plan.needs:
            need = {"community": "north", "design": "cable-clip", "stated_by": "a test"}
            headers = {"X-Fabcommons": "1", "Idempotency-Key": f"need-{self._stated}"}
            try:
                url = f"{self.url}/api/needs"
                answer = httpx.post(url, json=need, headers=headers, timeout=10)
            except httpx.HTTPError:
                return False
            if answer.status_code >= 300:
                return False
            self._stated += 1
        return True

    def delivered(self) -> bool:
        found = self.get("/api/needs", state="delivered")
        return isinstance(found, list) and len(found) >= self.plan.needs

    # what goes wrong ---------------------------------------------------------------------------
    def kill_controller(self) -> None:
        self.children.kill("controller")

    def kill_controller_at_write(self) -> None:
        self.children.kill("controller")
        self.start_controller(f"{self.rng.choice(WRITER)}:{self.rng.randint(8, 60)}")

    def controller_disk_full(self) -> None:
        self.children.kill("controller")
        self.start_controller(f"{self.rng.choice(WRITER[:2])}:{self.rng.randint(8, 40)}:full:6")

    def kill_firmware(self) -> None:
        self.children.kill(self.rng.choice(self.machines))

    def kill_firmware_at_write(self) -> None:
        machine = self.rng.choice(self.machines)
        self.children.kill(machine)
        self.start_firmware(machine, f"{self.rng.choice(FLASH)}:{self.rng.randint(2, 14)}")

    def flash_full(self) -> None:
        machine = self.rng.choice(self.machines)
        self.children.kill(machine)
        self.start_firmware(machine, f"flash.full:{self.rng.randint(2, 10)}:6")

    def torn_spool(self) -> None:
        """Power fails, and a program on flash lost its end."""
        machine = self.rng.choice(self.machines)
        self.children.kill(machine)
        for path in (self.folder / "floor" / f"{machine}.flash").glob("p-*.bin"):
            path.write_bytes(path.read_bytes()[:-20] + b"\xff" * 7)
        self.start_firmware(machine)

    def kill_broker(self) -> None:
        host, port = self.broker.host, self.broker.port
        self.broker.kill()
        self.broker = open_broker("mosquitto", self.folder / "broker", host, port)

    def kill_database(self) -> None:
        if self.database is not None:
            self.database.stop("immediate")
            self.database.start()

    def freeze(self) -> None:
        name = self.rng.choice(["controller", *self.machines])
        if name not in self._stopped and name not in self.children.ended():
            self._signal(name, signal.SIGSTOP)
            self._stopped[name] = time.monotonic() + self.rng.choice((2.0, 70.0))

    def act(self) -> None:
        names = self.plan.acts or tuple(ACTS)
        name = self.rng.choice(names)
        self.done[name] += 1
        ACTS[name](self)

    # running -----------------------------------------------------------------------------------
    def run(self) -> list[str]:
        """Make what was needed while things go wrong; everything that is not as promised."""
        self.start_controller()
        if not self.until(lambda: self.get("/api/floor") is not None, 120):
            return ["the controller never answered"]
        self.floor.start(self.children, "chaos", (self.broker.host, self.broker.port))
        technician = ["-m", "simulators.technician", "--url", self.url, "--delay", "60"]
        technician += ["--buttons", str(self.folder / "floor")]
        self.children.start("technician", [sys.executable, *technician])
        self.until(self.state_needs, 120)
        next_act, began = time.monotonic() + self.plan.every_s, time.monotonic()
        faults_until = began + self.plan.limit_s / 2

        def turn() -> bool:
            nonlocal next_act
            now = time.monotonic()
            if next_act <= now < faults_until:
                next_act = now + self.plan.every_s * (0.5 + self.rng.random())
                self.act()
            return self.delivered()

        came = self.until(turn, self.plan.limit_s)
        self.until(lambda: not self._stopped, 90)
        self.children.stop("technician")
        self.children.stop("controller")
        self.floor.settle(self.children)
        found = findings(self.rows(), self.floor.truths())
        return found if came else [f"not delivered in {self.plan.limit_s} s", *found]

    def rows(self) -> Rows:
        """What the store holds."""
        place = self.settings.store_place(self.folder)
        store = Store(place, SystemClock().now_ms)
        with store.read() as tx:
            rows = rows_of(tx)
        store.close()
        return rows


def _with_faults(extent: Extent, seed: int) -> Extent:
    """The same floor with machines that misbehave."""
    return Extent(
        extent.printers, extent.mills, extent.cells, extent.stations, extent.time_scale,
        extent.seed, faults=machine_faults(extent, seed),
    )  # fmt: skip


ACTS: dict[str, Callable[[RealFloor], None]] = {
    "kill -9 controller": RealFloor.kill_controller,
    "kill -9 controller at a write point": RealFloor.kill_controller_at_write,
    "controller's disk full": RealFloor.controller_disk_full,
    "kill -9 firmware": RealFloor.kill_firmware,
    "kill -9 firmware at a flash write": RealFloor.kill_firmware_at_write,
    "flash full": RealFloor.flash_full,
    "torn program on flash": RealFloor.torn_spool,
    "kill -9 broker": RealFloor.kill_broker,
    "kill database": RealFloor.kill_database,
    "freeze for 2 s or 70 s": RealFloor.freeze,
}

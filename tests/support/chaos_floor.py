"""The fault campaign on real processes: broker, controller, database, firmware, machines.

``RealFloor`` starts what a workshop has (mosquitto, ``fabcommons controller`` on SQLite or
PostgreSQL, MicroPython driving faulty simulated machines over pseudo-terminals, a technician on the
HTTP API), puts a relay between machines and broker, and does to it what a seed says
(``support.floor_acts``). ``support.floor_oracle`` judges by what the machines physically did. The
seed draws what is done and when; which process it meets where is the computer's.
"""

from __future__ import annotations

import contextlib
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import yaml

from controller.adapters.broker import free_port, open_broker
from controller.adapters.clock import SystemClock
from controller.adapters.faultpoints import VARIABLE
from controller.adapters.site_file import CommunityEntry, SiteFile
from controller.adapters.store import Store
from fabcommons.faults import machine_faults
from fabcommons.floor import Extent, Floor, firmware_command
from fabcommons.processes import Children
from fabcommons.verdict import rows_of
from support.chaos_broker import Weather
from support.floor_acts import ACTS, FREEZES_S, acts_of
from support.floor_oracle import Found, flash_of, judge, judge_keys, judge_reports
from support.mqtt_relay import Relay
from support.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
SITE, WHO = "chaos", "a test"
LOOK_S, RELEASE_S = 0.5, 5.0
START_S = 180.0
SETTLE_S = 180.0


@dataclass(frozen=True)
class Plan:
    """How large a floor, for how long, and what is done to it every how many seconds."""

    seed: int = 1
    printers: int = 2
    mills: int = 1
    needs: int = 3
    every_s: float = 4.0
    acts: tuple[str, ...] = ()  # drawn from these; () = every act there is
    script: tuple[str, ...] = ()  # or these, in this order, each once
    postgres: bool = False
    machine_faults: bool = True
    firmware: str = "auto"
    limit_s: float = 600.0  # acts end after half of it
    time_scale: int = 120
    freezes_s: tuple[float, ...] = FREEZES_S
    weather_s: float = 30.0


class RealFloor:
    """A context manager; ``run`` returns what was found, ``done`` counts acts."""

    def __init__(
        self, plan: Plan, folder: Path, say: Callable[[str], None] = lambda text: None
    ) -> None:
        self.plan, self.folder, self._say = plan, folder, say
        self.rng = random.Random(plan.seed)
        self.done: Counter[str] = Counter()
        self.found = Found()
        self.children = Children(folder / "logs")
        self.broker: Any = open_broker("mosquitto", folder / "broker")
        self._address = (self.broker.host, self.broker.port)
        self.relay = Relay(self._address, SITE, plan.seed)
        self.database = Postgres() if plan.postgres else None
        extent = Extent(plan.printers, plan.mills, cells=0, stations=1,
                        time_scale=plan.time_scale, seed=plan.seed,
                        firmware=plan.firmware)  # fmt: skip
        if plan.machine_faults:
            extent = replace(extent, faults=machine_faults(extent, plan.seed))
        self.floor = Floor(extent, folder / "floor")
        (folder / "floor").mkdir(parents=True)
        self.machines = [entry.id for entry in self.floor.machines() if entry.link == "mqtt"]
        self.settings = self._settings()
        self.url = f"http://{self.settings.http}"
        self.file = folder / "site.yml"
        self.file.write_text(yaml.safe_dump(msgspec.to_builtins(self.settings)))
        self._http = httpx.Client(base_url=self.url, timeout=10, headers={"X-Fabcommons": "1"})
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._keys: set[str] = set()
        self._names = list(plan.acts) or acts_of(postgres=plan.postgres)
        self._script = list(plan.script)
        self._began = self._next_act = self._next_release = time.monotonic()

    def _settings(self) -> SiteFile:
        settings = SiteFile(
            site=SITE,
            broker=f"{self.broker.host}:{self.broker.port}",
            http=f"127.0.0.1:{free_port()}",
            clock_rate=self.plan.time_scale,
            communities=[CommunityEntry("north", "North", members=1)],
            machines=self.floor.machines(),
            lots=self.floor.lots(),
            designs=[str(ROOT / "designs" / name) for name in ("cable-clip", "clamp-plate")],
        )
        if self.database is not None:
            settings.store = self.database.database()
        return settings

    def __enter__(self) -> RealFloor:
        return self

    def __exit__(self, *_: object) -> None:
        self._calm()
        self._http.close()
        self.children.close()
        self.relay.__exit__()
        if self.broker is not None:
            self.broker.close()
        if self.database is not None:
            self.database.close()

    # processes ---------------------------------------------------------------------------------
    def start_controller(self, fault: str = "") -> None:
        command = [sys.executable, "-m", "fabcommons", "controller", str(self.file)]
        self.children.start("controller", command, {VARIABLE: fault} if fault else {})

    def start_firmware(self, machine: str, fault: str = "") -> None:
        config = str(self.folder / "floor" / f"{machine}.json")
        command = [*firmware_command(self.plan.firmware), config]
        self.children.start(machine, command, {VARIABLE: fault} if fault else {})

    def broker_away(self, for_s: float) -> None:
        """End the broker as kill -9 does; it is back after a while at the same place."""
        if self.broker is not None:
            self.broker.kill()
            self.broker = None
            self.later(for_s, self._open_broker)

    def _open_broker(self) -> None:
        self.broker = open_broker("mosquitto", self.folder / "broker", *self._address)

    def later(self, after_s: float, verb: Callable[[], None]) -> None:
        """Do something after so many seconds, or when the floor calms down."""
        self._later.append((time.monotonic() + after_s, verb))

    def clear_up(self) -> None:
        self.relay.courier.weather = Weather()

    def mend(self) -> None:
        """Do what is due; start again what ended."""
        due = [verb for at, verb in self._later if time.monotonic() >= at]
        self._later = [one for one in self._later if one[1] not in due]
        for verb in due:
            verb()
        for name, code in self.children.ended().items():
            if name != "controller" and name not in self.machines:
                continue
            self.found.figures[f"ended by itself {code}"] += code != -signal.SIGKILL
            self._tell(f"{name} had ended with {code}")
            if name == "controller":
                self.start_controller()
            else:
                self.start_firmware(name)

    def _calm(self) -> None:
        for _, verb in self._later:
            verb()
        self._later = []

    def some_machine(self) -> str:
        """A machine, rather one that is at work."""
        views = self._floor()["machines"] if self.rng.random() < 0.7 else {}
        busy = [name for name in self.machines if views.get(name, {}).get("state") == "running"]
        return self.rng.choice(busy or self.machines)

    def flash(self, machine: str) -> Path:
        return self.folder / "floor" / f"{machine}.flash"

    def _tell(self, text: str) -> None:
        words = f"{time.monotonic() - self._began:6.1f} s  {text}"
        with (self.folder / "acts.log").open("a") as file:
            file.write(words + "\n")
        self._say(words)

    # HTTP --------------------------------------------------------------------------------------
    def get(self, path: str, **asked: str) -> Any:
        """What the API says, or None while it does not answer."""
        with contextlib.suppress(httpx.HTTPError, ValueError):
            answer = self._http.get(path, params=asked)
            return answer.json() if answer.status_code == 200 else None
        return None

    def _floor(self) -> dict[str, dict[str, Any]]:
        seen = self.get("/api/floor")
        return seen["floor"] if seen is not None else {"machines": {}, "attention": {}}

    def _post(self, path: str, body: dict[str, Any], key: str) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            answer = self._http.post(path, json=body, headers={"Idempotency-Key": key})
            return answer.status_code < 300
        return False

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
    def _state_needs(self) -> None:
        """State what is not stated yet, under keys of their own; no answer, and the same again."""
        mills, total = self.plan.mills, len(self.machines)
        while (number := len(self._keys)) < self.plan.needs:
            design = "clamp-plate" if number * mills % total < mills else "cable-clip"
            need = {"community": "north", "design": design, "stated_by": WHO}
            if not self._post("/api/needs", need, f"need-{number}"):
                return
            self._keys.add(f"need-{number}")

    def _delivered(self) -> bool:
        found = self.get("/api/needs", state="delivered")
        return found is not None and len(found) >= self.plan.needs

    def _release(self) -> None:
        """A person trusts machines in quarantine again: nothing here has a second board."""
        for card in self._floor()["attention"].values():
            name = card["machine"]
            if card["kind"] == "quarantine" and self._post(
                f"/api/machines/{name}/release", {"who": WHO}, f"release-{time.monotonic_ns()}"
            ):
                text = f"{name} was in quarantine: {card.get('text', '')}"
                self.found.add("lost or doubled reports", text)

    # running -----------------------------------------------------------------------------------
    def run(self) -> Found:
        """Make what is needed while things go wrong; ``found`` is what is not as promised."""
        self.start_controller()
        if not self.until(lambda: self.get("/api/floor") is not None, START_S):
            self.found.add("other", f"the controller did not answer within {START_S} s")
            return self.found
        self.floor.start(self.children, SITE, ("127.0.0.1", self.relay.port))
        technician = ["-m", "simulators.technician", "--url", self.url, "--delay", "60"]
        technician += ["--buttons", str(self.folder / "floor")]
        self.children.start("technician", [sys.executable, *technician])
        self._began = self._next_act = time.monotonic()
        came = self.until(self._turn, self.plan.limit_s)
        self._calm()
        settled = came and self.until(self._settled, SETTLE_S)
        for name in ("technician", "controller"):
            self.children.stop(name, 60)
        self.floor.settle(self.children)
        self._judge()
        if not came:
            self.found.add("lost orders", f"not delivered in {self.plan.limit_s} s")
        elif not settled:
            self.found.add("other", f"machines and store did not agree within {SETTLE_S} s")
        return self.found

    def _turn(self) -> bool:
        """One look: act when it is time; whether everything is done."""
        now = time.monotonic()
        self._state_needs()
        ended = self._ended(now)
        if now >= self._next_act and not ended:
            self._next_act = now + self.plan.every_s * (0.5 + self.rng.random())
            self._act()
        if now >= self._next_release:
            self._next_release = now + RELEASE_S
            self._release()
        return (ended or not self.plan.script) and self._delivered()

    def _ended(self, now: float) -> bool:
        """Whether no act is to come."""
        late = now - self._began > self.plan.limit_s / 2
        return late or (bool(self.plan.script) and not self._script)

    def _act(self) -> None:
        name = self._script.pop(0) if self._script else self.rng.choice(self._names)
        self.done[name] += 1
        self._tell(name)
        ACTS[name](self)

    def _settled(self) -> bool:
        """Whether everything on flash is committed and acknowledged, and nothing is under way."""
        for machine in self.machines:
            page = self.get(f"/api/machines/{machine}")
            flash = flash_of(self.flash(machine))
            if page is None or (page["journal"], page["acked_s"]) != (flash.jid, flash.hi):
                return False
        return True

    def _judge(self) -> None:
        store = Store(self.settings.store_place(self.folder), SystemClock().now_ms)
        with store.read() as tx:
            rows = rows_of(tx)
            judge(rows, self.floor.truths(), self.found)
            judge_keys(rows, self._keys, self.found)
            judge_reports(tx, {m: flash_of(self.flash(m)) for m in self.machines}, self.found)
            told = Counter(
                note.text.partition(" resolved ")[1] for note in tx.notice_room.since(0, 20_000)
            )
        store.close()
        self.found.figures["asked a person"] += told[" resolved "]
        for name, count in self.relay.courier.counts.items():
            self.found.figures[f"relay: {name}"] += count

"""One world of the campaign: a floor, its people and its faults on virtual time, from one seed.

The controller is the product's ``Site`` on SQLite, the firmware the product's ``App``; the broker,
the iron and the people are stand-ins. ``run`` states needs until so many job orders were made, lets
the faults stop, waits until nothing is open any more, and judges.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import itertools
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controller import resources
from controller.app import Parts
from controller.picture import Assignment, FloorPicture, FloorPlan
from controller.routed import RoutedNeed, RoutedOperation
from controller.values import Community, DesignRow, Lot, Machine, NeedRequest, ProgramRow
from support.chaos_board import Board, Floor
from support.chaos_broker import SimBroker
from support.chaos_desk import Away, Desk, DeskClock
from support.chaos_oracle import Findings, Starts, judge
from support.chaos_people import PIECE_MG, SPOOL_MG, UG_PER_M, People, lot_of
from support.chaos_plants import FLASHES, ON_LIFE, ON_SITE
from support.chaos_press import Iron, mill_program, print_program
from support.cutflash import CutFlash


@dataclass(frozen=True)
class Scope:
    """How large a world is."""

    orders: int = 400
    machines: int = 8
    seed: int = 1
    fault: str = "none"
    every_ms: int = 40_000  # mean time between two faults
    plant: str = ""  # a bug of chaos_plants
    patience_ms: int = 6 * 3_600_000  # a floor that did not come to rest by then never will
    point: str = ""  # the only write point at which the controller is killed


class World(Floor):
    """``run`` it; then ``findings`` says what did not hold."""

    site = "chaos"

    def __init__(self, scope: Scope, folder: Path) -> None:
        self.scope = scope
        self.now = 0.0
        self.rng = random.Random(f"{scope.seed}:{scope.fault}")
        self.trouble: list[str] = []
        self.findings = Findings()
        self.durable: dict[str, dict[tuple[str, int], bytes]] = {}
        self.forgiven: set[tuple[str, Any]] = set()
        self.faults: Counter[str] = Counter()
        self.restored = False
        self.calm = False
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._n = itertools.count()
        self._ids = itertools.count(1)
        self._needs = itertools.count(1)
        self._working = False
        self.starts = Starts(self.findings)
        self.broker = SimBroker(self.site, self.later, lambda: self.now, scope.seed)
        self.clock = DeskClock(lambda: self.now)
        self.desk = Desk(folder, self._parts, self.broker, self.clock)
        self.desk.on_work = self._work_soon
        self.desk.on_site = ON_SITE.get(scope.plant, lambda site: None)
        self.desk.on_crash = lambda: self.later(
            self.rng.choice((900, 8000, 80_000)), self.desk.boot
        )
        self.programs: dict[str, bytes] = {}
        self.kinds: list[tuple[str, str]] = []  # (sha, kind) of what can be made
        self.boards: dict[str, Board] = {}
        self.irons: list[Iron] = []
        self._furnish()
        self.people = People(self.desk, self.boards, lambda: self.now)

    def later(self, ms: float, run: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.now + ms, next(self._n), run))

    def new_id(self) -> str:
        return f"i{next(self._ids)}x{self.scope.seed}"

    def new_flash(self) -> CutFlash:
        return FLASHES.get(self.scope.plant, CutFlash)()

    def on_life(self, life: Any) -> None:
        ON_LIFE.get(self.scope.plant, lambda life: None)(life)

    def restore(self) -> None:
        """What machines had trimmed before the store was set back cannot come in again."""
        self.restored = True
        self.faults["n restores"] += 1
        for name, board in self.boards.items():
            acked = board.life.app.journal.acked if board.life is not None else 1 << 60
            self.forgiven |= {(name, key) for key in self.durable.get(name, {}) if key[1] <= acked}

    # set-up ------------------------------------------------------------------------------------
    def _parts(self, **more: Any) -> Parts:
        return Parts(router=self._route, planner=plan, **more)

    def _furnish(self) -> None:
        for n in range(6):
            kind = "mill" if n % 3 == 2 else "printer"
            text = mill_program(self.rng) if kind == "mill" else print_program(self.rng)
            sha = hashlib.sha256(f"{n}{text}".encode()).hexdigest()
            self.programs[sha] = text.encode()
            self.kinds.append((sha, kind))
        for n in range(self.scope.machines):
            kind = "mill" if n % 4 == 3 else "printer"
            self.boards[f"{kind}-{n}"] = self.new_board(f"{kind}-{n}", kind)
        self.desk.boot()
        self.desk.submit(self._fill)

    def new_board(self, name: str, kind: str) -> Board:
        iron = Iron(name, kind, random.Random(self.rng.random()), self.starts.began)
        self.irons.append(iron)
        return Board(self, name, kind, iron)

    def _fill(self, tx: Any) -> None:
        tx.communities.put(Community("north", "North", 12, 12))
        for n, (sha, kind) in enumerate(self.kinds):
            design, folder = f"part-{n}", f"/designs/{n}"
            row = DesignRow(design, "1.0", design, "CERN-OHL-S-2.0", "F", "c" * 64, {},
                            {"part": design}, folder, 0)  # fmt: skip
            tx.designs.put(row)
            dialect = "grbl" if kind == "mill" else "marlin"
            size = len(self.programs[sha])
            tx.designs.put_program(ProgramRow(sha, design, design, dialect, size, "/p"))
        for board in self.boards.values():
            machine = Machine(board.name, board.kind, "mqtt", board.name, {})
            resources.register_machine(tx, machine)
            lot = lot_of(board.name)
            if board.kind == "mill":
                made = Lot(lot, "mdf", "plate", unit_mg_per_piece=PIECE_MG)
                resources.create_lot(tx, made, SPOOL_MG, SPOOL_MG // PIECE_MG, "t")
            else:
                made = Lot(lot, "petg", "spool", ug_per_m=UG_PER_M)
                resources.create_lot(tx, made, SPOOL_MG, 0, "t")
            resources.load(tx, lot, board.name, 0)

    def _route(self, design: DesignRow, quantity: int) -> RoutedNeed:
        sha, kind = self.kinds[int(design.id.rpartition("-")[2])]
        process = "mill" if kind == "mill" else "fdm"
        draws: Any = {"material": "mdf", "pieces": 1} if kind == "mill" else {"material": "petg"}
        return RoutedNeed(
            tuple(RoutedOperation(n, kind, process, {}, sha, 10, [draws]) for n in range(quantity)),
            (),
        )

    # beats -------------------------------------------------------------------------------------
    def _work_soon(self) -> None:
        if not self._working:
            self._working = True
            self.later(60, self._work)

    def _work(self) -> None:
        self._working = False
        self.desk.guarded(self.desk.work)
        if self.desk.stuck:
            self.later(1000, self._work_soon)

    def _beat(self, every_ms: int, run: Callable[[], None]) -> None:
        def beat() -> None:
            run()
            self.later(every_ms, beat)

        self.later(every_ms, beat)

    def _on_desk(self, run: Callable[[Any], None]) -> Callable[[], None]:
        """A loop of the controller: what it raises is the next beat's chance, as in ``Loop``."""

        def beat() -> None:
            site = self.desk.site
            if site is not None:
                with contextlib.suppress(Exception):
                    self.desk.guarded(lambda: run(site))

        return beat

    def _plan(self, site: Any) -> None:
        loop = site.loops["plan"]
        if loop._wake.is_set() or int(self.now) % 20_000 < 2000:
            loop._wake.clear()
            site._plan()

    def _connect(self) -> None:
        if self.desk.link is not None and not self.desk.frozen:
            self.desk.guarded(self.desk.connect)

    def _state_needs(self) -> None:
        if self.calm:
            return
        try:
            self.desk.ask(self._state_some)
        except Away:
            return

    def _state_some(self, site: Any) -> None:
        with site.read() as tx:
            made = tx.site.number("need")
            missing = 2 * self.scope.machines - len(tx.operations.open())
        if missing <= 0 or made >= self.scope.orders:
            return
        asked = [self._request() for _ in range(min(missing, self.scope.orders - made))]
        site.state_needs(asked)

    def _request(self) -> NeedRequest:
        n = next(self._needs)
        design = f"part-{self.rng.randrange(len(self.kinds))}"
        return NeedRequest(f"k{n}", "north", design, design, 1)

    # running -----------------------------------------------------------------------------------
    def run(self) -> Findings:
        """Run, settle, judge."""
        for n, board in enumerate(self.boards.values()):
            self.later(500 * n, board.boot)
        self._beat(2000, self._on_desk(self._plan))
        self._beat(5000, self._on_desk(lambda site: site._tick()))
        self._beat(20_000, self._on_desk(lambda site: site._tell_time()))
        self._beat(30_000, self._on_desk(lambda site: (site.resend(), self.desk.work())))
        self._beat(3000, self._connect)
        self._beat(4000, self._state_needs)
        self._beat(7000, self.people.look)
        self._beat(45_000, self.broker.save)
        from support.chaos_faults import IDENTITIES, Faults

        faults = Faults(self)
        self.identities = any(name in self.scope.fault for name in IDENTITIES)
        faults.begin()
        self._until(self._all_stated, 10_000 * self.scope.orders + self.scope.patience_ms)
        faults.calm()
        self.calm = True
        self._until(self._settled, self.scope.patience_ms)
        self._judge()
        return self.findings

    def _until(self, done: Callable[[], bool], limit_ms: float) -> None:
        end, look_at = self.now + limit_ms, self.now
        while self._agenda and self.now < end:
            self.now, _, run = heapq.heappop(self._agenda)
            run()
            if self.now >= look_at:
                look_at = self.now + 5000
                if done():
                    return

    def _all_stated(self) -> bool:
        site = self.desk.site
        if site is None:
            return False
        with site.read() as tx:
            return tx.site.number("need") >= self.scope.orders

    def _settled(self) -> bool:
        site = self.desk.site
        if site is None or not all(b.quiet() and not b.weigh_me for b in self.boards.values()):
            return False
        with site.read() as tx:
            return not (tx.needs.open() or tx.orders.open() or tx.orders.unsettled())

    def _judge(self) -> None:
        site = self.desk.site
        if site is None:
            self.findings.add("other", "the controller is not there at the end")
            return
        with site.read() as tx:
            judge(tx, self.boards, self)
        for text in self.trouble:
            self.findings.add("other", text)
        figures = self.findings.figures
        figures["virtual hours"] += round(self.now / 3_600_000)
        figures["needs stated"] += self.scope.orders
        for counts in (self.faults, self.broker.counts, self.people.counts):
            for name, count in counts.items():
                figures[f"n {name}"] += count

    def close(self) -> None:
        if self.desk.store is not None:
            self.desk.store.close()


def plan(picture: FloorPicture) -> FloorPlan:
    """What is ready, oldest first, to the machine of its kind with the least to do."""
    load = {order.machine: 9 for order in picture.orders}
    found: list[Assignment] = []
    for op in picture.operations:
        if op.state not in ("ready", "planned"):
            continue
        able = [m for m in picture.machines if m.kind == op.step and not m.quarantine]
        able.sort(key=lambda m: (load.get(m.id, 0) + 5 * (not m.ready or not m.online), m.id))
        if able:
            load[able[0].id] = load.get(able[0].id, 0) + 1
            found.append(Assignment(op.id, able[0].id, picture.at, picture.at + 1))
    return FloorPlan(tuple(found), {})


def run_world(scope: Scope) -> Findings:
    """Run one world in a folder of its own, in memory where there is some."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="fab-chaos-", dir=memory if memory.is_dir() else None))
    try:
        world = World(scope, folder)
        try:
            return world.run()
        finally:
            world.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)

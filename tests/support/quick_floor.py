"""A whole floor in one thread: the real controller's writer, machines and people that are fast.

No network, no processes, no real time: a clock that is moved from one happening to the next.
Machines answer desired documents with the events their firmware or cell would send, in order;
what goes wrong is drawn from a seed. Everything goes through ``Writer`` batches, as in a site.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller import execution, inbound, needs, resources
from controller.adapters.clock import ManualClock
from controller.adapters.site_file import PlanningEntry
from controller.adapters.store import Store, Tx
from controller.app import Parts, Site, SiteConfig
from controller.commands import Asker
from controller.execution import Findings
from controller.joints import stations
from controller.joints.designs import import_design, router
from controller.joints.rolling import Rolling
from controller.joints.sharing import sharer
from controller.ledger.balance import check
from controller.routed import Place
from controller.values import Community, Lot, Machine, NeedRequest
from controller.writer import Item
from fabcommons.planning import house
from support.quick_parts import Bar, Chance, Fake, Wants

PERSON = "simulated technician"
SPOOL_MG = 50_000_000
PLATES = 2000
PLATE_MG = 38_000
MIN_MS = 60_000


class QuickFloor:
    """``state`` needs, ``run`` until none is open; ``bars`` is what ran where and when."""

    def __init__(self, folder: Path, chance: Chance | None = None, plan: Any = None) -> None:
        self.clock = ManualClock(1_760_000_000_000)
        self.chance = chance or Chance()
        self.random = random.Random(self.chance.seed)
        self.link = Wants()
        parts = Parts(
            clock=self.clock,
            router=router,
            sharer=sharer(resources.why_never),
            planner=plan or Rolling(resources.why_not, house(PlanningEntry(), folder), None),
            links={"mqtt": self.link, "opcua": self.link},
        )
        self.store = Store(folder / "site.sqlite", self.clock.now_ms)
        self.site = Site(SiteConfig("quick", folder / "site.sqlite"), parts, self.store)
        self.fakes: dict[str, Fake] = {}
        self.bars: list[Bar] = []
        self.people = True  # else a test does what a person would at stations
        self.most: dict[str, int] = {}
        self.steps = 0
        self._to_state: list[NeedRequest] = []
        self._at_once = 0
        self._planned_at = 0
        self._agenda: list[tuple[int, int, Callable[[Tx], None]]] = []
        self._count = 0
        self.do(self.site._begin)

    # set-up ------------------------------------------------------------------------------------

    def do(self, *runs: Callable[[Tx], Any]) -> None:
        """Run functions in one batch of the writer."""
        problems: list[BaseException] = []

        def guarded(run: Callable[[Tx], Any]) -> Callable[[Tx], Any]:
            def inner(tx: Tx) -> Any:
                try:
                    return run(tx)
                except Exception as error:
                    problems.append(error)
                    raise

            return inner

        assert self.site.writer._try([Item(guarded(run)) for run in runs])
        if problems:
            raise problems[0]

    def answer(self, run: Callable[[Tx], Any]) -> Any:
        """Result of a function run in a batch of its own."""
        found: list[Any] = []
        self.do(lambda tx: found.append(run(tx)))
        return found[0]

    def machines(self, *machines: Machine) -> None:
        """Put machines on the floor, ready."""
        for machine in machines:
            self.do(lambda tx, m=machine: resources.register_machine(tx, m))
            self.fakes[machine.id] = Fake(machine)
            if machine.link != "person":
                self.do(lambda tx, m=machine: self._report(tx, m.id, ready=True))

    def places(self, *places: Place) -> None:
        """Declare where parts wait."""
        for place in places:
            self.do(lambda tx, p=place: resources.declare_place(tx, p))

    def lot(self, lot: Lot, mass_mg: int, pieces: int, machine: str, ch: int = 0) -> None:
        """Declare a lot and load it."""

        def run(tx: Tx) -> None:
            resources.create_lot(tx, lot, mass_mg, pieces, PERSON)
            resources.load(tx, lot.id, machine, ch)

        self.do(run)

    def stock_up(self) -> None:
        """A spool for each printer, plates for each mill."""
        for fake in self.fakes.values():
            name = fake.machine.id
            if fake.machine.kind == "printer":
                lot = Lot(f"spool-{name}", "petg", "spool", ug_per_m=3_054_738)
                self.lot(lot, SPOOL_MG, 0, name)
            elif fake.machine.kind == "mill":
                lot = Lot(f"plates-{name}", "mdf-6", "plate", unit_mg_per_piece=PLATE_MG)
                self.lot(lot, PLATES * PLATE_MG, PLATES, name)

    def design(self, design: Any) -> None:
        """Import a design."""
        kept = {facts.sha256: facts.path for facts in design.programs}
        self.do(lambda tx: import_design(tx, design, kept))

    def state(self, requests: list[NeedRequest]) -> list[str]:
        """State needs, all of which must be accepted; their ids."""
        found: list[str] = []

        def run(tx: Tx) -> None:
            if tx.communities.get("north") is None:
                tx.communities.put(Community("north", "North", 12, 12))
            lines = needs.state_batch(tx, requests, router, all_or_nothing=True)
            found.extend(line.need.id for line in lines if line.need is not None)

        self.do(run)
        return found

    def stream(self, requests: list[NeedRequest], at_once: int) -> None:
        """Needs to state while the floor runs, so that about so many are open at a time."""
        self._to_state, self._at_once = list(requests), at_once
        self._state_more()

    def _state_more(self) -> None:
        with self.store.read() as tx:
            missing = self._at_once - len(tx.needs.open())
        if missing > 0 and self._to_state:
            self.state(self._to_state[:missing])
            self._to_state = self._to_state[missing:]

    # running -----------------------------------------------------------------------------------

    def turn(self) -> None:
        """One happening and what follows, or a plan when nothing is due."""
        if not self._agenda:
            self.clock.advance_ms(MIN_MS)
            self._plan()
            return
        at, _, run = heapq.heappop(self._agenda)
        self.clock.advance_ms(max(0, at - self.clock.now_ms()))
        self.do(run)
        self._react()

    def asker(self) -> Asker:
        """A person who asks."""
        return Asker(PERSON)

    def run(self, limit: int = 100_000, every_ms: int = 8 * MIN_MS) -> None:
        """Go from one happening to the next until no need is open."""
        self._plan()
        while self._open():
            self.steps += 1
            assert self.steps < limit, self.words()
            if not self._agenda:
                self._plan()
                assert self._agenda, f"nothing happens any more: {self.words()}"
            at = self._agenda[0][0]
            due: list[Callable[[Tx], None]] = []
            while self._agenda and self._agenda[0][0] <= at:
                due.append(heapq.heappop(self._agenda)[2])
            self.clock.advance_ms(max(0, at - self.clock.now_ms()))
            self.do(*due)
            self._react()
            if self.clock.now_ms() - self._planned_at >= every_ms or not self._agenda:
                self._plan()
        self._drain()

    def _drain(self) -> None:
        while self._agenda:
            at, _, run = heapq.heappop(self._agenda)
            self.clock.advance_ms(max(0, at - self.clock.now_ms()))
            self.do(run)
            self._react()

    def _open(self) -> bool:
        with self.store.read() as tx:
            return bool(tx.needs.open())

    def words(self) -> str:
        """Why what is open waits."""
        with self.store.read() as tx:
            found = [f"{op.id} {op.step} {op.state} {op.reason}" for op in tx.operations.open()]
            held = [(op.id, op.place, op.state) for op in tx.routes.lying()]
        return f"{len(found)} open; " + "; ".join(found[:12]) + f"; lying {held[:20]}"

    def _plan(self) -> None:
        self._planned_at = self.clock.now_ms()
        self._state_more()
        site = self.site
        site.submit = lambda run, timeout_s=30.0: self.answer(run)  # on this thread
        site._plan()
        self._react()
        with self.store.read() as tx:
            self._watch_places(tx)
            for op in tx.operations.in_state("held"):
                self._later(MIN_MS, lambda tx, o=op.id: self._retry(tx, o))

    def _retry(self, tx: Tx, operation: str) -> None:
        found = tx.operations.get(operation)
        if found is not None and found.state == "held":
            execution.retry(tx, operation, PERSON)

    def _watch_places(self, tx: Tx) -> None:
        from controller.places import room_of

        room = room_of(tx)
        for place in room.places.values():
            held = room.held.get(place.id, 0)
            assert held <= place.capacity, f"{place.id} holds {held} of {place.capacity}"
            self.most[place.id] = max(self.most.get(place.id, 0), held)

    def _later(self, after_ms: int, run: Callable[[Tx], None]) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (self.clock.now_ms() + after_ms, self._count, run))

    def _react(self) -> None:
        """Let machines take what they are offered; stations take theirs by themselves."""
        again = True
        while again:
            again = False
            for machine, want in self.link.take():
                fake = self.fakes[machine]
                if want["ph"] == "offer" and fake.order != want["order"]:
                    self.do(lambda tx, f=fake, w=want: self._claim(tx, f, w))
                    again = True
                elif want["ph"] == "grant" and fake.order != want["order"]:
                    fake.order = want["order"]
                    self.do(lambda tx, f=fake, w=want: self._start(tx, f, w))
                    again = True
        self._stations()

    def _event(self, tx: Tx, fake: Fake, body: dict[str, Any]) -> None:
        fake.s += 1
        head = {"v": 1, "jid": "j1", "s": fake.s, "t": tx.now_ms, "tq": "synced"}
        outcome = inbound.take(tx, fake.machine.id, "up/ev", {**head, **body})
        assert outcome == "applied", (outcome, body, [d.reason for d in tx.dead.page(2)])

    def _report(self, tx: Tx, machine: str, *, ready: bool, st: str = "idle") -> None:
        state = {"v": 1, "on": True, "bn": "b1", "jid": "j1", "st": st, "ready": ready}
        inbound.take(tx, machine, "up/state", {**state, "fw": "quick", "tq": "synced"})

    def _claim(self, tx: Tx, fake: Fake, want: dict[str, Any]) -> None:
        self._event(tx, fake, {"ty": "claim", "order": want["order"], "ep": want["ep"]})

    def _start(self, tx: Tx, fake: Fake, want: dict[str, Any]) -> None:
        head = {"order": want["order"], "ep": want["ep"]}
        sha = want.get("prog", {}).get("sha", stations.NO_PROGRAM)
        self._event(tx, fake, {"ty": "started", **head, "sha": sha})
        self._report(tx, fake.machine.id, ready=False, st="busy")
        order = tx.orders.get(want["order"])
        assert order is not None
        operation = tx.operations.get(order.operation)
        assert operation is not None
        fails = self.random.random() < self.chance.fail
        took_s = round(operation.duration_s * self.random.uniform(0.9, 1.2))
        took_s = max(1, took_s // 3 if fails else took_s)
        self._later(took_s * 1000, lambda tx: self._end(tx, fake, (want, took_s, fails)))

    def _end(self, tx: Tx, fake: Fake, how: tuple[dict[str, Any], int, bool]) -> None:
        want, took_s, fails = how
        head = {"order": want["order"], "ep": want["ep"]}
        order = tx.orders.get(want["order"])
        operation = tx.operations.get(order.operation)
        for ch, material in enumerate(operation.materials):
            self._draw(tx, fake, (want, ch, material), fails)
        end = {"ty": "finished", **head, "ok": not fails, "lines": 9, "len_um": [1000]}
        why = {"why": "nozzle clogged"} if fails else {}
        self._event(tx, fake, {**end, "run_ms": took_s * 1000, **why})
        self._report(tx, fake.machine.id, ready=False)
        self._bar(fake.machine.id, operation, tx.now_ms - took_s * 1000, not fails)
        self._later(2 * MIN_MS, lambda tx: self._clear(tx, fake))

    def _draw(self, tx: Tx, fake: Fake, what: tuple[dict[str, Any], int, Any], fails: bool) -> None:
        want, ch, material = what
        lot = want["lots"][ch]["lot"]
        whole = material.get("mass_mg") or material["pieces"] * want["lots"][ch]["piece_mg"]
        drawn = whole // 3 if fails and "mass_mg" in material else whole
        fake.cum[lot] = fake.cum.get(lot, 0) + drawn
        body = {"ty": "material", "ch": ch, "lot": lot, "cum_mg": fake.cum[lot], "unc_mg": 0}
        head = {"order": want["order"], "ep": want["ep"]}
        self._event(tx, fake, {**body, "src": "lines", **head})

    def _bar(self, machine: str, operation: Any, start_at: int, ok: bool) -> None:
        bar = Bar(machine, operation.id, operation.need, start_at, self.clock.now_ms(), ok)
        self.bars.append(bar)

    def _clear(self, tx: Tx, fake: Fake) -> None:
        order = tx.orders.unsettled_on(fake.machine.id)
        if order is not None:
            bad = self.random.random() < self.chance.bad
            verdict = execution.verdict("bad" if bad else "good", PERSON, None)
            execution.confirm_clear(tx, fake.machine.id, verdict)
        self._event(tx, fake, {"ty": "op", "who": PERSON, "act": "clear"})
        self._report(tx, fake.machine.id, ready=True)
        fake.order = ""

    # people ------------------------------------------------------------------------------------

    def _stations(self) -> None:
        if not self.people:
            return
        with self.store.read() as tx:
            for fake in self.fakes.values():
                if fake.machine.link != "person":
                    continue
                order = tx.orders.open_on(fake.machine.id)
                if order is not None and order.state == "RUNNING" and fake.order != order.id:
                    fake.order = order.id
                    operation = tx.operations.get(order.operation)
                    wait_s = max(operation.duration_s, operation.work.get("timer_s", 0))
                    self._later(wait_s * 1000, lambda tx, f=fake, o=order.id: self._sign(tx, f, o))

    def _sign(self, tx: Tx, fake: Fake, order_id: str) -> None:
        order = tx.orders.get(order_id)
        operation = tx.operations.get(order.operation)
        work = operation.work
        off = self.random.random() < self.chance.off
        values = {
            m["name"]: m["high"] + 7 if off else (m["low"] + m["high"]) // 2
            for m in work.get("measures", ())
        }
        bad = self.random.random() < self.chance.bad
        found = Findings(
            PERSON, "bad" if bad else "good", None, tuple(work.get("checks", ())), values
        )
        stations.sign_off(tx, fake.machine.id, found, Asker(PERSON))
        self._bar(fake.machine.id, operation, order.started_at, not (bad or (off and values)))

    def hours(self) -> float:
        """Floor hours from the first start to the last end."""
        first = min(bar.start_at for bar in self.bars)
        return (max(bar.end_at for bar in self.bars) - first) / 3_600_000

    # the end -----------------------------------------------------------------------------------

    def verdict(self) -> list[str]:
        """Everything that is not as promised; empty when all is well."""
        with self.store.read() as tx:
            found = [str(item) for item in check(tx)]
            found += [
                f"{n.id} is {n.state}: {n.reason}" for n in tx.needs.all() if n.state != "delivered"
            ]
            found += [f"{op.id} still lies in {op.place}" for op in tx.routes.lying()]
            found += [
                f"{need.id} has {count} numbered parts of {need.quantity}"
                for need in tx.needs.all()
                if (count := len(tx.routes.numbered_of(need.id))) != need.quantity
            ]
        return found

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

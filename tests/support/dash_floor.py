"""A small floor in a real store, and a desk over it that records what people ask."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.adapters.clock import ManualClock
from controller.adapters.notify import PostState
from controller.adapters.store import Store, Tx
from controller.commands import Asker, check_saw
from controller.commands import keep as keep_command
from controller.execution import answer_command
from controller.joints.changeovers import House
from controller.scheduling.shifts import read_shift
from controller.telemetry import SinkState
from controller.values import (
    Balance,
    Community,
    DeadLetter,
    DesignRow,
    JobOrder,
    Lot,
    Machine,
    Need,
    NeedRequest,
    Operation,
    ProgramRow,
    Refused,
)
from dashboards.desk import Answer, Outcome, Person, Workings
from dashboards.qualified import check as check_qualified
from dashboards.server import PageServer
from support.postgres import store_place

T0 = 1_760_000_000_000
MINUTE = 60_000
# what the controller and machines really say
LIMIT = "a limit switch was hit; the position is lost; set the work zero again"
LOAD = "needs petg: load it in printer-3, channel 0"


def machine(id: str, **fields: Any) -> Machine:
    base = Machine(
        id=id,
        kind=id.rpartition("-")[0] or id,
        link="mqtt",
        name=id,
        capability={},
        state="idle",
        ready=True,
        online=True,
        last_seen_at=T0,
    )
    return replace(base, **fields)


def need(id: str, **fields: Any) -> Need:
    base = Need(
        id=id,
        key=f"key-{id}",
        community="north",
        design="clamp",
        part="clamp",
        quantity=2,
        due_at=None,
        need_class="normal",
        note="",
        stated_by="simulated technician",
        state="making",
        reason="",
        created_at=T0 - 60 * MINUTE,
    )
    return replace(base, **fields)


def operation(id: str, need: str, **fields: Any) -> Operation:
    base = Operation(
        id=id,
        need=need,
        unit=0,
        step="print",
        process="fdm",
        requires={},
        program_sha=None,
        duration_s=600,
        materials=[{"material": "petg", "mass_mg": 4210}],
        instructions="",
        state="waiting",
    )
    return replace(base, **fields)


def order(id: str, operation: str, machine: str, **fields: Any) -> JobOrder:
    base = JobOrder(
        id=id,
        operation=operation,
        machine=machine,
        ep=1,
        state="RUNNING",
        program_sha=None,
        lots=[],
        offered_at=T0 - 10 * MINUTE,
        label="",
    )
    return replace(base, **fields)


def design(id: str, title: str) -> DesignRow:
    return DesignRow(
        id=id,
        version="1",
        title=title,
        license="CERN-OHL-P-2.0",
        licensor="Fabcommons",
        manifest_sha="0" * 64,
        manifest={},
        profile={"part": id},
        folder="",
        imported_at=T0,
    )


MACHINES = (
    machine("printer-1", state="busy", ready=False, order_id="o-1", ep=1),
    machine("printer-2", ready=False),
    machine("printer-3"),
    machine("printer-4", online=False, state="off", last_seen_at=T0 - 9 * MINUTE),
    machine("mill-1", state="fault", ready=False, fault=LIMIT),
    machine("mill-2", state="busy", ready=False, order_id="o-3", ep=3),
    machine("cell-1", link="opcua"),
)


def fill(tx: Tx) -> None:
    """Put the floor of the tests into a store."""
    tx.communities.put(Community("north", "Northside workshop", 40))
    tx.communities.put(Community("hill", "Hill school", 25))
    tx.designs.put(design("clamp", "Table clamp"))
    tx.designs.put(design("hook", "Coat hook"))
    for item in MACHINES:
        tx.machines.add(item)
    _fill_lots(tx)
    for item in (
        need("n-1", due_at=T0 + 180 * MINUTE),
        need("n-2", community="hill", design="hook", part="hook", quantity=5, need_class="urgent"),
        need("n-3", state="delivered", quantity=1, delivered_at=T0 - 5 * MINUTE),
    ):
        tx.needs.add(item)
    _fill_operations(tx)
    tx.notice("order", "printer-2", "printer-2 started hook 1/5 · print")
    tx.notice("fault", "mill-1", f"mill-1 fault alarm-1: {LIMIT}")
    tx.dead.add(
        DeadLetter("fab/1/lab/printer-9/up/ev", "{", "json", "is not valid JSON in UTF-8", T0)
    )


def _fill_lots(tx: Tx) -> None:
    for n, (colour, left_mg) in enumerate((("black", 412_000), ("orange", 2_000)), start=1):
        lot = Lot(f"petg-{n}", "petg", "spool", None, 2_980_000, colour, f"printer-{n}", 0, T0)
        tx.lots.add(lot)
        tx.ledger.put_balance(Balance(lot.id, left_mg))
    tx.lots.add(Lot("mdf-1", "mdf-6", "plate", 30_000, machine="mill-2", ch=0, created_at=T0))
    tx.ledger.put_balance(Balance("mdf-1", 360_000, 12))


def _fill_operations(tx: Tx) -> None:
    operations = [
        operation("op-1", "n-1", state="running", machine="printer-1"),
        operation("op-2", "n-1", step="mill", process="mill", state="running", machine="mill-2"),
        operation("op-3", "n-1", step="assemble", process="assemble"),
        operation("op-4", "n-2", state="inspecting", machine="printer-2"),
        operation(
            "op-5",
            "n-2",
            unit=1,
            state="planned",
            machine="printer-1",
            planned_start_at=T0 + 7 * MINUTE,
            planned_end_at=T0 + 17 * MINUTE,
            reason="planned next on printer-1",
        ),
        operation("op-6", "n-2", unit=2, state="ready", reason=LOAD),
    ]
    tx.operations.add(operations, [("op-1", "op-3", 1), ("op-2", "op-3", 1)])
    tx.orders.add(order("o-1", "op-1", "printer-1", done_ppm=413_000, started_at=T0 - 4 * MINUTE))
    tx.orders.add(
        order("o-2", "op-4", "printer-2", ep=2, state="SUCCEEDED", ended_at=T0 - 2 * MINUTE)
    )
    tx.orders.add(
        order("o-3", "op-2", "mill-2", ep=3, done_ppm=870_000, started_at=T0 - 9 * MINUTE)
    )


class FakeDesk:
    """A desk over a store without a controller: commands change the store directly."""

    name = "lab"
    leads = True

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(T0)
        self.store = Store(store_place(folder / "floor.db"), self.clock.now_ms)
        self.asked: list[tuple[Any, ...]] = []
        self._wakes: list[Callable[[], None]] = []
        self.key = Ed25519PrivateKey.from_private_bytes(bytes(32))

    def sign(self, content: bytes) -> str:
        return self.key.sign(content).hex()

    def read(self) -> AbstractContextManager[Tx]:
        return self.store.read()

    def submit(self, run: Callable[[Tx], Any]) -> Any:
        with self.store.write() as tx:
            found = run(tx)
        for wake in self._wakes:
            wake()
        return found

    def change(self, run: Callable[[Tx], None]) -> None:
        with self.store.write() as tx:
            run(tx)
        for wake in self._wakes:
            wake()

    def follow(self, wake: Callable[[], None]) -> Callable[[], None]:
        self._wakes.append(wake)
        return lambda: self._wakes.remove(wake)

    @property
    def house(self) -> House:
        return House(shifts=(read_shift("mon-fri 08:00-17:00"),))

    def dropped(self) -> int:
        return 0

    def workings(self) -> Workings:
        post = PostState("email-0", 1, 5, 0, 2, "")
        return Workings(queue_items=3, commits=7, readings_refused=2, posts=(post,))

    def influx(self) -> SinkState:
        return SinkState("off")

    def state_needs(
        self, needs: list[NeedRequest], *, all_or_nothing: bool = False
    ) -> list[Need | Exception]:
        self.asked.append(("needs", needs))
        return [self._state(request) for request in needs]

    def _state(self, request: NeedRequest) -> Need | Exception:
        with self.store.write() as tx:
            known = tx.needs.by_key(request.key)
            if known is not None:
                return known
            if tx.communities.get(request.community) is None:
                return Refused("unknown", "community", "is not known here; use north or hill")
            new = need(
                f"n-{len(tx.needs.all()) + 1}",
                key=request.key,
                community=request.community,
                design=request.design,
                part=request.part or request.design,
                quantity=request.quantity,
                need_class=request.need_class,
                state="accepted",
                created_at=tx.now_ms,
            )
            tx.needs.add(new)
        for wake in self._wakes:
            wake()
        return new

    def console(self, machine: str, line: str, person: Person) -> Answer:
        self.asked.append(("console", machine, line, person.who))
        check_qualified(lambda m, who: who == "ada", machine, person.who)
        body = {"id": person.key, "do": "console", "who": person.who, "line": line}

        def run(tx: Tx) -> None:
            keep_command(tx, machine, body)
            answered = {"id": person.key, "ok": True, "code": "done"}
            answer_command(tx, machine, {**answered, "lines": [f"echo:{line}", "ok"]})

        self.change(run)
        return Answer(person.key, "sent")

    def _check(self, machine: str, person: Person) -> None:
        with self.store.read() as tx:
            check_saw(tx, machine, Asker(person.who, person.key, person.saw))

    def clear(self, machine: str, outcome: Outcome, person: Person) -> Answer:
        self._check(machine, person)
        self.asked.append(("clear", machine, outcome, person))
        self.change(lambda tx: tx.machines.change(machine, ready=True))
        return Answer(person.key, "sent")

    def control(self, machine: str, do: str, person: Person) -> Answer:
        self._check(machine, person)
        self.asked.append((do, machine, person))
        state = {"pause": "paused", "resume": "busy", "cancel": "idle"}[do]
        self.change(lambda tx: tx.machines.change(machine, state=state))
        return Answer(person.key, "sent")

    def load(self, machine: str, ch: int, lot: str, person: Person) -> Answer:
        self._check(machine, person)
        self.asked.append(("load", machine, ch, lot, person))
        return Answer(person.key, "sent")

    def resolve(self, order: str, outcome: Outcome, person: Person) -> Answer:
        self.asked.append(("resolve", order, outcome, person))
        return Answer(person.key, "done")

    def retry(self, operation: str, person: Person) -> Answer:
        self.asked.append(("retry", operation, person))
        return Answer(person.key, "done")

    def release(self, machine: str, person: Person) -> Answer:
        self.asked.append(("release", machine, person))
        return Answer(person.key, "done")

    def stop(self, machine: str, who: str) -> Answer:
        self.asked.append(("stop", machine, who))
        return Answer("stop-1", "sent")

    def close(self) -> None:
        self.store.close()


def program(path: Path, sha: str, size: int) -> ProgramRow:
    return ProgramRow(sha, "clamp", path.name, "marlin", size, str(path))


@contextmanager
def client_of(desk: FakeDesk) -> Iterator[httpx.Client]:
    server = PageServer(desk, port=0)
    headers = {"X-Fabcommons": "1"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client
    server.close()

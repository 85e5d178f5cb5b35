"""A small floor for tests of the controller: a printer, a mill, a station, lots, a design."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from controller import needs, resources
from controller.adapters.clock import ManualClock
from controller.adapters.store import Store, Tx
from controller.picture import Assignment, FloorPicture, FloorPlan
from controller.routed import RoutedNeed, RoutedOperation
from controller.values import (
    Community,
    DesignRow,
    Lot,
    Machine,
    NeedRequest,
    ProgramRow,
)
from support.postgres import store_place

SHA_PRINT = "a" * 64
SHA_MILL = "b" * 64
PETG = {"material": "petg", "mass_mg": 4210}
MDF = {"material": "mdf-6", "pieces": 1, "part_mg": 21000}


def fill(tx: Tx) -> None:
    """Communities, a design with its programs, machines and lots."""
    tx.site.put("name", "floor")
    tx.communities.put(Community("north", "North", 12, 12))
    tx.designs.put(
        DesignRow(
            "clamp", "1.0", "Clamp", "CERN-OHL-S-2.0", "Fabcommons", "c" * 64, {},
            {"part": "clamp"}, "/designs/clamp", 0,
        )
    )  # fmt: skip
    tx.designs.put_program(ProgramRow(SHA_PRINT, "clamp", "jaw", "marlin", 100, "/p/jaw.gcode"))
    tx.designs.put_program(ProgramRow(SHA_MILL, "clamp", "seat", "grbl", 100, "/p/seat.gcode"))
    for machine in machines():
        resources.register_machine(tx, machine)
    resources.create_lot(tx, Lot("spool-1", "petg", "spool", ug_per_m=3_030_000), 1_000_000, 0, "t")
    plate = Lot("plate-1", "mdf-6", "plate", unit_mg_per_piece=30_000)
    resources.create_lot(tx, plate, 300_000, 10, "t")
    resources.load(tx, "spool-1", "printer-1", 0)
    resources.load(tx, "plate-1", "mill-1", 0)


def machines() -> list[Machine]:
    """Machines as a person describes them."""
    return [
        Machine("printer-1", "printer", "mqtt", "Printer 1", {"nozzle_um": [400]}),
        Machine("mill-1", "mill", "mqtt", "Mill 1", {"spindle_rpm": 24000}),
        Machine("station-1", "station", "mqtt", "Bench", {}),
    ]


def router(design: DesignRow, quantity: int) -> RoutedNeed:
    """Print and mill, then assemble the two, for every unit."""
    operations: list[RoutedOperation] = []
    links: list[tuple[int, int, int]] = []
    for unit in range(quantity):
        at = len(operations)
        operations += [
            RoutedOperation(unit, "print", "fdm", {"nozzle_um": 400}, SHA_PRINT, 540, [PETG]),
            RoutedOperation(unit, "mill", "mill", {}, SHA_MILL, 300, [MDF]),
            RoutedOperation(unit, "assemble", "assemble", {}, None, 90, [], "Press them together."),
        ]
        links += [(at, at + 2, 1), (at + 1, at + 2, 1)]
    return RoutedNeed(tuple(operations), tuple(links))


def print_only(design: DesignRow, quantity: int) -> RoutedNeed:
    """One print for every unit."""
    print_one = router(design, 1).operations[0]
    return RoutedNeed(tuple(print_one for _ in range(quantity)), ())


PLACES = {"fdm": "printer-1", "mill": "mill-1", "assemble": "station-1"}


def plan(picture: FloorPicture) -> FloorPlan:
    """Everything ready goes to the one machine of its process, now."""
    return FloorPlan(
        tuple(
            Assignment(op.id, PLACES[op.process], picture.at, picture.at + op.duration_s * 1000)
            for op in picture.operations
            if op.state in ("ready", "planned")
        ),
        {},
    )


def request(key: str = "k1", **fields: Any) -> NeedRequest:
    """A good request."""
    base: dict[str, Any] = {
        "key": key, "community": "north", "design": "clamp", "part": "clamp", "quantity": 1,
    }  # fmt: skip
    return NeedRequest(**{**base, **fields})


class Floor:
    """A store with the small floor in it, and a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = Store(store_place(folder / "site.sqlite"), self.clock.now_ms)
        with self.store.write() as tx:
            fill(tx)

    def state(self, route: Any = router, **fields: Any) -> str:
        """State one need, shared out at once; its id."""
        with self.store.write() as tx:
            need = needs.state(tx, request(**fields), route).id
            tx.needs.change(need, state="accepted", accepted_at=tx.now_ms)
            return need

    def do(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a function in a transaction."""
        with self.store.write() as tx:
            return function(tx, *args, **kwargs)


class Journal:
    """What a machine's journal writes: numbered events of one journal id."""

    def __init__(self, jid: str = "j1", s: int = 0) -> None:
        self.jid = jid
        self.s = s
        self.cum = 0

    def event(self, ty: str, **body: Any) -> dict[str, Any]:
        """The next event."""
        self.s += 1
        return {"v": 1, "jid": self.jid, "s": self.s, "t": 1, "tq": "synced", "ty": ty, **body}

    def material(self, order: Any, mass_mg: int, lot: str, unc_mg: int = 0) -> dict[str, Any]:
        """A cumulative report after drawing ``mass_mg`` more."""
        self.cum += mass_mg
        return self.event(
            "material", ch=0, lot=lot, cum_mg=self.cum, unc_mg=unc_mg, src="lines",
            order=order.id, ep=order.ep,
        )  # fmt: skip

    def run(self, order: Any, lot: str = "", mass_mg: int = 0) -> list[dict[str, Any]]:
        """Claim, start, draw, finish."""
        head = {"order": order.id, "ep": order.ep}
        events = [self.event("claim", **head), self.event("started", **head, sha=SHA_PRINT)]
        if mass_mg:
            events.append(self.material(order, mass_mg, lot))
        events.append(self.finished(order))
        return events

    def finished(self, order: Any, *, ok: bool = True, **more: Any) -> dict[str, Any]:
        """The end of an order."""
        return self.event(
            "finished", order=order.id, ep=order.ep, ok=ok, lines=9, len_um=[1000], run_ms=540_000,
            **more,
        )  # fmt: skip


def state_report(bn: str = "b1", jid: str = "j1", **fields: Any) -> dict[str, Any]:
    """An up/state of an idle machine that is ready."""
    base = {
        "v": 1, "on": True, "bn": bn, "jid": jid, "st": "idle", "ready": True, "fw": "test",
        "tq": "none",
    }  # fmt: skip
    return {**base, **fields}


def hello(
    bn: str = "b1", jid: str = "j1", lo: int = 1, hi: int = 0, **fields: Any
) -> dict[str, Any]:
    """An up/hello after a connect."""
    base = {
        "v": 1, "bn": bn, "jid": jid, "lo": lo, "hi": hi, "last_ep": 0, "term": 0, "ctr": [],
        "fw": "test", "boot": "power",
    }  # fmt: skip
    return {**base, **fields}

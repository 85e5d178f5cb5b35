"""A need to a delivered part on a real site whose assemblies run on simulated cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller import resources
from controller.adapters.clock import SystemClock
from controller.adapters.opcua.connect import Access
from controller.adapters.opcua.link import OpcuaLink, Pace
from controller.adapters.store import Tx
from controller.app import Parts, Site, SiteConfig
from controller.commands import Asker
from controller.joints.cells import CellSite
from controller.ledger.balance import check
from controller.picture import Assignment, FloorPicture, FloorPlan
from controller.routed import RoutedNeed, RoutedOperation
from controller.values import (
    Community,
    DesignRow,
    Lot,
    Machine,
    NeedRequest,
)
from support.waiting import until

PACE = Pace(poll_s=0.1, settle_s=2.0, retry_min_s=0.1, retry_max_s=0.5)
CELLS = ("cell-1", "cell-2")
WHO = Asker("simulated technician")
SCREW_MG = 1200
SCREWS = [{"material": "screw-m3", "pieces": 2}]
STOCK = 40


def router(design: DesignRow, quantity: int) -> RoutedNeed:
    """A person cuts a foot by hand; a cell puts it and two screws together."""
    operations: list[RoutedOperation] = []
    links: list[tuple[int, int, int]] = []
    for unit in range(quantity):
        at = len(operations)
        operations += [
            RoutedOperation(unit, "cut", "station", {}, None, 60, [], "Cut a foot."),
            RoutedOperation(
                unit, "assemble", "assemble", {}, None, 60, SCREWS, work_master="clamp-v1"
            ),
        ]
        links.append((at, at + 1, 1))
    return RoutedNeed(tuple(operations), tuple(links))


def plan(picture: FloorPicture) -> FloorPlan:
    """Cutting at the bench, each assembly at the cell of its unit's number."""
    found: list[Assignment] = []
    for op in picture.operations:
        if op.state in ("ready", "planned"):
            place = "bench-1" if op.process == "station" else CELLS[op.unit % len(CELLS)]
            found.append(Assignment(op.id, place, picture.at, picture.at + 60_000))
    return FloorPlan(tuple(found), {})


def fill(tx: Tx) -> None:
    tx.communities.put(Community("north", "North", 12, 12))
    tx.designs.put(
        DesignRow(
            "clamp", "1.0", "Clamp", "CERN-OHL-S-2.0", "Fabcommons", "c" * 64, {},
            {"part": "clamp"}, "/designs/clamp", 0,
        )
    )  # fmt: skip
    resources.register_machine(tx, Machine("bench-1", "station", "person", "Bench", {}))
    for cell in CELLS:
        resources.register_machine(tx, Machine(cell, "cell", "opcua", cell, {}))
        lot = Lot(f"screws-{cell}", "screw-m3", "stock", unit_mg_per_piece=SCREW_MG)
        resources.create_lot(tx, lot, STOCK * SCREW_MG, STOCK, "set-up")
        resources.load(tx, lot.id, cell, 0)


def _asks(tx: Any, machine: Machine) -> bool:
    """Whether a machine waits for a person: work is done at a bench, or a cell is at rest."""
    order = tx.orders.open_on(machine.id)
    if machine.link == "person":
        return order is not None and order.state == "RUNNING"
    waits = tx.orders.unsettled_on(machine.id) is not None
    return machine.state == "idle" and order is None and (waits or not machine.ready)


class Shop:
    """A site on a store of its own, two cells, and the adapter between them."""

    def __init__(self, cells: Any, folder: Path) -> None:
        self.cells = cells
        self.processes: dict[str, Any] = {}
        for name, more in zip(CELLS, ((), ("--faults", "slow:2:1600")), strict=True):
            (folder / name).mkdir()
            made = cells.simulated_cell(folder / name, "--time-scale", "60", "--name", name, *more)
            made.start()
            self.processes[name] = made
        config = SiteConfig("shop", folder / "site.db", plan_every_s=0.2)
        self.site = Site.open(config, Parts(SystemClock(), router, planner=plan))
        self.link = OpcuaLink(CellSite(self.site), PACE)
        self.site.outlet.links["opcua"] = self.link
        self.site.submit(fill)
        for name, process in self.processes.items():
            self.link.add(name, Access(process.url, name, request_s=1.0))
        self.link.start()

    def see(self, test: Callable[[Any], Any]) -> Any:
        with self.site.read() as tx:
            return test(tx)

    def attend(self) -> None:
        """Confirm what a person sees: nothing lies at an idle cell, the work at hand is good."""
        for machine in self.see(lambda tx: tx.machines.all()):
            if machine.online and self.see(lambda tx, m=machine: _asks(tx, m)):
                self.site.confirm_clear(machine.id, "good", None, WHO)

    def make(self, quantity: int) -> str:
        """State a need and see it delivered; its id."""
        request = NeedRequest("k1", "north", "clamp", "clamp", quantity)
        (line,) = self.site.state_needs([request])
        need = line.need.id

        def delivered() -> bool:
            self.attend()
            return self.see(lambda tx: tx.needs.get(need).state) == "delivered"

        try:
            until(delivered, what=f"{need} delivered")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.reasons()}") from error
        return need

    def reasons(self) -> list[tuple[str, str, str]]:
        return self.see(lambda tx: [(o.id, o.state, o.reason) for o in tx.operations.open()])

    def close(self) -> None:
        self.site.close()
        for process in self.processes.values():
            process.kill()


@pytest.fixture
def shop(cells: Any, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(cells, tmp_path)
    yield made
    made.close()


def test_assemblies_of_a_need_run_once_each_on_two_cells(shop: Shop) -> None:
    """The second cell's second answer is lost on the way; nothing is made or booked twice."""
    need = shop.make(4)
    truths = {name: process.truth() for name, process in shop.processes.items()}
    starts = {job: count for truth in truths.values() for job, count in truth["starts"].items()}
    assert len(starts) == 4 and set(starts.values()) == {1}
    for name, truth in truths.items():
        assert len(truth["assemblies"]) == 2
        screws = f"screws-{name}"
        assert truth["pieces"][screws] == 4
        balance = shop.see(lambda tx, lot=screws: tx.ledger.balance(lot))
        assert (balance.pieces, balance.mass_mg) == (STOCK - 4, (STOCK - 4) * SCREW_MG)
    assert truths["cell-2"]["faults"] == ["slow:2:1600"]
    assert shop.see(check) == []
    states = shop.see(lambda tx: [o.state for o in tx.operations.of_need(need)])
    assert set(states) == {"done"}

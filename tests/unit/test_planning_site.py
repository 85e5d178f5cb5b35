"""A site's planner on a small floor: plan in the store, offers in turn, reasons, learning, loss."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller import planning, resources
from controller.adapters.store import Tx
from controller.joints.changeovers import House
from controller.joints.rolling import Rolling
from controller.picture import FloorPicture, FloorPlan
from controller.picturing import floor_picture
from controller.routed import RoutedNeed
from controller.scheduling.schedule import Plan
from controller.scheduling.shifts import read_shift
from controller.scheduling.worker import Limits, Planner, Question, Worker
from controller.values import DesignRow, Lot, Machine, Operation
from support import small_floor
from support.small_floor import Floor
from support.waiting import until

HOUR_MS = 3_600_000


class Shop(Floor):
    """The small floor with a second printer, everything ready, planned by ``rolling``."""

    def __init__(self, folder: Path, house: House | None = None) -> None:
        super().__init__(folder)
        self.rolling = Rolling(resources.why_not, house or House(), None)
        self.do(self._fill)

    def _fill(self, tx: Tx) -> None:
        printer = Machine("printer-2", "printer", "mqtt", "Printer 2", {"nozzle_um": [400]})
        resources.register_machine(tx, printer)
        resources.create_lot(tx, Lot("spool-2", "petg", "spool", ug_per_m=1), 900_000, 0, "t")
        resources.load(tx, "spool-2", "printer-2", 0)
        for machine in tx.machines.all():
            tx.machines.change(machine.id, online=True, state="idle", ready=True)

    def picture(self) -> FloorPicture:
        with self.store.read() as tx:
            return replace(floor_picture(tx), runs=tuple(tx.plans.runs(100)))

    def plan(self) -> FloorPlan:
        made = self.rolling(self.picture())
        self.do(planning.apply_plan, made)
        return made

    def operations(self) -> dict[str, Operation]:
        with self.store.read() as tx:
            return {op.id: op for op in tx.operations.open()}

    def changes(self) -> list[tuple[str, str]]:
        with self.store.read() as tx:
            return [(change.text, change.why) for change in tx.plans.page(50)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.store.close()


def test_everything_is_planned_and_only_what_is_due_is_offered(shop: Shop) -> None:
    shop.state(quantity=6)
    shop.plan()
    operations = shop.operations()
    assert all(op.planned_start_at is not None for op in operations.values())
    ordered = [op for op in operations.values() if op.state == "ordered"]
    assert sorted(op.machine or "" for op in ordered) == ["mill-1", "printer-1", "printer-2"]
    waiting = [op for op in operations.values() if op.step == "assemble"]
    assert all(op.reason.startswith(("waits for print n1", "waits for mill n1", "waits for Bench"))
               for op in waiting), [op.reason for op in waiting]  # fmt: skip
    with shop.store.read() as tx:
        made = tx.plans.made()
    assert made["by"] == "rule"
    assert made["problems"] == []


def test_a_machine_that_goes_moves_its_operations_and_says_so(shop: Shop) -> None:
    shop.state(quantity=6)
    shop.plan()
    shop.do(lambda tx: tx.machines.change("printer-2", online=False))
    shop.plan()
    prints = [
        op for op in shop.operations().values() if op.step == "print" and op.state != "ordered"
    ]
    assert {op.machine for op in prints} == {"printer-1"}
    moved = [(text, why) for text, why in shop.changes() if "moved from Printer 2" in text]
    assert moved
    assert all(why.startswith("Printer 2 is not connected") for _, why in moved)


def test_runs_teach_durations(shop: Shop) -> None:
    need = shop.state(quantity=8, route=small_floor.print_only)
    for run_ms in (700_000, 720_000, 740_000):
        shop.plan()

        def finish(tx: Tx, run_ms: int = run_ms) -> None:
            order = next(o for o in tx.orders.open() if o.machine == "printer-1")
            tx.orders.change(
                order.id, state="SUCCEEDED", started_at=tx.now_ms, run_ms=run_ms, result="good"
            )
            tx.operations.change(order.operation, state="done", done_at=tx.now_ms)

        shop.do(finish)
    shop.plan()
    ours = [op for op in shop.operations().values() if op.state == "planned"]
    lengths = {op.machine: (op.planned_end_at or 0) - (op.planned_start_at or 0) for op in ours}
    assert lengths["printer-1"] == 720_000, "three runs on that machine count, not the stated 540 s"
    assert lengths["printer-2"] == 720_000, "another printer heats as long"
    assert need


def test_nobody_changes_a_spool_at_night_and_the_best_one_is_named(tmp_path: Path) -> None:
    house = House(shifts=(read_shift("mon-sun 08:00-17:00"),), change_s=600)
    shop = Shop(tmp_path, house)  # the clock stands at 22:13 UTC

    def fill(tx: Tx) -> None:
        resources.create_lot(tx, Lot("pla-big", "pla", "spool", ug_per_m=1), 900_000, 0, "t")
        resources.create_lot(tx, Lot("pla-small", "pla", "spool", ug_per_m=1), 60_000, 0, "t")
        resources.create_lot(tx, Lot("pla-rest", "pla", "spool", ug_per_m=1), 22_000, 0, "t")

    shop.do(fill)

    def route(design: DesignRow, quantity: int) -> RoutedNeed:
        one = small_floor.print_only(design, 1).operations[0]
        pla = replace(one, materials=[{"material": "pla", "mass_mg": 20_000}])
        return replace(small_floor.print_only(design, 1), operations=(pla,) * quantity)

    shop.state(quantity=1, route=route)
    shop.plan()
    (op,) = shop.operations().values()
    morning = shop.clock.now_ms() // 86_400_000 * 86_400_000 + 86_400_000 + 8 * HOUR_MS
    assert op.planned_start_at is not None
    assert abs(op.planned_start_at - morning - 600_000) < 2000
    assert op.reason.startswith("waits for a person to change over Printer")
    shop.clock.advance_ms(op.planned_start_at - 600_000 - shop.clock.now_ms())
    shop.plan()
    shop.clock.advance_ms(600_000)
    shop.rolling = Rolling(resources.why_not, House(change_s=0), None)
    shop.plan()
    (op,) = shop.operations().values()
    assert "holds petg" in op.reason
    assert op.reason.endswith("load pla-small (60 g), whose rest stays usable")
    shop.store.close()


def test_a_spool_that_would_end_inside_its_margin_is_not_used(shop: Shop) -> None:
    def weigh(tx: Tx) -> None:
        resources.weigh(tx, "spool-1", 4300, "t", "w1")
        resources.weigh(tx, "spool-2", 4400, "t", "w2")

    shop.do(weigh)
    shop.state(quantity=1, route=small_floor.print_only)
    shop.plan()
    (op,) = shop.operations().values()
    assert (op.state, op.reason) != ("ordered", "")
    assert "with margin" in op.reason, "4210 mg and 5 % are 4421 mg"
    assert "no lot of petg on the shelf holds enough" in op.reason


def crash(_question: Question) -> Plan:
    os._exit(1)


def hang(_question: Question) -> Plan:
    threading.Event().wait()
    raise AssertionError("nothing wakes it")


def nothing() -> None:
    """Be ready at once."""


@pytest.mark.parametrize("search", [crash, hang])
def test_a_search_that_dies_or_hangs_never_stops_dispatching(
    tmp_path: Path, search: Planner
) -> None:
    now = [0.0]
    shop = Shop(tmp_path)
    worker = Worker(lambda: now[0], Limits(late_s=5, ready_s=90), search, nothing)
    shop.rolling = Rolling(resources.why_not, House(), worker)
    shop.state(quantity=6)
    offered: list[str] = []

    def lost() -> bool:
        offered.extend(op.id for op in shop.operations().values() if op.state == "ordered")
        shop.plan()
        if worker.state == "busy":
            now[0] += 6.0
        return worker.lost > 0

    until(lost, what="the worker is given up")
    shop.plan()
    assert offered
    with shop.store.read() as tx:
        assert tx.plans.made()["lost"] == 1
    shop.rolling.close()
    shop.store.close()

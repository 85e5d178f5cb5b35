"""Routes on a floor: shared plates, alternatives, transport, rework, scrap, numbers, lots."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller import execution, needs
from controller.execution import Findings
from controller.genealogy import bom, history
from controller.joints import stations
from controller.ledger.balance import check
from controller.routed import Place
from controller.values import Refused
from fabcommons.floor import BENCH, CELL, MILL, PRINTER
from support import kit_design
from support.quick_floor import QuickFloor
from support.quick_parts import Chance, greedy, machine, request

GOOD = ("No strings", "Pins are straight")


def kit_floor(folder: Path, chance: Chance | None = None, printers: int = 2) -> QuickFloor:
    made = QuickFloor(folder, chance, greedy)
    made.machines(*[machine(f"printer-{n + 1}", PRINTER) for n in range(printers)])
    made.machines(machine("mill-1", MILL), machine("cell-1", CELL), machine("bench-1", BENCH))
    made.stock_up()
    made.places(Place("rack", "Rack", 9, ["fdm", "mill", "assemble", "move", "station", "deburr"]))
    made.design(kit_design.load(folder / "design"))
    return made


@pytest.fixture
def kit(tmp_path: Path) -> Any:
    made = kit_floor(tmp_path)
    yield made
    made.close()


def operations(floor: QuickFloor, need: str) -> dict[str, Any]:
    with floor.store.read() as tx:
        return {op.step: op for op in tx.operations.of_need(need)}


def until(floor: QuickFloor, test: Callable[[Any], Any]) -> Any:
    """Run until ``test`` of a read view gives something true."""
    for _ in range(500):
        with floor.store.read() as tx:
            found = test(tx)
        if found:
            return found
        floor.turn()
    raise AssertionError(floor.words())


def running(step: str) -> Callable[[Any], Any]:
    """A test for an order of a step that runs at the bench."""

    def test(tx: Any) -> Any:
        order = tx.orders.open_on("bench-1")
        found = order is not None and order.state == "RUNNING"
        return order if found and tx.operations.get(order.operation).step == step else None

    return test


def test_two_needs_share_a_plate_and_each_gets_its_pieces(kit: QuickFloor) -> None:
    first, second = kit.state([request(1, "kit"), request(2, "kit")])
    kit.run()
    assert kit.verdict() == []
    plate, other = operations(kit, first)["pins"], operations(kit, second)["pins"]
    assert (plate.state, plate.pieces) == ("done", 4)
    assert (other.state, other.reason) == ("cancelled", f"made with {first} on one plate")
    assert sum(bar.operation == plate.id for bar in kit.bars) == 1
    with kit.store.read() as tx:
        bill = bom(tx, second)
        assert (bill.off_mg, bom(tx, first).off_mg) == (0, 0)
        assert bill.from_others_mg > 0
        assert bom(tx, first).to_others_mg == bill.from_others_mg


def test_a_plate_of_a_need_taken_back_goes_on_for_the_other(kit: QuickFloor) -> None:
    first, second = kit.state([request(1, "kit"), request(2, "kit")])
    kit._plan()
    kit.do(lambda tx: needs.withdraw(tx, first, "the north workshop"))
    kit.run()
    with kit.store.read() as tx:
        assert tx.needs.get(second).state == "delivered"
        assert tx.needs.get(first).state == "withdrawn"
        assert check(tx) == []
        assert tx.routes.lying() == []


def test_the_way_that_is_free_is_taken(tmp_path: Path) -> None:
    floor = kit_floor(tmp_path, printers=1)
    [need] = floor.state([request(1, "kit")])
    floor.run()
    base = operations(floor, need)["base"]
    assert (base.way, base.process) == (1, "mill")  # the printer has the pins to do
    assert floor.verdict() == []
    with floor.store.read() as tx:
        lines = {line.material: line for line in bom(tx, need).lines}
        assert lines["mdf-6"].pieces == 1
    floor.close()


def test_a_way_without_its_machine_is_not_taken(tmp_path: Path) -> None:
    floor = kit_floor(tmp_path, printers=1)
    floor.do(lambda tx: tx.machines.change("mill-1", quarantine="two boards"))
    [need] = floor.state([request(1, "kit")])
    floor.run()
    assert operations(floor, need)["base"].way == 0
    floor.close()


def test_off_limits_goes_to_rework_then_to_scrap_and_is_made_again(kit: QuickFloor) -> None:
    kit.people = False
    [need] = kit.state([request(1, "kit")])
    for values, result in (({"gap-um": 260}, "rework"), ({"gap-um": 300}, "rework")):
        order = bench(kit, "look", values)
        with kit.store.read() as tx:
            signed = tx.routes.signed(order.id)
        assert (signed.result, signed.values) == (result, values)
        assert f"gap-um is {values['gap-um']} um, not 100 to 200" in signed.why
    found = operations(kit, need)
    assert found["sand"].state == "cancelled"  # one rework, then scrap
    assert found["join"].state != "done"
    bench(kit, "look", {"gap-um": 150})
    with kit.store.read() as tx:
        assert tx.needs.get(need).state == "delivered"
        bill = bom(tx, need)
        assert bill.off_mg == 0
        assert bill.scrap_mg > bill.delivered_mg / 2  # a whole kit was scrapped
        [part] = tx.routes.numbered_of(need)
        told = history(tx, part)
        assert {"spool-printer-1", "spool-printer-2"} & set(told.stock())
        assert told.signed[-1].values == {"gap-um": 150}
        assert part.serial == "quick-000001"
        assert check(tx) == []


def bench(floor: QuickFloor, step: str, values: dict[str, int]) -> Any:
    """Do what comes to the bench until ``step`` does, and sign that off."""
    for _ in range(40):
        order = until(floor, lambda tx: tx.orders.open_on("bench-1"))
        operation = next(o for o in [operation_of(floor, order)])
        wait_s = max(operation.duration_s, operation.work.get("timer_s", 0))
        floor.clock.advance_ms(wait_s * 1000)
        checks = tuple(operation.work.get("checks", ()))
        found = Findings(
            "technician", "good", None, checks, values if operation.step == step else {}
        )
        floor.do(lambda tx, f=found: sign(tx, floor, f))
        if operation.step == step:
            return order
    raise AssertionError(f"{step} never came to the bench")


def operation_of(floor: QuickFloor, order: Any) -> Any:
    with floor.store.read() as tx:
        return tx.operations.get(order.operation)


REFUSALS = [
    (Findings("t", "good", None, GOOD, {}), "values.gap-um", "measure it first"),
    (Findings("t", "good", None, GOOD[:1], {"gap-um": 150}), "checks", "not ticked: Pins"),
    (Findings("t", "good", None, GOOD, {"width": 3}), "values.width", "not asked for"),
    (Findings("t", "fine", None, GOOD, {}), "result", "good, bad or rework"),
    (Findings("t", "good", None, GOOD, {"gap-um": 150}, "x" * 501), "note", "at most 500"),
]


def test_what_is_missing_for_good_is_named(kit: QuickFloor) -> None:
    kit.people = False
    kit.state([request(1, "kit")])
    for step in ("carry", "glue"):
        order = until(kit, running(step))
        if step == "glue":
            with pytest.raises(Refused, match="wait 600 s more"):
                kit.do(lambda tx: sign(tx, kit, Findings("t", "good")))
            kit.clock.advance_ms(600_000)
        kit.do(lambda tx: sign(tx, kit, Findings("t", "good")))
    order = until(kit, running("look"))
    for found, field, words in REFUSALS:
        with pytest.raises(Refused) as refused:
            kit.do(lambda tx, f=found: sign(tx, kit, f))
        assert (refused.value.field, words in refused.value.message) == (field, True)
    verdict = execution.verdict("good", "t", None)
    with pytest.raises(Refused, match="sign this off"):
        kit.do(lambda tx: clear(tx, verdict))
    with kit.store.read() as tx:
        assert tx.orders.get(order.id).state == "RUNNING"  # nothing changed


def sign(tx: Any, floor: QuickFloor, found: Findings) -> Any:
    return stations.sign_off(tx, "bench-1", found, floor.asker())


def clear(tx: Any, verdict: Any) -> None:
    stations.finish(tx, tx.machines.get("bench-1"))
    execution.confirm_clear(tx, "bench-1", verdict)


def test_many_kits_with_failures_are_all_delivered_and_numbered(tmp_path: Path) -> None:
    floor = kit_floor(tmp_path, Chance(fail=0.1, bad=0.1, off=0.2, seed=4))
    floor.state([request(1, "kit", 3), request(2, "kit"), request(3, "kit", 2)])
    floor.run()
    assert floor.verdict() == []
    with floor.store.read() as tx:
        assert [bom(tx, need.id).off_mg for need in tx.needs.all()] == [0, 0, 0]
        serials = [
            part.serial for need in tx.needs.all() for part in tx.routes.numbered_of(need.id)
        ]
        assert len(set(serials)) == 6
    floor.close()

"""A cell clears a printer's bed on a real site: nobody is there, and the next print begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller import resources
from controller.adapters.opcua.connect import Access
from controller.adapters.opcua.link import OpcuaLink, Pace
from controller.commands import Asker
from controller.joints import handovers
from controller.joints.cells import CellSite
from controller.ledger.balance import check
from controller.values import Machine, NeedRequest, Refused

PACE = Pace(poll_s=0.1, settle_s=2.0, retry_min_s=0.1, retry_max_s=0.5)
WHO = Asker("simulated technician")
SHA = "a" * 64


class Beds:
    """The site with a scripted printer, and a cell that clears its bed."""

    def __init__(self, site_floor: Any, printer: Any, cell: Any) -> None:
        self.floor = site_floor
        self.site = site_floor.site
        self.printer = printer
        self.cell = cell
        self.link = OpcuaLink(CellSite(self.site), PACE)
        self.site.outlet.links["opcua"] = self.link
        self.cleared: set[str] = set()

    def serve(self, pose: str, clear_s: int) -> None:
        """Let the cell serve the printer."""
        capability = {"clears": ["printer-1"], "pose": pose, "clear_s": clear_s}
        machine = Machine("cell-1", "cell", "opcua", "Cell 1", capability)
        self.site.submit(lambda tx: resources.register_machine(tx, machine))
        self.link.add("cell-1", Access(self.cell.url, request_s=5.0))
        self.link.start()
        self.floor.until(lambda tx: tx.machines.get("cell-1").online)

    def need(self, quantity: int) -> str:
        (line,) = self.site.state_needs([NeedRequest("k1", "north", "clamp", "clamp", quantity)])
        return line.need.id

    def print_one(self, ok: bool = True, after: int = 0) -> dict[str, Any]:
        """The printer takes the next order and prints it."""
        printer = self.printer

        def newer() -> Any:
            wants = [d for leaf, d in printer.heard if leaf == "dn/want" and d["ph"] == "offer"]
            return wants[-1] if wants and wants[-1]["ep"] > after else None

        want = printer.until(newer)
        head = {"order": want["order"], "ep": want["ep"]}
        printer.event("claim", **head)
        printer.until_want("grant", want["ep"])
        printer.event("started", **head, sha=SHA)
        printer.state(st="busy", ready=False)
        end = {"ok": ok, "lines": 9, "len_um": [1000], "run_ms": 1000}
        printer.event("finished", **head, **end, **({} if ok else {"why": "spaghetti"}))
        printer.state(ready=False)
        return want

    def handover(self) -> dict[str, Any]:
        with self.site.read() as tx:
            return handovers.read(tx, "printer-1")

    def until(self, state: str) -> None:
        self.floor.until(lambda tx: handovers.read(tx, "printer-1")["state"] == state)

    def do_clear(self) -> dict[str, Any]:
        """The printer does the next command "clear", as its firmware does."""
        printer = self.printer

        def new() -> Any:
            asked = [d for leaf, d in printer.heard if leaf == "dn/cmd" and d["do"] == "clear"]
            return next((d for d in asked if d["id"] not in self.cleared), None)

        command = printer.until(new)
        self.cleared.add(command["id"])
        printer.event("op", who=command["who"], act="clear", id=command["id"])
        printer.send("up/rsp", {"v": 1, "id": command["id"], "ok": True, "code": "done"})
        printer.state()
        return command

    def reached(self) -> dict[str, int]:
        starts = self.cell.truth()["starts"]
        return {job: n for job, n in starts.items() if job.startswith(handovers.ERRAND)}


@pytest.fixture(scope="module")
def cell(cells: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made = cells.simulated_cell(tmp_path_factory.mktemp("cell"), "--time-scale", "60")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def beds(site_floor: Any, printer: Any, cell: Any) -> Iterator[Beds]:
    made = Beds(site_floor, printer, cell)
    printer.hello()
    printer.state()
    yield made


def test_two_prints_are_cleared_by_the_cell_and_nobody_else(beds: Beds) -> None:
    beds.serve("stub", 30)
    before = set(beds.reached())
    need = beds.need(2)
    first = beds.print_one()
    told = beds.do_clear()
    assert (told["who"], told["ep"]) == ("cell-1", first["ep"])
    second = beds.print_one(after=first["ep"])
    assert beds.do_clear()["ep"] == second["ep"]
    beds.floor.until(lambda tx: tx.needs.get(need).state == "delivered")
    beds.until("clear")
    with beds.site.read() as tx:
        orders = [tx.orders.get(want["order"]) for want in (first, second)]
        assert {(o.state, o.result, o.resolved_by) for o in orders} == {
            ("SUCCEEDED", "good", "cell-1")
        }
        assert check(tx) == []
    reached = {job: n for job, n in beds.reached().items() if job not in before}
    assert len(reached) == 2 and set(reached.values()) == {1}


def test_nobody_says_clear_while_the_robot_reaches_and_a_person_ends_a_failure(beds: Beds) -> None:
    """The pose is a person's word here; the gripper fails, so that a person must look."""
    beds.serve("person", 600)
    beds.cell.fault("gripper:1:90")
    before = beds.reached()
    beds.need(1)
    beds.print_one()
    beds.until("lying")
    assert beds.handover()["job"] == "" and beds.reached() == before  # its place is not confirmed
    beds.site.confirm_pose("printer-1", WHO.who)
    beds.until("reaching")
    with pytest.raises(Refused) as refused:
        beds.site.confirm_clear("printer-1", "good", None, WHO)
    assert refused.value.code == "robot-at-bed"
    with beds.site.read() as tx:
        assert handovers.barred(tx)["cell-1"] == "Cell 1 clears the bed of Printer 1"
        assert handovers.barred(tx)["printer-1"] == "Printer 1: the robot may be in the bed"
    beds.until("by_hand")
    assert beds.handover()["why"] == "gripper lost the part"
    beds.site.confirm_clear("printer-1", "good", None, WHO)
    assert beds.do_clear()["who"] == WHO.who
    beds.until("clear")


def test_failed_print_is_left_to_a_person(beds: Beds) -> None:
    beds.serve("stub", 30)
    before = beds.reached()
    beds.need(1)
    beds.print_one(ok=False)
    beds.until("by_hand")
    with pytest.raises(Refused) as refused:
        beds.site.confirm_pose("printer-1", WHO.who)
    assert refused.value.code == "not-lying"
    assert beds.reached() == before

"""The adapter against our own simulated cell: a real server in a fresh process, shared here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from controller.adapters.opcua.connect import Access
from controller.adapters.opcua.link import OpcuaLink, Pace
from controller.adapters.opcua.session import CellSession
from protocols.isa95 import format_job_id
from support.waiting import until

PACE = Pace(poll_s=0.1, settle_s=2.0, retry_min_s=0.1, retry_max_s=0.5)
LOTS = [{"ch": 0, "lot": "screws", "piece_mg": 1200}, {"ch": 1, "lot": "screws", "piece_mg": 1200}]
A_MINUTE, MINUTES = 60, 400  # of floor time: 0.6 s and 4 s at the cell's pace of 100


class Floor:
    """The shared cell, an adapter and a site of the test's own; epochs go on from test to test."""

    def __init__(self, cells: Any, cell: Any) -> None:
        self.cells = cells
        self.cell = cell
        self.site = cells.FakeSite(LOTS)
        self.links: list[OpcuaLink] = []
        self.connect()

    def connect(self) -> None:
        """Begin a life of the adapter."""
        link = OpcuaLink(self.site, PACE)
        link.start()
        link.add("cell-1", Access(self.cell.url, request_s=1.0))
        self.links.append(link)

    def disconnect(self) -> None:
        """End a life of the adapter, as closing the controller does."""
        self.links.pop().close()

    def connected(self) -> None:
        until(lambda: self.site.state.get("on"), what="connected")

    def make(self, order: str, ep: int, duration_s: int = A_MINUTE) -> Any:
        self.site.operation.duration_s = duration_s
        offered = self.site.offer(order, ep)
        self.links[-1].want("cell-1", {})
        return offered

    def until(self, order: Any, *states: str) -> None:
        until(lambda: order.state in states, what=f"{order.id} {states}: {order}")

    def command(self, verb: str, number: int = 1) -> dict[str, Any]:
        document = {"id": f"cmd-{verb}-{number}", "do": verb, "who": "simulated technician"}
        before = len(self.site.answers)
        assert self.links[-1].command("cell-1", document)
        until(lambda: len(self.site.answers) > before, what=f"answer to {verb}")
        return self.site.answers[-1]

    def starts(self, order: Any) -> int:
        return self.cell.truth()["starts"].get(format_job_id(order.id, order.ep), 0)

    def made(self, order: Any) -> int:
        return self.cell.truth()["assemblies"].get(format_job_id(order.id, order.ep), 0)

    def kinds(self, order: Any) -> list[str]:
        return [kind for kind in self.site.kinds(order.id) if kind != "material"]

    def close(self) -> None:
        while self.links:
            self.disconnect()
        assert self.site.faults == []


@pytest.fixture(scope="module")
def cell(cells: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("cell")
    made = cells.simulated_cell(folder, "--time-scale", "100", "--jobs", "{folder}/jobs.json")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def floor(cells: Any, cell: Any) -> Iterator[Floor]:
    made = Floor(cells, cell)
    made.connected()
    yield made
    made.close()


def test_order_runs_once_and_is_reported_in_order(floor: Floor) -> None:
    before = floor.cell.truth()["pieces"]
    order = floor.make("jo-1", 7)
    floor.until(order, "SUCCEEDED")
    assert floor.kinds(order) == ["claim", "started", "finished"]
    assert floor.site.differences == []
    assert floor.starts(order) == floor.made(order) == 1
    took = {k: n - before.get(k, 0) for k, n in floor.cell.truth()["pieces"].items()}
    assert took == {"p-op-jaw": 2, "p-op-plate": 1, "screws": 2}
    journal = order.claim_jid
    assert floor.site.counters == {(journal, 0, "screws"): 1200, (journal, 1, "screws"): 1200}
    finished = floor.site.journal[-1]
    assert 50_000 < finished["run_ms"] < 70_000  # floor time of a planned minute
    assert floor.site.state["ready"] is False
    assert floor.command("clear")["ok"]
    until(lambda: floor.site.state["ready"], what="ready")
    again = floor.make("jo-2", 8)
    floor.until(again, "SUCCEEDED")
    assert floor.starts(again) == floor.starts(order) == 1


@pytest.mark.parametrize("fault", ["slow:1:1600", "late:1:1600"])
def test_lost_answer_does_not_start_it_twice(floor: Floor, fault: str) -> None:
    floor.cell.fault(fault)
    order = floor.make(f"jo-{fault[:4]}", 1)
    floor.until(order, "SUCCEEDED")
    assert floor.starts(order) == 1


def test_refusal_is_declined_and_an_error_is_asked_again(floor: Floor) -> None:
    floor.cell.fault("refuse:1")
    floor.cell.fault("error:2")
    refused = floor.make("jo-refused", 1)
    floor.until(refused, "WITHDRAWN")
    assert "unable to accept" in refused.why
    failed = floor.make("jo-failed", 2)
    floor.until(failed, "SUCCEEDED")
    assert (floor.starts(refused), floor.starts(failed)) == (0, 1)


def test_protective_stop_pauses_until_it_is_reset(floor: Floor) -> None:
    floor.cell.fault("protective_stop:1:40:0")
    order = floor.make("jo-held", 1)
    floor.until(order, "PAUSED")
    assert floor.site.state["st"] == "paused"
    assert "protective stop" in floor.site.state["need"]
    assert floor.command("resume")["ok"]
    floor.until(order, "SUCCEEDED")
    assert floor.kinds(order) == ["claim", "started", "paused", "resumed", "finished"]


def test_lost_part_fails_the_order(floor: Floor) -> None:
    floor.cell.fault("gripper:1:50")
    order = floor.make("jo-dropped", 1)
    floor.until(order, "FAILED")
    assert order.why == "gripper lost the part"
    assert floor.made(order) == 0


def test_piece_taken_beyond_the_plan_is_an_open_difference(floor: Floor) -> None:
    floor.cell.fault("spare:1:60")
    order = floor.make("jo-spare", 1)
    floor.until(order, "SUCCEEDED")
    assert floor.site.differences == [("jo-spare", "p-op-jaw", 2, 3)]


def test_person_pauses_resumes_and_cancels(floor: Floor) -> None:
    order = floor.make("jo-long", 1, 60 * MINUTES)
    floor.until(order, "RUNNING")
    assert floor.command("pause")["ok"]
    floor.until(order, "PAUSED")
    assert floor.command("resume")["ok"]
    floor.until(order, "RUNNING")
    order.stop_asked_by = "simulated technician"
    floor.links[-1].want("cell-1", {})
    floor.until(order, "CANCELLED")
    refused = floor.command("pause", 2)
    assert not refused["ok"] and refused["code"] == "refused"


def test_restart_that_lost_the_list_leaves_it_to_a_person(floor: Floor) -> None:
    order = floor.make("jo-lost", 1, 60 * MINUTES)
    floor.until(order, "RUNNING")
    floor.cell.kill()
    until(lambda: not floor.site.state["on"], what="noticed")
    order.state = "IN_DOUBT"  # what silence does
    floor.cell.truth_file.with_name("jobs.json").unlink()
    floor.cell.start("--resume")
    floor.until(order, "UNKNOWN")
    assert "lost its job list" in order.why
    uncertain = [e["unc_mg"] for e in floor.site.journal if e["ty"] == "material"]
    assert sum(uncertain) == 2400 - sum(
        e["cum_mg"] - e["unc_mg"] for e in floor.site.journal if e["ty"] == "material"
    )
    assert floor.starts(order) == 1


def test_restart_that_kept_the_list_is_held_and_resumed(floor: Floor) -> None:
    order = floor.make("jo-kept", 1, MINUTES)
    floor.until(order, "RUNNING")
    floor.cell.kill()
    until(lambda: not floor.site.state["on"], what="noticed")
    order.state = "IN_DOUBT"
    floor.cell.start("--resume")
    floor.until(order, "PAUSED")
    assert floor.command("resume")["ok"]
    floor.until(order, "SUCCEEDED")
    assert floor.starts(order) == floor.made(order) == 1


def test_controller_that_restarts_goes_on_where_the_store_says(floor: Floor) -> None:
    floor.site.broken_submits = 3  # committed, and the adapter does not know
    order = floor.make("jo-store", 1, MINUTES // 2)
    floor.until(order, "RUNNING")
    floor.disconnect()
    floor.connect()
    floor.until(order, "SUCCEEDED")
    assert floor.kinds(order) == ["claim", "started", "finished"]
    assert floor.starts(order) == 1


def test_controller_that_restarts_after_a_grant_sends_it_once(floor: Floor) -> None:
    floor.site.grants = False
    order = floor.make("jo-granted", 1)
    floor.until(order, "CLAIMED")
    floor.disconnect()
    order.state = "GRANTED"
    floor.connect()
    floor.until(order, "SUCCEEDED")
    assert floor.starts(order) == 1


def test_hung_cell_does_not_hold_up_the_site(floor: Floor) -> None:
    floor.cell.freeze()
    order = floor.make("jo-hung", 1)
    until(lambda: not floor.site.state["on"], what="noticed")
    assert floor.site.submit(lambda tx: "served") == "served"
    floor.cell.thaw()
    floor.until(order, "SUCCEEDED")
    assert floor.starts(order) == 1


def test_dropped_subscription_loses_nothing(floor: Floor) -> None:
    floor.cell.fault("deaf:1:20")
    order = floor.make("jo-deaf", 1)
    floor.until(order, "SUCCEEDED")
    assert floor.starts(order) == 1
    again = floor.make("jo-deaf", 2)
    floor.until(again, "SUCCEEDED")
    assert floor.starts(again) == 1


def test_robot_and_machine_are_told_as_telemetry_and_as_reasons(floor: Floor) -> None:
    floor.cell.fault("protective_stop:1:40:0")
    order = floor.make("jo-measured", 1)
    floor.until(order, "PAUSED")

    def measured() -> dict[str, int]:
        return floor.site.measured[-1]["m"]

    def stopped() -> bool:
        return measured().get("pstop_n") == 1

    until(stopped, what=f"stop measured: {measured()}")
    assert measured() == {
        "estop_n": 0,
        "pstop_n": 1,
        "robot_mode_n": 4,
        "item_state_n": 1,
        "program_n": 1,
        "on_path_n": 0,
        "speed_ppm": 0,
        "running_n": 1,
        "jobs_n": measured()["jobs_n"],
    }
    assert floor.site.state["need"] == "protective stop active: look at the cell"
    assert floor.command("resume")["ok"]
    floor.until(order, "SUCCEEDED")
    until(lambda: measured()["item_state_n"] == 2, what="at rest again")
    assert (measured()["pstop_n"], measured()["program_n"]) == (0, 0)


def test_job_order_events_are_heard(floor: Floor, cell: Any) -> None:
    """ISA95JobOrderStatusEvent of the receiver: stored, running, ended, for one order."""
    assert asyncio.run(_listen(cell.url, floor)) >= 3


async def _listen(url: str, floor: Floor) -> int:
    session = await CellSession.open(Access(url), lambda: None)
    try:
        order = await asyncio.to_thread(floor.make, "jo-events", 1)
        await asyncio.to_thread(floor.until, order, "SUCCEEDED")
        await asyncio.to_thread(until, lambda: session.events >= 3, what="three events")
        return session.events
    finally:
        await session.close()

"""The adapter against our own simulated cell: a real server in a fresh process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.opcua.link import OpcuaLink, Pace
from controller.adapters.opcua.session import Access
from protocols.isa95 import format_job_id

PACE = Pace(poll_s=0.1, settle_s=2.0, retry_min_s=0.1, retry_max_s=0.5)
LOTS = [{"ch": 0, "lot": "screws", "piece_mg": 1200}, {"ch": 1, "lot": "screws", "piece_mg": 1200}]


class Floor:
    """A cell, the adapter and a site."""

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

    def make(self, order: str, ep: int) -> Any:
        offered = self.site.offer(order, ep)
        self.links[-1].want("cell-1", {})
        return offered

    def until(self, order: Any, *states: str) -> None:
        self.cells.wait_for(lambda: order.state in states, f"{order.id} {states}: {order}")

    def command(self, verb: str, number: int = 1) -> dict[str, Any]:
        document = {"id": f"cmd-{verb}-{number}", "do": verb, "who": "simulated technician"}
        before = len(self.site.answers)
        assert self.links[-1].command("cell-1", document)
        self.cells.wait_for(lambda: len(self.site.answers) > before, f"answer to {verb}")
        return self.site.answers[-1]

    def close(self) -> None:
        while self.links:
            self.disconnect()
        self.cell.kill()
        assert self.site.faults == []


@pytest.fixture
def floor(request: pytest.FixtureRequest, cells: Any, tmp_path: Path) -> Iterator[Floor]:
    cell = cells.simulated_cell(tmp_path, *getattr(request, "param", ()))
    cell.start()
    made = Floor(cells, cell)
    yield made
    made.close()


def starts(floor: Floor) -> dict[str, int]:
    return floor.cell.truth()["starts"]


@pytest.mark.parametrize("floor", [("--time-scale", "100")], indirect=True)
def test_order_runs_once_and_is_reported_in_order(floor: Floor) -> None:
    order = floor.make("jo-1", 7)
    floor.until(order, "SUCCEEDED")
    kinds = floor.site.kinds("jo-1")
    assert [k for k in kinds if k != "material"] == ["claim", "started", "finished"]
    assert starts(floor) == {"jo-1.7": 1}
    assert floor.cell.truth()["assemblies"] == {"jo-1.7": 1}
    assert floor.cell.truth()["pieces"] == {"p-op-jaw": 2, "p-op-plate": 1, "screws": 2}
    journal = order.claim_jid
    assert floor.site.counters == {(journal, 0, "screws"): 1200, (journal, 1, "screws"): 1200}
    finished = floor.site.journal[-1]
    assert 50_000 < finished["run_ms"] < 70_000  # floor time of a planned minute
    assert floor.site.state["ready"] is False
    assert floor.command("clear")["ok"]
    floor.cells.wait_for(lambda: floor.site.state["ready"], "ready")
    again = floor.make("jo-2", 8)
    floor.until(again, "SUCCEEDED")
    assert starts(floor) == {"jo-1.7": 1, "jo-2.8": 1}


@pytest.mark.parametrize(
    "floor", [("--faults", "slow:1:1600", "--time-scale", "100")], indirect=True
)
def test_lost_answer_does_not_start_it_twice(floor: Floor) -> None:
    order = floor.make("jo-1", 1)
    floor.until(order, "SUCCEEDED")
    assert starts(floor) == {"jo-1.1": 1}
    assert floor.cell.truth()["faults"] == ["slow:1:1600"]


@pytest.mark.parametrize(
    "floor", [("--faults", "late:1:1600", "--time-scale", "100")], indirect=True
)
def test_call_carried_out_late_does_not_start_it_twice(floor: Floor) -> None:
    order = floor.make("jo-1", 1)
    floor.until(order, "SUCCEEDED")
    assert starts(floor) == {"jo-1.1": 1}


@pytest.mark.parametrize(
    "floor", [("--faults", "refuse:1,error:2", "--time-scale", "100")], indirect=True
)
def test_refusal_is_declined_and_an_error_is_asked_again(floor: Floor) -> None:
    floor.cells.wait_for(lambda: floor.site.state.get("on"), "connected")
    refused = floor.make("jo-1", 1)
    floor.until(refused, "WITHDRAWN")
    assert "unable to accept" in refused.why
    failed = floor.make("jo-2", 2)
    floor.until(failed, "SUCCEEDED")
    assert starts(floor) == {"jo-2.2": 1}


@pytest.mark.parametrize(
    "floor", [("--faults", "protective_stop:1:40:20000", "--time-scale", "20")], indirect=True
)
def test_protective_stop_pauses_and_goes_on(floor: Floor) -> None:
    order = floor.make("jo-1", 1)
    floor.until(order, "PAUSED")
    assert floor.site.state["st"] == "paused"
    assert "protective stop" in floor.site.state["need"]
    floor.until(order, "SUCCEEDED")
    kinds = [k for k in floor.site.kinds("jo-1") if k != "material"]
    assert kinds == ["claim", "started", "paused", "resumed", "finished"]


@pytest.mark.parametrize(
    "floor", [("--faults", "gripper:1:50", "--time-scale", "100")], indirect=True
)
def test_lost_part_fails_the_order(floor: Floor) -> None:
    order = floor.make("jo-1", 1)
    floor.until(order, "FAILED")
    assert order.why == "gripper lost the part"
    assert floor.cell.truth()["assemblies"] == {}


@pytest.mark.parametrize("floor", [("--time-scale", "10")], indirect=True)
def test_person_pauses_resumes_and_cancels(floor: Floor) -> None:
    order = floor.make("jo-1", 1)
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


@pytest.mark.parametrize("floor", [("--time-scale", "10")], indirect=True)
def test_restart_that_lost_the_list_leaves_it_to_a_person(floor: Floor) -> None:
    order = floor.make("jo-1", 1)
    floor.until(order, "RUNNING")
    floor.cell.kill()
    floor.cells.wait_for(lambda: not floor.site.state["on"], "noticed")
    order.state = "IN_DOUBT"  # what silence does
    floor.cell.start("--resume")
    floor.until(order, "UNKNOWN")
    assert "lost its job list" in order.why
    uncertain = [e["unc_mg"] for e in floor.site.journal if e["ty"] == "material"]
    assert sum(uncertain) == 2400 - sum(
        e["cum_mg"] - e["unc_mg"] for e in floor.site.journal if e["ty"] == "material"
    )
    assert starts(floor) == {"jo-1.1": 1}


@pytest.mark.parametrize(
    "floor", [("--time-scale", "20", "--jobs", "{folder}/jobs.json")], indirect=True
)
def test_restart_that_kept_the_list_is_held_and_resumed(floor: Floor) -> None:
    order = floor.make("jo-1", 1)
    floor.until(order, "RUNNING")
    floor.cell.kill()
    floor.cells.wait_for(lambda: not floor.site.state["on"], "noticed")
    order.state = "IN_DOUBT"
    floor.cell.start("--resume")
    floor.until(order, "PAUSED")
    assert floor.command("resume")["ok"]
    floor.until(order, "SUCCEEDED")
    assert starts(floor) == {"jo-1.1": 1}
    assert floor.cell.truth()["assemblies"] == {"jo-1.1": 1}


@pytest.mark.parametrize("floor", [("--time-scale", "30")], indirect=True)
def test_controller_that_restarts_goes_on_where_the_store_says(floor: Floor) -> None:
    floor.site.broken_submits = 3  # committed, and the adapter does not know
    order = floor.make("jo-1", 1)
    floor.until(order, "RUNNING")
    floor.disconnect()
    floor.connect()
    floor.until(order, "SUCCEEDED")
    assert [k for k in floor.site.kinds("jo-1") if k != "material"] == [
        "claim",
        "started",
        "finished",
    ]
    assert starts(floor) == {"jo-1.1": 1}


@pytest.mark.parametrize("floor", [("--time-scale", "60")], indirect=True)
def test_controller_that_restarts_after_a_grant_sends_it_once(floor: Floor) -> None:
    floor.cells.wait_for(lambda: floor.site.state.get("on"), "connected")
    floor.site.grants = False
    order = floor.make("jo-1", 1)
    floor.until(order, "CLAIMED")
    floor.disconnect()
    order.state = "GRANTED"
    floor.connect()
    floor.until(order, "SUCCEEDED")
    assert starts(floor) == {"jo-1.1": 1}


@pytest.mark.parametrize("floor", [("--time-scale", "60")], indirect=True)
def test_hung_cell_does_not_hold_up_the_site(floor: Floor) -> None:
    floor.cells.wait_for(lambda: floor.site.state.get("on"), "connected")
    floor.cell.freeze()
    order = floor.make("jo-1", 1)
    floor.cells.wait_for(lambda: not floor.site.state["on"], "noticed")
    assert floor.site.submit(lambda tx: "served") == "served"
    floor.cell.thaw()
    floor.until(order, "SUCCEEDED")
    assert starts(floor) == {format_job_id("jo-1", 1): 1}

"""The adapter against a receiver on python-opcua 0.98: another library's browse, codec and calls.

Served by it: the official ISA-95 NodeSet by its importer, every structure with optional fields by
its codec (classes read from the NodeSet's binary dictionary, which its own generator cannot do),
all calls, the response with MaterialActuals, data-change notifications. Not possible with it: the
official DI, IA and Robotics NodeSets (its importer refuses their 1.05 parents), so there is no
robot and the nameplate is made by hand; sub-states, which a receiver need not have; a call that
is answered late while others are served, since it runs calls in its one loop.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.opcua.connect import Access
from controller.adapters.opcua.link import OpcuaLink, Pace
from support.waiting import until

PACE = Pace(poll_s=0.1, settle_s=1.0, retry_min_s=0.1, retry_max_s=0.5)
LOTS = [{"ch": 0, "lot": "screws", "piece_mg": 1200}, {"ch": 1, "lot": "screws", "piece_mg": 1200}]
SERVER = str(Path(__file__).with_name("legacy_cell_server.py"))


class Peer:
    """One line of the server, the adapter and a site."""

    def __init__(self, cells: Any, process: Any, line: str) -> None:
        self.cells = cells
        self.line = line
        self.truth_file = process.truth_file.with_name(f"{line}.json")
        self.site = cells.FakeSite(LOTS)
        self.link = OpcuaLink(self.site, PACE)
        self.link.start()
        self.link.add("cell-1", Access(process.url, line, request_s=1.0))

    def make(self, order: str, ep: int) -> Any:
        offered = self.site.offer(order, ep)
        self.link.want("cell-1", {})
        return offered

    def until(self, order: Any, state: str) -> None:
        def reached() -> bool:
            return order.state == state

        until(reached, what=f"{order.id} {state} on {self.line}")

    def command(self, verb: str) -> None:
        before = len(self.site.answers)
        document = {"id": f"cmd-{verb}", "do": verb, "who": "simulated technician"}
        assert self.link.command("cell-1", document)
        until(lambda: len(self.site.answers) > before, what=f"answer to {verb}")
        assert self.site.answers[-1]["ok"], self.site.answers[-1]

    def truth(self) -> dict[str, Any]:
        return json.loads(self.truth_file.read_text())

    def kinds(self, order: str) -> list[str]:
        return [kind for kind in self.site.kinds(order) if kind != "material"]


@pytest.fixture(scope="module")
def legacy(cells: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = ("--time-scale", "100", "--slow-ms", "1600")
    command = [SERVER, "--port", "{port}", "--truth", "{folder}", *options]
    process = cells.CellProcess(command, tmp_path_factory.mktemp("legacy"))
    process.start()
    yield process
    process.kill()


@pytest.fixture
def peer(request: pytest.FixtureRequest, cells: Any, legacy: Any) -> Iterator[Peer]:
    made = Peer(cells, legacy, getattr(request, "param", "Line 3"))
    yield made
    made.link.close()
    assert made.site.faults == []


def test_order_is_found_run_reported_and_cleared(peer: Peer) -> None:
    order = peer.make("jo-1", 7)
    peer.until(order, "SUCCEEDED")
    assert peer.kinds("jo-1") == ["claim", "started", "finished"]
    journal = order.claim_jid
    assert peer.site.counters == {(journal, 0, "screws"): 1200, (journal, 1, "screws"): 1200}
    assert 500 <= peer.site.journal[-1]["run_ms"] < 10_000  # its own clock: 600 ms and some
    assert peer.site.state["fw"] == "3.1"
    peer.command("clear")
    again = peer.make("jo-2", 8)
    peer.until(again, "SUCCEEDED")
    assert peer.truth()["starts"]["jo-1.7"] == peer.truth()["starts"]["jo-2.8"] == 1


def test_person_pauses_resumes_and_cancels(peer: Peer) -> None:
    peer.site.operation.duration_s = 2000
    order = peer.make("jo-3", 9)
    peer.until(order, "RUNNING")
    peer.command("pause")
    peer.until(order, "PAUSED")
    peer.command("resume")
    peer.until(order, "RUNNING")
    order.stop_asked_by = "simulated technician"
    peer.link.want("cell-1", {})
    peer.until(order, "CANCELLED")
    assert "jo-3.9" not in peer.truth()["assemblies"]


@pytest.mark.parametrize("peer", ["Line 3", "Line 4"], indirect=True)
@pytest.mark.parametrize("how", ["slow", "late"])
def test_lost_answer_starts_it_exactly_once(peer: Peer, how: str) -> None:
    """Line 4 offers Store and Start apart: the answer is lost between the two."""
    before = peer.truth()["stores"]
    order = peer.make(f"{how}-1", 10)
    peer.until(order, "SUCCEEDED")
    truth = peer.truth()
    assert truth["starts"][f"{how}-1.10"] == truth["assemblies"][f"{how}-1.10"] == 1
    assert truth["stores"] == before + 1
    assert peer.kinds(order.id) == ["claim", "started", "finished"]

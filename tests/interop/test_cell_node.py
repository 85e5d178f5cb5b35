"""The adapter against a receiver on node-opcua: another language, over Basic256Sha256.

Served by it: the NodeSets that node-opcua ships, instantiated by its own means, its own codec for
every structure, its own certificates' rules. Installed by ``scripts/servers`` from a lock file.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.broker import free_port
from controller.adapters.opcua import security
from controller.adapters.opcua.connect import Access
from controller.adapters.opcua.link import OpcuaLink, Pace
from controller.adapters.opcua.security import Security
from support.waiting import until

PACE = Pace(poll_s=0.1, settle_s=2.0, retry_min_s=0.1, retry_max_s=0.5)
LOTS = [{"ch": 0, "lot": "screws", "piece_mg": 1200}, {"ch": 1, "lot": "screws", "piece_mg": 1200}]
HERE = Path(__file__).with_name("node_cell")
START_S = 180.0  # of a server that reads its NodeSets on a busy computer


class NodeCell:
    """The server's process, our certificates and theirs."""

    def __init__(self, cells: Any, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.ours = Security(folder / "certificate.der", folder / "key.pem", trust=folder / "trust")
        security.make_pair(self.ours.certificate, self.ours.key, "controller", 365)
        uri = self._make_theirs()
        self.let_us_in()
        options = ["--port", str(self.port), "--truth", str(folder / "truth.json")]
        options += ["--time-scale", "100", "--slow-ms", "6000", "--pki", str(folder / "pki")]
        options += [
            "--certificate",
            str(folder / "theirs.pem"),
            "--key",
            str(folder / "theirs.key"),
        ]
        options += ["--uri", uri]
        self.log = folder / "node.log"
        with self.log.open("wb") as log:
            command = ["node", str(HERE / "server.cjs"), *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=HERE)

        def listening() -> bool:
            assert self._process.poll() is None, self.log.read_text()
            return "listening" in self.log.read_text()

        until(listening, START_S, "node-opcua listening")

    def _make_theirs(self) -> str:
        """Certificate of the server, which we trust; its ApplicationUri."""
        folder = self.folder
        made = security.make_pair(folder / "theirs.der", folder / "theirs.key", "node-cell", 365)
        der = (folder / "theirs.der").read_bytes()
        security.trust(folder / "trust", der)
        (folder / "theirs.pem").write_bytes(security.pem_of(der))
        return made.uris[0]

    def let_us_in(self) -> None:
        """What a person does at the cell, before it starts: it watches its folders at leisure."""
        trusted = self.folder / "pki" / "trusted" / "certs"
        trusted.mkdir(parents=True)
        shutil.copy(self.ours.certificate, trusted / "ours.der")

    def stranger(self) -> Security:
        """A pair of ours that nobody trusts there."""
        pair = (self.folder / "stranger.der", self.folder / "stranger.key")
        security.make_pair(*pair, "stranger", 365)
        return self.ours._replace(certificate=pair[0], key=pair[1])

    def access(self) -> Access:
        url = f"opc.tcp://127.0.0.1:{self.port}/cell"
        return Access(url, request_s=5.0, security=self.ours)

    def truth(self) -> dict[str, Any]:
        return json.loads((self.folder / "truth.json").read_text())

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Line:
    """The adapter and a site on the one server."""

    def __init__(self, cells: Any, node: NodeCell) -> None:
        self.cells = cells
        self.node = node
        self.site = cells.FakeSite(LOTS)
        self.link = OpcuaLink(self.site, PACE)
        self.link.start()
        self.link.add("cell-1", node.access())

    def make(self, order: str, ep: int, duration_s: int = 60) -> Any:
        self.site.operation.duration_s = duration_s
        offered = self.site.offer(order, ep)
        self.link.want("cell-1", {})
        return offered

    def until(self, order: Any, state: str) -> None:
        def reached() -> bool:
            return order.state == state

        words = f"{order.id} {state}, not {order.state}: {self.link.trouble('cell-1')}"
        until(reached, 90.0, words)

    def command(self, verb: str) -> None:
        before = len(self.site.answers)
        document = {"id": f"cmd-{verb}", "do": verb, "who": "simulated technician"}
        assert self.link.command("cell-1", document)
        until(lambda: len(self.site.answers) > before, 90.0, f"answer to {verb}")
        assert self.site.answers[-1]["ok"], self.site.answers[-1]

    def kinds(self, order: Any) -> list[str]:
        return [kind for kind in self.site.kinds(order.id) if kind != "material"]


@pytest.fixture(scope="module")
def node(cells: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeCell]:
    if shutil.which("node") is None or not (HERE / "node_modules").is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("node-opcua is not installed: run scripts/servers")
        pytest.skip("node-opcua is not installed: scripts/servers installs it")
    made = NodeCell(cells, tmp_path_factory.mktemp("node"))
    yield made
    made.kill()


@pytest.fixture
def line(cells: Any, node: NodeCell) -> Iterator[Line]:
    made = Line(cells, node)
    yield made
    made.link.close()
    assert made.site.faults == []


def test_certificate_must_be_trusted_there(cells: Any, node: NodeCell) -> None:
    """Whatever words it turns a stranger away with, it lets none in."""
    link = OpcuaLink(cells.FakeSite(LOTS), PACE)
    link.start()
    link.add("cell-1", node.access()._replace(security=node.stranger()))
    until(lambda: link.trouble("cell-1"), what="turned away")
    assert not link.command("cell-1", {})
    link.close()


def test_order_runs_once_over_basic256sha256(line: Line) -> None:
    order = line.make("jo-1", 7)
    line.until(order, "SUCCEEDED")
    assert line.kinds(order) == ["claim", "started", "finished"]
    journal = order.claim_jid
    assert line.site.counters == {(journal, 0, "screws"): 1200, (journal, 1, "screws"): 1200}
    assert line.site.measured[-1]["m"]["robot_mode_n"] == 4  # Robotics found by browsing
    line.command("clear")
    assert line.node.truth()["starts"] == line.node.truth()["assemblies"] == {"jo-1.7": 1}


def test_person_pauses_resumes_and_cancels(line: Line) -> None:
    order = line.make("jo-2", 8, 20_000)
    line.until(order, "RUNNING")
    line.command("pause")
    line.until(order, "PAUSED")
    line.command("resume")
    line.until(order, "RUNNING")
    order.stop_asked_by = "simulated technician"
    line.link.want("cell-1", {})
    line.until(order, "CANCELLED")
    assert "jo-2.8" not in line.node.truth()["assemblies"]


@pytest.mark.parametrize("how", ["slow", "late"])
def test_lost_answer_starts_it_exactly_once(line: Line, how: str) -> None:
    before = line.node.truth()["stores"]
    order = line.make(f"{how}-1", 10)
    line.until(order, "SUCCEEDED")
    truth = line.node.truth()
    assert truth["starts"][f"{how}-1.10"] == truth["assemblies"][f"{how}-1.10"] == 1
    asked = truth["stores"] - before
    assert asked == 1 if how == "slow" else asked >= 1  # late: perhaps asked twice
    assert line.kinds(order) == ["claim", "started", "finished"]

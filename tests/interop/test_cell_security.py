"""Certificates on a real wire: our adapter and the simulated cell that demands Basic256Sha256."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.opcua import security
from controller.adapters.opcua.connect import Access
from controller.adapters.opcua.link import OpcuaLink, Pace
from controller.adapters.opcua.security import Security
from support.waiting import until

PACE = Pace(poll_s=0.1, settle_s=2.0, retry_min_s=0.1, retry_max_s=0.5)
LOTS = [{"ch": 0, "lot": "screws", "piece_mg": 1200}]
USER, PASSWORD = "fabcommons", "only in this test"
LONG = 6000  # floor seconds: a minute at the cell's pace of 100


class Secured:
    """A cell that demands security, and our folder of certificates."""

    def __init__(self, cells: Any, folder: Path) -> None:
        self.cells = cells
        self.folder = folder
        self.pki = folder / "cell-pki"
        self.ours = Security(folder / "certificate.der", folder / "key.pem", trust=folder / "trust")
        self.ours.trust.mkdir()
        self.facts = security.make_pair(self.ours.certificate, self.ours.key, "controller", 365)
        os.environ["CELL_PASSWORD"] = PASSWORD
        demand = ("--security", "demanded", "--pki", "{folder}/cell-pki", "--user", USER)
        kept = ("--time-scale", "100", "--jobs", "{folder}/jobs.json")
        self.cell = cells.simulated_cell(folder, *kept, *demand)
        self.cell.start()

    @property
    def shown(self) -> bytes:
        return (self.pki / "own" / "certificate.der").read_bytes()

    def let_us_in(self, *generations: str) -> None:
        """What a person does at the cell: trust exactly these certificates of ours."""
        shutil.rmtree(self.pki / "trusted", ignore_errors=True)
        (self.pki / "trusted").mkdir(parents=True)
        for pair in security.pairs(self.ours.certificate, self.ours.key):
            if pair.generation in generations:
                (self.pki / "trusted" / f"ours{pair.generation}.der").write_bytes(pair.certificate)

    def access(self, **changes: Any) -> Access:
        open_to = Access(
            self.cell.url, request_s=5.0, security=self.ours, user=USER, password=PASSWORD
        )
        return open_to._replace(**changes)


class Line:
    """An adapter with its site, over one way of access."""

    def __init__(self, secured: Secured, access: Access) -> None:
        self.cells = secured.cells
        self.site = secured.cells.FakeSite(LOTS)
        self.link = OpcuaLink(self.site, PACE)
        self.link.start()
        self.link.add("cell-1", access)

    def barred(self, words: str) -> None:
        def said() -> bool:
            return any(words in text for text in self.site.said)

        until(said, what=f"{words!r} said to people, not {self.link.trouble('cell-1')}")
        assert not self.site.state.get("on")

    def make(self, order: str, duration_s: int) -> Any:
        self.site.operation.duration_s = duration_s
        offered = self.site.offer(order, 1)
        self.link.want("cell-1", {})
        return offered

    def until(self, order: Any, *states: str) -> None:
        until(
            lambda: order.state in states,
            what=f"{order.id} {states}, not {order.state}: {self.link.trouble('cell-1')}",
        )


@pytest.fixture(scope="module")
def secured(cells: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    made = Secured(cells, tmp_path_factory.mktemp("secured"))
    made.let_us_in("")
    security.trust(made.ours.trust, made.shown)
    yield made
    made.cell.kill()


@pytest.fixture
def lines(secured: Secured) -> Iterator[Any]:
    opened: list[Line] = []

    def open_line(**changes: Any) -> Line:
        opened.append(Line(secured, secured.access(**changes)))
        return opened[-1]

    yield open_line
    for line in opened:
        line.link.close()
        assert line.site.faults == []


def starts(secured: Secured, order: str) -> int:
    return secured.cell.truth()["starts"].get(f"{order}.1", 0)


def test_order_runs_over_renewed_channels(secured: Secured, lines: Any) -> None:
    """The channel lives a second and is renewed at three quarters of it, six times in the job."""
    line = lines(channel_s=1)
    order = line.make("jo-channel", 450)
    line.until(order, "SUCCEEDED")
    assert starts(secured, "jo-channel") == 1
    kinds = [kind for kind in line.site.kinds("jo-channel") if kind != "material"]
    assert kinds == ["claim", "started", "finished"]
    lost = [state for state in line.site.states if not state["on"]]
    assert len(lost) <= 2  # a busy computer may renew too late; never renewed, it were five


def test_open_connection_is_turned_away(secured: Secured, lines: Any) -> None:
    line = lines(security=None, user="", password="")
    until(lambda: line.link.trouble("cell-1"), what="trouble")
    line.barred("does not let")


def test_wrong_password_is_said(secured: Secured, lines: Any) -> None:
    lines(password="guessed").barred("does not let user 'fabcommons' in")


def test_policy_that_is_not_offered_is_said(secured: Secured, lines: Any) -> None:
    ours = secured.ours._replace(policy="Aes256Sha256RsaPss", mode="Sign")
    lines(security=ours).barred("offers no Aes256Sha256RsaPss/Sign, only Aes128")


def test_our_certificate_must_be_trusted_at_the_cell(secured: Secured, lines: Any) -> None:
    secured.let_us_in()
    line = lines()
    line.barred(f"does not accept our certificate {secured.facts.thumbprint}")
    rejected = list((secured.pki / "rejected").glob("*.der"))
    assert [path.stem for path in rejected] == [secured.facts.thumbprint]
    secured.let_us_in("")
    order = line.make("jo-let-in", 60)
    line.until(order, "SUCCEEDED")


def test_pinned_certificate_must_be_the_one_shown(secured: Secured, lines: Any) -> None:
    pinned = secured.ours._replace(server_certificate=secured.ours.certificate)
    lines(security=pinned).barred("not the one in")


def test_rotation_does_not_lose_a_running_job(secured: Secured, lines: Any) -> None:
    """Next pair made, trusted at the cell, made current, the old one trusted no more: one job."""
    line = lines()
    order = line.make("jo-rotated", LONG)
    line.until(order, "RUNNING")
    ours = secured.ours
    fresh = security.make_pair(ours.certificate, ours.key, "controller", 365, ".next")
    secured.let_us_in(".next", "")
    assert security.finish_rotation(ours.certificate, ours.key)
    secured.let_us_in("")
    assert security.facts_of(ours.certificate.read_bytes()) == fresh
    heard = len(line.site.states)
    until(lambda: len(line.site.states) > heard + 3, what="heard over the new certificate")
    order.stop_asked_by = "simulated technician"
    line.link.want("cell-1", {})
    line.until(order, "CANCELLED")
    assert starts(secured, "jo-rotated") == 1
    with pytest.raises(FileExistsError):
        security.make_pair(ours.certificate, ours.key, "controller", 365)


def test_unexpected_certificate_of_a_cell_is_refused_in_mid_job(
    secured: Secured, lines: Any
) -> None:
    line = lines()
    order = line.make("jo-changed", 400)
    line.until(order, "RUNNING")
    secured.cell.kill()
    until(lambda: not line.site.state["on"], what="noticed")
    order.state = "IN_DOUBT"  # what silence does
    shutil.rmtree(secured.pki / "own")
    secured.cell.start("--resume")
    line.barred("which is not trusted: compare it with the cell's own display")
    assert order.state == "IN_DOUBT"
    kept = security.facts_of(secured.shown).thumbprint
    found = secured.ours.certificate.parent / "rejected" / f"{kept}.der"
    security.trust(secured.ours.trust, found.read_bytes())
    line.until(order, "PAUSED")
    document = {"id": "cmd-resume", "do": "resume", "who": "simulated technician"}
    assert line.link.command("cell-1", document)
    line.until(order, "SUCCEEDED")
    assert starts(secured, "jo-changed") == 1

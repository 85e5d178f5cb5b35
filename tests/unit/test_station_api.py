"""Stations over HTTP: what is to be done, a photo, signing off; pictures, bills, serial numbers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from controller.routed import Place
from dashboards.site_desk import SiteDesk
from fabcommons.floor import BENCH, CELL, MILL, PRINTER
from fabcommons.need import _part, bom_text
from simulators.technician import photo
from support import kit_design
from support.dash_floor import client_of
from support.quick_floor import QuickFloor
from support.quick_parts import greedy, machine, request

PERSON = {"who": "simulated technician"}
GOOD = {**PERSON, "checks": ["No strings", "Pins are straight"], "values": {"gap-um": 150}}


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("floor")
    floor = QuickFloor(folder, plan=greedy)
    floor.people = False
    floor.machines(machine("printer-1", PRINTER), machine("mill-1", MILL))
    floor.machines(machine("cell-1", CELL), machine("bench-1", BENCH))
    floor.stock_up()
    floor.places(Place("rack", "Rack", 6, ["fdm", "mill", "assemble"]))
    floor.design(kit_design.load(folder / "design", photo="true"))
    yield floor
    floor.close()


@pytest.fixture(scope="module")
def page(kit: Any) -> Iterator[httpx.Client]:
    kit.site.submit = lambda run, timeout_s=30.0: kit.answer(run)  # on the thread that asks
    with client_of(SiteDesk(kit.site)) as client:
        yield client


def waits(kit: Any, page: httpx.Client) -> dict[str, Any]:
    """The bench once something is to be done there."""
    for _ in range(60):
        station = page.get("/api/stations/bench-1").json()
        if "order" in station:
            return station
        kit.turn()
    raise AssertionError(kit.words())


def sign(page: httpx.Client, **body: Any) -> httpx.Response:
    return page.post("/api/stations/bench-1/sign-off", json={**PERSON, **body})


def test_a_part_from_its_first_step_to_its_number(kit: Any, page: httpx.Client) -> None:
    [need] = kit.state([request(1, "kit")])
    assert page.get("/api/stations").json()["bench-1"]["state"] == "idle"
    assert waits(kit, page)["instructions"] == "Carry the base to the bench."
    assert page.get("/api/places").json()["rack"]["taken"] > 0
    assert sign(page).json()["message"] == "good"
    glue = waits(kit, page)
    assert (glue["step"], glue["left_s"]) == ("glue", 600)
    assert "wait 600 s" in sign(page).json()["problems"][0]["message"]
    kit.clock.advance_ms(600_000)
    assert sign(page).status_code == 200
    look = waits(kit, page)
    assert (look["photo"], look["checks"]) == (True, GOOD["checks"])
    assert look["measures"][0] == {
        "name": "gap-um", "title": "Gap under the base", "unit": "um", "low": 100, "high": 200,
    }  # fmt: skip
    refused = sign(page, **GOOD).json()["problems"][0]
    assert (refused["field"], refused["message"]) == ("photo", "take a photo first")
    kept = page.post("/api/stations/bench-1/photo", content=photo()).json()
    assert (kept["kind"], kept["width"]) == ("png", 16)
    shown = page.get(f"/api/photos/{kept['sha256']}")
    assert (shown.headers["content-type"], shown.content) == ("image/png", photo())
    assert sign(page, **GOOD, saw="other").status_code == 409
    assert sign(page, **GOOD).json()["message"] == "good"
    bill = page.get(f"/api/needs/{need}/bom").json()
    assert bill["off_mg"] == 0
    assert "mass balances" in bom_text(bill)
    [serial] = bill["serials"]
    part = page.get(f"/api/serials/{serial}").json()
    assert part["need"] == need
    assert {line["material"] for line in part["went_in"] if line["kind"] != "part"} <= {
        "petg", "mdf-6"
    }  # fmt: skip
    assert part["signed"][-1]["photos"] == [kept["sha256"]]
    assert "gap-um 150" in _part(part)


@pytest.mark.parametrize(
    "body", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1\0\x04ab"]
)
def test_what_is_no_picture_is_refused(page: httpx.Client, body: bytes) -> None:
    answer = page.post("/api/stations/bench-1/photo", content=body)
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (422, "body")


def test_a_photo_that_is_too_large_is_refused(page: httpx.Client) -> None:
    answer = page.post("/api/stations/bench-1/photo", content=bytes(4 * 1024 * 1024 + 1))
    assert answer.status_code == 413


def test_nothing_to_sign_is_said(page: httpx.Client) -> None:
    assert sign(page).json()["problems"][0]["message"].startswith("nothing waits")
    assert page.get("/api/stations/none").status_code == 404


def test_routes_are_drawn(kit: Any, page: httpx.Client) -> None:
    drawn = page.get("/api/designs/kit/picture.svg")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    words = "".join(ET.fromstring(drawn.text).itertext())
    for text in ("Print pins", "6 at once (shared)", "or mill mdf-6", "measures gap-um", "x2"):
        assert text in words
    made = page.get("/api/needs/n1/picture.svg").text
    assert "1 of 1 done" in "".join(ET.fromstring(made).itertext())
    for path in ("designs/none/picture.svg", "needs/none/picture.svg", "needs/none/bom"):
        assert page.get(f"/api/{path}").status_code == 404
    assert page.get("/api/serials/none").status_code == 404
    assert page.get("/api/pictures/" + "0" * 64).status_code == 404


def test_a_station_that_was_away_goes_on_with_its_order(kit: Any, page: httpx.Client) -> None:
    kit.state([request(9, "kit")])
    before = waits(kit, page)
    kit.do(lambda tx: tx.machines.change("bench-1", online=False))  # as each start of ours does
    kit.do(lambda tx: tx.touch("bench-1"))
    after = page.get("/api/stations/bench-1").json()
    assert (after["state"], after["order"]) == ("busy", before["order"])
    with kit.site.read() as tx:
        bench = tx.machines.get("bench-1")
    assert (bench.online, bench.ready) == (True, False)
    assert sign(page).json()["message"] == "good"

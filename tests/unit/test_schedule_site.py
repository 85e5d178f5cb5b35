"""A site over a virtual clock: nobody starves behind 42 long needs; the schedule over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from controller import resources
from controller.adapters.store import Tx
from controller.definition import load_design
from controller.joints.changeovers import House
from controller.joints.rolling import Rolling
from controller.values import Community, NeedRequest
from dashboards.site_desk import SiteDesk
from fabcommons.floor import BENCH, MILL, PRINTER
from support.dash_floor import client_of
from support.quick_floor import QuickFloor
from support.quick_parts import machine, request

DESIGNS = Path(__file__).resolve().parents[2] / "designs"
HOUR_MS, LONG_S = 3_600_000, 36_000
BOUND_H = 8


def made_floor(folder: Path, bound_h: int) -> QuickFloor:
    rolling = Rolling(resources.why_not, House(wait_bound_s=bound_h * 3600), None)
    floor = QuickFloor(folder, plan=rolling)
    floor.machines(machine("printer-1", PRINTER), machine("printer-2", PRINTER))
    floor.machines(machine("mill-1", MILL), machine("bench-1", BENCH))
    floor.stock_up()
    floor.design(load_design(DESIGNS / "cable-clip"))
    return floor


def long_need(floor: QuickFloor, number: int, community: str, due_h: int | None) -> str:
    """A need whose print takes ten hours."""
    due_at = None if due_h is None else floor.clock.now_ms() + due_h * HOUR_MS
    asked = NeedRequest(f"{community} {number}", community, "cable-clip", "", 1, due_at=due_at)
    [need] = floor.state([asked])

    def lengthen(tx: Tx) -> None:
        for operation in tx.operations.of_need(need):
            if operation.step == "print":
                tx.operations.change(operation.id, duration_s=LONG_S)

    floor.do(lengthen)
    return need


def wait_h(folder: Path, bound_h: int, most_h: float = 1000) -> float:
    """Hours until the one need of "few" starts, stated while 42 of "many" are in front.

    Looks no further than most_h.
    """
    floor = made_floor(folder, bound_h)
    for community in ("many", "few"):
        floor.do(lambda tx, c=community: tx.communities.put(Community(c, c.title(), 12, 12)))
    for number in range(42):
        long_need(floor, number, "many", due_h=1)
    floor._plan()
    since = floor.clock.now_ms()
    while floor.clock.now_ms() < since + 5 * HOUR_MS:
        floor.turn()
    stated_at = floor.clock.now_ms()
    few = long_need(floor, 0, "few", due_h=2000)
    until_at = stated_at + most_h * HOUR_MS
    while not any(bar.need == few for bar in floor.bars) and floor.clock.now_ms() < until_at:
        floor.turn()
        floor._plan()
    started = [bar.start_at for bar in floor.bars if bar.need == few]
    floor.close()
    return (min([*started, floor.clock.now_ms()]) - stated_at) / HOUR_MS


def test_42_needs_of_ten_hours_delay_one_of_another_by_the_bound_and_two_runs(
    tmp_path: Path,
) -> None:
    """The bound, what runs then (up to 12 h as drawn), and one of the others' past the bound."""
    assert wait_h(tmp_path, BOUND_H) <= BOUND_H + 2 * 1.2 * LONG_S / 3600 + 1


def test_without_the_bound_it_would_have_waited_for_all(tmp_path: Path) -> None:
    far_h = BOUND_H + 4 * LONG_S / 3600
    assert wait_h(tmp_path, 10_000, far_h + 1) > far_h


@pytest.fixture
def page(tmp_path: Path) -> Iterator[tuple[QuickFloor, httpx.Client]]:
    floor = made_floor(tmp_path, 24)
    floor.site.submit = lambda run, timeout_s=30.0: floor.answer(run)  # on the thread that asks
    with client_of(SiteDesk(floor.site)) as client:
        yield floor, client
    floor.close()


def test_the_schedule_over_http(page: tuple[QuickFloor, httpx.Client]) -> None:
    floor, client = page
    empty = client.get("/api/schedule").json()
    assert (empty["operations"], empty["changes"], empty["problems"]) == ([], [], [])
    needs = floor.state([request(n, "cable-clip") for n in range(5)])
    floor._plan()
    view: dict[str, Any] = client.get("/api/schedule").json()
    assert view["machines"]["printer-1"] == "printer-1"
    assert view["by"] in ("rule", "kept")
    assert (view["search"], view["lost"], view["worth"]["unplanned"]) == ("off", 0, 0)
    prints = [op for op in view["operations"] if op["step"] == "print"]
    assert {op["need"] for op in prints} == set(needs)
    waiting = [op for op in prints if op["state"] == "planned"]
    assert waiting
    assert all(op["reason"] and op["starts"].startswith("earliest start in") for op in waiting)
    assert all(op["planned_end_at"] > op["planned_start_at"] >= view["at"] for op in waiting)
    assert {op["takes"] for op in waiting} == {"about 8 min (stated)"}
    floor.run()
    done = client.get("/api/schedule").json()["operations"]
    assert {op["state"] for op in done} == {"done"}
    assert all(op["ended_at"] >= op["started_at"] for op in done if op["step"] == "print")
    floor.clock.advance_ms(2 * HOUR_MS)
    assert client.get("/api/schedule?past_h=1").json()["operations"] == []


def test_what_moved_is_told_newest_first(page: tuple[QuickFloor, httpx.Client]) -> None:
    floor, client = page
    floor.state([request(n, "cable-clip") for n in range(6)])
    floor._plan()
    floor.do(lambda tx: tx.machines.change("printer-2", online=False))
    floor._plan()
    changes = client.get("/api/schedule/changes").json()
    assert [c["seq"] for c in changes] == sorted((c["seq"] for c in changes), reverse=True)
    moved = [c for c in changes if "moved from printer-2 to printer-1" in c["text"]]
    assert moved
    assert "printer-2 is not connected" in moved[0]["why"]
    only = client.get("/api/schedule/changes", params={"operation": moved[0]["operation"]}).json()
    assert {c["operation"] for c in only} == {moved[0]["operation"]}
    assert len(client.get("/api/schedule/changes?limit=1").json()) == 1


@pytest.mark.parametrize("query", ["?past_h=-1", "?past_h=x", "?changes=0", "/changes?limit=9999"])
def test_wrong_questions_are_refused(page: tuple[QuickFloor, httpx.Client], query: str) -> None:
    assert page[1].get(f"/api/schedule{query}").status_code == 422

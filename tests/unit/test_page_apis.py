"""Endpoints of the machine, materials and schedule pages over a small floor."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controller import resources, upkeep
from controller.adapters.store import Tx
from controller.joints import handovers
from controller.picturing import floor_picture
from controller.values import EconomicEvent
from support import dash_asks, dash_furnish

HOUR = upkeep.HOUR_MS


def saw(served: Any, machine: str) -> str:
    return served.get(f"/api/machines/{machine}").json()["machine"]["saw"]


def test_machine_page_tells_orders_program_and_age(shared: Any) -> None:
    page = shared.get("/api/machines/printer-2").json()
    assert page["machine"]["state"] == "clear"
    assert [order["id"] for order in page["orders"]] == ["o-2"]
    assert page["orders"][0]["words"] == "done" or page["orders"][0]["words"]
    assert page["seen_at"] and page["at"]
    assert shared.get("/api/machines/nobody").status_code == 404


def test_a_machine_out_of_use_gets_nothing_until_it_is_back(desk: Any, served: Any) -> None:
    body = {"who": "a technician", "why": "new nozzle", "saw": saw(served, "printer-3")}
    answer = served.post("/api/machines/printer-3/out", json=body)
    assert answer.status_code == 200, answer.text
    page = served.get("/api/machines/printer-3").json()
    assert page["machine"]["state"] == "maintenance"
    assert page["machine"]["why"] == "new nozzle"
    cards = served.get("/api/floor").json()["floor"]["attention"]
    assert not any("printer-3" in key for key in cards), "out of use by choice needs nobody"
    with desk.read() as tx:
        seen = {m.id: m for m in floor_picture(tx).machines}["printer-3"]
    assert (seen.state, seen.fault) == ("maintenance", "new nozzle")
    served.post("/api/machines/printer-3/back", json={"who": "a technician"})
    assert served.get("/api/machines/printer-3").json()["machine"]["state"] == "ready"


def test_taking_out_asks_what_was_seen(served: Any) -> None:
    body = {"who": "a technician", "saw": "idle/not-ready/-/9"}
    assert served.post("/api/machines/printer-3/out", json=body).status_code == 409


def test_maintenance_is_due_by_hours_run_and_noted_once_a_key(desk: Any, served: Any) -> None:
    desk.change(lambda tx: tx.orders.change("o-2", run_ms=30 * HOUR))
    rule = {"what": "grease rails", "every_h": 25}
    assert served.post("/api/machines/printer-2/upkeep-rule", json=rule).status_code == 200
    page = served.get("/api/machines/printer-2").json()
    assert page["due"] == [{"what": "grease rails", "every_h": 25, "left_h": -5.0}]
    done = {"what": "grease rails", "who": "a technician", "note": "both"}
    for _ in range(2):
        served.post("/api/machines/printer-2/upkeep", json=done, headers={"Idempotency-Key": "k-1"})
    page = served.get("/api/machines/printer-2").json()
    assert [(u["what"], u["run_h"]) for u in page["upkeep"]] == [("grease rails", 30.0)]
    assert page["due"][0]["left_h"] == 25.0


def test_stock_reserved_threshold_and_lots(served: Any) -> None:
    page = served.get("/api/materials").json()
    petg = page["stock"]["petg"]
    assert petg["left_mg"] == 414_000 and petg["loaded_mg"] == 414_000
    assert petg["operations"] == 5 and petg["reserved_mg"] == 5 * 4210
    assert page["lots"]["petg-1"]["code"] == "fab:lot:petg-1"
    low = served.post("/api/thresholds", json={"material": "petg", "low_mg": 500_000}).json()
    assert low["low"] is True
    assert served.get("/api/materials").json()["stock"]["petg"]["low_mg"] == 500_000


def draw_uncertain(tx: Tx) -> None:
    event = EconomicEvent(
        "u-1", "consume", "printer-1", "site", tx.now_ms, "petg-1", None, 3_000,
        measure="uncertain",
    )  # fmt: skip
    from controller.ledger.post import post

    post(tx, event)


def test_weighing_settles_what_is_uncertain_once_a_key(desk: Any, served: Any) -> None:
    desk.change(draw_uncertain)
    assert served.get("/api/materials").json()["lots"]["petg-1"]["uncertain_mg"] == 3_000
    body = {"who": "a technician", "mass_mg": 411_000}
    for _ in range(2):
        answer = served.post(
            "/api/lots/petg-1/weigh", json=body, headers={"Idempotency-Key": "w-1"}
        )
        assert answer.status_code == 200, answer.text
    lot = served.get("/api/materials").json()["lots"]["petg-1"]
    assert lot["mass_mg"] == 411_000 and "uncertain_mg" not in lot


def test_timeline_holds_what_ran_runs_and_is_planned(shared: Any) -> None:
    page = shared.get("/api/timeline").json()
    bars = {bar["id"]: bar for bar in page["rows"]["printer-1"]}
    assert bars["o-1"]["began_at"] and "ended_at" not in bars["o-1"]
    assert bars["op-5"]["start_at"] < bars["op-5"]["end_at"]
    reasons = {wait["id"]: wait["reason"] for wait in page["waits"]}
    assert reasons["op-6"] == "needs petg: load it in printer-3, channel 0"
    assert all(reasons.values()), "nothing waits without a reason"


@pytest.mark.parametrize("machine", ["printer-3", "nobody"])
def test_what_if_a_machine_were_out_changes_nothing(desk: Any, served: Any, machine: str) -> None:
    before = served.get("/api/floor").json()["floor"]["machines"]
    answer = served.get(f"/api/timeline/without/{machine}")
    assert answer.status_code == (404 if machine == "nobody" else 200), answer.text
    assert served.get("/api/floor").json()["floor"]["machines"] == before


def test_what_only_the_machine_out_can_do_is_told_and_in_no_end(served: Any) -> None:
    found = served.get("/api/timeline/without/cell-1").json()
    assert found["operations"] == 1 and found["moved"] == []
    (lost,) = found["unplanned"]
    assert (lost["id"], lost["reason"]) == ("op-3", "cell-1 would be out")
    assert lost["said"] == {"code": "would-be-out", "params": {"machine": "cell-1"}}


def test_a_plan_that_ends_earlier_tells_what_somebody_must_load_for_it(
    desk: Any, served: Any
) -> None:
    desk.change(dash_furnish.furnish)
    found = served.get("/api/timeline/without/printer-1").json()
    assert all(moved["end_without_at"] < moved["end_at"] for moved in found["moved"])
    assert [need["need"] for need in found["moved"]] == ["n-2", "n-4"]
    assert sorted(load["machine"] for load in found["loads"]) == ["printer-2", "printer-3"]
    assert all(load["materials"] == ["petg"] for load in found["loads"])
    idle = served.get("/api/timeline/without/printer-4").json()
    assert (idle["operations"], idle["moved"], idle["loads"]) == (0, [], [])


def test_weighing_needs_a_lot_that_is_here(desk: Any) -> None:
    with desk.store.write() as tx, pytest.raises(Exception, match="no lot"):
        resources.weigh(tx, "nothing", 1, "a technician", "k")


@pytest.mark.parametrize("path", ["/", "/schedule", "/machines/printer-1", "/tv", "/parts/n-1"])
def test_every_page_has_an_address(shared: Any, path: str) -> None:
    answer = shared.get(path)
    assert answer.status_code in (200, 404, 503)
    if answer.status_code == 200:
        assert '<div id="page">' in answer.text


def test_a_person_confirms_where_a_part_lies_and_the_robot_is_asked_once(
    desk: Any, served: Any
) -> None:
    desk.change(dash_asks.pose)
    floor = served.get("/api/floor").json()["floor"]
    assert floor["attention"]["pose:printer-2"]["kind"] == "pose"
    assert "clear:printer-2" not in floor["attention"]
    assert floor["machines"]["printer-2"]["robot"].startswith("cell-1 clears this bed: a part lies")
    path, body = (
        "/api/machines/printer-2/pose",
        {"who": "a camera", "saw": saw(served, "printer-2")},
    )
    assert served.post(path, json={**body, "saw": "busy/not-ready/-/1"}).status_code == 409
    assert served.post(path, json=body).status_code == 200
    with desk.read() as tx:
        found = handovers.read(tx, "printer-2")
    assert (found["state"], found["pose_by"]) == ("posed", "a camera")
    assert served.post(path, json=body).status_code == 409, "nothing is asked any more"
    assert "clear:printer-2" in served.get("/api/floor").json()["floor"]["attention"]
    told = json.dumps({**found, "job": "OFFERED"})

    def send_robot(tx: Tx) -> None:
        tx.site.put(handovers.KEY + "printer-2", told)

    desk.change(send_robot)
    assert not [
        k for k in served.get("/api/floor").json()["floor"]["attention"] if "printer-2" in k
    ]


def test_counting_a_lot_settles_its_pieces_and_closes_what_was_open(desk: Any, served: Any) -> None:
    desk.change(dash_asks.odd)
    page = served.get("/api/materials").json()
    assert [(p["order"], p["planned"], p["taken"]) for p in page["picks"]] == [("o-h5", 4, 5)]
    assert [d["order"] for d in page["discrepancies"]] == ["o-2"]
    ask = {"lot": "screws-m4", "pieces": 397, "who": "a technician"}
    first = served.post("/api/picks/o-h5", json=ask, headers={"Idempotency-Key": "c-1"})
    assert first.json() == {"lot": "screws-m4", "difference": -3}
    again = served.post("/api/picks/o-h5", json=ask, headers={"Idempotency-Key": "c-1"})
    assert again.status_code == 409
    page = served.get("/api/materials").json()
    lot = page["lots"]["screws-m4"]
    assert (page["picks"], lot["pieces"], lot["mass_mg"]) == ([], 397, 397 * 1_150)
    assert [m for m in page["mismatches"] if m["subject"] == "screws-m4"] == []


def test_pages_say_that_the_controller_drains_and_that_a_standby_serves(
    desk: Any, served: Any
) -> None:
    view = served.get("/api/floor").json()
    assert "drain" not in view["floor"] and "standby" not in view
    served.post("/api/drain", json={"on": True, "who": "ada"})
    desk.leads = False
    view = served.get("/api/floor").json()
    assert view["floor"]["drain"] == {"by": "ada"} and view["standby"] is True
    served.post("/api/drain", json={"on": False})
    assert "drain" not in served.get("/api/floor").json()["floor"]

"""A price curve sent to the site: it shapes plans, and what is wrong with one names its field."""

from __future__ import annotations

from typing import Any

import pytest

from controller.joints.changeovers import House
from controller.joints.prices import curve_at
from controller.picture import ENERGY
from controller.picturing import floor_picture

AT = 1_780_000_000_000
HOUR = 3_600_000


def step(hour: int, per_kwh: float) -> dict[str, float]:
    return {"from_at": AT + hour * HOUR, "per_kwh": per_kwh}


def test_a_curve_is_kept_shown_and_given_to_the_planner(desk: Any, served: Any) -> None:
    assert served.get("/api/energy").json()["source"] == "none"
    body = {"steps": [step(0, 0.31), step(2, -0.05)], "unit": "EUR", "who": "ann"}
    answer = served.put("/api/energy", json=body)
    assert answer.status_code == 200, answer.text
    view = served.get("/api/energy").json()
    assert (view["source"], view["unit"], view["by"]) == ("sent", "EUR", "ann")
    assert [one["per_kwh"] for one in view["steps"]][-1] == -0.05
    with desk.read() as tx:
        kept = floor_picture(tx).energy
    assert curve_at(kept, AT + HOUR, House()) == ((0, 310), (3600, -50))
    assert curve_at(kept, AT + 9 * HOUR, House()) == ((0, -50),), "the last price goes on"


def test_a_file_does_as_well_and_nothing_goes_back_to_the_settings(desk: Any, served: Any) -> None:
    text = "time,price\n2026-05-28T20:00Z,120\n2026-05-28T21:00Z,80.5\n"
    assert served.put("/api/energy", json={"csv": text}).status_code == 200
    with desk.read() as tx:
        kept = tx.site.get(ENERGY)
    assert [price for _, price in curve_at(kept, 0, House())] == [120_000, 80_500]
    house = House(energy=lambda at: ((0, 7),))
    assert served.put("/api/energy", json={"steps": []}).json()["source"] == "none"
    with desk.read() as tx:
        assert curve_at(floor_picture(tx).energy, AT, house) == ((0, 7),)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"steps": [{"from_at": AT}]}, "steps.0.per_kwh"),
        ({"steps": [{"from_at": 17, "per_kwh": 1}]}, "steps.0.from_at"),
        ({"steps": [step(0, 1), step(1, 1e9)]}, "steps.1.per_kwh"),
        ({"steps": [step(0, 1), step(3, 1), step(3, 2)]}, "steps.2.from_at"),
        ({"steps": [step(0, 1)], "until": 5}, "until"),
        ({"csv": "2026-05-28T20:00Z,1\nsoon,2\n"}, "csv"),
        ({"csv": "0,1\n3600,2\n"}, "csv"),
        ({"steps": [step(i, 1) for i in range(2001)]}, "steps"),
    ],
)
def test_a_bad_curve_names_its_field_and_changes_nothing(
    served: Any, body: dict[str, Any], field: str
) -> None:
    before = served.get("/api/energy").json()["steps"]
    answer = served.put("/api/energy", json=body)
    assert answer.status_code == 422, answer.text
    assert field in [one.get("field") for one in answer.json()["problems"]]
    assert served.get("/api/energy").json()["steps"] == before


def test_steps_or_a_file_not_both(served: Any) -> None:
    for body in ({}, {"steps": [], "csv": ""}):
        answer = served.put("/api/energy", json=body)
        assert answer.status_code == 422
        assert "either steps or csv" in answer.json()["problems"][0]["message"]

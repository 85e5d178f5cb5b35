"""The summary of a demo, for people and for programs."""

from __future__ import annotations

from dashboards.routes_api import BomView
from fabcommons.report import Report, summary
from fabcommons.verdict import Rows

EMPTY = Rows((), (), (), (), (), ())


def bill(off_mg: int = 0) -> BomView:
    return {
        "need": "n1",
        "lines": [
            {
                "material": "petg",
                "kind": "spool",
                "measured_mg": 4210 + off_mg,
                "uncertain_mg": 0,
                "counted_mg": 0,
                "pieces": 0,
                "scrap_mg": 210,
                "lots": ["spool-1"],
            }
        ],
        "in_mg": 4210 + off_mg,
        "from_others_mg": 0,
        "scrap_mg": 210,
        "delivered_mg": 4000,
        "to_others_mg": 0,
        "lying_mg": 0,
        "in_work_mg": 0,
        "off_mg": off_mg,
        "serials": ["demo-000001"],
    }


def test_assembled_things_show_what_they_took() -> None:
    report = Report(EMPTY, {}, {}, [], 60, 120, bills=(bill(),))
    text = summary(report)
    assert "bill of materials of n1" in text
    assert "mass balances: in 4.210 g" in text
    assert "demo-000001" in text
    assert report.document()["bills"][0]["delivered_mg"] == 4000


def test_a_bill_that_is_off_says_by_how_much() -> None:
    assert "mass is off by 7 mg" in summary(Report(EMPTY, {}, {}, [], 60, 120, bills=(bill(7),)))

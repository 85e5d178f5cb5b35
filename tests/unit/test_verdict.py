"""The verdict of a demo finds every promise that was broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controller.values import EconomicEvent, JobOrder, Lot, LotBalance, Machine, Need
from fabcommons.verdict import Rows, findings, lead_times, mass_lines

NEED = Need("n1", "k", "north", "d", "p", 1, None, "normal", "", "", "delivered", "", 1_000)
ORDER = JobOrder("o1", "n1-1", "printer-1", 1, "SUCCEEDED", "a", [], 0, started_at=5, ended_at=9)
MACHINES = (
    Machine("printer-1", "printer", "mqtt", "Printer 1", {}),
    Machine("mill-1", "mill", "mqtt", "Mill 1", {}),
    Machine("cell-1", "cell", "opcua", "Cell 1", {}),
)
SPOOL = LotBalance(Lot("s", "petg", "spool", ug_per_m=3_000_000, machine="printer-1", ch=0), 0, 0)
PLATES = LotBalance(Lot("p", "mdf-6", "plate", 38_000, machine="mill-1", ch=0), 0, 0)
DRAWN = EconomicEvent("e1", "consume", "printer-1", "printer-1", 5, lot="s", mass_mg=3_000)
CUT = EconomicEvent("e2", "consume", "mill-1", "mill-1", 5, lot="p", mass_mg=38_000)
TRUTHS: dict[str, dict[str, Any]] = {
    "printer-1": {"extruded_nm_by_tool": [1_000_000_000], "programs": [{}]},
    "mill-1": {"programs_ended": 1, "pieces": 1},
    "cell-1": {"starts": {"o3.7": 1}},
}
ORDERS = (
    ORDER,
    replace(ORDER, id="o2", machine="mill-1"),
    replace(ORDER, id="o3", machine="cell-1"),
)
GOOD = Rows((NEED,), ORDERS, MACHINES, (SPOOL, PLATES), (DRAWN, CUT), ())


def test_a_floor_that_kept_its_promises() -> None:
    assert findings(GOOD, TRUTHS) == []
    assert [line.physical_mg for line in mass_lines(GOOD, TRUTHS)] == [38_000, 3_000]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (replace(GOOD, needs=(replace(NEED, state="making"),)), "need n1 is making"),
        (
            replace(GOOD, orders=(*ORDERS, replace(ORDER, id="o4", state="RUNNING"))),
            "o4 on printer-1 is still RUNNING",
        ),
        (replace(GOOD, events=(replace(DRAWN, mass_mg=2_999), CUT)), "physically drew 3000 mg"),
        (replace(GOOD, events=(replace(DRAWN, mass_mg=3_001), CUT)), "physically drew 3000 mg"),
        (replace(GOOD, events=(DRAWN,)), "mill-1 physically drew 38000 mg"),
        (replace(GOOD, discrepancies=("lot s: 1 mg",)), "does not balance: lot s: 1 mg"),
        (replace(GOOD, orders=ORDERS[1:]), "ran 1 programs for 0 started orders"),
    ],
)
def test_a_broken_promise_is_found(rows: Rows, words: str) -> None:
    assert words in "; ".join(findings(rows, TRUTHS))


def test_a_program_that_ran_twice_is_found() -> None:
    twice = {**TRUTHS, "printer-1": {**TRUTHS["printer-1"], "programs": [{}, {}]}}
    assert "ran 2 programs for 1 started orders" in findings(GOOD, twice)[0]


def test_declared_uncertainty_is_no_error_but_bounds_it() -> None:
    unsure = replace(DRAWN, key="e3", mass_mg=500, measure="uncertain")
    assert findings(replace(GOOD, events=(DRAWN, unsure, CUT)), TRUTHS) == []
    wrong = replace(DRAWN, mass_mg=3_001)
    assert findings(replace(GOOD, events=(wrong, unsure, CUT)), TRUTHS)


def labelled(*labels: str) -> dict[str, dict[str, Any]]:
    programs = [{"label": label} for label in labels]
    return {**TRUTHS, "printer-1": {**TRUTHS["printer-1"], "programs": programs}}


def test_a_physical_start_belongs_to_the_order_of_its_label() -> None:
    orders = (replace(ORDER, label="n1-1 print"), *ORDERS[1:])
    rows = replace(GOOD, orders=orders)
    assert findings(rows, labelled("n1-1 print")) == []
    found = "; ".join(findings(rows, labelled("n9-9 print")))
    assert "ran 0 programs n1-1 print for 1 started" in found
    assert "ran 1 programs n9-9 print for 0 started" in found


def test_a_start_that_was_cut_short_may_have_reached_the_machine_or_not() -> None:
    failed = replace(ORDER, label="a", state="FAILED")
    again = replace(ORDER, id="o9", label="a")
    rows = replace(GOOD, orders=(failed, again, *ORDERS[1:]))
    assert findings(rows, labelled("a")) == []
    assert findings(rows, labelled("a", "a")) == []
    assert findings(rows, labelled("a", "a", "a"))
    assert findings(rows, labelled())


def test_lead_times_by_community() -> None:
    done = replace(NEED, delivered_at=61_000)
    assert lead_times([done, replace(done, delivered_at=121_000)]) == {"north": (2, 90.0)}

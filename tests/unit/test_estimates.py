"""Durations are learned robustly; spools are chosen so that rests stay usable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.scheduling.durations import Estimate, Learned, Report, estimate, in_words
from controller.scheduling.spools import Spool, Waste, choose_spool


def test_stated_until_three_reports_then_the_median() -> None:
    assert estimate(600, [900, 910]) == Estimate(600, 0, 2)
    assert estimate(600, [900, 910, 920]) == Estimate(910, 15, 3, "runs")


def test_one_wild_report_moves_nothing_much() -> None:
    calm = estimate(600, [900, 905, 910, 915, 920])
    wild = estimate(600, [900, 905, 910, 915, 90_000])
    assert abs(calm.seconds - wild.seconds) <= 5
    assert wild.spread_s < 30


def test_estimates_in_words() -> None:
    assert in_words(estimate(2520, [])) == "about 42 min (stated)"
    assert in_words(estimate(0, [2400, 2520, 2640])) == "42 min ± 3 min (3 runs)"


def reports(step: str, machine: str, *measured_s: int) -> list[Report]:
    return [Report("clip", "fdm", step, machine, 430, measured) for measured in measured_s]


def test_the_nearest_evidence_counts() -> None:
    learned = Learned(reports("print", "p1", 550, 560, 570) + reports("print", "p2", 500))
    clip = ("clip", "fdm", "print")
    assert learned.of(clip, "p1", 430) == Estimate(560, 15, 3, "runs")
    beyond = [550 - 430, 560 - 430, 570 - 430, 500 - 430]
    assert learned.of(clip, "p2", 430).seconds == 430 + sum(sorted(beyond)[1:3]) // 2
    other = learned.of(("jaw", "fdm", "print"), "p1", 1000)
    assert (other.seconds, other.source) == (1130, "runs on p1"), "heating is learned first"
    assert learned.of(("jaw", "mill", "mill"), "m1", 300) == Estimate(300, 0, 0)
    assert in_words(other) == "19 min ± 1 min (3 runs on p1)"


@pytest.mark.parametrize(
    ("need_mg", "lots", "chosen"),
    [
        (10_000, {"a": 50_000, "b": 25_000, "c": 40_000}, "c"),  # b would leave an unusable 15 g
        (10_000, {"a": 50_000, "b": 19_000}, "b"),  # b is of little use already: it goes first
        (10_000, {"a": 50_000, "b": 10_500}, "b"),  # b is used up within the margin
        (10_000, {"a": 10_400}, None),  # need + 5 % is not there
        (10_000, {"a": 12_000}, "a"),  # a poor rest is better than waiting
        (10_000, {}, None),
        (10_000, {"b": 50_000, "a": 50_000}, "a"),
    ],
)
def test_the_spool_whose_rest_stays_usable(
    need_mg: int, lots: dict[str, int], chosen: str | None
) -> None:
    found = choose_spool(need_mg, [Spool(*lot) for lot in lots.items()], Waste())
    assert (found.lot if found else None) == chosen


@given(st.integers(1, 10**6), st.lists(st.integers(0, 10**6)))
def test_never_below_need_and_margin(need_mg: int, masses: list[int]) -> None:
    spools = [Spool(f"s{i}", mass) for i, mass in enumerate(masses)]
    found = choose_spool(need_mg, spools, Waste())
    enough = [spool for spool in spools if spool.mass_mg * 1000 >= need_mg * 1050]
    assert (found is None) == (not enough)
    assert found is None or found in enough

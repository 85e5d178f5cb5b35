"""The page on growth says what the simulation gives; a site's cost does not grow with others."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import scale  # noqa: E402  (a script is on no import path)


def test_the_page_has_the_figures_of_the_simulation() -> None:
    page = scale.PAGE.read_text()
    for row in scale.rows((3, 100, 1_000), scale.Floor()):
        assert row in page


def test_what_a_site_pays_depends_on_what_it_joined_not_on_how_many_there_are() -> None:
    floor = scale.Floor()
    few, many = scale.a_day(200, floor), scale.a_day(2_000, floor)
    assert abs(few.requests / 200 - many.requests / 2_000) < 20
    more = scale.a_day(200, floor._replace(joined=16))
    assert more.requests > 1.9 * few.requests
    assert more.begun > few.begun


def test_everything_begun_had_been_offered_and_room_is_a_bound() -> None:
    tight = scale.Floor(room=1, makes_s=scale.DAY_S, fits=1.0)
    day = scale.a_day(50, tight)
    assert day.begun <= min(day.offered, 50)
    assert max(day.waited_s) <= tight.poll_s

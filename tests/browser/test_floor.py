"""The pages in a real headless Chromium, on a small floor that each page's script drives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.browser import Driver, missing, run_script


@pytest.fixture
def driver(dash_floor: Any, tmp_path: Path) -> Iterator[Callable[[bool], Driver]]:
    """Makes a driver over a filled floor, furnished with history when asked."""
    lack = missing()
    if lack and os.environ.get("CI") != "true":
        pytest.skip(f"not here: {lack}")
    assert not lack, f"not here: {lack}"
    made: list[Driver] = []
    count = iter(range(1000))

    def make(furnished: bool) -> Driver:
        def desk() -> Any:
            folder = tmp_path / f"floor-{next(count)}"
            folder.mkdir()
            found = dash_floor.FakeDesk(folder)
            found.change(dash_floor.fill)
            if furnished:
                from support import dash_commons, dash_furnish

                found.change(dash_furnish.furnish)
                found.change(dash_commons.join_others)
                found.token = found.submit(dash_furnish.open_round)
            return found

        made.append(Driver(desk))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_floor_page(driver: Callable[[bool], Driver]) -> None:
    assert len(run_script("floor.test.mjs", driver(False))) >= 15


def test_pages(driver: Callable[[bool], Driver]) -> None:
    assert len(run_script("pages.test.mjs", driver(True))) >= 11


def test_german(driver: Callable[[bool], Driver]) -> None:
    assert len(run_script("german.test.mjs", driver(True))) >= 7


def test_presses(driver: Callable[[bool], Driver]) -> None:
    assert len(run_script("clicks.test.mjs", driver(True))) >= 20


def test_log_in(driver: Callable[[bool], Driver]) -> None:
    from support.people import populate

    made = driver(False)
    populate(made.desk)
    made.server.gate.register.look()
    assert len(run_script("people.test.mjs", made)) >= 7

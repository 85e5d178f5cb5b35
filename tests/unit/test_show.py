"""Mixed needs over printers, a mill, cells and stations, with failures and a tight rack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def show(tmp_path: Path) -> Any:
    from support import show as module

    return module


def test_all_is_delivered_with_failures_and_a_tight_rack(show: Any, tmp_path: Path) -> None:
    from support.quick_parts import greedy

    made = show.floor(tmp_path, plan=greedy)
    made.stream(show.requests(24), 16)
    made.run()
    assert made.verdict() == []
    assert made.most["rack"] == show.RACK  # it was tight
    assert any(not bar.ok for bar in made.bars)
    assert {bar.machine.rpartition("-")[0] for bar in made.bars} == {
        "printer", "mill", "cell", "bench"
    }  # fmt: skip
    picture = show.timeline(made, "a show")
    assert picture.count("<rect") == len(made.bars)
    made.close()


def test_the_floors_own_planner_keeps_the_promises_too(show: Any, tmp_path: Path) -> None:
    made = show.floor(tmp_path)
    made.state(show.requests(6))
    made.run()
    assert made.verdict() == []
    made.close()

"""The fault campaign on real processes: one small floor; ``make chaos-floor`` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.broker import start_mosquitto
from support.chaos_floor import Plan, RealFloor
from support.floor_acts import ACTS, acts_of

pytestmark = pytest.mark.system
SCRIPT = (
    "storm of all five",
    "kill firmware",
    "cut within a packet",
    "kill controller",
    "kill broker",
    "power cut of a machine",
)


def test_a_floor_that_is_killed_and_lied_to_loses_nothing(tmp_path: Path) -> None:
    start_mosquitto(tmp_path / "asked").close()  # skipped where there is none
    plan = Plan(seed=7, printers=2, mills=1, needs=3, every_s=2.0, script=SCRIPT,
                machine_faults=False, freezes_s=(2.0,), weather_s=6.0)  # fmt: skip
    with RealFloor(plan, tmp_path / "floor") as floor:
        found = floor.run()
        acts = (tmp_path / "floor" / "acts.log").read_text()
    assert found.all() == [], acts
    assert list(floor.done) == list(SCRIPT), acts
    assert found.figures["physical starts"] >= plan.needs
    assert found.figures["reports"] >= 3 * plan.needs


def test_every_act_is_for_one_kind_of_store_at_least() -> None:
    assert {*acts_of(postgres=True), *acts_of(postgres=False)} == set(ACTS)

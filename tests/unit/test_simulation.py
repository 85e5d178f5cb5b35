"""The same story for every policy; machines do what they can and no more; the plan pays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from controller.scheduling.calendars import earliest_fit
from controller.scheduling.simulation.engine import Floor
from controller.scheduling.simulation.measures import hindsight, outcome
from controller.scheduling.simulation.plots import page
from controller.scheduling.simulation.policies import policies
from controller.scheduling.simulation.scenario import Scenario, Story, tell
from fabcommons.cli import main

SMALL = Scenario({"print": 2, "mill": 1, "assemble": 1}, days=4, mtbf_h=30.0)
NIGHT = tuple((d * 86_400, d * 86_400 + 8 * 3600) for d in range(20))
FOREVER = 10**9


@pytest.fixture(scope="module")
def story() -> Story:
    return tell(SMALL)


def check_physical(story: Story, floor: Floor) -> None:
    """No machine does two things at once, runs while broken, or is set up by nobody."""
    ends = {ran.operation: ran.end_s for ran in floor.ran if not ran.spoilt}
    operations = {operation.name: operation for operation in story.operations}
    free: dict[str, int] = {}
    for ran in sorted(floor.ran, key=lambda one: one.begun_s):
        assert ran.begun_s >= free.get(ran.machine, 0)
        free[ran.machine] = ran.end_s
        operation = operations[ran.operation]
        assert ran.machine in operation.eligible
        assert all(ends[before] <= ran.begun_s for before in operation.after)
        for start, end in story.down[ran.machine]:
            assert ran.end_s <= start or ran.begun_s >= end or (ran.spoilt and ran.end_s == start)
        if not ran.spoilt:
            set_up = earliest_fit(ran.begun_s, ran.setup_s, NIGHT) if ran.setup_s else ran.begun_s
            run_s = round(operation.seconds_on(ran.machine) * story.factor[ran.operation])
            over = set_up + ran.setup_s + max(1, run_s)
            person_s = story.person_s[ran.operation]
            assert ran.end_s == earliest_fit(over, 1, NIGHT) + person_s


@pytest.mark.parametrize("name", policies(2))
def test_every_policy_makes_everything_and_nothing_impossible(story: Story, name: str) -> None:
    floor = Floor(story, NIGHT)
    floor.play(policies(2)[name](), FOREVER)
    assert set(floor.done) == {operation.name for operation in story.operations}
    check_physical(story, floor)


def test_the_same_seed_tells_the_same_story_and_a_bought_machine_changes_no_need() -> None:
    once, again = tell(SMALL), tell(SMALL)
    assert once == again
    bought = tell(replace(SMALL, added={"mill": 1}))
    assert bought.jobs == once.jobs
    assert bought.factor == once.factor
    assert {m.name for m in bought.machines} - {m.name for m in once.machines} == {"mill 2"}
    assert all(bought.down[name] == windows for name, windows in once.down.items())


def test_the_plan_is_better_than_first_come_and_nothing_beats_the_proven_bound(
    story: Story,
) -> None:
    known = policies(4)
    first, planned = (
        outcome(name, story, (), known[name]()) for name in ("first come", "plan by search")
    )
    yardstick = hindsight(story, (), 0.0)
    assert planned.weighted_tardiness_h < first.weighted_tardiness_h
    assert yardstick.proven_h <= planned.weighted_tardiness_h
    assert yardstick.proven_h <= yardstick.found_h
    assert 0.0 < planned.fairness <= 1.0
    svg = page("a <title>", [first, planned])
    assert "a &lt;title&gt;" in svg
    assert svg.count("<polyline") == 2


def test_the_command_compares_floors(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    chart = tmp_path / "out.svg"
    words = "simulate --days 2 --add mill --policies ATCS --hindsight-s 0 --json --plot"
    assert main([*words.split(), str(chart)]) == 0
    floors = json.loads(capsys.readouterr().out)["floors"]
    assert [floor["floor"] for floor in floors] == ["as it is", "with 1 mill more"]
    assert floors[0]["needs"] == floors[1]["needs"]
    assert chart.read_text().startswith("<svg")


def test_the_command_takes_machines_and_shifts_of_a_site(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    site = tmp_path / "site.yml"
    names = ("printer-1", "printer-2", "mill-1", "cell-1")
    lines = [f"  - {{id: {name}, kind: {name[:-2]}}}" for name in names]
    head = ["site: here", "planning: {shifts: ['mon-fri 08:00-17:00']}", "machines:"]
    site.write_text("\n".join([*head, *lines]))
    words = f"simulate --site {site} --days 2 --add mill --policies ATCS --hindsight-s 0 --json"
    assert main(words.split()) == 0
    said = capsys.readouterr()
    assert "here: print=2,mill=1,assemble=1; people there: mon-fri 08:00-17:00" in said.err
    now, bought = json.loads(said.out)["floors"]
    assert set(now["outcomes"][0]["use"]) == {"print", "mill", "assemble"}
    assert now["needs"] == bought["needs"]
    site.write_text("site: here\nmachines: []\n")
    assert main(["simulate", "--site", str(site), "--days", "1"]) == 2
    assert "lists no machines" in capsys.readouterr().err
    assert main(["simulate", "--site", str(tmp_path / "none.yml")]) == 2


@pytest.mark.parametrize("wrong", ["--policies magic", "--add boat", "--load 9", "--shifts noon"])
def test_the_command_says_what_is_wrong(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", *wrong.split(), "--days", "1"]) == 2
    assert wrong.split(maxsplit=1)[0] in capsys.readouterr().err

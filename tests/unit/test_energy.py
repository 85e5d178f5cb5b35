"""A plan moves into cheap hours where nothing above energy gets worse, and says why it waits."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from controller.scheduling.cli import DONE, UNREADABLE, Wish, solve
from controller.scheduling.documents import from_json, to_json
from controller.scheduling.energy import cheaper, curve_from, from_csv, read_steps
from controller.scheduling.errors import ReadError
from controller.scheduling.planner import Budget, plan
from controller.scheduling.problem import Job, Machine, Operation, Problem, SetupTable
from controller.scheduling.rolling import Care, Known, roll
from controller.scheduling.schedule import Plan, value, violations
from fabcommons.planning import Prices
from support.problems import random_problem

RULE = Budget(0.0)
HOUR = 3600
CURVE = ((0, 400_000), (4 * HOUR, 100_000), (6 * HOUR, 300_000))  # g CO2 a kWh, in thousandths


def floor(due_s: int | None, watts: int = 1000) -> Problem:
    table = SetupTable(("a", "b"), ((0, 600), (600, 0)))
    return Problem(
        (Machine("m", table, "a", power_w=watts),),
        (Job("j", due_s=due_s),),
        (
            Operation("one", "j", {"m": HOUR}, setup_class="a"),
            Operation("two", "j", {"m": HOUR}, after=("one",), setup_class="b"),
        ),
        energy=CURVE,
    )


def test_work_waits_for_the_cheap_hours_and_says_so() -> None:
    problem = floor(due_s=11 * HOUR)
    made = plan(problem, budget=RULE)
    starts = {a.operation: a.start_s for a in made.assignments}
    assert violations(problem, made) == []
    assert starts["two"] == 5 * HOUR
    assert starts["one"] == 5 * HOUR - 600 - HOUR, "what is left of the cheap hours, and before"
    assert value(problem, made).energy_cost == 250_000
    assert value(problem, made).weighted_tardiness == 0
    assert "waits for cheaper energy, from in 3 h" in made.reasons["one"]
    step = roll(problem, Known(made), Care(budget=RULE))
    assert step.by == "kept"
    assert step.assignments == made.assignments


def test_half_of_the_slack_stays_and_what_is_late_does_not_wait() -> None:
    tight = plan(floor(due_s=2 * HOUR + 600 + 2 * HOUR), budget=RULE)
    assert max(a.end_s for a in tight.assignments) <= 3 * HOUR + 600
    late = plan(floor(due_s=0), budget=RULE)
    assert [a.start_s for a in late.assignments] == [0, HOUR + 600]
    undated = plan(floor(due_s=None), budget=RULE)
    assert max(a.end_s for a in undated.assignments) == 2 * HOUR + 600
    idle = plan(floor(due_s=20 * HOUR, watts=0), budget=RULE)
    assert [a.start_s for a in idle.assignments] == [0, HOUR + 600]


@pytest.mark.parametrize("seed", range(80))
def test_cheaper_plans_hold_and_lose_nothing(seed: int) -> None:
    drawn = random_problem(seed)
    machines = tuple(replace(m, power_w=500 * i) for i, m in enumerate(drawn.machines, 1))
    problem = replace(drawn, machines=machines)
    priced = replace(problem, energy=((0, 5000), (70, 1000), (130, 9000), (260, 2000)))
    before = plan(problem, budget=RULE)
    was, after = value(priced, before), cheaper(priced, before)
    now = value(priced, after)
    assert violations(priced, after) == []
    assert now[: now._fields.index("energy_cost")] == was[: was._fields.index("energy_cost")]
    assert now.energy_cost <= was.energy_cost


def test_files_of_prices() -> None:
    assert from_csv("from,price\n0,0.31\n3600,0.2\n") == ((0, 310), (3600, 200))
    times = "2026-11-23T00:00Z, 400\n2026-11-23T01:00+00:00, 90.5\n"
    assert from_csv(times) == ((0, 400_000), (3600, 90_500))
    steps = read_steps(times)
    assert curve_from(steps, steps[0][0] + 1800) == ((0, 400_000), (1800, 90_500))
    assert curve_from(steps, steps[1][0] + 99) == ((0, 90_500),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no price"),
        ("0,1\nnoon,2\n", "line 2: 'noon,2'"),
        ("0,1,2\n", "line 1"),
        ("0,1\n0,2\n", "line 2: 0 is not after"),
        ("0,1\n9,inf\n", "line 2"),
    ],
)
def test_bad_files_of_prices_name_their_line(text: str, words: str) -> None:
    with pytest.raises(ReadError, match=words):
        read_steps(text)


def test_the_command_takes_a_curve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "day.json"
    document.write_text(to_json(replace(floor(due_s=11 * HOUR), energy=())))
    curve = tmp_path / "co2.csv"
    curve.write_text("from_s,g\n0,400\n14400,100\n21600,300\n")
    out = io.StringIO()
    assert solve(document, Wish(0.1, energy=curve, json=True), out) == DONE
    assert json.loads(out.getvalue())["value"]["energy_cost"] == 250_000
    curve.write_text("0,x\n5,y\n")
    assert solve(document, Wish(0.1, energy=curve), out) == UNREADABLE
    assert "co2.csv: line 2" in capsys.readouterr().err
    kept = from_json(to_json(floor(due_s=1)), "day")
    assert kept.energy == CURVE
    with pytest.raises(ReadError, match="energy"):
        from_json(to_json(replace(kept, energy=((5, 1), (5, 2)))), "day")


def test_a_site_reads_its_prices_again_and_keeps_the_last_good_ones(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    prices = Prices(path)
    assert prices(0) == (), "no file yet"
    path.write_text("1970-01-01T00:00Z,1\n1970-01-01T01:00Z,2\n")
    assert prices(1_800_000) == ((0, 1000), (1800, 2000))
    path.write_text("1970-01-01T00:00Z,1\nsoon,2\nlater,3\n")
    assert prices(1_800_000) == ((0, 1000), (1800, 2000))
    path.unlink()
    assert prices(0) == ((0, 1000), (3600, 2000))


def test_nothing_that_was_sent_moves() -> None:
    problem = floor(due_s=11 * HOUR)
    made = plan(problem, budget=RULE)
    assert cheaper(problem, Plan(())) == Plan(())
    assert {a.operation for a in made.assignments} == {"one", "two"}

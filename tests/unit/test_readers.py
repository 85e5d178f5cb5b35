"""Each format is read as it says; wrong files name what is wrong; JSON goes both ways."""

import io
import json
from pathlib import Path

import pytest

from controller.scheduling.cli import DONE, PARTLY, UNREADABLE, Wish, solve
from controller.scheduling.documents import from_json, to_json
from controller.scheduling.errors import ReadError
from controller.scheduling.gantt import gantt
from controller.scheduling.planner import Budget, plan
from controller.scheduling.readers import from_text, read_problem
from controller.scheduling.schedule import violations
from support.problems import random_problem

JOBS = "2 2\n2 2 0 4 1 6 1 1 3\n1 1 0 5\n"
FROM_ONE = "2 2 1.5\n2 2 1 4 2 6 1 2 3\n1 1 1 5\n"
SETUPS = FROM_ONE + "0 1 2\n3 0 5\n6 7 0\n0 0 0\n0 0 0\n0 0 9\n"
ARCS = "# a remark\n3 2 2\n0 2\n1 2\n1 0 4\n2 0 3 1 2\n1 1 7\n"


def test_jobs_and_machines_from_zero_or_one() -> None:
    zero, one = from_text(JOBS, "zero"), from_text(FROM_ONE, "one")
    assert [o.eligible for o in zero.operations] == [{"m0": 4, "m1": 6}, {"m1": 3}, {"m0": 5}]
    assert [o.eligible for o in one.operations] == [{"m1": 4, "m2": 6}, {"m2": 3}, {"m1": 5}]
    assert [m.name for m in one.machines] == ["m1", "m2"]
    assert [o.after for o in zero.operations] == [(), ("1.1",), ()]


def test_set_ups_follow_the_jobs_row_before_column_after() -> None:
    problem = from_text(SETUPS, "setups")
    first, second = problem.machines
    assert first.setups is not None
    assert second.setups is not None
    assert first.setups.seconds == ((0, 1, 2), (3, 0, 5), (6, 7, 0))
    assert second.setups.seconds[2][2] == 9
    assert [o.setup_class for o in problem.operations] == ["1.1", "1.2", "2.1"]


def test_assembly_graphs() -> None:
    problem = from_text(ARCS, "arcs")
    assert [o.after for o in problem.operations] == [(), (), ("1.1", "1.2")]
    assert problem.operations[1].eligible == {"m0": 3, "m1": 2}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "starts with neither"),
        ("one two\n", "'one' is not a whole number"),
        ("2 2\n2 2 0 4", "ends too early"),
        ("1 1\n1 1 5 4\n", "machine 5 does not exist"),
        ("1 " + "1" * 64 + "\n0\n", "machines: must be 0 to 100000"),
        ("-1 1\n0\n", "-1 jobs: must be 0 to 100000"),
        ("1 1\n1 1 0 4\n9 9\n", "2 numbers follow the jobs"),
        ("2 1 1\n0 7\n1 0 4\n1 0 4\n", "arc 0 7 names an operation that does not exist"),
        ('{"machines": []}', "missing required field `jobs`"),
        ('{"machines": [{"name": "a", "setups": "t"}], "jobs": [], "operations": []}', "named 't'"),
        ('{"machines": 3}', "Expected `array`"),
        ("{", "truncated"),
    ],
)
def test_wrong_files_say_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "wrong.txt"
    path.write_text(text)
    with pytest.raises(ReadError) as caught:
        read_problem(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("seed", range(20))
def test_json_goes_both_ways(seed: int) -> None:
    problem = random_problem(seed)
    assert from_json(to_json(problem), "x") == problem


def test_open_floors_with_serve(tmp_path: Path) -> None:
    floor = {
        "name": "floor",
        "time_unit": "min",
        "machines": [
            {"id": 0, "type": "print", "cls": 0, "speed": 0.8},
            {"id": 1, "type": "print", "cls": 1, "speed": 1.25},
        ],
        "serve": {"print": {"0": [0, 1], "1": [1]}},
        "setup": {"print": [[0, 8], [9, 0]]},
        "jobs": [{"id": 0, "release": 1, "due": 90, "weight": 2, "community": 3}],
        "ops": [
            {"id": 0, "job": 0, "type": "print", "req": 0, "family": 1, "work": 35, "pred": []},
            {"id": 1, "job": 0, "type": "print", "req": 1, "family": 0, "work": 10, "pred": [0]},
        ],
    }
    path = tmp_path / "floor.json"
    path.write_text(json.dumps(floor))
    problem = read_problem(path)
    assert problem.operations[0].eligible == {"print-0": 44 * 60, "print-1": 28 * 60}
    assert problem.operations[1].eligible == {"print-1": 8 * 60}
    assert (problem.jobs[0].release_s, problem.jobs[0].due_s) == (60, 5400)
    assert violations(problem, plan(problem, budget=Budget(0.0))) == []


def test_solving_a_file_prints_json_and_draws(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(JOBS)
    out, chart = io.StringIO(), tmp_path / "chart.svg"
    code = solve(tmp_path / "a.txt", Wish(0.6, json=True, gantt=chart), out)
    shown = json.loads(out.getvalue())
    assert code == DONE
    assert shown["makespan"] == shown["bound"] == 9
    assert shown["violations"] == []
    assert shown["cpu_s"] < 30
    assert chart.read_text().count("<rect") == 3


def test_solving_a_folder_goes_on_after_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(JOBS)
    (tmp_path / "b.txt").write_text("nothing")
    (tmp_path / "c.txt").write_text("1 1\n1 0\n")
    out = io.StringIO()
    assert solve(tmp_path, Wish(0.1, json=True), out) == UNREADABLE
    shown = json.loads(out.getvalue())
    assert [Path(one["file"]).name for one in shown] == ["a.txt", "b.txt", "c.txt"]
    assert shown[2]["problems"][0]["text"] == "1.1: no machine here can do it"
    assert solve(tmp_path / "c.txt", Wish(0.1, json=True), out) == PARTLY
    assert solve(tmp_path / "none", Wish(), out) == UNREADABLE


def test_the_chart_escapes_names() -> None:
    problem = from_text(JOBS, "<&>")
    assert "<title>&lt;&amp;&gt;: 9 s</title>" in gantt(problem, plan(problem, budget=Budget(0.0)))

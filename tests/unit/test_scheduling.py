"""Bad input names its operation and the rest is planned; reasons say what binds."""

import pytest

from controller.scheduling.calendars import earliest_fit, in_words, merged
from controller.scheduling.planner import Budget, plan
from controller.scheduling.problem import (
    Fixed,
    Job,
    Machine,
    Operation,
    Problem,
    SetupTable,
    Stock,
)
from controller.scheduling.schedule import Assignment, Plan, makespan, value, violations

M1, M2 = Machine("m1"), Machine("m2")
JOB = Job("clamp", due_s=10_000)
GOOD = Operation("good", "clamp", {"m1": 60})


def problem(*operations: Operation, jobs: tuple[Job, ...] = (JOB,)) -> Problem:
    return Problem((M1, M2), jobs, operations, {"petg": Stock(1000)})


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (Operation("bad", "clamp", {"m1": 5}, after=("bad",)), "cycle"),
        (Operation("bad", "clamp", {}), "no_machine"),
        (Operation("bad", "clamp", {"m9": 5}), "no_machine"),
        (Operation("bad", "clamp", {"m1": -5}), "negative_time"),
        (Operation("bad", "clamp", {"m1": 5}, release_s=-1), "negative_time"),
        (Operation("bad", "clamp", {"m1": 5}, materials=(("gold", 1),)), "unknown_material"),
        (Operation("bad", "clamp", {"m1": 5}, materials=(("petg", -1),)), "negative_amount"),
        (Operation("bad", "clamp", {"m1": 5}, materials=(("petg", 1001),)), "no_material"),
        (Operation("bad", "nobody", {"m1": 5}), "unknown_job"),
        (Operation("bad", "clamp", {"m1": 5}, after=("lost",)), "unknown_operation"),
        (Operation("bad", "clamp", {"m1": 5}, fixed=Fixed("m9", 0, 5)), "unknown_machine"),
        (Operation("bad", "clamp", {"m1": 5}, fixed=Fixed("m1", 9, 5)), "negative_time"),
    ],
)
def test_bad_input_names_the_operation_and_the_rest_is_planned(bad: Operation, code: str) -> None:
    follower = Operation("follower", "clamp", {"m2": 5}, after=("bad",))
    made = plan(problem(GOOD, bad, follower), budget=Budget(0.0))
    assert [(p.operation, p.code) for p in made.problems] == [("bad", code)]
    assert "bad" in made.problems[0].text
    assert [a.operation for a in made.assignments] == ["good"]
    assert made.reasons["follower"] == "follower waits for bad, which has no plan"
    assert "bad" in made.reasons["bad"]


def test_a_cycle_names_its_way() -> None:
    one = Operation("one", "clamp", {"m1": 5}, after=("two",))
    two = Operation("two", "clamp", {"m1": 5}, after=("one",))
    made = plan(problem(GOOD, one, two), budget=Budget(0.0))
    assert made.problems[0].text == "one waits for itself through: one -> two -> one"
    assert [p.operation for p in made.problems] == ["one", "two"]


def test_an_impossible_due_is_said_and_planned_late() -> None:
    late = Job("late", due_s=30)
    made = plan(problem(Operation("slow", "late", {"m1": 60}), jobs=(late,)), budget=Budget(0.0))
    assert [(p.operation, p.code) for p in made.problems] == [("slow", "impossible_due")]
    assert made.problems[0].text == "slow cannot end before 60 s; late is due at 30 s"
    assert made.assignments == (Assignment("slow", "m1", 0, 60),)


def test_nothing_to_do_is_an_empty_plan() -> None:
    assert plan(problem(), budget=Budget(0.0)) == Plan(())
    assert makespan(Plan(())) == 0


def test_reasons_say_what_binds() -> None:
    table = SetupTable(("red", "blue"), ((0, 600), (600, 0)))
    floor = Problem(
        (
            Machine("p1", table, "red", manual=True),
            Machine("mill", closed=((0, 7200),)),
        ),
        (JOB, Job("later", release_s=5000)),
        (
            Operation(
                "running", "clamp", {"p1": 60}, setup_class="red", fixed=Fixed("p1", 0, 1800)
            ),
            Operation("print", "clamp", {"p1": 60}, setup_class="blue"),
            Operation("cut", "clamp", {"mill": 60}),
            Operation("finish", "clamp", {"mill": 60}, after=("print", "cut")),
            Operation("glue", "clamp", {"p1": 60}, materials=(("glue", 5),)),
        ),
        {"glue": Stock(0, ((86_400, 5),))},
        unstaffed=((0, 3600),),
    )
    made = plan(floor, budget=Budget(0.0))
    assert violations(floor, made) == []
    reasons = made.reasons
    assert "running" not in reasons
    assert "waits for a person to change over p1, there in 1 h" in reasons["print"]
    assert "waits for mill, which opens in 2 h" in reasons["cut"]
    assert "waits for cut, which ends in 2 h 1 min" in reasons["finish"]
    assert "waits for glue, promised in 24 h" in reasons["glue"]


def test_spans_in_words() -> None:
    assert [in_words(s) for s in (-5, 0, 61, 3600, 12_000, 187_200)] == [
        "now",
        "now",
        "in 2 min",
        "in 1 h",
        "in 3 h 20 min",
        "in 2 d 4 h",
    ]


def test_windows_merge_and_fit() -> None:
    closed = merged([(50, 60), (10, 20), (20, 30), (5, 5)])
    assert closed == ((10, 30), (50, 60))
    cases = {(0, 10): 0, (0, 11): 30, (5, 20): 30, (5, 21): 60, (29, 1): 30, (30, 20): 30}
    assert {case: earliest_fit(*case, closed) for case in cases} == cases


def test_value_is_lexicographic_by_class_of_need() -> None:
    jobs = (
        Job("hard", due_s=0, hard=True),
        Job("urgent", due_s=0, need_class="urgent", weight=2),
        Job("other", due_s=0, weight=3),
    )
    floor = Problem(
        (Machine("m1", power_w=3600),),
        jobs,
        tuple(Operation(job.name, job.name, {"m1": 10}) for job in jobs),
    )
    made = plan(floor, budget=Budget(0.0))
    assert [a.operation for a in made.assignments] == ["hard", "urgent", "other"]
    assert value(floor, made) == (0, 10, 40, 90, 0, 0, 30, 30)

"""The worker may crash or hang; small gains move nothing; nobody waits past the bound."""

import os
import time
from collections.abc import Callable

import pytest

from controller.scheduling.online import Question, Waits, Worker, aged, moved, promised
from controller.scheduling.planner import plan
from controller.scheduling.problem import Job, Machine, Operation, Problem
from controller.scheduling.schedule import Assignment, Plan, violations
from controller.scheduling.solver import Budget

RULE = Budget(0.0)
TWO = Problem(
    (Machine("m1"), Machine("m2")),
    (Job("a", due_s=10), Job("b", due_s=10)),
    (Operation("a1", "a", {"m1": 60, "m2": 60}), Operation("b1", "b", {"m1": 60, "m2": 60})),
)


def crash(_question: Question) -> Plan:
    os._exit(1)


def hang(_question: Question) -> Plan:
    while True:
        time.sleep(60)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "nothing came in 60 s"
        time.sleep(0.01)


def test_a_worker_answers_with_a_valid_plan() -> None:
    worker = Worker(time.monotonic, late_s=60)
    assert worker.ask(Question(TWO, 1, RULE))
    assert not worker.ask(Question(TWO, 1, RULE)), "one question at a time"
    got: list[Plan] = []
    wait_for(lambda: bool(got) or bool(got.extend(p for p in [worker.answer()] if p)))
    assert violations(TWO, got[0]) == []
    worker.close()


def test_a_crash_is_counted_and_the_next_question_is_taken() -> None:
    worker = Worker(time.monotonic, late_s=60, planner=crash)
    assert worker.ask(Question(TWO, 1, RULE))
    wait_for(lambda: worker.answer() is None and worker.lost == 1)
    assert worker.ask(Question(TWO, 1, RULE))
    worker.close()


def test_a_hang_is_ended_when_it_is_late() -> None:
    now = [0.0]
    worker = Worker(lambda: now[0], late_s=5, planner=hang)
    assert worker.ask(Question(TWO, 1, RULE))
    now[0] = 4.0
    assert worker.answer() is None
    assert worker.lost == 0
    now[0] = 6.0
    assert worker.answer() is None
    assert worker.lost == 1
    worker.close()


def at(a1: tuple[str, int], b1: tuple[str, int]) -> Plan:
    return Plan(
        (
            Assignment("a1", a1[0], a1[1], a1[1] + 60),
            Assignment("b1", b1[0], b1[1], b1[1] + 60),
        )
    )


def test_small_gains_move_nothing_and_large_ones_do() -> None:
    together = at(("m1", 0), ("m2", 0))
    a_bit_late = at(("m1", 0), ("m2", 4))
    in_turn = at(("m1", 0), ("m1", 60))
    assert promised(TWO, a_bit_late, together, threshold=0.05) is a_bit_late
    assert promised(TWO, in_turn, together, threshold=0.05) is together
    assert promised(TWO, together, in_turn, threshold=0.05) is together


def test_a_plan_that_no_longer_holds_is_left() -> None:
    broken = Plan((Assignment("a1", "m1", 0, 60),))
    new = at(("m1", 0), ("m2", 0))
    assert promised(TWO, broken, new, threshold=0.5) is new


def test_what_moved_is_said() -> None:
    old = Plan((Assignment("a1", "m1", 0, 60),))
    assert moved(old, at(("m2", 0), ("m2", 60))) == [
        "a1 moved from m1 to m2",
        "b1 is new on m2",
    ]
    assert moved(at(("m1", 0), ("m2", 0)), at(("m1", 0), ("m2", 90))) == ["b1 starts 2 min later"]


HOUR = 3600
BOUND_S, LONG_S = 8 * HOUR, 10 * HOUR


def wait_of_the_other(arrives_s: int, bound_s: int) -> int:
    """42 heavy needs of 10 h by one, one light need of 10 h by another, two machines, ATCS."""
    since = {f"many {i:02}": 0 for i in range(42)} | {"few": arrives_s}
    free = {"m1": 0, "m2": 0}
    served: dict[str, int] = {}
    while True:
        machine = min(free, key=lambda name: (free[name], name))
        now = free[machine]
        here = [name for name, at in since.items() if at <= now]
        if not here:
            free[machine] = arrives_s
            continue
        jobs = tuple(
            Job(name, due_s=10**7, weight=1 if name == "few" else 9, community=name.split()[0])
            for name in here
        )
        operations = tuple(Operation(name, name, {machine: LONG_S}) for name in here)
        problem = Problem((Machine(machine),), jobs, operations)
        waits = Waits(
            {name: now - since[name] for name in here},
            {community: now - at for community, at in served.items()},
        )
        made = plan(aged(problem, waits, bound_s), budget=RULE)
        first = min(made.assignments, key=lambda a: a.start_s).operation
        if first == "few":
            return now - arrives_s
        free[machine] = now + LONG_S
        served[first.split()[0]] = now
        del since[first]


@pytest.mark.parametrize("arrives_s", [0, 36_000, 70_000])
def test_one_with_42_long_needs_delays_nobody_past_the_bound(arrives_s: int) -> None:
    """At most the bound, what runs, and one operation of each other community past its bound."""
    assert wait_of_the_other(arrives_s, BOUND_S) <= BOUND_S + 2 * LONG_S


def test_without_the_bound_the_same_need_would_starve() -> None:
    assert wait_of_the_other(36_000, 10**9) > 10 * LONG_S

"""The worker may crash or hang; small gains move nothing; nobody waits past the bound."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from controller.scheduling.online import moved, promised
from controller.scheduling.planner import plan
from controller.scheduling.problem import Job, Machine, Operation, Problem
from controller.scheduling.schedule import Assignment, Plan, violations
from controller.scheduling.solver import Budget
from controller.scheduling.waiting import Waits, aged
from controller.scheduling.worker import Limits, Question, Worker, make_plan
from support.waiting import until

RULE = Budget(0.0)
TWO = Problem(
    (Machine("m1"), Machine("m2")),
    (Job("a", due_s=10), Job("b", due_s=10)),
    (Operation("a1", "a", {"m1": 60, "m2": 60}), Operation("b1", "b", {"m1": 60, "m2": 60})),
)


def crash(_question: Question) -> Plan:
    os._exit(1)


def hang(_question: Question) -> Plan:
    threading.Event().wait()
    raise AssertionError("nothing wakes it")


def nothing() -> None:
    """Be ready at once."""


def worker_of(planner: Callable[[Question], Plan], now: list[float]) -> Worker:
    return Worker(lambda: now[0], Limits(late_s=5, ready_s=60), planner, nothing)


def test_a_worker_answers_with_a_valid_plan() -> None:
    worker = worker_of(make_plan, [0.0])
    assert worker.ask(Question(TWO, 1, RULE))
    assert not worker.ask(Question(TWO, 1, RULE)), "one question at a time"
    got: list[Plan] = []
    until(lambda: bool(got) or bool(got.extend(p for p in [worker.answer()] if p)))
    assert violations(TWO, got[0]) == []
    worker.close()


def test_a_crash_is_counted_and_after_a_rest_the_next_question_is_taken() -> None:
    now = [0.0]
    worker = worker_of(crash, now)
    assert worker.ask(Question(TWO, 1, RULE))
    until(lambda: worker.answer() is None and worker.lost == 1)
    assert not worker.ask(Question(TWO, 1, RULE)), "it rests after a loss"
    now[0] = 1.0
    assert worker.ask(Question(TWO, 1, RULE))
    until(lambda: worker.answer() is None and worker.lost == 2)
    now[0] = 2.5
    assert not worker.ask(Question(TWO, 1, RULE)), "and longer after a second in a row"
    worker.close()


def test_a_hang_is_ended_when_it_is_late() -> None:
    now = [0.0]
    worker = worker_of(hang, now)
    assert worker.ask(Question(TWO, 1, RULE))
    until(lambda: worker.answer() is None and worker.state == "busy")
    now[0] = 4.0
    assert worker.answer() is None
    assert worker.lost == 0
    now[0] = 6.0
    assert worker.answer() is None
    assert worker.lost == 1
    worker.close()


def test_a_stopped_process_blocks_nobody() -> None:
    now = [0.0]
    worker = worker_of(make_plan, now)
    assert worker.ask(Question(TWO, 1, RULE))
    until(lambda: worker.answer() is not None)
    os.kill(worker.pid, signal.SIGSTOP)
    many = tuple(Operation(f"o{i}", "a", {"m1": 1}) for i in range(20_000))
    assert worker.ask(Question(Problem(TWO.machines, TWO.jobs, many), 1, RULE)), "returns at once"
    now[0] = 9.0
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

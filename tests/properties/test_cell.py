"""A cell, the adapter's ledge and a site over a line that loses, doubles and delays.

Whatever happens, a job order is begun at most once, events are legal (the site refuses others),
and an order that ended well was assembled exactly once.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.opcua.condition import Condition
from controller.adapters.opcua.ledge import Ledge, Plan
from controller.adapters.opcua.mapping import Amount, Known, Seen, SeenJob
from protocols import isa95
from protocols.orders import step
from simulators.cell.core import Cell, CellConfig, JobOrder, Requirement
from simulators.cell.faults import parse_faults

STEP_MS = 30_000
LATE_MS = 180_000  # longer than a job takes
LOTS = [{"ch": 0, "lot": "screws", "piece_mg": 1200}, {"ch": 1, "lot": "glue", "piece_mg": 300}]
MOVES = st.lists(
    st.sampled_from(
        [
            *("time", "time", "time", "round", "round", "round", "clear", "pause", "resume"),
            *("lose-commit", "lose-answer", "late", "restart-kept", "restart-lost"),
            *("controller-dies", "silence", "stop", "person-bad"),
        ]
    ),
    max_size=80,
)
FAULTS = st.sampled_from(
    ["", "gripper:1:50", "protective_stop:1:30:10000", "refuse:1", "estop:2:10"]
)


class World:
    """One cell, one order at a time, one adapter without a network."""

    def __init__(self, cells: Any, faults: str) -> None:
        self.site = cells.FakeSite(LOTS)
        self.ledge = Ledge(self.site, "cell-1")
        self.config = CellConfig(faults=tuple(parse_faults([faults])))
        self.cell = Cell(self.config)
        self.now_ms = 1_000_000
        self.run = 1
        self.late: list[tuple[JobOrder, int]] = []
        self.unsure = False
        self.fresh = ""
        self.refused = ("", "")
        self.ep = 0

    def seen(self) -> Seen:
        jobs = {}
        for job_id, job in self.cell.jobs.items():
            consumed = tuple(
                (r.lot, Amount(job.picked(i))) for i, r in enumerate(job.order.requirements)
            )
            begun = job.state.number > isa95.ALLOWED
            jobs[job_id] = SeenJob(
                job.state, begun, job.result, job.reason, job.started_at, job.ended_at, consumed
            )
        stops = (self.cell.emergency_stop, self.cell.protective_stop)
        return Seen(f"c{self.run}", jobs, "stopped" if any(stops) else "", Condition(*stops))

    def known(self, job_id: str) -> Known:
        refused = self.refused[1] if self.refused[0] == job_id else ""
        return Known(job_id == self.fresh or not (self.unsure or self.late), refused)

    def round(self, act: bool = True, answer: bool = True, late: bool = False) -> None:
        self.cell.step(self.now_ms)
        seen = self.seen()
        plan: Plan = self.site.submit(lambda tx: self.ledge.observe(tx, seen, self.known))
        if not act:
            return
        for method, job_id in plan.stale:
            self.cell.call(method, job_id, self.now_ms)
        self.fresh = plan.claimed or self.fresh
        if plan.wanted is not None:
            self.store(plan, answer, late)
        elif plan.call is not None:
            self.cell.call(*plan.call, self.now_ms)

    def store(self, plan: Plan, answer: bool, late: bool) -> None:
        assert plan.wanted is not None
        needs = tuple(Requirement("", lot, n) for lot, n in plan.wanted.requirements)
        order = JobOrder(plan.wanted.job_id, "", "", 0, 60_000, needs)
        self.fresh = ""
        self.unsure = not answer or late
        if late:
            self.late.append((order, self.now_ms + LATE_MS))
            return
        status = self.cell.store("StoreAndStart", order).status
        if answer and not status & isa95.DONE:
            self.refused = (order.id, isa95.explain(status))

    def offer(self) -> None:
        if self.site.open_on("cell-1") is None:
            self.ep += 1
            self.site.offer(f"jo-{self.ep}", self.ep)

    def restart(self, keep: bool) -> None:
        jobs = list(self.cell.jobs.values())
        self.cell = Cell(self.config, self.cell.truth)
        self.cell.restore(jobs if keep else [])
        self.run += 1
        self.late.clear()  # its server is gone and with it what was under way

    def move(self, move: str) -> None:
        self.offer()
        moves = {
            "time": self.pass_time,
            "round": self.round,
            "lose-commit": lambda: self.round(act=False),
            "lose-answer": lambda: self.round(answer=False),
            "late": lambda: self.round(late=True),
            "restart-kept": lambda: self.restart(True),
            "restart-lost": lambda: self.restart(False),
            "controller-dies": self.begin_life,
            "silence": lambda: self.order_event("silence", "GRANTED", "RUNNING", "PAUSED"),
            "person-bad": lambda: self.order_event("resolved_bad", "UNKNOWN"),
            "stop": self.ask_stop,
            "pause": lambda: self.call_all("Pause"),
            "resume": lambda: self.call_all("Resume"),
            "clear": self.clear,
        }
        moves[move]()

    def pass_time(self) -> None:
        self.now_ms += STEP_MS
        self.cell.step(self.now_ms)
        self.carry_out_late()

    def begin_life(self) -> None:
        self.fresh, self.refused, self.unsure = "", ("", ""), True

    def order_event(self, event: str, *states: str) -> None:
        order = self.site.open_on("cell-1")
        if order.state in states:
            order.state = step(order.state, event)

    def ask_stop(self) -> None:
        self.site.open_on("cell-1").stop_asked_by = "a person"

    def call_all(self, method: str) -> None:
        for job_id in list(self.cell.jobs):
            self.cell.call(method, job_id, self.now_ms)

    def carry_out_late(self) -> None:
        """After the time a call can be under way at most, it was carried out or never will be."""
        due = [order for order, at_ms in self.late if at_ms <= self.now_ms]
        self.late = [(order, at_ms) for order, at_ms in self.late if at_ms > self.now_ms]
        for order in due:
            self.cell.store("StoreAndStart", order)
        if not self.late:
            self.unsure = False

    def clear(self) -> None:
        seen = self.seen()
        plan = self.site.submit(lambda tx: self.ledge.observe(tx, seen, self.known))
        for job_id in plan.done:
            assert self.cell.call("Clear", job_id, self.now_ms) == isa95.DONE

    def check(self) -> None:
        truth = self.cell.truth
        assert all(count == 1 for count in truth["starts"].values()), truth
        for order in self.site.orders.values():
            made = truth["assemblies"].get(isa95.format_job_id(order.id, order.ep), 0)
            kinds = self.site.kinds(order.id)
            assert kinds.count("started") <= 1
            assert kinds.count("finished") <= 1
            if order.state == "SUCCEEDED":
                assert made == 1
            if order.state == "WITHDRAWN" and "started" not in kinds:
                assert made == 0, order
        assert self.site.faults == []


@given(moves=MOVES, faults=FAULTS)
@settings(max_examples=300, deadline=None)
def test_at_most_once_whatever_is_lost(cells: Any, moves: list[str], faults: str) -> None:
    world = World(cells, faults)
    for move in moves:
        world.move(move)
        world.check()


def test_undisturbed_line_makes_one_after_the_other(cells: Any) -> None:
    world = World(cells, "")
    for _ in range(60):
        for move in ("round", "time", "clear"):
            world.move(move)
    world.check()
    assert sum(world.cell.truth["assemblies"].values()) >= 3


def test_call_under_way_longer_than_the_job_is_not_sent_again(cells: Any) -> None:
    world = World(cells, "")
    for move in ["late", "round", *["time", "round"] * 4, "clear", *["time"] * 9]:
        world.move(move)
        world.check()
    assert world.cell.truth["starts"]["jo-1.1"] == 1


@pytest.mark.parametrize("text", ["refuse", "refuse:0", "gripper:1", "melt:1:2", "slow:1:x"])
def test_faults_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"known are|whole numbers"):
        parse_faults([text])

"""The floor's clock: from event to event, machines take what the policy says and no more.

An operation holds its machine for its change-over (when somebody is there), its true run time, and
until a person has cleared it. A breakdown spoils what runs: it is made again from the start.
"""

import heapq
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from controller.scheduling.calendars import earliest_fit, merged
from controller.scheduling.problem import Job, Machine, Operation, Window
from controller.scheduling.simulation.scenario import Story

NEWS_S = 900  # an end that is so far from what was expected changes plans


class Ran(NamedTuple):
    """One attempt as it was: change-over and run in seconds, spoilt by a breakdown or not."""

    operation: str
    machine: str
    begun_s: int
    end_s: int
    setup_s: int
    spoilt: bool


class Running(NamedTuple):
    """What a machine does now; ``expected_s`` is when it should be free by what is stated."""

    operation: Operation
    begun_s: int
    expected_s: int
    ran: Ran


class Policy(Protocol):
    """Says what a free machine takes next."""

    def choose(self, floor: "Floor", machine: Machine) -> Operation | None:
        """An operation that is ready for a machine that is free; None = wait."""
        ...

    def changed(self, floor: "Floor") -> None:
        """Something happened that a plan did not know: a need, a breakdown, a repair."""
        ...


class Floor:
    """The floor at ``now_s``; policies read it and see only what people would know."""

    def __init__(self, story: Story, away: tuple[Window, ...]) -> None:
        self.now_s = 0
        self.story, self.away = story, merged(away)
        self.machines = {machine.name: machine for machine in story.machines}
        self.jobs = {job.name: job for job in story.jobs}
        self.operations = {operation.name: operation for operation in story.operations}
        self.held = {machine.name: machine.setup_class for machine in story.machines}
        self.running: dict[str, Running] = {}
        self.down: dict[str, int] = {}
        self.arrived: dict[str, Operation] = {}
        self.done: dict[str, int] = {}
        self.ran: list[Ran] = []
        self._events: list[tuple[int, int, str, str]] = []
        self._followers: dict[str, list[Operation]] = {}

    def ready(self, machine: Machine) -> list[Operation]:
        """Operations a machine could begin now, oldest need first."""
        busy = {running.operation.name for running in self.running.values()}
        return [
            operation
            for operation in self.arrived.values()
            if operation.name not in busy
            and machine.name in operation.eligible
            and all(before in self.done for before in operation.after)
        ]

    def change_s(self, machine: Machine, operation: Operation) -> int:
        """Seconds of change-over a machine needs for an operation now."""
        table = machine.setups
        held = self.held[machine.name]
        if table is None or held not in table.classes:
            return 0
        classes = table.classes
        return table.seconds[classes.index(held)][classes.index(operation.setup_class)]

    def play(self, policy: Policy, until_s: int) -> None:
        """Tell the story under a policy until every need is done, at most until then."""
        for job in self.story.jobs:
            self._at(job.release_s, "need", job.name)
        for machine, windows in self.story.down.items():
            for start, end in windows:
                self._at(start, "down", machine)
                self._at(end, "up", machine)
        by_job: dict[str, list[Operation]] = {}
        for operation in self.story.operations:
            by_job.setdefault(operation.job, []).append(operation)
        left = len(self.operations)
        while self._events and left > len(self.done) and self._events[0][0] <= until_s:
            self.now_s = self._events[0][0]
            news = False
            while self._events and self._events[0][0] == self.now_s:
                _, _, kind, name = heapq.heappop(self._events)
                news |= self._happen(kind, name, by_job)
            if news:
                policy.changed(self)
            self._dispatch(policy)

    def _at(self, at_s: int, kind: str, name: str) -> None:
        heapq.heappush(self._events, (at_s, len(self._events), kind, name))

    def _happen(self, kind: str, name: str, by_job: Mapping[str, list[Operation]]) -> bool:
        """One event; whether a plan could not know it."""
        if kind == "need":
            self.arrived.update({operation.name: operation for operation in by_job[name]})
        elif kind == "up":
            self.down.pop(name, None)
        elif kind == "down":
            self._break(name)
        else:
            return self._finish(kind, name)
        return True

    def _finish(self, operation: str, machine: str) -> bool:
        """An end as it was foreseen, unless a breakdown came first; a plan knows of it."""
        running = self.running.get(machine)
        if running is None or (operation, self.now_s) != (
            running.operation.name,
            running.ran.end_s,
        ):
            return False
        del self.running[machine]
        self.arrived.pop(operation)
        self.done[operation] = self.now_s
        self.ran.append(running.ran)
        return abs(running.expected_s - self.now_s) > NEWS_S

    def _break(self, machine: str) -> None:
        ends = [end for start, end in self.story.down[machine] if start <= self.now_s < end]
        self.down[machine] = max(ends, default=self.now_s)
        running = self.running.pop(machine, None)
        if running is not None:
            self.ran.append(running.ran._replace(end_s=self.now_s, spoilt=True))

    def _dispatch(self, policy: Policy) -> None:
        for name, machine in self.machines.items():
            if name in self.running or name in self.down:
                continue
            chosen = policy.choose(self, machine)
            if chosen is not None:
                self._begin(chosen, machine)

    def _begin(self, operation: Operation, machine: Machine) -> None:
        setup_s = self.change_s(machine, operation)
        begin = earliest_fit(self.now_s, setup_s, self.away) if setup_s else self.now_s
        stated_s = operation.seconds_on(machine.name)
        run_s = max(1, round(stated_s * self.story.factor[operation.name]))
        over = begin + setup_s + run_s
        end = earliest_fit(over, 1, self.away) + self.story.person_s[operation.name]
        ran = Ran(operation.name, machine.name, self.now_s, end, setup_s, False)
        expected = begin + setup_s + stated_s + self.story.usual_person_s
        self.running[machine.name] = Running(operation, self.now_s, expected, ran)
        self.held[machine.name] = operation.setup_class
        self._at(end, operation.name, machine.name)


def ends_of_jobs(floor: Floor) -> dict[Job, int]:
    """When each need was done; those that were not are left out."""
    last: dict[str, int] = {}
    open_jobs = {op.job for op in floor.operations.values() if op.name not in floor.done}
    for name, end in floor.done.items():
        job = floor.operations[name].job
        last[job] = max(last.get(job, 0), end)
    return {floor.jobs[job]: end for job, end in last.items() if job not in open_jobs}

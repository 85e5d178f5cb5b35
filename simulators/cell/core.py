"""The cell itself: a list of job orders, one robot, parts picked as the job goes on.

Pure: the time is handed in (``now_ms``, floor time), nothing is read or sent. What physically
happened is counted in ``truth`` and never forgotten, whatever happens to the job list.
"""

import random
from dataclasses import dataclass
from typing import Any, NamedTuple

from protocols import isa95
from protocols.isa95 import JobState
from simulators.cell.faults import JOB_FAULTS, METHOD_FAULTS, Fault

_WAITING = JobState(isa95.NONE, 0)


class Requirement(NamedTuple):
    """Parts a job needs of one lot."""

    definition: str
    lot: str
    pieces: int


class JobOrder(NamedTuple):
    """What a client asks for; times are floor milliseconds."""

    id: str
    label: str
    work_master: str
    priority: int
    planned_ms: int
    requirements: tuple[Requirement, ...]


@dataclass
class Job:
    """A listed job order and how far it went."""

    order: JobOrder
    state: JobState
    serial: int = 0  # number among the jobs begun, 0 = not begun
    done_ms: int = 0
    plan_ms: int = 0
    started_at: int = 0
    ended_at: int = 0
    result: int = isa95.RESULT_UNKNOWN
    reason: str = ""
    spare: int = 0  # pieces of the first requirement dropped and taken again
    held_until: int = 0  # floor time at which a protective stop is reset; 0 = by Resume

    @property
    def share(self) -> float:
        """Share of the job that is done, 0 to 1."""
        return min(1.0, self.done_ms / self.plan_ms) if self.plan_ms else 0.0

    def picked(self, requirement: int) -> int:
        """Pieces taken so far of one requirement: parts are picked evenly, the first at once."""
        if not self.serial:
            return 0
        total = sum(r.pieces for r in self.order.requirements)
        taken = total if self.share >= 1 else min(total, int(self.share * total) + 1)
        before = sum(r.pieces for r in self.order.requirements[:requirement])
        wanted = max(0, min(self.order.requirements[requirement].pieces, taken - before))
        return wanted + (self.spare if requirement == 0 else 0)


class CellConfig(NamedTuple):
    """Behaviour of a cell."""

    seed: int = 1
    max_orders: int = 20
    default_ms: int = 90_000
    jitter_percent: int = 3
    faults: tuple[Fault, ...] = ()


class Nameplate(NamedTuple):
    """Identification of the cell."""

    name: str = "AssemblyCell"
    serial: str = "CELL-0001"


class Answer(NamedTuple):
    """What a method call came to: ReturnStatus, and the method fault that struck, if any."""

    status: int
    fault: Fault | None


def new_truth() -> dict[str, Any]:
    """What a cell that never moved has done."""
    return {
        "assemblies": {},
        "starts": {},
        "pieces": {},
        "faults": [],
        "stores": 0,
        "jobs": 0,
        "restarts": 0,
        "expected": 0,
    }


class Cell:
    """One robotic assembly cell; ``revision`` grows with every visible change."""

    def __init__(self, config: CellConfig, truth: dict[str, Any] | None = None) -> None:
        self.config = config
        self.truth = truth if truth is not None else new_truth()
        self.jobs: dict[str, Job] = {}
        self.revision = 0
        self.protective_stop = False
        self.emergency_stop = False
        self.restart_wanted = False
        self.deaf_wanted = False  # subscriptions shall be dropped
        self.faults = list(config.faults)
        self._now_ms: int | None = None

    def expect(self, faults: list[Fault]) -> None:
        """Faults of the calls and jobs from now on: the first is the next one."""
        self.truth["expected"] += len(faults)
        self.revision += bool(faults)
        for fault in faults:
            counted = "stores" if fault.kind in METHOD_FAULTS else "jobs"
            self.faults.append(fault._replace(number=fault.number + self.truth[counted]))

    def store(self, method: str, order: JobOrder) -> Answer:
        """Store, StoreAndStart or Update an order."""
        job = self.jobs.get(order.id)
        fault = None
        if method != "Update":
            self.truth["stores"] += 1
            fault = self._method_fault()
        if fault and fault.kind in ("refuse", "error"):
            return Answer(isa95.UNABLE, fault)
        if not order.id or any(r.pieces < 1 for r in order.requirements):
            return Answer(isa95.INVALID_REQUEST, fault)
        status, state = isa95.after_call(method, job.state if job else _WAITING)
        if status != isa95.DONE:
            return Answer(status, fault)
        if job is None and len(self.jobs) >= self.config.max_orders:
            return Answer(isa95.UNABLE, fault)
        self.jobs[order.id] = Job(order, state)
        self.revision += 1
        return Answer(status, fault)

    def call(self, method: str, job_id: str, now_ms: int) -> int:
        """Any method that names an order by its id; the ReturnStatus."""
        job = self.jobs.get(job_id)
        if job is None:
            return isa95.UNKNOWN_ORDER
        if method == "Resume" and (self.protective_stop and job.held_until > now_ms):
            return isa95.INVALID_STATE
        status, state = isa95.after_call(method, job.state)
        if status != isa95.DONE:
            return status
        if state.number == isa95.NONE:
            del self.jobs[job_id]
            self.emergency_stop = False  # whoever clears the place also resets the stop
            self.revision += 1
            return status
        if method == "Resume":
            self.protective_stop = False
        if state.number in isa95.FINAL:
            self._end(job, state, now_ms, f"{method} was called")
        else:
            self._move(job, state, f"{method} was called")
        return status

    def step(self, now_ms: int) -> None:
        """Let time pass up to now_ms: the robot goes on with its job or takes the next one."""
        elapsed = 0 if self._now_ms is None else max(0, now_ms - self._now_ms)
        self._now_ms = now_ms
        job = self._current()
        if job is None:
            self._begin(now_ms)
        elif job.state.number == isa95.RUNNING:
            self._go_on(job, elapsed, now_ms)
        elif self.protective_stop and 0 < job.held_until <= now_ms:
            self.protective_stop = False
            self._move(job, JobState(isa95.RUNNING, 0), "safety reset")

    def restore(self, jobs: list[Job]) -> None:
        """Take back a list kept over a restart: what ran is held, a person resumes or aborts it."""
        for job in jobs:
            if job.state.number in (isa95.RUNNING, isa95.INTERRUPTED):
                job.state = JobState(isa95.INTERRUPTED, isa95.HELD)
                job.reason = "restarted while it ran"
                job.held_until = 0
            self.jobs[job.order.id] = job
        self.revision += 1

    @property
    def busy(self) -> bool:
        """Whether the robot has a job in hand."""
        return self._current() is not None

    @property
    def program(self) -> str:
        """Program loaded in the robot's controller, "" while it has no job."""
        job = self._current()
        return job.order.work_master if job else ""

    @property
    def moving(self) -> bool:
        """Whether the robot moves on its path."""
        job = self._current()
        return job is not None and job.state.number == isa95.RUNNING

    def _current(self) -> Job | None:
        at_work = (isa95.RUNNING, isa95.INTERRUPTED)
        return next((j for j in self.jobs.values() if j.state.number in at_work), None)

    def _begin(self, now_ms: int) -> None:
        ready = [j for j in self.jobs.values() if j.state.number == isa95.ALLOWED]
        if self.emergency_stop or not ready:
            return
        job = max(ready, key=lambda j: j.order.priority)  # the first stored of equal priority
        self.truth["jobs"] += 1
        job.serial = self.truth["jobs"]
        job.started_at = now_ms
        job.plan_ms = self._duration_ms(job.order)
        self._count("starts", job.order.id, 1)
        self._pick(job, [0] * len(job.order.requirements))
        self._move(job, JobState(isa95.RUNNING, 0), "")

    def _duration_ms(self, order: JobOrder) -> int:
        chance = random.Random(f"{self.config.seed}:{order.id}")
        spread = self.config.jitter_percent / 100
        planned = order.planned_ms or self.config.default_ms
        return max(1, round(planned * chance.uniform(1 - spread, 1 + spread)))

    def _go_on(self, job: Job, elapsed: int, now_ms: int) -> None:
        before = [job.picked(i) for i in range(len(job.order.requirements))]
        fault = self._job_fault(job, job.done_ms + elapsed)
        at = job.plan_ms * fault.arguments[0] // 100 if fault else job.done_ms + elapsed
        job.done_ms = min(job.plan_ms, max(job.done_ms, at))
        self._pick(job, before)
        if fault:
            self._strike(job, fault, now_ms)
        elif job.done_ms >= job.plan_ms:
            self._count("assemblies", job.order.id, 1)
            job.result = isa95.RESULT_SUCCESSFUL
            self._end(job, JobState(isa95.ENDED, isa95.COMPLETED), now_ms, "")

    def _strike(self, job: Job, fault: Fault, now_ms: int) -> None:
        self.truth["faults"].append(str(fault))
        if fault.kind == "restart":
            self.restart_wanted = True
        elif fault.kind == "deaf":
            self.deaf_wanted = True
        elif fault.kind == "spare":
            job.spare += 1
            self._count("pieces", job.order.requirements[0].lot, 1)
            self.revision += 1
        elif fault.kind == "protective_stop":
            self.protective_stop = True
            job.held_until = now_ms + fault.arguments[1] if fault.arguments[1] else 0
            self._move(job, JobState(isa95.INTERRUPTED, isa95.HELD), "protective stop")
        else:
            self.emergency_stop = fault.kind == "estop"
            reason = "emergency stop" if self.emergency_stop else "gripper lost the part"
            self._end(job, JobState(isa95.ABORTED, 0), now_ms, reason)

    def _end(self, job: Job, state: JobState, now_ms: int, reason: str) -> None:
        job.ended_at = now_ms
        if job.result == isa95.RESULT_UNKNOWN:
            job.result = isa95.RESULT_UNSUCCESSFUL
        self.protective_stop = False
        self._move(job, state, reason)

    def _move(self, job: Job, state: JobState, reason: str) -> None:
        job.state = state
        job.reason = reason
        self.revision += 1

    def _pick(self, job: Job, before: list[int]) -> None:
        for i, requirement in enumerate(job.order.requirements):
            taken = job.picked(i) - before[i]
            if taken:
                self._count("pieces", requirement.lot, taken)
                self.revision += 1

    def _count(self, what: str, key: str, number: int) -> None:
        self.truth[what][key] = self.truth[what].get(key, 0) + number

    def _method_fault(self) -> Fault | None:
        for fault in self.faults:
            if fault.kind in METHOD_FAULTS and fault.number == self.truth["stores"]:
                self.truth["faults"].append(str(fault))
                return fault
        return None

    def _job_fault(self, job: Job, done_ms: int) -> Fault | None:
        for fault in self.faults:
            mine = fault.kind in JOB_FAULTS and fault.number == job.serial
            if not mine or str(fault) in self.truth["faults"]:
                continue
            if done_ms * 100 >= job.plan_ms * fault.arguments[0]:
                return fault
        return None

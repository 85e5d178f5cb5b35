"""Ways to decide what a free machine takes: simple rules, ATCS, and the plan with its search."""

from collections.abc import Callable
from dataclasses import replace
from math import exp

from controller.scheduling.effort import Budget
from controller.scheduling.planner import plan
from controller.scheduling.problem import Fixed, Job, Machine, Operation, Problem
from controller.scheduling.rolling import Care, Known, roll
from controller.scheduling.schedule import Assignment, Plan
from controller.scheduling.simulation.engine import Floor, Policy
from controller.scheduling.waiting import Waits, aged

AHEAD = 3  # of its turn a machine looks so far for something whose inputs are there
HORIZON_S = 14 * 86_400
Key = Callable[[Floor, Machine, Operation], float]


class Rule:
    """A free machine takes what has the largest index; urgent needs first."""

    def __init__(self, index: Key) -> None:
        self._index = index

    def choose(self, floor: Floor, machine: Machine) -> Operation | None:
        """The ready operation of largest index."""
        ready = floor.ready(machine)
        return max(
            ready,
            key=lambda op: (_urgency(floor.jobs[op.job]), self._index(floor, machine, op)),
            default=None,
        )

    def changed(self, floor: Floor) -> None:
        """Rules look at what is there when they are asked."""


def _urgency(job: Job) -> int:
    return 1 if job.need_class == "urgent" else 0


def _fifo(floor: Floor, machine: Machine, operation: Operation) -> float:
    return -float(floor.jobs[operation.job].release_s)


def _shortest(floor: Floor, machine: Machine, operation: Operation) -> float:
    return -float(operation.seconds_on(machine.name))


def _edd(floor: Floor, machine: Machine, operation: Operation) -> float:
    return -float(floor.jobs[operation.job].due_s or 1 << 60)


def atcs(k1: float, k2: float) -> Key:
    """Apparent tardiness cost with set-ups, look-ahead ``k1``, set-up weight ``k2``."""
    mean_s, mean_setup_s = 5400.0, 1200.0

    def index(floor: Floor, machine: Machine, operation: Operation) -> float:
        job = floor.jobs[operation.job]
        left = sum(op.scale_permille for op in floor.arrived.values() if op.job == operation.job)
        slack = max(0.0, (job.due_s or 1 << 60) - floor.now_s - left)
        change = exp(-floor.change_s(machine, operation) / (k2 * mean_setup_s))
        pressure = exp(-slack / (k1 * mean_s)) + 1e-12
        return job.weight / max(1, operation.seconds_on(machine.name)) * pressure * change

    return index


class Planned:
    """Machines follow the plan in force; what no plan knew makes a new one, by search too."""

    def __init__(self, rounds: int, bound_s: int = 3 * 86_400) -> None:
        self._rounds, self._bound_s = rounds, bound_s
        self._turns: dict[str, list[str]] = {}
        self._plan: tuple[Assignment, ...] = ()
        self._at_s = 0
        self.replans = 0

    def choose(self, floor: Floor, machine: Machine) -> Operation | None:
        """The next of the machine's turn, once its inputs are there."""
        turn = self._turns.get(machine.name, [])
        while turn and (turn[-1] in floor.done or _runs(floor, turn[-1])):
            turn.pop()
        if not turn:
            return None
        for place in range(len(turn) - 1, max(-1, len(turn) - 1 - AHEAD), -1):
            operation = floor.arrived.get(turn[place])
            if operation is None or _runs(floor, operation.name):
                continue
            if all(before in floor.done for before in operation.after):
                del turn[place]
                return operation
        return None

    def changed(self, floor: Floor) -> None:
        """A new plan from the one in force."""
        self.replans += 1
        problem = problem_of(floor, self._bound_s)
        running = self._running(floor)
        found = plan(problem, 1, Budget(rounds=self._rounds), running) if self._rounds else None
        step = roll(problem, Known(running, found), Care(budget=Budget(0.0), threshold=0.01))
        self._plan, self._at_s = step.assignments, floor.now_s
        self._turns = {}
        for one in sorted(step.assignments, key=lambda a: (-a.start_s, a.operation)):
            if not _runs(floor, one.operation):
                self._turns.setdefault(one.machine, []).append(one.operation)

    def _running(self, floor: Floor) -> Plan | None:
        shift = floor.now_s - self._at_s
        kept = (
            Assignment(a.operation, a.machine, a.start_s - shift, a.end_s - shift)
            for a in self._plan
            if a.operation in floor.arrived
        )
        return Plan(tuple(kept)) if self._plan else None


def _runs(floor: Floor, operation: str) -> bool:
    return any(running.operation.name == operation for running in floor.running.values())


def problem_of(floor: Floor, bound_s: int) -> Problem:
    """What people know now as a scheduling problem; zero is now."""
    now = floor.now_s
    operations: list[Operation] = []
    fixed = {running.operation.name: name for name, running in floor.running.items()}
    for operation in floor.arrived.values():
        after = tuple(name for name in operation.after if name not in floor.done)
        place = None
        if operation.name in fixed:
            machine = fixed[operation.name]
            place = Fixed(machine, 0, max(60, floor.running[machine].expected_s - now))
        scale = operation.scale_permille + floor.story.usual_person_s
        operations.append(replace(operation, after=after, fixed=place, scale_permille=scale))
    here = {operation.job for operation in operations}
    jobs = tuple(_job(floor.jobs[name], now) for name in sorted(here))
    machines = tuple(
        replace(
            machine,
            setup_class=floor.held[name],
            closed=((0, floor.down[name] - now),) if name in floor.down else (),
        )
        for name, machine in floor.machines.items()
    )
    ahead = ((a - now, b - now) for a, b in floor.away if b > now and a < now + HORIZON_S)
    away = tuple((max(0, a), b) for a, b in ahead)
    problem = Problem(machines, jobs, tuple(operations), unstaffed=away)
    busy = {running.operation.job for running in floor.running.values()}
    waits = {job.name: now - floor.jobs[job.name].release_s for job in jobs if job.name not in busy}
    return aged(problem, Waits(waits, {}), bound_s)


def _job(job: Job, now: int) -> Job:
    return replace(job, release_s=0, due_s=None if job.due_s is None else max(0, job.due_s - now))


def policies(rounds: int) -> dict[str, Callable[[], Policy]]:
    """Every policy by its name; each call makes a fresh one."""
    return {
        "first come": lambda: Rule(_fifo),
        "shortest": lambda: Rule(_shortest),
        "earliest due": lambda: Rule(_edd),
        "ATCS": lambda: Rule(atcs(2.0, 0.5)),
        "plan by rule": lambda: Planned(0),
        "plan by search": lambda: Planned(rounds),
    }

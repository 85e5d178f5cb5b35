"""A price or carbon curve: read from CSV, and a plan moved into its cheap hours.

The file has two columns, from when and how much a kWh costs (any unit: cents, grams of CO2):
seconds from the plan's zero or ISO 8601 times, ascending; each price holds until the next line.
A plan is moved only where nothing above energy in the objective gets worse: each operation to the
cheapest start before what comes after it, and into at most half of the slack before its due.
"""

import csv
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from controller.scheduling.calendars import earliest_fit, merged
from controller.scheduling.errors import ReadError
from controller.scheduling.problem import Curve, Machine, Operation, Problem, Window
from controller.scheduling.schedule import Assignment, Plan, makespan

THOUSANDTHS = 1000
Steps = tuple[tuple[float, int], ...]


def read_steps(text: str) -> Steps:
    """(seconds or UTC epoch seconds, price in thousandths) by line; ReadError names the line."""
    steps: list[tuple[float, int]] = []
    for number, row in enumerate(csv.reader(text.splitlines()), 1):
        if not row or (number == 1 and not _is_number(row[-1])):
            continue  # an empty line, the heading
        try:
            at, price = (cell.strip() for cell in row)
            steps.append((_moment(at), round(THOUSANDTHS * float(price))))
        except (ValueError, OverflowError) as error:
            form = "write: seconds or an ISO time, a comma, the price of a kWh"
            raise ReadError(f"line {number}: {','.join(row)!r}; {form}") from error
        if len(steps) > 1 and steps[-1][0] <= steps[-2][0]:
            raise ReadError(f"line {number}: {row[0]} is not after the line before")
    if not steps:
        raise ReadError("there is no price in it")
    return tuple(steps)


def curve_from(steps: Steps, zero_s: float) -> Curve:
    """The curve from a plan's zero on; ``zero_s`` is that zero on the steps' own time."""
    last = max((i for i, (at, _) in enumerate(steps) if at <= zero_s), default=0)
    ahead = ((max(0, int(at - zero_s)), price) for at, price in steps[last:])
    return tuple(ahead)


def from_csv(text: str) -> Curve:
    """A curve for a problem file: seconds count from its zero, times from the first line's."""
    steps = read_steps(text)
    return curve_from(steps, steps[0][0] if steps[0][0] > 10 * 365 * 86_400 else 0)


def run_cost(curve: Curve, start_s: int, length_s: int) -> int:
    """Price times seconds of a run; before the first step its price holds."""
    total, at, end = 0, start_s, start_s + length_s
    i = max(0, bisect_right(curve, (at, 1 << 62)) - 1)
    while at < end:
        until = min(curve[i + 1][0], end) if i + 1 < len(curve) else end
        total += curve[i][1] * (until - at)
        at, i = until, i + 1
    return total


def cheaper(problem: Problem, made: Plan) -> Plan:
    """The same plan in cheaper hours: same machines, same order, nothing later that matters."""
    if not problem.energy or not any(machine.power_w for machine in problem.machines):
        return made
    return _Shift(problem, made).run()


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _moment(text: str) -> float:
    if _is_number(text):
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class _Shift:
    """One plan on its way to cheaper hours, from its last operation to its first."""

    def __init__(self, problem: Problem, made: Plan) -> None:
        self.problem, self.made = problem, made
        self.index = {operation.name: operation for operation in problem.operations}
        self.machines = {machine.name: machine for machine in problem.machines}
        self.closed = {machine.name: merged(machine.closed) for machine in problem.machines}
        self.away = merged(problem.unstaffed)
        self.times = [at for at, _ in problem.energy]
        self.placed = {a.operation: a for a in made.assignments}
        self.latest = _latest_ends(problem, self.placed, makespan(made))

    def run(self) -> Plan:
        behind: dict[str, Assignment] = {}
        ordered = sorted(self.made.assignments, key=lambda a: (a.start_s, a.end_s), reverse=True)
        for was in ordered:
            operation, one = self.index[was.operation], was
            if operation.fixed is None and self.machines[was.machine].power_w:
                one = self._moved(was, operation, behind.get(was.machine))
            self.placed[one.operation] = behind[one.machine] = one
            for before in operation.after:
                self.latest[before] = min(self.latest.get(before, one.start_s), one.start_s)
        moved = sorted(self.placed.values(), key=lambda a: (a.start_s, a.operation))
        return replace(self.made, assignments=tuple(moved))

    def _moved(
        self, one: Assignment, operation: Operation, behind: Assignment | None
    ) -> Assignment:
        """At its cheapest start, the latest of equal ones: what comes before has room then."""
        machine, length = self.machines[one.machine], one.end_s - one.start_s
        curve = self.problem.energy
        setup_s = 0 if behind is None else _change_s(machine, operation, self.index[behind[0]])
        last = min(self.latest[one.operation], behind.start_s - setup_s if behind else 1 << 60)
        last -= length
        best, least = one.start_s, run_cost(curve, one.start_s, length)
        for at in self._starts(one.start_s, last, length):
            leaves = behind is None or self._changed(machine, at + length, setup_s) <= behind[2]
            if leaves and earliest_fit(at, length, self.closed[machine.name]) == at:
                cost = run_cost(curve, at, length)
                if cost < least or (cost == least and best > one.start_s):
                    best, least = at, cost
        return one._replace(start_s=best, end_s=best + length)

    def _starts(self, first: int, last: int, length: int) -> Sequence[int]:
        """Later starts worth a look: where a price begins or ends, and the last one possible."""
        low = bisect_right(self.times, first)
        high = bisect_right(self.times, last + length)
        found = {at - off for at in self.times[low:high] for off in (0, length)} | {last}
        return sorted(at for at in found if first < at <= last)

    def _changed(self, machine: Machine, end_s: int, setup_s: int) -> int:
        """When the change-over behind an end is done."""
        away: tuple[Window, ...] = self.away if setup_s and machine.manual else ()
        return earliest_fit(end_s, setup_s, away) + setup_s


def _change_s(machine: Machine, before: Operation, after: Operation) -> int:
    """Seconds of change-over; as long as any where the class held is not known here."""
    table = machine.setups
    if table is None or after.setup_class not in table.classes:
        return 0
    column = table.classes.index(after.setup_class)
    if before.setup_class in table.classes:
        return table.seconds[table.classes.index(before.setup_class)][column]
    return max(row[column] for row in table.seconds)


def _latest_ends(problem: Problem, placed: Mapping[str, Assignment], last_s: int) -> dict[str, int]:
    """When each operation may end at the latest: its job's end, and half the slack to its due."""
    ends: dict[str, int] = {}
    for operation in problem.operations:
        if operation.name in placed:
            end_s = placed[operation.name].end_s
            ends[operation.job] = max(ends.get(operation.job, 0), end_s)
    limits: dict[str, int] = {}
    for job in problem.jobs:
        end_s = ends.get(job.name, 0)
        due_s = job.due_s
        limits[job.name] = last_s if due_s is None else end_s + max(0, due_s - end_s) // 2
    return {o.name: limits[o.job] for o in problem.operations if o.name in placed}

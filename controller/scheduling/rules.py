"""Dispatch rules: a plan in milliseconds, in plain Python, so that a floor always has one.

Time goes forward. Of the operations that could start soonest, the one with the highest index goes
to the machine that would end it first. The index is ATCS (apparent tardiness cost with set-ups,
Lee, Bhaskaran and Pinedo 1997), its neighbour without dues is most work remaining.
"""

import heapq
from collections.abc import Mapping
from math import exp
from typing import NamedTuple

from controller.scheduling.calendars import earliest_fit, merged
from controller.scheduling.pools import Pools
from controller.scheduling.problem import Operation, Problem, SetupTable
from controller.scheduling.rationing import NO_DUE, Ration
from controller.scheduling.schedule import Assignment

CANDIDATES = 32


class Rule(NamedTuple):
    """An index: "atcs" with look-ahead k1 and set-up k2, "edd", or "mwkr" (work remaining)."""

    kind: str
    k1: float = 1.0
    k2: float = 1.0


RULES = (
    Rule("edd"),
    Rule("mwkr"),
    *(Rule("atcs", k1, k2) for k1 in (0.25, 0.5, 1.0, 2.0) for k2 in (0.1, 0.5, 2.0)),
)


class Place(NamedTuple):
    """Where and when an operation would go; ``free_s`` = when machine and inputs are there."""

    end_s: int
    start_s: int
    setup_s: int
    machine: str
    free_s: int


class Floor:
    """The machines while a plan grows: until when each is busy, what it is set up for."""

    def __init__(self, problem: Problem) -> None:
        self.machines = {machine.name: machine for machine in problem.machines}
        self.closed = {machine.name: merged(machine.closed) for machine in problem.machines}
        self.away = merged(problem.unstaffed)
        self.free_s = dict.fromkeys(self.machines, 0)
        self.held = {machine.name: machine.setup_class for machine in problem.machines}
        tables = {id(m.setups): m.setups for m in problem.machines}
        lookups = {key: _setup_lookup(table) for key, table in tables.items()}
        self._setups = {m.name: lookups[id(m.setups)] for m in problem.machines}

    def occupy(self, operation: Operation, machine: str, end_s: int) -> None:
        """Take the machine until ``end_s`` and leave it in the operation's class."""
        self.free_s[machine] = max(self.free_s[machine], end_s)
        if operation.setup_class:
            self.held[machine] = operation.setup_class

    def place_on(self, operation: Operation, machine: str, ready_s: int) -> Place:
        """Earliest place on that machine for an operation whose inputs are there at ``ready_s``."""
        length = operation.seconds_on(machine)
        setup = self._setups[machine].get((self.held[machine], operation.setup_class), 0)
        ready = self.changed_at(machine, setup)
        start = earliest_fit(max(ready, ready_s), length, self.closed[machine])
        free_s = max(ready_s, self.free_s[machine])
        return Place(start + length, start, setup, machine, free_s)

    def changed_at(self, machine: str, setup_s: int) -> int:
        """When the machine's next change-over of that length can have ended."""
        free = self.free_s[machine]
        if setup_s and self.machines[machine].manual:
            free = earliest_fit(free, setup_s, self.away)
        return free + setup_s

    def best(self, operation: Operation, ready_s: int) -> Place:
        """The place that ends first; ties go to the machine listed first."""
        eligible = [machine for machine in operation.eligible if machine in self.machines]
        places = (self.place_on(operation, machine, ready_s) for machine in eligible)
        return min(places, key=lambda place: (place.end_s, place.setup_s))


def _setup_lookup(table: SetupTable | None) -> Mapping[tuple[str, str], int]:
    if table is None:
        return {}
    return {
        (before, after): table.seconds[i][j]
        for i, before in enumerate(table.classes)
        for j, after in enumerate(table.classes)
    }


class Orders(NamedTuple):
    """What every rule needs to know about operations, computed once a problem."""

    operations: dict[str, Operation]
    followers: dict[str, list[str]]
    tail_s: dict[str, int]
    release_s: dict[str, int]
    due_s: dict[str, int]
    weight: dict[str, float]
    mean_s: float
    mean_setup_s: float


def prepare(problem: Problem, order: tuple[str, ...], ration: Ration) -> Orders:
    """Tails, releases, dues and weights of the plannable operations, ``order`` topological."""
    index = {operation.name: operation for operation in problem.operations}
    index = {name: index[name] for name in order}
    jobs = {job.name: job for job in problem.jobs}
    followers: dict[str, list[str]] = {name: [] for name in order}
    for name in order:
        for before in index[name].after:
            followers[before].append(name)
    pools = Pools({machine.name for machine in problem.machines})
    shortest = {name: _shortest(index[name], pools) for name in order}
    tail: dict[str, int] = {}
    for name in reversed(order):
        tail[name] = shortest[name] + max((tail[f] for f in followers[name]), default=0)
    release, due, weight = {}, {}, {}
    for name in order:
        job = jobs[index[name].job]
        earliest = (index[name].release_s, job.release_s, ration.release_s.get(name, 0))
        release[name] = max(earliest)
        due[name] = NO_DUE if job.due_s is None else job.due_s
        weight[name] = job.weight * (1e6 if job.hard else 1e3 if _urgent(job.need_class) else 1.0)
    mean = sum(shortest.values()) / max(1, len(order))
    return Orders(
        index, followers, tail, release, due, weight, max(mean, 1.0), _mean_setup_s(problem)
    )


def _urgent(need_class: str) -> bool:
    return need_class == "urgent"


def _shortest(operation: Operation, pools: Pools) -> int:
    if operation.fixed is not None:
        return operation.fixed.end_s - operation.fixed.start_s
    return pools.shortest_s(operation)


def _mean_setup_s(problem: Problem) -> float:
    tables = {id(m.setups): m.setups for m in problem.machines if m.setups is not None}
    all_s = [s for table in tables.values() for row in table.seconds for s in row]
    return max(1.0, sum(all_s) / max(1, len(all_s)))


def index_of(rule: Rule, name: str, place: Place, orders: Orders) -> float:
    """How much an operation deserves to be next, placed there; larger goes first."""
    slack = orders.due_s[name] - orders.tail_s[name] - place.start_s
    if rule.kind == "mwkr":
        return float(orders.tail_s[name])
    if rule.kind == "edd":
        return -float(orders.due_s[name]) * (1.0 if orders.weight[name] < 1e3 else 1e-3)
    pressure = exp(-max(0, slack) / (rule.k1 * orders.mean_s)) if slack < NO_DUE // 2 else 0.0
    waiting = 1e-12 * orders.tail_s[name]
    change = exp(-place.setup_s / (rule.k2 * orders.mean_setup_s))
    length = max(1, place.end_s - place.start_s)
    return orders.weight[name] / length * (pressure + waiting) * change


def dispatch(problem: Problem, orders: Orders, rule: Rule) -> list[Assignment]:
    """A valid plan of every plannable operation by one rule."""
    run = _Run(problem, orders)
    fixed = [(o.fixed, o) for o in orders.operations.values() if o.fixed is not None]
    fixed.sort(key=lambda pair: (pair[0].start_s, pair[0].end_s))
    for place, operation in fixed:
        run.finish(operation, place.machine, place.start_s, place.end_s)
    for name, count in run.missing.items():
        if count == 0:
            run.push(name)
    while run.heap:
        name, place = run.next(rule)
        run.finish(orders.operations[name], place.machine, place.start_s, place.end_s)
    return run.out


class _Run:
    """One plan being made: what is ready when, and the queue of what could start soonest."""

    def __init__(self, problem: Problem, orders: Orders) -> None:
        self.orders = orders
        self.floor = Floor(problem)
        self.ready = dict(orders.release_s)
        self.missing = {name: len(op.after) for name, op in orders.operations.items()}
        self.out: list[Assignment] = []
        self.heap: list[tuple[int, float, str]] = []
        self._pushed: set[str] = set()

    def push(self, name: str) -> None:
        """Queue an operation whose inputs are known, once; fixed ones never."""
        if self.orders.operations[name].fixed is None and name not in self._pushed:
            self._pushed.add(name)
            heapq.heappush(self.heap, (self.ready[name], 0.0, name))

    def finish(self, operation: Operation, machine: str, start_s: int, end_s: int) -> None:
        """Write an operation into the plan and release what comes after it."""
        self.out.append(Assignment(operation.name, machine, start_s, end_s))
        self.floor.occupy(operation, machine, end_s)
        for follower in self.orders.followers[operation.name]:
            self.ready[follower] = max(self.ready[follower], end_s)
            self.missing[follower] -= 1
            if self.missing[follower] == 0:
                self.push(follower)

    def next(self, rule: Rule) -> tuple[str, Place]:
        """Take the operation that goes next; keys in the heap are lower bounds."""
        soonest: list[tuple[float, str, Place]] = []
        while self.heap and len(soonest) < CANDIDATES:
            if soonest and self.heap[0][0] > soonest[0][2].free_s:
                break
            key_s, _, name = heapq.heappop(self.heap)
            place = self.floor.best(self.orders.operations[name], self.ready[name])
            index = index_of(rule, name, place, self.orders)
            if key_s < place.free_s and self.heap and self.heap[0][0] < place.free_s:
                heapq.heappush(self.heap, (place.free_s, -index, name))
            else:
                soonest.append((index, name, place))
        chosen = max(soonest, key=lambda one: (one[0], -one[2].start_s))
        for index, name, place in soonest:
            if name != chosen[1]:
                heapq.heappush(self.heap, (place.free_s, -index, name))
        return chosen[1], chosen[2]

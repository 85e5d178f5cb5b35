"""What happens on a floor, drawn once by seed, so that every policy faces the same months.

Needs arrive, machines break, runs take longer or shorter than stated, people come when they come.
Nothing of it depends on what a policy does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import NamedTuple

from controller.scheduling.generate import FAMILIES, ROUTES, SETUP_MIN, WORK_MIN
from controller.scheduling.problem import Job, Machine, Operation, SetupTable, Window

HOUR, DAY = 3600, 86_400
WEIGHTS = (1, 2, 2, 4, 8)
CLASS_SHARES = {"normal": 90, "urgent": 3, "floor": 7}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A floor and its months; ``load`` is the share of its busiest machines' time that is asked.

    ``noise`` is the spread of run times (0.2 = usually within 20 %), ``mtbf_h`` mean hours between
    breakdowns of a machine (0 = none), ``person_min`` mean minutes until somebody clears a bed.
    ``added`` machines are bought: they change nothing about what is asked.
    """

    machines: Mapping[str, int]
    days: int = 60
    load: float = 0.8
    seed: int = 1
    noise: float = 0.2
    mtbf_h: float = 200.0
    repair_h: float = 4.0
    person_min: float = 10.0
    communities: int = 4
    added: Mapping[str, int] | None = None


class Story(NamedTuple):
    """The months: machines, jobs and operations as they come in, and what nobody knows before.

    ``factor`` = true over stated run time, ``person_s`` = wait for a person after each operation,
    ``down`` = breakdowns of each machine.
    """

    machines: tuple[Machine, ...]
    jobs: tuple[Job, ...]
    operations: tuple[Operation, ...]
    factor: Mapping[str, float]
    person_s: Mapping[str, int]
    down: Mapping[str, tuple[Window, ...]]
    until_s: int
    usual_person_s: int


def tell(scenario: Scenario) -> Story:
    """The story of a scenario; ValueError when no route can be made on the floor."""
    random = Random(scenario.seed)
    tables = {kind: _table(random, kind) for kind in SETUP_MIN}
    machines = _machines(scenario, tables)
    jobs, operations = _needs(random, scenario, machines)
    names = [operation.name for operation in operations]
    return Story(
        machines,
        jobs,
        operations,
        {name: exp(random.gauss(0.0, scenario.noise)) for name in names},
        {name: _person_s(random, scenario) for name in names},
        {machine.name: _breakdowns(machine.name, scenario) for machine in machines},
        scenario.days * DAY,
        round(60 * scenario.person_min),
    )


def _person_s(random: Random, scenario: Scenario) -> int:
    if scenario.person_min <= 0.0:
        return 0
    return int(random.expovariate(1.0 / (60.0 * scenario.person_min)))


def _table(random: Random, kind: str) -> SetupTable:
    names = tuple(f"{kind} {i}" for i in range(FAMILIES[kind]))
    low, high = SETUP_MIN[kind]
    rows = [[0 if a == b else 60 * random.randint(low, high) for b in names] for a in names]
    return SetupTable(names, tuple(tuple(row) for row in rows))


def _machines(scenario: Scenario, tables: Mapping[str, SetupTable]) -> tuple[Machine, ...]:
    added = scenario.added or {}
    return tuple(
        Machine(f"{kind} {i + 1}", tables[kind], manual=True)
        for kind in SETUP_MIN
        for i in range(scenario.machines.get(kind, 0) + added.get(kind, 0))
    )


def _needs(
    random: Random, scenario: Scenario, machines: tuple[Machine, ...]
) -> tuple[tuple[Job, ...], tuple[Operation, ...]]:
    """Needs at random times, as many as give the load."""
    routes = [r for r in ROUTES if all(scenario.machines.get(kind, 0) for kind in r)]
    if not routes:
        raise ValueError("no need can be made: a route lacks a machine, e.g. add a printer")
    serve = {
        kind: {m.name: 1000 for m in machines if m.name.startswith(kind)} for kind in SETUP_MIN
    }
    gap_s = _gap_s(scenario, routes)
    jobs: list[Job] = []
    operations: list[Operation] = []
    at = random.expovariate(1.0 / gap_s)
    while at < scenario.days * DAY:
        steps = _steps(random, f"n{len(jobs) + 1}", random.choice(routes), serve)
        work_s = sum(step.scale_permille for step in steps)
        due = int(at + work_s * random.uniform(1.5, 4.0) + random.uniform(0.1, 2.0) * DAY)
        jobs.append(_job(random, steps[0].job, (int(at), due), scenario.communities))
        operations += steps
        at += random.expovariate(1.0 / gap_s)
    return tuple(jobs), tuple(operations)


def _job(random: Random, name: str, window: tuple[int, int], communities: int) -> Job:
    kinds, shares = list(CLASS_SHARES), list(CLASS_SHARES.values())
    return Job(
        name,
        window[0],
        window[1],
        random.choice(WEIGHTS),
        random.choices(kinds, shares)[0],
        community=f"community {1 + int(random.random() ** 2 * communities)}",
    )


def _gap_s(scenario: Scenario, routes: list[tuple[str, ...]]) -> float:
    """Mean seconds between needs, so that the busiest kind of machine has the load."""
    busiest = 0.0
    for kind, (low, high) in WORK_MIN.items():
        count = scenario.machines.get(kind, 0)
        if count:
            each_s = 60.0 * (low + high) / 2 + 60.0 * scenario.person_min
            per_need = sum(route.count(kind) for route in routes) / len(routes)
            busiest = max(busiest, per_need * each_s / count)
    return max(1.0, busiest / scenario.load)


def _steps(
    random: Random, job: str, route: tuple[str, ...], serve: Mapping[str, Mapping[str, int]]
) -> list[Operation]:
    """Operations one after another; ``scale_permille`` is the stated work in seconds."""
    out: list[Operation] = []
    for number, kind in enumerate(route, 1):
        low, high = WORK_MIN[kind]
        out.append(
            Operation(
                f"{job}.{number} {kind}",
                job,
                serve[kind],
                (out[-1].name,) if out else (),
                f"{kind} {random.randrange(FAMILIES[kind])}",
                scale_permille=60 * random.randint(low, high),
            )
        )
    return out


def _breakdowns(machine: str, scenario: Scenario) -> tuple[Window, ...]:
    """Windows of a machine's own, whatever other machines there are."""
    random = Random(f"{scenario.seed} {machine}")
    out: list[Window] = []
    if scenario.mtbf_h <= 0:
        return ()
    at = 0.0
    while True:
        at += -log(1.0 - random.random()) * scenario.mtbf_h * HOUR
        if at >= 2 * scenario.days * DAY:
            return tuple(out)
        length = max(600.0, -log(1.0 - random.random()) * scenario.repair_h * HOUR)
        out.append((int(at), int(at + length)))
        at += length

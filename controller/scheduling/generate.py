"""Floors drawn by seed: fab days with set-ups, dues and weights; job shops without dues."""

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from controller.scheduling.problem import Job, Machine, Operation, Problem, SetupTable

KINDS = ("print", "mill", "laser", "assemble")
SHARES = (0.6, 0.19, 0.05, 0.16)  # as much of each kind as its work and change-overs ask for
FAMILIES = {"print": 12, "mill": 8, "laser": 4, "assemble": 3}
SETUP_MIN = {"print": (8, 30), "mill": (12, 36), "laser": (4, 10), "assemble": (8, 16)}
CLASSES = 4
WORK_MIN = {"print": (20, 240), "mill": (10, 90), "laser": (5, 30), "assemble": (10, 60)}
ROUTES = (
    ("print",),
    ("print", "assemble"),
    ("print", "print", "mill", "assemble"),
    ("mill", "assemble"),
    ("laser", "mill"),
    ("print", "laser", "assemble"),
)


def fab_day(machines: int, operations: int, seed: int, load: float = 0.6) -> Problem:
    """A day of a floor of that size; dues are tight enough that a poor plan is late."""
    random = Random(seed)
    floor = _machines(random, machines)
    served = _served(floor)
    jobs: list[Job] = []
    steps: list[Operation] = []
    while len(steps) < operations:
        _add_job(random, jobs, steps, served)
    work_s = sum(step.scale_permille for step in steps)
    horizon = max(4 * 3600.0, work_s / (machines * load))
    jobs = [_dated(random, job, horizon) for job in jobs]
    return Problem(floor, tuple(jobs), tuple(steps), name=f"fab day {machines}x{len(steps)}")


def _machines(random: Random, count: int) -> tuple[Machine, ...]:
    tables = {kind: _table(random, kind) for kind in KINDS}
    out: list[Machine] = []
    for i in range(count):
        kind = KINDS[i] if i < len(KINDS) else random.choices(KINDS, SHARES)[0]
        grade = CLASSES - 1 if i < len(KINDS) else random.randrange(CLASSES)
        out.append(Machine(f"{kind}-{i}-{grade}", tables[kind]))
    return tuple(out)


def _table(random: Random, kind: str) -> SetupTable:
    names = tuple(f"{kind} {i}" for i in range(FAMILIES[kind]))
    low, high = SETUP_MIN[kind]
    rows = tuple(
        tuple(0 if a == b else 60 * random.randint(low, high) for b in names) for a in names
    )
    return SetupTable(names, rows)


def _served(floor: tuple[Machine, ...]) -> dict[tuple[str, int], Mapping[str, int]]:
    """Seconds for 1000 s of work by machine of at least that grade; shared by many operations."""
    served: dict[tuple[str, int], dict[str, int]] = {}
    for i, machine in enumerate(floor):
        kind, _, grade = machine.name.split("-")
        for needed in range(int(grade) + 1):
            served.setdefault((kind, needed), {})[machine.name] = (1250, 1000, 800)[i % 3]
    return dict(served)


def _add_job(
    random: Random,
    jobs: list[Job],
    steps: list[Operation],
    served: Mapping[tuple[str, int], Mapping[str, int]],
) -> None:
    job = Job(
        f"need {len(jobs)}",
        weight=random.choice((1, 2, 2, 4, 8)),
        need_class=random.choices(("normal", "urgent", "floor"), (90, 3, 7))[0],
        community=f"community {random.randrange(8)}",
    )
    before: tuple[str, ...] = ()
    for kind in random.choice(ROUTES):
        low, high = WORK_MIN[kind]
        name = f"{len(jobs)}.{len(steps)}"
        grade = min(CLASSES - 1, int(random.expovariate(1.2)))
        steps.append(
            Operation(
                name,
                job.name,
                served[kind, grade],
                before,
                f"{kind} {random.randrange(FAMILIES[kind])}",
                scale_permille=60 * random.randint(low, high),
            )
        )
        before = (name,)
    jobs.append(job)


def _dated(random: Random, job: Job, horizon: float) -> Job:
    release = int(random.random() * 0.5 * horizon) if random.random() < 0.6 else 0
    due = int(release + horizon * random.uniform(0.15, 1.0))
    return Job(job.name, release, due, job.weight, job.need_class, community=job.community)


class Shop(NamedTuple):
    """A flexible job shop: sizes, how many machines may do an operation, largest change-over."""

    jobs: int
    machines: int
    steps: int
    ways: int
    change_over_s: int = 0


def shop(size: Shop, seed: int) -> Problem:
    """Chains of operations of 1 to 99 s without dues; with change-overs each job is a class."""
    random = Random(seed)
    names = [f"m{i}" for i in range(size.machines)]
    classes = tuple(f"job {j}" for j in range(size.jobs))
    jobs = tuple(Job(name) for name in classes)
    steps: list[Operation] = []
    for job in jobs:
        before: tuple[str, ...] = ()
        for _ in range(random.randint(max(1, size.steps // 2), size.steps)):
            able = random.sample(names, random.randint(1, size.ways))
            name = f"{job.name}.{len(steps)}"
            usual = random.randint(1, 99)
            times = {m: max(1, round(usual * random.uniform(0.8, 1.25))) for m in able}
            steps.append(Operation(name, job.name, times, before, job.name))
            before = (name,)
    table = _between(random, classes, size.change_over_s) if size.change_over_s else None
    floor = tuple(Machine(name, table) for name in names)
    return Problem(floor, jobs, tuple(steps), name=f"shop {size.machines}x{len(steps)}")


def _between(random: Random, classes: tuple[str, ...], most_s: int) -> SetupTable:
    """Seconds from each class to each other one; none within a class."""
    rows = tuple(
        tuple(0 if a == b else random.randint(1, most_s) for b in classes) for a in classes
    )
    return SetupTable(classes, rows)

"""Random scheduling problems for tests: every feature at once, small, deterministic by seed."""

from random import Random

from controller.scheduling.problem import (
    Fixed,
    Job,
    Machine,
    Operation,
    Problem,
    SetupTable,
    Stock,
)

CLASSES = ("red", "blue", "green")


def random_problem(seed: int, size: int = 12) -> Problem:
    """Machines, jobs, links, set-ups, windows, material and started operations drawn by chance."""
    random = Random(seed)
    machines = tuple(_machine(random, f"m{i}") for i in range(random.randint(1, 4)))
    jobs = tuple(_job(random, f"j{i}") for i in range(random.randint(1, 4)))
    operations: list[Operation] = []
    for i in range(random.randint(1, size)):
        operations.append(_operation(random, i, machines, jobs, operations))
    stock = {
        "petg": Stock(random.randint(0, 400), ((random.randint(0, 300), 500),)),
        "mdf": Stock(10_000),
    }
    unstaffed = ((50, 120), (200, 260)) if random.random() < 0.5 else ()
    return Problem(machines, jobs, tuple(operations), stock, unstaffed, f"random-{seed}")


def _machine(random: Random, name: str) -> Machine:
    rows = tuple(tuple(random.choice((0, 5, 20)) for _ in CLASSES) for _ in CLASSES)
    return Machine(
        name,
        SetupTable(CLASSES, rows) if random.random() < 0.7 else None,
        random.choice(("", *CLASSES)),
        ((30, 45), (100, 130)) if random.random() < 0.4 else (),
        manual=random.random() < 0.5,
        power_w=random.choice((0, 300)),
    )


def _job(random: Random, name: str) -> Job:
    return Job(
        name,
        release_s=random.choice((0, 0, 40)),
        due_s=random.choice((None, 60, 200)),
        weight=random.randint(1, 5),
        need_class=random.choice(("floor", "normal", "urgent")),
        hard=random.random() < 0.2,
    )


def _operation(
    random: Random,
    i: int,
    machines: tuple[Machine, ...],
    jobs: tuple[Job, ...],
    earlier: list[Operation],
) -> Operation:
    able = random.sample(machines, random.randint(1, len(machines)))
    fixed = None
    if i < 2 and random.random() < 0.3:
        fixed = Fixed(able[0].name, i * 10, i * 10 + random.randint(1, 30))
    before = random.sample(earlier, min(len(earlier), random.choice((0, 0, 1, 2))))
    return Operation(
        f"o{i}",
        random.choice(jobs).name,
        {machine.name: random.randint(1, 40) for machine in able},
        after=() if fixed else tuple(operation.name for operation in before),
        setup_class=random.choice(("", *CLASSES)),
        materials=(("petg", random.randint(0, 150)),) if random.random() < 0.3 else (),
        release_s=random.choice((0, 0, 25)),
        scale_permille=random.choice((1000, 1000, 1250)),
        fixed=fixed,
    )

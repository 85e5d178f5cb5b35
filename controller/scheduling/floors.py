"""Synthetic fab floors (printers, mills, lasers, assembly) as JSON that describes itself.

``serve[type][requirement]`` lists the classes of machine that may do it; an operation takes
ceil(work / speed) time units; ``setup[type][before][after]`` between families, the first is free.
"""

from math import ceil

import msgspec

from controller.scheduling.errors import ReadError
from controller.scheduling.problem import Job, Machine, Operation, Problem, SetupTable, Window

UNITS = {"s": 1, "min": 60, "h": 3600}


class FloorMachine(msgspec.Struct):
    """A machine of a type, a class and a speed."""

    id: int
    type: str
    cls: int
    speed: float


class FloorJob(msgspec.Struct):
    """A job with its due and weight."""

    id: int
    release: int
    due: int
    weight: int
    community: int


class FloorOperation(msgspec.Struct):
    """An operation: what it requires, its family for set-ups, its work."""

    id: int
    job: int
    type: str
    req: int
    family: int
    work: int
    pred: tuple[int, ...] = ()


class Floor(msgspec.Struct):
    """The whole document."""

    name: str
    machines: tuple[FloorMachine, ...]
    serve: dict[str, dict[str, tuple[int, ...]]]
    setup: dict[str, tuple[tuple[int, ...], ...]]
    jobs: tuple[FloorJob, ...]
    ops: tuple[FloorOperation, ...]
    time_unit: str = "min"
    down: dict[str, tuple[Window, ...]] = {}


def from_floor(text: str) -> Problem:
    """A problem from a floor's JSON; ReadError names what is missing."""
    floor = msgspec.json.decode(text, type=Floor)
    if floor.time_unit not in UNITS:
        raise ReadError(f"time_unit {floor.time_unit!r} is none of {', '.join(UNITS)}")
    unit = UNITS[floor.time_unit]
    names = {op.id: f"{op.job}.{op.id}" for op in floor.ops}
    try:
        operations = tuple(_operation(op, floor, names) for op in floor.ops)
    except KeyError as error:
        raise ReadError(f"an operation names {error}, which is not in the document") from error
    jobs = tuple(
        Job(
            f"job {job.id}",
            unit * job.release,
            unit * job.due,
            job.weight,
            community=f"{job.community}",
        )
        for job in floor.jobs
    )
    return Problem(_machines(floor, unit), jobs, operations, name=floor.name)


def _machines(floor: Floor, unit: int) -> tuple[Machine, ...]:
    tables = {
        kind: SetupTable(
            tuple(f"{kind} {i}" for i in range(len(rows))),
            tuple(tuple(unit * time for time in row) for row in rows),
        )
        for kind, rows in floor.setup.items()
    }
    return tuple(
        Machine(
            _machine_name(machine),
            tables.get(machine.type),
            closed=tuple((unit * a, unit * b) for a, b in floor.down.get(str(machine.id), ())),
        )
        for machine in floor.machines
    )


def _machine_name(machine: FloorMachine) -> str:
    return f"{machine.type}-{machine.id}"


def _operation(op: FloorOperation, floor: Floor, names: dict[int, str]) -> Operation:
    unit = UNITS[floor.time_unit]
    serving = floor.serve[op.type][str(op.req)]
    return Operation(
        names[op.id],
        f"job {op.job}",
        {
            _machine_name(machine): unit * ceil(op.work / machine.speed)
            for machine in floor.machines
            if machine.type == op.type and machine.cls in serving
        },
        after=tuple(names[before] for before in op.pred),
        setup_class=f"{op.type} {op.family}",
    )

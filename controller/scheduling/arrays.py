"""A problem as flat arrays for the compiled search; operations and machines become numbers.

Durations are shared: operation ``o`` has pool entries ``elig_from[o]`` to ``elig_to[o]``; on pool
entry ``e`` it takes ceil(rate[e] * scale[o] / 1000) seconds on machine ``elig_machine[e]``.
Fixed operations are no part of the arrays: they only move when their machine is free, the class it
holds, and when what comes after them may start.
"""

from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple, cast

import numpy as np

from controller.scheduling.calendars import merged
from controller.scheduling.kernels.compiled import Floats, Ints, floats, ints
from controller.scheduling.problem import Machine, Operation, Problem, Window

FOREVER = 1 << 60


class Instance(NamedTuple):
    """What the kernels know; every array is read-only for them."""

    elig_from: Ints
    elig_to: Ints
    elig_machine: Ints
    rate: Ints
    scale: Ints
    pred_from: Ints
    pred: Ints
    succ_from: Ints
    succ: Ints
    release: Ints
    job: Ints
    due: Ints
    weight: Floats
    op_class: Ints
    table: Ints
    setup: Ints
    free: Ints
    held: Ints
    closed_from: Ints
    closed: Ints
    away: Ints
    manual: Ints


class Numbered(NamedTuple):
    """The arrays with the names behind the numbers."""

    instance: Instance
    operations: tuple[Operation, ...]
    machines: tuple[Machine, ...]


def number(problem: Problem, releases: Mapping[str, int]) -> Numbered:
    """Arrays of a sound problem (operations in topological order); ``releases`` adds material."""
    fixed = {o.name: o.fixed.end_s for o in problem.operations if o.fixed is not None}
    moving = tuple(o for o in problem.operations if o.fixed is None)
    numbers = {operation.name: i for i, operation in enumerate(moving)}
    jobs = {job.name: i for i, job in enumerate(problem.jobs)}
    release = ints(
        [
            max(
                o.release_s,
                problem.jobs[jobs[o.job]].release_s,
                releases.get(o.name, 0),
                *(fixed.get(b, 0) for b in o.after),
            )
            for o in moving
        ]
    )
    preds = [[numbers[b] for b in o.after if b in numbers] for o in moving]
    succs: list[list[int]] = [[] for _ in moving]
    for i, before in enumerate(preds):
        for j in before:
            succs[j].append(i)
    machine_arrays = _machine_arrays(problem)
    due, weight = _job_arrays(problem)
    pools = _pools(moving, {machine.name: i for i, machine in enumerate(problem.machines)})
    instance = Instance(
        *pools,
        ints([o.scale_permille for o in moving]),
        *_csr(preds),
        *_csr(succs),
        release,
        ints([jobs[o.job] for o in moving]),
        due,
        weight,
        ints([machine_arrays.classes.get(o.setup_class, 0) for o in moving]),
        machine_arrays.table,
        machine_arrays.setup,
        machine_arrays.free,
        machine_arrays.held,
        *_csr([[t for w in merged(m.closed) for t in w] for m in problem.machines]),
        _flat(merged(problem.unstaffed)),
        ints([m.manual for m in problem.machines]),
    )
    return Numbered(instance, moving, problem.machines)


def _flat(windows: tuple[Window, ...]) -> Ints:
    return ints([t for window in windows for t in window])


def _csr(rows: list[list[int]]) -> tuple[Ints, Ints]:
    """Row starts (one more than rows) and all values."""
    starts = ints(list(accumulate((len(row) for row in rows), initial=0)))
    return starts, ints([value for row in rows for value in row])


def _pools(
    moving: tuple[Operation, ...], machines: Mapping[str, int]
) -> tuple[Ints, Ints, Ints, Ints]:
    """Pool starts and ends per operation, machines and rates; equal mappings share one pool."""
    where: dict[int, tuple[int, int]] = {}
    machine_of: list[int] = []
    rate: list[int] = []
    for operation in moving:
        key = id(operation.eligible)
        if key in where:
            continue
        start = len(rate)
        for name, seconds in operation.eligible.items():
            if name in machines:
                machine_of.append(machines[name])
                rate.append(seconds)
        where[key] = (start, len(rate))
    spans = [where[id(operation.eligible)] for operation in moving]
    return (
        ints([start for start, _ in spans]),
        ints([end for _, end in spans]),
        ints(machine_of),
        ints(rate),
    )


class _MachineArrays(NamedTuple):
    classes: Mapping[str, int]
    table: Ints
    setup: Ints
    free: Ints
    held: Ints


def _machine_arrays(problem: Problem) -> _MachineArrays:
    """Set-ups over all classes ([table, before, after], table 0 and class 0 are none)."""
    classes: dict[str, int] = {"": 0}
    tables = {id(m.setups): m.setups for m in problem.machines if m.setups is not None}
    for table in tables.values():
        for name in table.classes:
            classes.setdefault(name, len(classes))
    numbers = {key: i + 1 for i, key in enumerate(tables)}
    setup = np.zeros((len(tables) + 1, len(classes), len(classes)), np.int64)
    for key, table in tables.items():
        own = [classes[name] for name in table.classes]
        setup[numbers[key]][np.ix_(own, own)] = np.array(table.seconds, np.int64)
    free = {machine.name: 0 for machine in problem.machines}
    held = {machine.name: machine.setup_class for machine in problem.machines}
    started = [o for o in problem.operations if o.fixed is not None]
    for operation in sorted(
        started, key=lambda o: (o.fixed.start_s, o.fixed.end_s) if o.fixed else ()
    ):
        if operation.fixed is not None:
            at = operation.fixed.machine
            free[at] = max(free[at], operation.fixed.end_s)
            held[at] = operation.setup_class or held[at]
    return _MachineArrays(
        classes,
        ints([numbers.get(id(m.setups), 0) for m in problem.machines]),
        cast("Ints", setup),
        ints([free[m.name] for m in problem.machines]),
        ints([classes.get(held[m.name], 0) for m in problem.machines]),
    )


def _job_arrays(problem: Problem) -> tuple[Ints, Floats]:
    """Due and weight per job; a hard deadline weighs a million, an urgent need a thousand times."""
    due = [FOREVER if job.due_s is None else job.due_s for job in problem.jobs]
    weight = [
        job.weight * (1e6 if job.hard else 1e3 if job.need_class == "urgent" else 1.0)
        for job in problem.jobs
    ]
    return ints(due), floats(weight)

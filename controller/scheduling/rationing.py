"""Scarce material in time: who may start when, so that stock and deliveries always cover it.

Operations take their material in one fixed order (hard deadlines, urgent, due, release). Each may
start when what has been delivered covers everyone up to it; then any plan that keeps these earliest
starts is covered at every moment, whatever its order.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from controller.scheduling.problem import Job, Operation, Problem, Stock

NO_DUE = 1 << 60


class Ration(NamedTuple):
    """Earliest start and binding material by operation, and who gets none and why."""

    release_s: dict[str, int]
    binding: dict[str, str]
    lacking: dict[str, str]


def urgency(job: Job) -> tuple[int, int, int, str]:
    """Sorting key of a job: hard deadlines, urgent, then the earlier due, release, name."""
    rank = 0 if job.hard else 1 if job.need_class == "urgent" else 2
    due = NO_DUE if job.due_s is None else job.due_s
    return rank, due, job.release_s, job.name


def ration(problem: Problem, order: Iterable[str]) -> Ration:
    """Share stock and deliveries among the plannable operations named in ``order``."""
    jobs = {job.name: job for job in problem.jobs}
    index = {operation.name: operation for operation in problem.operations}
    needing = [index[name] for name in order if index[name].materials and not index[name].fixed]
    needing.sort(key=lambda operation: urgency(jobs[operation.job]))
    taken = dict.fromkeys(problem.stock, 0)
    out = Ration({}, {}, {})
    for operation in needing:
        _ration_one(operation, problem.stock, taken, out)
    return out


def _ration_one(
    operation: Operation, stock: Mapping[str, Stock], taken: dict[str, int], out: Ration
) -> None:
    release, binding = 0, ""
    for material, amount in operation.materials:
        at = _covered_at(stock[material], taken[material] + amount)
        if at is None:
            left = max(0, _total(stock[material]) - taken[material])
            out.lacking[operation.name] = (
                f"{operation.name} needs {amount} of {material}; {left} are left for it "
                "and no further delivery is promised"
            )
            return
        if at > release:
            release, binding = at, material
    for material, amount in operation.materials:
        taken[material] += amount
    if binding:
        out.release_s[operation.name] = release
        out.binding[operation.name] = binding


def _total(stock: Stock) -> int:
    return stock.amount + sum(amount for _, amount in stock.deliveries)


def _covered_at(stock: Stock, amount: int) -> int | None:
    """When stock and deliveries reach ``amount``; None = never."""
    have, at_s = stock.amount, 0
    if amount <= have:
        return 0
    for at_s, more in sorted(stock.deliveries):
        have += more
        if amount <= have:
            return max(0, at_s)
    return None

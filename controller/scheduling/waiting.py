"""A bound on waiting: nobody starves behind whoever queued much."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from controller.scheduling.problem import Problem


class Waits(NamedTuple):
    """How long each need has waited, and each community since it last got a machine (if ever)."""

    need_s: Mapping[str, int]
    unserved_s: Mapping[str, int]


def aged(problem: Problem, waits: Waits, bound_s: int) -> Problem:
    """The oldest need of each community, past the bound, is urgent and due now.

    Whose community has gone without a machine longest weighs most, so that whoever queued much
    delays another by one operation of theirs, not by all.
    """
    oldest: dict[str, str] = {}
    for job in problem.jobs:
        waited = waits.need_s.get(job.name, 0)
        best = oldest.get(job.community)
        if waited > bound_s and (best is None or waited > waits.need_s[best]):
            oldest[job.community] = job.name
    weights = {
        name: 1 + min(waits.need_s[name], waits.unserved_s.get(community, 1 << 40)) // 60
        for community, name in oldest.items()
    }
    jobs = tuple(
        replace(job, need_class="urgent", due_s=0, weight=weights[job.name])
        if job.name in weights
        else job
        for job in problem.jobs
    )
    return replace(problem, jobs=jobs)

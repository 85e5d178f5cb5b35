"""What outlives the cell's process: the truth, and the job list when it is kept."""

import json
import os
from pathlib import Path
from typing import Any

from protocols.isa95 import JobState
from simulators.cell.core import Job, JobOrder, Requirement, new_truth


def write_atomically(path: Path, value: Any) -> None:
    """Replace path by value as JSON; readers see the old or the new file, never a part."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, sort_keys=True))
    os.replace(part, path)


def read_truth(path: Path | None) -> dict[str, Any]:
    """What the cell has done up to now; a new truth when there is no file."""
    if path is None or not path.exists():
        return new_truth()
    return {**new_truth(), **json.loads(path.read_text())}


def dump_jobs(jobs: list[Job]) -> list[dict[str, Any]]:
    """Jobs as JSON values."""
    return [{**vars(job), "order": job.order._asdict(), "state": list(job.state)} for job in jobs]


def load_jobs(values: list[dict[str, Any]]) -> list[Job]:
    """Jobs from JSON values; the twin of ``dump_jobs``."""
    return [_load_job(value) for value in values]


def _load_job(value: dict[str, Any]) -> Job:
    order = dict(value["order"])
    needs = tuple(Requirement(*r) for r in order.pop("requirements"))
    rest = {k: v for k, v in value.items() if k not in ("order", "state")}
    return Job(JobOrder(requirements=needs, **order), JobState(*value["state"]), **rest)

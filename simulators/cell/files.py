"""Files of the cell: truth, job list, the official NodeSets and where they are kept loaded."""

import hashlib
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from protocols.isa95 import JobState
from simulators.cell.core import Job, JobOrder, Requirement, new_truth

_HERE = Path(__file__).parent
_NODESETS = _HERE / "nodesets"
_READERS = ("cache.py", "space.py")  # our own code that decides what is kept
# In the order of their requirements; Robotics needs DI and IA, Jobs needs ISA-95.
NODESETS = (
    "Opc.Ua.Di.NodeSet2.xml",
    "Opc.Ua.IA.NodeSet2.xml",
    "Opc.Ua.Machinery.NodeSet2.xml",
    "opc.ua.isa95-jobcontrol.nodeset2.xml",
    "Opc.Ua.Machinery.Jobs.Nodeset2.xml",
    "Opc.Ua.Robotics.NodeSet2.xml",
)


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


def nodeset_files() -> list[Path]:
    """The official NodeSets as they are shipped."""
    return [_NODESETS / name for name in NODESETS]


def cache_file(folder: Path) -> Path:
    """Where the loaded NodeSets are kept; the name says all that they depend on."""
    digest = hashlib.sha256()
    for word in (version("asyncua"), sys.version):
        digest.update(word.encode())
    for source in (*nodeset_files(), *(_HERE / name for name in _READERS)):
        digest.update(source.read_bytes())
    return folder / f"opcua-nodesets-{digest.hexdigest()[:16]}.pickle"


def default_folder() -> Path:
    """The checkout's own cache folder; the user's when the program was installed elsewhere."""
    root = _HERE.parents[1]
    if (root / "pyproject.toml").exists():
        return root / ".cache" / "cell"
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "fabcommons"

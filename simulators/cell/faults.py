"""Faults of the simulated cell, on demand: ``kind:number[:argument...]``.

Method faults count the calls of Store and StoreAndStart since the cell was new; job faults count
the jobs it began. Shares are whole percent of the job, times are milliseconds.

    refuse:N                Nth order answered "unable to accept", nothing stored
    error:N                 Nth order answered with a bad status code, nothing stored
    slow:N:REAL_MS          Nth order done at once, its answer held back
    late:N:REAL_MS          Nth order done only after a while, then answered
    protective_stop:N:PCT:MS  Nth job held by the safety controller for MS of floor time
                              (0 = until Resume is called)
    estop:N:PCT             emergency stop in the Nth job: aborted
    gripper:N:PCT           the gripper loses a part in the Nth job: aborted, unsuccessful
    restart:N:PCT           the cell's controller restarts in the Nth job
    spare:N:PCT             a piece of the first lot is dropped in the Nth job, another one taken
    deaf:N:PCT              every subscription is dropped without a word in the Nth job

Lines added to the file of ``--fault-file`` while the cell runs count from then on.
"""

from pathlib import Path
from typing import NamedTuple

METHOD_FAULTS = ("refuse", "error", "slow", "late")
JOB_FAULTS = ("protective_stop", "estop", "gripper", "restart", "deaf", "spare")
_ARGUMENTS = {
    "refuse": 0,
    "error": 0,
    "slow": 1,
    "late": 1,
    "protective_stop": 2,
    "estop": 1,
    "gripper": 1,
    "restart": 1,
    "deaf": 1,
    "spare": 1,
}


class FaultError(ValueError):
    """A fault that cannot be read; str() says which and what is expected."""


class Fault(NamedTuple):
    """One fault: its kind, the call or job it strikes (from 1), and its numbers."""

    kind: str
    number: int
    arguments: tuple[int, ...]

    def __str__(self) -> str:
        return ":".join([self.kind, str(self.number), *map(str, self.arguments)])


def parse_fault(text: str) -> Fault:
    """Read one fault; raise FaultError."""
    kind, *rest = text.strip().split(":")
    wanted = _ARGUMENTS.get(kind)
    if wanted is None:
        raise FaultError(f"{text}: no such fault, known are {', '.join(sorted(_ARGUMENTS))}")
    if len(rest) != wanted + 1 or not all(r.isdigit() for r in rest) or int(rest[0]) < 1:
        raise FaultError(f"{text}: {kind} takes {wanted + 1} whole numbers, the first from 1")
    return Fault(kind, int(rest[0]), tuple(int(r) for r in rest[1:]))


def parse_faults(texts: list[str]) -> list[Fault]:
    """Read faults given one by one or separated by commas; raise FaultError."""
    return [parse_fault(t) for text in texts for t in text.split(",") if t.strip()]


class MoreFaults:
    """Reads what was added to a file of faults; lines that cannot be read are skipped."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read = 0
        if path is not None and path.exists():
            self._read = path.stat().st_size

    def read(self) -> list[Fault]:
        """Faults on whole lines added since the last time."""
        if self._path is None or not self._path.exists():
            return []
        if self._path.stat().st_size <= self._read:
            return []
        added = self._path.read_bytes()[self._read :]
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        return [fault for line in whole.decode().split() if (fault := _try(line)) is not None]


def _try(text: str) -> Fault | None:
    try:
        return parse_fault(text)
    except FaultError:
        return None

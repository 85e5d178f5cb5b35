"""What an adapter is: it reads back what a machine's program says, and asks it to do something.

An adapter decides nothing and remembers nothing that matters: after any failure it is asked to
look again. The file name of an order's program carries order and epoch, so that the machine's own
job list and history tell which order ran, whoever was not listening meanwhile.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

Json = dict[str, Any]


class Lost(Exception):
    """No usable answer: whether what was asked is done, or will be, is not known."""


class Garbled(Lost):
    """The answer is not what the machine's program should say; the text names the field."""


class Refusal(Exception):
    """The machine's program answered that it did not do it.

    barred: it lets nobody in with these settings; only a person can change that.
    """

    def __init__(self, words: str, *, barred: bool = False) -> None:
        super().__init__(words)
        self.barred = barred


WAITING = "waiting"  # lined up and certainly not begun
RUNNING = "running"
PAUSED = "paused"
ENDED = "ended"
BROKEN = "broken"  # begun, and nobody knows how far it came
JOB_STATES = (WAITING, RUNNING, PAUSED, ENDED, BROKEN)
NONE: Mapping[str, int] = MappingProxyType({})
MACHINE_STATES = ("idle", "busy", "paused", "fault")


class Job(NamedTuple):
    """One run of a file as the machine's program tells it.

    used_um: filament by tool, None when not told; ``estimated`` when a slicer's figure stands for
    it. key: by what calls name this run, "" for nothing.
    """

    state: str
    ok: bool = False
    why: str = ""
    done_ppm: int = 0
    run_ms: int = 0
    used_um: tuple[int, ...] | None = None
    estimated: bool = False
    key: str = ""


class Reading(NamedTuple):
    """A machine looked at; ``jobs`` by file name, whoever started them.

    run: names the life in which a job that is not told never began, "" when absence proves nothing.
    mark: names the newest job of all, "" when not told; another one means that somebody was here.
    blind: the machine does not tell its jobs now, so nothing follows for them. files: what lies
    there, where that was asked.
    """

    state: str
    jobs: dict[str, Job]
    run: str = ""
    mark: str = ""
    blind: bool = False
    fault: str = ""
    need: str = ""
    values: Mapping[str, int] = NONE
    software: str = ""
    files: tuple[str, ...] = ()


class Adapter(Protocol):
    """One machine. Calls raise Lost or Refusal; only ``stop`` may come from another thread."""

    def look(self, name: str) -> Reading:
        """Read back state and jobs, at least the one of file ``name`` ("" for none)."""
        ...

    def put(self, name: str, program: Path) -> None:
        """Bring a program there under a name, so that it can be started; may be repeated."""
        ...

    def start(self, name: str) -> None:
        """Begin the program ``name``."""
        ...

    def act(self, verb: str, name: str, job: Job) -> None:
        """Pause, resume or cancel a job: ``verb`` is one of the kind's."""
        ...

    def forget(self, name: str) -> None:
        """Remove the program of a closed order; one that is gone is no error."""
        ...

    def stop(self) -> None:
        """Emergency stop by software, at once."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait for at most so many seconds; True as soon as something may have changed."""
        ...

    def close(self) -> None:
        """Let go of connections; the next call makes new ones."""
        ...


class Settings(NamedTuple):
    """Where a machine's program is and how it lets us in."""

    url: str = ""
    key: str = ""
    user: str = ""
    password: str = ""
    folder: Path | None = None
    timeout_s: float = 10.0


class Kind(NamedTuple):
    """A registry line: how to open an adapter, what it can do, which settings it needs.

    verbs: of start, pause, resume, cancel, stop; without start a person starts it. programs: kinds
    of program it takes. needs, takes: fields of the site file. about: the program, in words.
    by_word: a job is over when a person says so.
    """

    open: Callable[[Settings], Adapter]
    about: str
    verbs: frozenset[str]
    programs: tuple[str, ...]
    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()
    example: str = ""
    suffix: str = ".gcode"
    by_word: bool = False


_NAME = re.compile(r"fc-([a-z0-9][a-z0-9-]{0,31})-([1-9][0-9]{0,9})(?:\.[A-Za-z0-9]{1,8})?")


def file_name(order: str, ep: int, suffix: str) -> str:
    """File name of an order's program on its machine."""
    return f"fc-{order}-{ep}{suffix}"


def parse_name(name: str) -> tuple[str, int] | None:
    """Order and epoch of a file name, None when it is none of ours."""
    found = _NAME.fullmatch(name.rpartition("/")[2])
    return (found[1], int(found[2])) if found else None

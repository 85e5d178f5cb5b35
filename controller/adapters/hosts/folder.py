"""A folder a program is laid into, and a person who starts it: any machine, LinuxCNC included.

The folder is the machine's own record: a program waits at its top, and stands in ``running/``,
``done/`` or ``failed/`` as it goes on. A person says so on the page, or moves the file, or a script
of the machine does (LinuxCNC: a line at the program's start and end).
"""

import os
import shutil
from pathlib import Path

from controller.adapters.hosts import fields
from controller.adapters.hosts.contract import (
    ENDED,
    RUNNING,
    WAITING,
    Job,
    Kind,
    Lost,
    Reading,
    Refusal,
    Settings,
    parse_name,
)

PLACES = {"": Job(WAITING), "running": Job(RUNNING), "done": Job(ENDED, True, done_ppm=1_000_000)}
PLACES["failed"] = Job(ENDED, False, "laid into failed/")
MAX_FILES = 10_000


class Folder:
    """One folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def look(self, name: str) -> Reading:
        """Read back which program stands where."""
        jobs: dict[str, Job] = {}
        if not self._folder.is_dir():
            raise Lost(f"{self._folder}: is not there: is the stick or the share mounted?")
        for place, job in PLACES.items():
            jobs.update(dict.fromkeys(self._names(place), job))
        running = sorted(n for n, job in jobs.items() if job.state == RUNNING)
        need = ""
        state = "busy" if running else "idle"
        if name in jobs and jobs[name].state == WAITING:
            state, need = "paused", f"start {name} at the machine, then say resume"
        elif running:
            need = f"say how {running[0]} ended"
        return Reading(state, jobs, need=need, software="a folder")

    def _names(self, place: str) -> list[str]:
        try:
            with os.scandir(self._folder / place) as found:
                files = zip(range(MAX_FILES), found, strict=False)
                names = [entry.name for _, entry in files if entry.is_file()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Lost(f"{self._folder / place}: {error.strerror}") from error
        return [name for name in names if parse_name(name) is not None]

    def put(self, name: str, program: Path) -> None:
        """Lay a program into the folder; whole or not at all."""
        if name in self.look("").jobs:
            return
        part = self._folder / f".{name}.part"
        try:
            shutil.copyfile(program, part)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(self._folder / name)
        except OSError as error:
            raise Refusal(f"{self._folder}: {error.strerror}") from error

    def start(self, name: str) -> None:
        """A person says that the program was started."""
        self._move(name, "", "running")

    def act(self, verb: str, name: str, job: Job) -> None:
        """A person says that the program was stopped at the machine."""
        self._move(name, "running", "failed")

    def _move(self, name: str, before: str, after: str) -> None:
        try:
            (self._folder / after).mkdir(exist_ok=True)
            (self._folder / before / name).replace(self._folder / after / name)
        except OSError as error:
            raise Refusal(f"{self._folder / before / name}: {error.strerror}") from error

    def forget(self, name: str) -> None:
        """Remove a program wherever it stands."""
        for place in PLACES:
            try:
                (self._folder / place / name).unlink(missing_ok=True)
            except OSError as error:
                raise Refusal(f"{self._folder / place / name}: {error.strerror}") from error

    def stop(self) -> None:
        """There is no wire."""
        raise Refusal("there is no wire to this machine: use its switch")

    def wait(self, seconds: float) -> bool:
        """Nothing is pushed."""
        fields.rest(seconds)
        return False

    def close(self) -> None:
        """Nothing is held."""


def open_adapter(settings: Settings) -> Folder:
    """An adapter for settings."""
    assert settings.folder is not None
    return Folder(settings.folder)


KIND = Kind(
    open=open_adapter,
    about="a folder",
    verbs=frozenset(("cancel",)),
    programs=("grbl", "marlin"),
    needs=("folder",),
    example="/media/usb/programs",
    suffix=".ngc",
    by_word=True,
)

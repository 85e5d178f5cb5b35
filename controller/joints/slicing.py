"""The slicing room: meshes on threads beside the writer, some at once, their progress in words.

Each slicer is a process of its own with limits of time and memory. Whatever they do, the writer
only ever takes a finished program or a sentence.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from controller import slicing
from controller.definition import DesignError
from controller.definition.adhoc import requires_of
from controller.definition.program_store import ProgramStore
from controller.definition.programs import ProgramFacts, check
from controller.slicing import Profile, Sliced, Wish
from controller.values import Operation, ProgramRow
from controller.ways import waits_for_slicer

if TYPE_CHECKING:
    from controller.adapters.store import Tx

TOLD_EVERY_S = 1.0
NO_SLICER = "no slicer is installed here: install prusa-slicer, or add a program to the design"


class MeshSlicer(Protocol):
    """What makes a program of a mesh, or raises an error whose text is the reason."""

    def slice(self, mesh: Path, settings: Path, progress: Callable[[int], None]) -> Path:
        """Program for a mesh; ``progress`` is told of percents."""
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """What is handed in: the site's writer and reader, programs kept, a folder for meshes."""

    submit: Callable[[Callable[[Tx], Any]], Any]
    read: Callable[[], AbstractContextManager[Tx]]
    programs: ProgramStore
    folder: Path


class SlicingRoom:
    """Slices what operations wait for; ``look`` is called again and again by one thread."""

    def __init__(
        self,
        room: Room,
        slicer: MeshSlicer | None,
        profiles: Mapping[Profile, Path],
        refused: tuple[type[Exception], ...] = (OSError,),
        at_once: int = 1,
    ) -> None:
        self._room, self._slicer, self._profiles = room, slicer, profiles
        self._refused = (*refused, DesignError)
        self._at_once = at_once
        self._failed: dict[Wish, str] = {}
        self._now: dict[Wish, int] = {}  # being sliced: percents
        self._told_s = 0.0
        self._telling = threading.Lock()

    def look(self) -> None:
        """Tell those who wait why, and slice until nothing is left to do."""
        operations, machines, todo = self._todo()
        if self._slicer is None or not todo:
            self._tell(operations, machines)
            return
        try:
            with ThreadPoolExecutor(self._at_once, "slicer") as pool:
                self._work(pool, self._slicer)
        finally:
            self._now.clear()

    def _todo(self) -> tuple[list[Operation], list[Any], list[Wish]]:
        """Operations with a mesh, machines, and what is to be sliced and is not yet, each once."""
        with self._room.read() as tx:
            operations = tx.routes.meshed()
            machines = tx.machines.all() if operations else []
        wanted = slicing.wishes(operations, machines, self._profiles)
        busy = {**self._failed, **self._now}
        return operations, machines, [wish for wish in wanted if wish not in busy]

    def _work(self, pool: ThreadPoolExecutor, slicer: MeshSlicer) -> None:
        """Keep the pool busy until nothing is left; results go to the store one after the other."""
        at_work: dict[Future[Sliced], Wish] = {}
        while True:
            operations, machines, todo = self._todo()
            for wish in todo[: self._at_once - len(at_work)]:
                self._now[wish] = 0
                progress = self._progress(wish, operations, machines)
                at_work[pool.submit(self._one, slicer, wish, progress)] = wish
            self._tell(operations, machines)
            if not at_work:
                return
            for future in wait(at_work, return_when=FIRST_COMPLETED).done:
                self._take(future, at_work.pop(future))

    def _progress(
        self, wish: Wish, operations: list[Operation], machines: list[Any]
    ) -> Callable[[int], None]:
        def progress(percent: int) -> None:
            self._now[wish] = percent
            now_s = time.monotonic()
            if now_s - self._told_s >= TOLD_EVERY_S:
                self._told_s = now_s
                self._tell(operations, machines)

        return progress

    def _one(self, slicer: MeshSlicer, wish: Wish, progress: Callable[[int], None]) -> Sliced:
        """Slice one mesh for one profile; raises one of ``refused``."""
        with self._room.read() as tx:
            mesh = tx.designs.program(wish.mesh_sha)
        if mesh is None:
            raise OSError("its mesh is not kept here; import the design again")
        made = slicer.slice(self._named(mesh), self._profiles[wish.profile], progress)
        return self._checked(made, mesh, wish)

    def _take(self, future: Future[Sliced], wish: Wish) -> None:
        """Take a result, or the reason that there is none, to the store."""
        try:
            sliced = future.result()
            while self._room.submit(lambda tx: slicing.take(tx, wish, sliced)) == slicing.BATCH:
                pass
        except self._refused as error:
            self._failed[wish] = str(error)
        finally:
            del self._now[wish]

    def _named(self, mesh: ProgramRow) -> Path:
        """The kept mesh under a name with its ending, which slicers go by."""
        place = self._room.folder / f"{Path(mesh.name).stem[:40]}-{mesh.sha[:12]}.{mesh.kind}"
        place.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another thread slices it for another profile
            place.symlink_to(Path(mesh.path).resolve())
        return place

    def _checked(self, made: Path, mesh: ProgramRow, wish: Wish) -> Sliced:
        facts = check(made, "marlin")
        if facts.problems:
            raise DesignError(mesh.name, list(facts.problems))
        sha = self._room.programs.put(made)
        program = _program(facts, mesh, wish, str(self._room.programs.path(sha)))
        return Sliced(program, dict(requires_of(facts)))

    def _tell(self, operations: list[Operation], machines: list[Any]) -> None:
        with self._telling:
            self._tell_now(operations, machines, dict(self._now))

    def _tell_now(
        self, operations: list[Operation], machines: list[Any], now: dict[Wish, int]
    ) -> None:
        words: dict[str, str] = {}
        reasons: dict[str, str] = {}
        for op in filter(waits_for_slicer, operations):
            kind = f"{op.step} {op.requires} {op.ways}"
            if kind not in words:
                words[kind] = self._why(op, machines, now)
            if words[kind] != op.reason:
                reasons[op.id] = words[kind]
        names = sorted(reasons)
        for at in range(0, len(names), slicing.BATCH):
            part = {name: reasons[name] for name in names[at : at + slicing.BATCH]}
            self._room.submit(lambda tx, part=part: slicing.tell(tx, part))

    def _why(self, op: Operation, machines: list[Any], now: dict[Wish, int]) -> str:
        """What an operation waits for, in words."""
        none = slicing.why_none(op, machines, self._profiles)
        if none:
            return none
        if self._slicer is None:
            return NO_SLICER
        mine = slicing.wishes([op], machines, self._profiles)
        for wish in mine:
            if wish in now:
                return f"being sliced for {wish.profile.id}, {now[wish]} %"
        failed = [f"{w.profile.id}: {self._failed[w]}" for w in mine if w in self._failed]
        if len(failed) == len(mine):
            return f"{slicing.CANNOT}. " + "; ".join(failed)
        return "waits for the slicer, which is at another mesh"


def _program(facts: ProgramFacts, mesh: ProgramRow, wish: Wish, path: str) -> ProgramRow:
    return ProgramRow(
        sha=facts.sha256,
        design=mesh.design,
        name=f"{Path(mesh.name).stem[:60]} for {wish.profile.id}",
        kind=facts.kind,
        size=facts.size,
        path=path,
        mass_mg=sum(facts.mass_mg),
        duration_s=facts.duration_s,
        lines=facts.lines,
        commands={name: list(said) for name, said in facts.commands.items()},
    )

"""The slicing room: one mesh at a time on a thread beside the writer, its progress in words.

The slicer is a process of its own with limits of time and memory. Whatever it does, the writer
only ever takes a finished program or a sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
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
    ) -> None:
        self._room, self._slicer, self._profiles = room, slicer, profiles
        self._refused = (*refused, DesignError)
        self._failed: dict[Wish, str] = {}
        self._told_s = 0.0

    def look(self) -> None:
        """Tell those who wait why, and slice until nothing is left to do."""
        while True:
            with self._room.read() as tx:
                operations = tx.routes.meshed()
                machines = tx.machines.all() if operations else []
            wanted = slicing.wishes(operations, machines, self._profiles)
            todo = [wish for wish in wanted if wish not in self._failed]
            if self._slicer is None or not todo:
                self._tell(operations, machines, None)
                return
            self._tell(operations, machines, (todo[0], 0))
            self._one(self._slicer, todo[0], operations, machines)

    def _one(
        self, slicer: MeshSlicer, wish: Wish, operations: list[Operation], machines: list[Any]
    ) -> None:
        """Slice one mesh for one profile, and take the result or the reason to the store."""

        def progress(percent: int) -> None:
            now_s = time.monotonic()
            if now_s - self._told_s >= TOLD_EVERY_S:
                self._told_s = now_s
                self._tell(operations, machines, (wish, percent))

        try:
            with self._room.read() as tx:
                mesh = tx.designs.program(wish.mesh_sha)
            if mesh is None:
                raise OSError("its mesh is not kept here; import the design again")
            made = slicer.slice(self._named(mesh), self._profiles[wish.profile], progress)
            sliced = self._checked(made, mesh, wish)
        except self._refused as error:
            self._failed[wish] = str(error)
            return
        while self._room.submit(lambda tx: slicing.take(tx, wish, sliced)) == slicing.BATCH:
            pass

    def _named(self, mesh: ProgramRow) -> Path:
        """The kept mesh under a name with its ending, which slicers go by."""
        place = self._room.folder / f"{Path(mesh.name).stem[:40]}-{mesh.sha[:12]}.{mesh.kind}"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(Path(mesh.path).resolve())
        return place

    def _checked(self, made: Path, mesh: ProgramRow, wish: Wish) -> Sliced:
        facts = check(made, "marlin")
        if facts.problems:
            raise DesignError(mesh.name, list(facts.problems))
        sha = self._room.programs.put(made)
        program = _program(facts, mesh, wish, str(self._room.programs.path(sha)))
        return Sliced(program, dict(requires_of(facts)))

    def _tell(
        self, operations: list[Operation], machines: list[Any], now: tuple[Wish, int] | None
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

    def _why(self, op: Operation, machines: list[Any], now: tuple[Wish, int] | None) -> str:
        """What an operation waits for, in words."""
        none = slicing.why_none(op, machines, self._profiles)
        if none:
            return none
        if self._slicer is None:
            return NO_SLICER
        mine = slicing.wishes([op], machines, self._profiles)
        if now is not None and now[0] in mine:
            return f"being sliced for {now[0].profile.id}, {now[1]} %"
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

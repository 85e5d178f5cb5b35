"""Designs joined to the store: imported folders become rows, stored profiles become operations."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from controller.definition import (
    Design,
    DesignError,
    load_design,
    manifest_json,
    profile_from_json,
    profile_json,
    route,
)
from controller.definition import RoutedOperation as Step
from controller.values import DesignRow, Json, ProgramRow, Refused, RoutedNeed, RoutedOperation

if TYPE_CHECKING:
    from controller.adapters.store import Tx


@dataclass(frozen=True, slots=True)
class Imported:
    """A design and its programs as rows, not yet stored."""

    design: DesignRow
    programs: tuple[ProgramRow, ...]


def read_folder(folder: Path, now_ms: int) -> Imported:
    """Read and check a design's folder; raise DesignError with every problem."""
    return as_rows(load_design(folder), now_ms)


def as_rows(design: Design, now_ms: int) -> Imported:
    """Rows of a design that was checked."""
    manifest: Json | None = json.loads(manifest_json(design))
    row = DesignRow(
        id=design.id,
        version=design.version,
        title=design.title,
        license=design.licence.spdx or design.licence.stated,
        licensor=design.licensor,
        manifest_sha=design.manifest_sha,
        manifest=manifest or {},
        profile=json.loads(profile_json(design.profile)),
        folder=design.folder,
        imported_at=now_ms,
    )
    return Imported(row, tuple(_programs(design, now_ms)))


def _programs(design: Design, now_ms: int) -> list[ProgramRow]:
    return [
        ProgramRow(
            sha=program.sha256,
            design=design.id,
            name=program.file,
            kind=program.kind,
            size=program.size,
            path=program.path,
            mass_mg=sum(m.mass_mg for m in step.materials) or None,
            duration_s=program.duration_s,
            lines=program.lines,
            checked_at=now_ms,
        )
        for step in design.profile.steps
        if (program := step.program) is not None and program.sha256
    ]


def store(tx: "Tx", imported: Imported) -> None:
    """Store a design and its programs; a newer import replaces an older one."""
    tx.designs.put(imported.design)
    for program in imported.programs:
        tx.designs.put_program(program)
    design = imported.design
    tx.notice("design", design.id, f"{design.title} {design.version} was imported")


def router(design: DesignRow, quantity: int) -> RoutedNeed:
    """Operations that make ``quantity`` parts of a stored design; raise Refused."""
    try:
        profile = profile_from_json(json.dumps(design.profile))
        routing = route(profile, quantity)
    except DesignError as error:
        problem = error.problems[0]
        raise Refused("bad-design", problem.field, f"{problem.message}: {problem.fix}") from error
    operations = tuple(_operation(step) for step in routing.operations)
    return RoutedNeed(operations, routing.links)


def _operation(step: Step) -> RoutedOperation:
    program = step.program
    return RoutedOperation(
        unit=step.unit,
        step=step.step,
        process=step.process,
        requires=dict(step.requires),
        program_sha=program.sha256 if program is not None and program.sha256 else None,
        duration_s=step.duration_s,
        materials=[asdict(material) for material in step.materials],
        instructions=step.instructions,
        pieces=step.pieces,
        title=step.title,
        work_master=program.work_master if program is not None else "",
    )

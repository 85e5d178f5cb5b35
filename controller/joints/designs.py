"""Definition to store and back: designs are imported once, routed whenever a need is stated."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from controller.definition import (
    Design,
    DesignError,
    Profile,
    ProgramFacts,
    RoutedOperation,
    Step,
    manifest_json,
    profile_from_json,
    profile_json,
    route,
)
from controller.definition.profile import Way, rework_step
from controller.routed import RoutedNeed
from controller.routed import RoutedOperation as RoutedRow
from controller.values import DesignRow, Json, ProgramRow, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def import_design(tx: "Tx", design: Design, kept: Mapping[str, Path]) -> DesignRow:
    """Store a design with its programs, kept where ``kept`` says by SHA-256.

    A newer import replaces it.
    """
    row = DesignRow(
        id=design.id,
        version=design.version,
        title=design.title,
        license=design.licence.spdx,
        licensor=design.licensor,
        manifest_sha=design.manifest_sha,
        manifest=json.loads(manifest_json(design)) or {},
        profile=json.loads(profile_json(design.profile)),
        folder=design.folder,
        imported_at=tx.now_ms,
    )
    known = tx.designs.get(row.id)
    tx.designs.put(row)
    for facts in design.programs:
        program = _program_row(design, facts, tx.now_ms)
        tx.designs.put_program(replace(program, path=str(kept[facts.sha256])))
    if known is None or known.manifest_sha != row.manifest_sha:
        tx.notice("design", row.id, f"{row.title} {row.version} ({row.license}) can be asked for")
    return row


def _program_row(design: Design, facts: ProgramFacts, now_ms: int) -> ProgramRow:
    return ProgramRow(
        sha=facts.sha256,
        design=design.id,
        name=facts.path.name,
        kind=facts.kind,
        size=facts.size,
        path=str(facts.path),
        mass_mg=sum(facts.mass_mg) if facts.mass_mg else None,
        duration_s=facts.duration_s,
        lines=facts.lines,
        commands={name: list(said) for name, said in facts.commands.items()},
        checked_at=now_ms,
    )


def router(design: DesignRow, quantity: int) -> RoutedNeed:
    """Operations that make a quantity of a stored design; raise Refused."""
    try:
        profile = profile_from_json(json.dumps(design.profile))
        routing = route(profile, quantity)
    except DesignError as error:
        problem = error.problems[0]
        raise Refused("no-route", problem.field, f"{problem.message}; {problem.fix}") from error
    operations = tuple(_routed(profile, operation) for operation in routing.operations)
    return RoutedNeed(operations, routing.links)


def _routed(profile: Profile, operation: RoutedOperation) -> RoutedRow:
    program = operation.program
    return RoutedRow(
        unit=operation.unit,
        step=operation.step,
        process=operation.process,
        requires=dict(operation.requires),
        program_sha=(program.sha256 or None) if program else None,
        duration_s=operation.duration_s,
        materials=[_without_zeros(asdict(material)) for material in operation.materials],
        instructions=operation.instructions,
        pieces=operation.pieces,
        title=operation.title,
        work_master=program.work_master if program else "",
        work=_work(profile, operation.of),
        ways=_ways(operation.of),
        slots=operation.of.slots,
    )


def _ways(step: Step) -> list[Json]:
    """Alternatives as the store keeps them, the step's own way first; none when it is the only.

    A mesh that must be sliced first is a way, too: each machine profile it is sliced for adds one.
    """
    own = Way(step.process, step.requires, step.materials, step.program, step.duration_s, step.mesh)
    several = bool(step.alternatives) or step.mesh is not None
    return [_way(way) for way in (own, *step.alternatives)] if several else []


def _way(way: Way) -> Json:
    mesh: Json = {} if way.mesh is None else {"mesh_sha": way.mesh.sha256}
    return {
        **mesh,
        "process": way.process,
        "requires": dict(way.requires),
        "program_sha": (way.program.sha256 or None) if way.program else None,
        "duration_s": way.duration_s,
        "materials": [_without_zeros(asdict(material)) for material in way.materials],
        "work_master": way.program.work_master if way.program else "",
    }


def _work(profile: Profile, step: Step) -> Json:
    """What a person does and finds at a step, and where what fails goes; only what is said."""
    work: Json = {name: value for name, value in asdict(step.work).items() if value}
    if step.share:
        work.update(share=True, yields=step.yields)
    mend = rework_step(profile, step.on_fail.rework) if step.on_fail else None
    if mend is not None and step.on_fail is not None:
        work["rework"] = {
            **_way(Way(mend.process, mend.requires, mend.materials, None, mend.duration_s)),
            "step": mend.step,
            "title": mend.title,
            "instructions": mend.instructions,
            "at_most": step.on_fail.at_most,
            "work": {name: value for name, value in asdict(mend.work).items() if value},
        }
    return work


def _without_zeros(material: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in material.items() if value}

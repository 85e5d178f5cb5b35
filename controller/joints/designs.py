"""Definition to store and back: designs are imported once, routed whenever a need is stated."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from controller.definition import (
    Design,
    DesignError,
    ProgramFacts,
    RoutedOperation,
    manifest_json,
    profile_from_json,
    profile_json,
    route,
)
from controller.routed import RoutedNeed
from controller.routed import RoutedOperation as RoutedRow
from controller.values import DesignRow, ProgramRow, Refused

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
        checked_at=now_ms,
    )


def router(design: DesignRow, quantity: int) -> RoutedNeed:
    """Operations that make a quantity of a stored design; raise Refused."""
    try:
        routing = route(profile_from_json(json.dumps(design.profile)), quantity)
    except DesignError as error:
        problem = error.problems[0]
        raise Refused("no-route", problem.field, f"{problem.message}; {problem.fix}") from error
    return RoutedNeed(tuple(map(_routed, routing.operations)), routing.links)


def _routed(operation: RoutedOperation) -> RoutedRow:
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
    )


def _without_zeros(material: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in material.items() if value}

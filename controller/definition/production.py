"""Reads ``production.yml``, the production profile beside a manifest (docs/production-profile.md).

Every problem is gathered at once, each with its field, line and fix; a profile that is returned
can be routed without further checks.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.definition import programs
from controller.definition.document import Document
from controller.definition.fields import read_fields
from controller.definition.materials import MATERIALS, MaterialKind
from controller.definition.problems import DesignError
from controller.definition.profile import (
    MAX_QUANTITY,
    Material,
    Measure,
    Mesh,
    OnFail,
    Profile,
    Program,
    Step,
    Way,
    Work,
)
from controller.definition.profile_checks import Checks
from controller.definition.profile_fields import PROFILE

FILE_NAME = "production.yml"


def read_profile(
    document: Document, folder: Path, materials: Mapping[str, MaterialKind] = MATERIALS
) -> tuple[Profile, tuple[programs.ProgramFacts, ...]]:
    """Profile whose programs stand in folder, and what is known of them; raise DesignError."""
    values, problems = read_fields(PROFILE, document)
    check = Checks(document, folder, materials, problems)
    steps = values.get("work_master", [])
    for index, step in enumerate(steps):
        if step is not None:
            check.step(f"work_master[{index}]", step)
    reworks = values.get("rework", [])
    for index, step in enumerate(reworks):
        if step is not None:
            check.rework(f"rework[{index}]", step)
    check.route(steps, reworks)
    order = check.precedence(steps)
    quantity = values.get("quantity", {})
    low, high = quantity.get("min", 1), quantity.get("max", MAX_QUANTITY)
    if low > high:
        check.wrong("quantity.min", f"{low} is above max {high}", "swap or widen them")
    if problems:
        raise DesignError(document.source, sorted(problems, key=lambda p: p.line))
    made = {step["step"]: _step(step, check, f"work_master[{n}]") for n, step in enumerate(steps)}
    steps = tuple(made[name] for name in order)
    mended = tuple(_step(step, check, f"rework[{n}]") for n, step in enumerate(reworks))
    profile = Profile(values["part"], values["title"], steps, low, high, mended)
    return profile, tuple(check.facts.values())


def _step(values: dict[str, Any], check: Checks, path: str) -> Step:
    first = _way(values, check, path)
    others = enumerate(values.get("alternatives", ()))
    on_fail = values.get("on_fail")
    return Step(
        step=values["step"],
        process=values["process"],
        title=values.get("title", values["step"]),
        after=tuple(values.get("after", ())),
        requires=first.requires,
        materials=first.materials,
        program=first.program,
        duration_s=first.duration_s,
        instructions=values.get("instructions", ""),
        yields=values.get("yields", 1),
        count=values.get("count", 1),
        slots=values.get("slots", 1),
        share=values.get("share", False),
        work=_work(values, check),
        on_fail=OnFail(**on_fail) if on_fail else None,
        alternatives=tuple(_way(way, check, f"{path}.alternatives[{n}]") for n, way in others),
        mesh=first.mesh,
    )


def _way(values: dict[str, Any], check: Checks, path: str) -> Way:
    program = values.get("program")
    return Way(
        process=values["process"],
        requires=values.get("requires", {}),
        materials=tuple(Material(**m) for m in values.get("materials", ())),
        program=_program(program, check.facts.get(f"{path}.program")) if program else None,
        duration_s=program["duration_s"] if program else values.get("duration_s", 0),
        mesh=_mesh(values.get("mesh"), check.facts.get(f"{path}.mesh")),
    )


def _mesh(values: dict[str, Any] | None, facts: programs.ProgramFacts | None) -> Mesh | None:
    if values is None or facts is None:
        return None
    return Mesh(values["file"], facts.kind, facts.sha256, facts.size)


def _work(values: dict[str, Any], check: Checks) -> Work:
    return Work(
        checks=tuple(values.get("checks", ())),
        measures=tuple(Measure(**measure) for measure in values.get("measures", ())),
        timer_s=values.get("timer_s", 0),
        photo=values.get("photo", False),
        pictures=tuple(check.facts[name].sha256 for name in values.get("pictures", ())),
    )


def _program(values: dict[str, Any], facts: programs.ProgramFacts | None) -> Program:
    return Program(
        kind=values["kind"],
        duration_s=values["duration_s"],
        file=values.get("file", ""),
        path=str(facts.path) if facts else "",
        sha256=facts.sha256 if facts else "",
        size=facts.size if facts else 0,
        lines=facts.lines if facts else 0,
        work_master=values.get("work_master", ""),
        slicer=values.get("slicer", ""),
    )

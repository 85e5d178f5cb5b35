"""Reads ``production.yml``, the production profile beside a manifest (docs/production-profile.md).

Every problem is gathered at once, each with its field, line and fix; a profile that is returned
can be routed without further checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from controller.definition import programs
from controller.definition.document import Document
from controller.definition.fields import Field, Fields, read_fields
from controller.definition.materials import MATERIALS, MaterialKind
from controller.definition.problems import DesignError, Problem
from controller.definition.profile import MAX_QUANTITY, Material, Profile, Program, Step

FILE_NAME = "production.yml"
PROCESSES = ("fdm", "mill", "assemble", "inspect", "station")
KINDS = {"fdm": "marlin", "mill": "grbl", "assemble": "cell"}
FORMS = {"fdm": "filament", "mill": "stock"}
_UM = ("int", 1, 10_000_000)
_MG = ("int", 1, 1_000_000_000)
_S = ("int", 1, 30 * 24 * 3600)
_COUNT = ("int", 1, 1000)

REQUIRES: Fields = (
    Field("nozzle_um", _UM, False, "nozzle diameter the program was sliced for"),
    Field("volume_um", ("list", _UM, 3, 3), False, "x, y, z the machine must be able to reach"),
    Field("tool_um", _UM, False, "diameter of the cutter the program was made for"),
    Field("spindle_rpm", ("int", 1, 100_000), False, "spindle speed the machine must reach"),
    Field("payload_g", ("int", 1, 1_000_000), False, "mass the cell must be able to carry"),
)
MATERIAL: Fields = (
    Field("material", ("id",), True, "material by its id"),
    Field("mass_mg", _MG, False, "filament one run draws, as the slicer estimates it"),
    Field("pieces", ("int", 1, 1000), False, "stock pieces one run uses up"),
    Field(
        "part_mg", _MG, False, "mass of what is left of the stock in the part; the rest is scrap"
    ),
)
PROGRAM: Fields = (
    Field("file", ("path",), False, "program file, below the design's folder"),
    Field("sha256", ("sha256",), False, "SHA-256 of that file"),
    Field("kind", ("word", ("marlin", "grbl", "cell")), True, "language of the program"),
    Field("work_master", ("id",), False, "name of the work master a cell already holds; kind cell"),
    Field("duration_s", _S, True, "estimated time of one run"),
    Field("lines", ("int", 1, 10**9), False, "lines of the file"),
    Field("slicer", ("text", 80), False, "what made the program, with its version"),
    Field("slicer_profile", ("text", 80), False, "name of the settings it was made with"),
    Field("slicer_profile_sha256", ("sha256",), False, "SHA-256 of those settings"),
)
STEP: Fields = (
    Field("step", ("id",), True, "id of the step"),
    Field("process", ("word", PROCESSES), True, "kind of work"),
    Field("title", ("text", 100), False, "name of the step for people"),
    Field("after", ("list", ("id",), 0, 64), False, "steps whose results it needs"),
    Field("requires", ("record", REQUIRES), False, "what the machine must be able to do"),
    Field("materials", ("list", ("record", MATERIAL), 0, 16), False, "what one run uses up"),
    Field("program", ("record", PROGRAM), False, "what the machine runs"),
    Field("duration_s", _S, False, "estimated time of work without a program"),
    Field("instructions", ("text", 4000), False, "what a person does"),
    Field("yields", _COUNT, False, "pieces one run makes, e.g. a full plate; 1 when absent"),
    Field("count", _COUNT, False, "pieces of this step in one finished part; 1 when absent"),
)
QUANTITY: Fields = (
    Field("min", ("int", 1, 10_000), False, "smallest quantity worth making"),
    Field("max", ("int", 1, 10_000), False, "largest quantity of one need"),
)
PROFILE: Fields = (
    Field("profile", ("int", 1, 1), True, "version of this format, 1"),
    Field("part", ("id",), True, "id of the part this makes"),
    Field("title", ("text", 100), True, "name of the part for people"),
    Field("quantity", ("record", QUANTITY), False, "bounds on one need; 1 to 10000 when absent"),
    Field("work_master", ("list", ("record", STEP), 1, 64), True, "steps that make one part"),
)


def read_profile(
    document: Document, folder: Path, materials: Mapping[str, MaterialKind] = MATERIALS
) -> tuple[Profile, tuple[programs.ProgramFacts, ...]]:
    """Profile whose programs stand in folder, and what is known of them; raise DesignError."""
    values, problems = read_fields(PROFILE, document)
    check = _Check(document, folder, materials, problems)
    steps = values.get("work_master", [])
    for index, step in enumerate(steps):
        if step is not None:
            check.step(f"work_master[{index}]", step)
    order = check.precedence(steps)
    quantity = values.get("quantity", {})
    low, high = quantity.get("min", 1), quantity.get("max", MAX_QUANTITY)
    if low > high:
        check.wrong("quantity.min", f"{low} is above max {high}", "swap or widen them")
    if problems:
        raise DesignError(document.source, sorted(problems, key=lambda p: p.line))
    made = {step["step"]: _step(step, check.facts.get(step["step"])) for step in steps}
    steps = tuple(made[name] for name in order)
    profile = Profile(values["part"], values["title"], steps, low, high)
    return profile, tuple(check.facts.values())


def _step(values: dict[str, Any], facts: programs.ProgramFacts | None) -> Step:
    program = values.get("program")
    return Step(
        step=values["step"],
        process=values["process"],
        title=values.get("title", values["step"]),
        after=tuple(values.get("after", ())),
        requires=values.get("requires", {}),
        materials=tuple(Material(**m) for m in values.get("materials", ())),
        program=_program(program, facts) if program else None,
        duration_s=program["duration_s"] if program else values["duration_s"],
        instructions=values.get("instructions", ""),
        yields=values.get("yields", 1),
        count=values.get("count", 1),
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


@dataclass(slots=True)
class _Check:
    """Rules over more than one field: programs, materials, precedence."""

    document: Document
    folder: Path
    materials: Mapping[str, MaterialKind]
    problems: list[Problem]
    facts: dict[str, programs.ProgramFacts] = field(
        default_factory=dict[str, programs.ProgramFacts]
    )

    def wrong(self, path: str, message: str, fix: str) -> None:
        self.problems.append(self.document.problem(path, message, fix))

    def step(self, path: str, step: dict[str, Any]) -> None:
        process = step.get("process", "")
        program = step.get("program")
        if program is None:
            self._by_hand(path, process, step)
        elif "kind" in program:
            self._program(path + ".program", step, program)
        for index, material in enumerate(step.get("materials", [])):
            if material and "material" in material:
                self._material(f"{path}.materials[{index}]", process, material)

    def _by_hand(self, path: str, process: str, step: dict[str, Any]) -> None:
        if process in ("fdm", "mill"):
            self.wrong(
                path, f"{process} needs a program", "add program: {file, sha256, kind, duration_s}"
            )
        elif "duration_s" not in step:
            self.wrong(path, "has neither a program nor a time", "add duration_s, in seconds")
        if process in ("inspect", "station") and "instructions" not in step:
            self.wrong(path, f"{process} needs instructions", "say what the person does")

    def _program(self, path: str, step: dict[str, Any], program: dict[str, Any]) -> None:
        kind, process = program["kind"], step.get("process", "")
        if KINDS.get(process, kind) != kind:
            fix = f"{process} runs programs of kind {KINDS[process]}"
            self.wrong(path + ".kind", f"{kind} does not fit {process}", fix)
        if kind == "cell":
            if "work_master" not in program:
                self.wrong(path, "names no work master", "add work_master: its name in the cell")
        elif "file" not in program:
            self.wrong(path, "names no file", "add file: path below the design's folder")
        else:
            self._file(path, step.get("step", path), program)

    def _file(self, path: str, step: str, program: dict[str, Any]) -> None:
        place = self.folder / program["file"]
        if not place.resolve().is_relative_to(self.folder.resolve()):
            self.wrong(path + ".file", "leads out of the design's folder", "copy the file into it")
            return
        if not place.is_file():
            self.wrong(
                path + ".file", f"there is no file {program['file']}", "add it or correct the path"
            )
            return
        facts = programs.check(place, program["kind"])
        for problem in facts.problems:
            self.wrong(path + ".file", f"{program['file']}: {problem}", problem.fix)
        stated = program.get("sha256")
        if stated is None:
            self.wrong(path + ".sha256", "is missing", f"add sha256: {facts.sha256}")
        elif stated != facts.sha256:
            self.wrong(path + ".sha256", "is not that of the file", f"the file has {facts.sha256}")
        self.facts[step] = facts

    def _material(self, path: str, process: str, material: dict[str, Any]) -> None:
        known = self.materials.get(material["material"])
        name = path + ".material"
        if known is None:
            fix = "known: " + ", ".join(sorted(self.materials))
            self.wrong(name, f"{material['material']} is not known", fix)
        elif FORMS.get(process, known.form) != known.form:
            fix = f"{process} takes {FORMS[process]}"
            self.wrong(name, f"{known.title} does not fit {process}", fix)
        elif known.form == "filament" and "mass_mg" not in material:
            self.wrong(path + ".mass_mg", "is missing", "add the slicer's estimate in mg")
        elif known.form == "stock" and "pieces" not in material:
            self.wrong(path + ".pieces", "is missing", "add how many pieces one run uses up")

    def precedence(self, steps: list[dict[str, Any] | None]) -> tuple[str, ...]:
        """Steps in an order that keeps ``after``; what is wrong with it becomes problems."""
        after: dict[str, list[str]] = {}
        for index, step in enumerate(steps):
            if step is None or "step" not in step:
                continue
            if step["step"] in after:
                message = f"there is another step {step['step']}"
                self.wrong(f"work_master[{index}].step", message, "give each step its own id")
            after[step["step"]] = [name for name in step.get("after", ()) if name]
        for index, step in enumerate(steps):
            named: list[str] = step.get("after", []) if step else []
            for place, name in enumerate(named):
                if name and name not in after:
                    message, fix = f"there is no step {name}", "known: " + ", ".join(after)
                    self.wrong(f"work_master[{index}].after[{place}]", message, fix)
        return self._sorted(after)

    def _sorted(self, after: dict[str, list[str]]) -> tuple[str, ...]:
        try:
            return tuple(TopologicalSorter(after).static_order())
        except CycleError as error:
            ring = " -> ".join(reversed(error.args[1]))
            self.wrong(
                "work_master", f"steps wait for each other: {ring}", "break the ring in after"
            )
            return ()

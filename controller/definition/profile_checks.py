"""Rules over more than one field of a production profile: programs, materials, precedence, work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from controller.definition import programs
from controller.definition.document import Document
from controller.definition.materials import MaterialKind
from controller.definition.meshes import mesh_facts
from controller.definition.problems import Problem
from controller.definition.profile_fields import HUMAN
from controller.definition.sheets import picture_facts

KINDS = {"fdm": "marlin", "mill": "grbl", "assemble": "cell"}
FORMS = {"fdm": "filament", "mill": "stock"}
BY_HAND = ("checks", "measures", "timer_s", "photo", "pictures")


@dataclass(slots=True)
class Checks:
    """Rules over more than one field: programs, materials, precedence."""

    document: Document
    folder: Path
    materials: Mapping[str, MaterialKind]
    problems: list[Problem]
    facts: dict[str, programs.ProgramFacts] = field(
        default_factory=dict[str, programs.ProgramFacts]
    )

    def wrong(self, path: str, message: str, fix: str) -> None:
        """Note a problem with a field."""
        self.problems.append(self.document.problem(path, message, fix))

    def step(self, path: str, step: dict[str, Any]) -> None:
        """One step, or one of its alternatives."""
        process = step.get("process", "")
        program = step.get("program")
        if step.get("mesh") is not None:
            self._mesh(path, step)
        elif program is None:
            self._by_hand(path, process, step)
        elif "kind" in program:
            self._program(path + ".program", step, program)
        for index, material in enumerate(step.get("materials", [])):
            if material and "material" in material:
                self._material(f"{path}.materials[{index}]", step, material)
        for index, way in enumerate(step.get("alternatives", [])):
            if way is not None:
                self.step(f"{path}.alternatives[{index}]", {"instructions": "", **way})
        self._work(path, process, step)

    def rework(self, path: str, step: dict[str, Any]) -> None:
        """A rework step: mended by hand, at one place of the route."""
        self.step(path, step)
        for name in ("after", "on_fail", "alternatives", "count", "yields", "share"):
            if name in step:
                self.wrong(f"{path}.{name}", "has no meaning in rework", "take it out")
        if step.get("process") not in (None, *HUMAN):
            self.wrong(f"{path}.process", "is not done by hand", "one of " + ", ".join(HUMAN))

    def _work(self, path: str, process: str, step: dict[str, Any]) -> None:
        named = [name for name in BY_HAND if name in step]
        if named and process and process not in HUMAN:
            fix = "move it to a step of process inspect after this one"
            self.wrong(f"{path}.{named[0]}", f"{process} is not done by hand", fix)
        for index, measure in enumerate(step.get("measures", [])):
            if measure and measure.get("low", 0) > measure.get("high", 0):
                message = f"low {measure['low']} is above high {measure['high']}"
                self.wrong(f"{path}.measures[{index}].low", message, "swap them")
        names = [m["name"] for m in step.get("measures", []) if m and "name" in m]
        if len(set(names)) < len(names):
            self.wrong(f"{path}.measures", "names a value twice", "give each value its own name")
        for index, name in enumerate(step.get("pictures", [])):
            if name:
                self._picture(f"{path}.pictures[{index}]", name)

    def _picture(self, path: str, name: str) -> None:
        place = self.folder / name
        if not place.resolve().is_relative_to(self.folder.resolve()):
            self.wrong(path, "leads out of the design's folder", "copy the file into it")
        elif not place.is_file():
            self.wrong(path, f"there is no file {name}", "add it or correct the path")
        else:
            facts = picture_facts(place)
            for problem in facts.problems:
                self.wrong(path, f"{name}: {problem.message}", problem.fix)
            self.facts[name] = facts

    def route(self, steps: list[dict[str, Any] | None], reworks: list[Any]) -> None:
        """What steps say of each other: shared plates are taken apart, rework exists."""
        taken = {name for step in steps if step for name in step.get("after", ())}
        known = [step["step"] for step in reworks if step and "step" in step]
        for index, step in enumerate(steps):
            if step is None:
                continue
            path = f"work_master[{index}]"
            if step.get("share") and step.get("yields", 1) < 2:
                self.wrong(f"{path}.share", "one piece cannot be shared", "add yields: n")
            if step.get("share") and step.get("step") not in taken:
                fix = "add a step after it that takes the pieces apart"
                self.wrong(f"{path}.share", "nothing takes its pieces", fix)
            on_fail: dict[str, Any] = step.get("on_fail") or {}
            asked = on_fail.get("rework")
            if asked and asked not in known:
                fix = "known: " + ", ".join(known) if known else "add rework: [{step: ...}]"
                self.wrong(f"{path}.on_fail.rework", f"there is no rework step {asked}", fix)
            if asked and not step.get("after"):
                self.wrong(f"{path}.on_fail", "nothing comes before it to mend", "add after")

    def _by_hand(self, path: str, process: str, step: dict[str, Any]) -> None:
        if process in ("fdm", "mill"):
            mesh = ", or mesh: {file, sha256}" if process == "fdm" else ""
            fix = "add program: {file, sha256, kind, duration_s}" + mesh
            self.wrong(path, f"{process} needs a program", fix)
        elif "duration_s" not in step:
            self.wrong(path, "has neither a program nor a time", "add duration_s, in seconds")
        if process in HUMAN[1:] and "instructions" not in step:
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
            self._file(path, program)

    def _mesh(self, path: str, step: dict[str, Any]) -> None:
        """What is sliced on demand: it says what to print with, not how much or how long."""
        if step.get("program") is not None:
            self.wrong(f"{path}.mesh", "stands beside a program", "keep one of them")
        if step.get("process") not in (None, "fdm"):
            self.wrong(f"{path}.mesh", "only fdm is sliced", "give the step a program")
        if len(step.get("materials", ())) != 1:
            self.wrong(path, "names no single material", "add materials: [{material: petg}]")
        mesh = step["mesh"]
        place = self._place(f"{path}.mesh.file", mesh.get("file", ""))
        if place is not None:
            self._sound(f"{path}.mesh", mesh, mesh_facts(place))

    def _file(self, path: str, program: dict[str, Any]) -> None:
        place = self._place(path + ".file", program["file"])
        if place is not None:
            self._sound(path, program, programs.check(place, program["kind"]))

    def _place(self, path: str, name: str) -> Path | None:
        """A file of the design's folder, or None when that is wrong."""
        place = self.folder / name
        if not place.resolve().is_relative_to(self.folder.resolve()):
            self.wrong(path, "leads out of the design's folder", "copy the file into it")
        elif not place.is_file():
            self.wrong(path, f"there is no file {name}", "add it or correct the path")
        else:
            return place
        return None

    def _sound(self, path: str, said: dict[str, Any], facts: programs.ProgramFacts) -> None:
        for problem in facts.problems:
            self.wrong(path + ".file", f"{said['file']}: {problem}", problem.fix)
        stated = said.get("sha256")
        if stated is None:
            self.wrong(path + ".sha256", "is missing", f"add sha256: {facts.sha256}")
        elif stated != facts.sha256:
            self.wrong(path + ".sha256", "is not that of the file", f"the file has {facts.sha256}")
        self.facts[path] = facts

    def _material(self, path: str, step: dict[str, Any], material: dict[str, Any]) -> None:
        process = step.get("process", "")
        known = self.materials.get(material["material"])
        name = path + ".material"
        if known is None:
            fix = "known: " + ", ".join(sorted(self.materials))
            self.wrong(name, f"{material['material']} is not known", fix)
        elif FORMS.get(process, known.form) != known.form:
            fix = f"{process} takes {FORMS[process]}"
            self.wrong(name, f"{known.title} does not fit {process}", fix)
        elif known.form == "filament" and not ("mass_mg" in material or "mesh" in step):
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

"""Designs of a bare folder: programs and meshes that somebody has, with or without a manifest.

Each file becomes one design of one part. Without a manifest there is nobody to ask for the
licence: it is what the person who ran this states, and every design says so in its note.
"""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from controller.definition import okh, programs
from controller.definition.design import SLICER_SETTINGS, Design, design_id, find_manifest
from controller.definition.document import read_file
from controller.definition.licences import Licence, read_licence
from controller.definition.materials import MATERIALS
from controller.definition.okh import Manifest
from controller.definition.problems import DesignError, Problem
from controller.definition.profile import Material, Profile, Program, Requires, Step
from protocols import gcode

PROGRAM_SUFFIXES = (".gcode", ".gco", ".g", ".nc", ".ngc", ".cnc", ".tap")
MESH_SUFFIXES = (".stl", ".3mf")
MAX_FILES = 500
NOTE = "no manifest: licence stated by the person who ran it"
_SNIFF_BYTES = 256 * 1024
_INSPECT_S = 60
_MAX_REASONS = 3
_PRINTER_COMMANDS = ("M82", "M83", "M104", "M109", "M140", "M190")
_DRAWS = re.compile(r"G0?[0123] .*E-?\.?\d", re.IGNORECASE)
_COMMAND = re.compile(r"[GMTXYZF]\s?-?\.?\d", re.IGNORECASE)


def _silent(done: int, of: int, file: str) -> None:
    """Tell nobody."""


class MeshSlicer(Protocol):
    """What makes a program of a mesh: the path of the program, or an error with the reason."""

    def slice(self, mesh: Path, settings: Path) -> Path:
        """Program for a mesh; raise an exception whose text is the reason."""
        ...


@dataclass(frozen=True, slots=True)
class Bench:
    """How a bare folder is read: who states which licence, how meshes are sliced, what is cut.

    refused: what the slicer raises when it cannot. stock: material that is milled; part_mg: what
    stays of a piece, 0 when not known (then all of it counts as the part). progress(done, of,
    file) is told of each file.
    """

    licence: str
    stated_by: str
    slicer: MeshSlicer | None = None
    settings: Path = SLICER_SETTINGS
    refused: tuple[type[Exception], ...] = (OSError,)
    filament: str = "petg"
    stock: str = "mdf-6"
    part_mg: int = 0
    workers: int = 2
    progress: Callable[[int, int, str], None] = _silent


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that became no design, and why."""

    file: str
    reason: str


def designs_from_folder(folder: Path | str, bench: Bench) -> tuple[list[Design], list[Skipped]]:
    """Designs of the files below a folder, and the files left out with the reason of each.

    Raises DesignError when the folder is none, holds nothing to make, or its licence is refused.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    licence = manifest.licence if manifest else read_licence(bench.licence)
    if not licence.open:
        problem = Problem("licence", 0, licence.refused, "state an open licence, e.g. CC-BY-SA-4.0")
        raise DesignError(str(folder), [problem])
    files, skipped = _files(folder)
    designs: list[Design] = []
    for file, facts in zip(files, _all_facts(files, bench), strict=True):
        if isinstance(facts, str):
            skipped.append(Skipped(file.name, facts))
            continue
        name = _free_id(file.stem, {design.id for design in designs})
        designs.append(_design(name, file, facts, _Origin(bench, manifest, licence, folder)))
    if not designs:
        why = "; ".join(f"{s.file}: {s.reason}" for s in skipped) or "it holds no program or mesh"
        fix = "put .gcode, .nc or .stl files in it"
        raise DesignError(str(folder), [Problem("", 0, f"nothing here can be made: {why}", fix)])
    return designs, skipped


def _all_facts(files: list[Path], bench: Bench) -> Iterator[programs.ProgramFacts | str]:
    """Checked program of each file, or the reason there is none; slicers run side by side."""

    def one(file: Path) -> programs.ProgramFacts | str:
        try:
            return _facts(file, bench)
        except DesignError as error:
            return _reasons(error)

    with ThreadPoolExecutor(bench.workers) as pool:
        for number, facts in enumerate(pool.map(one, files), 1):
            bench.progress(number, len(files), files[number - 1].name)
            yield facts


def _reasons(error: DesignError) -> str:
    shown = [str(problem) for problem in error.problems[:_MAX_REASONS]]
    more = len(error.problems) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a design comes from."""

    bench: Bench
    manifest: Manifest | None
    licence: Licence
    folder: Path


def _manifest(folder: Path) -> Manifest | None:
    if not folder.is_dir():
        raise DesignError(str(folder), [Problem("", 0, "is not a folder", "check the path")])
    path = find_manifest(folder)
    return okh.read_manifest(read_file(path)) if path else None


def _files(folder: Path) -> tuple[list[Path], list[Skipped]]:
    """Programs, then meshes that no program of the same name covers."""
    found = sorted(_walk(folder))
    made = [path for path in found if path.suffix.lower() in PROGRAM_SUFFIXES]
    meshes = [path for path in found if path.suffix.lower() in MESH_SUFFIXES]
    covered = {path.stem for path in made}
    skipped = [
        Skipped(p.name, "a program of this name is there") for p in meshes if p.stem in covered
    ]
    files = made + [path for path in meshes if path.stem not in covered]
    skipped += [Skipped(p.name, f"more than {MAX_FILES} files") for p in files[MAX_FILES:]]
    return files[:MAX_FILES], skipped


def _walk(folder: Path) -> Iterator[Path]:
    suffixes = PROGRAM_SUFFIXES + MESH_SUFFIXES
    for path in folder.rglob("*"):
        if path.suffix.lower() in suffixes and path.is_file():
            yield path


def _facts(file: Path, bench: Bench) -> programs.ProgramFacts:
    """Checked program of a file, sliced when it is a mesh; raise DesignError."""
    program = file
    if file.suffix.lower() in MESH_SUFFIXES:
        program = _sliced(file, bench)
    kind = kind_of(program)
    facts = programs.check(program, kind)
    problems = facts.problems or facts.asks()  # who will run it is not known here
    if problems:
        raise DesignError(file.name, problems)
    return facts


def _sliced(mesh: Path, bench: Bench) -> Path:
    if bench.slicer is None:
        message = "is a mesh, and no slicer is installed"
        fix = "install prusa-slicer, or give sliced programs"
        raise DesignError(mesh.name, [Problem("", 0, message, fix)])
    try:
        return bench.slicer.slice(mesh, bench.settings)
    except bench.refused as error:
        raise DesignError(mesh.name, [Problem("", 0, str(error), "")]) from None


def kind_of(path: Path) -> str:
    """``marlin`` or ``grbl`` by what a program says; raise DesignError when it is neither.

    Heating, E axis modes or an E word in a move mean a printer; any other program is milled.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_SNIFF_BYTES)
    except OSError as error:
        problem = Problem("", 0, f"cannot be read: {error.strerror}", "check the file")
        raise DesignError(path.name, [problem]) from None
    codes = [code for code in map(gcode.strip, head.split(b"\n")) if code]
    if b"\0" in head or not any(_COMMAND.match(code) for code in codes):
        raise DesignError(path.name, [Problem("", 0, "is not a program", "give G-code as text")])
    printed = any(gcode.command(c) in _PRINTER_COMMANDS or _DRAWS.match(c) for c in codes)
    return "marlin" if printed else "grbl"


def _free_id(stem: str, taken: set[str]) -> str:
    name, number = design_id(stem), 1
    while name in taken:
        number += 1
        name = f"{design_id(stem)[:28]}-{number}"
    return name


def _design(name: str, file: Path, facts: programs.ProgramFacts, origin: _Origin) -> Design:
    manifest = origin.manifest
    licensor = ", ".join(agent.name for agent in manifest.licensor) if manifest else ""
    title = file.stem.replace("-", " ").replace("_", " ").strip()[:100] or name
    return Design(
        id=name,
        version=manifest.version if manifest else "0",
        title=title,
        licence=origin.licence,
        licensor=licensor or origin.bench.stated_by,
        folder=str(origin.folder.resolve()),
        manifest=manifest,
        manifest_sha="",
        profile=Profile(name, title, _steps(facts, origin.bench)),
        note="" if manifest else NOTE,
        programs=(facts,),
    )


def _steps(facts: programs.ProgramFacts, bench: Bench) -> tuple[Step, Step]:
    printed = facts.kind == "marlin"
    name = "print" if printed else "mill"
    machine = Step(
        step=name,
        process="fdm" if printed else "mill",
        title="Print it" if printed else "Mill it",
        requires=requires_of(facts),
        materials=_materials(facts, bench),
        program=Program(
            kind=facts.kind,
            duration_s=facts.duration_s,
            file=facts.path.name,
            path=str(facts.path.resolve()),
            sha256=facts.sha256,
            size=facts.size,
            lines=facts.lines,
            slicer=facts.slicer,
        ),
        duration_s=facts.duration_s,
    )
    looked_at = Step(
        step="inspect",
        process="inspect",
        title="Inspect it",
        after=(name,),
        duration_s=_INSPECT_S,
        instructions="Compare it with the drawing or the mesh.",
    )
    return machine, looked_at


def requires_of(facts: programs.ProgramFacts) -> Requires:
    """What the program reaches: from the corner of a bed, or as large as its own moves."""
    requires: Requires = {}
    if facts.nozzle_um and facts.kind == "marlin":
        requires["nozzle_um"] = facts.nozzle_um
    if facts.box_um:
        low, high = facts.box_um
        if facts.kind == "marlin" and min(low) >= 0:
            requires["volume_um"] = [max(1, side) for side in high]
        else:
            requires["volume_um"] = [max(1, high[n] - low[n]) for n in range(3)]
    return requires


def _materials(facts: programs.ProgramFacts, bench: Bench) -> tuple[Material, ...]:
    if facts.kind == "grbl":
        return (Material(bench.stock, pieces=1, part_mg=bench.part_mg),)
    known = MATERIALS.get(facts.material)
    material = facts.material if known and known.form == "filament" else bench.filament
    mass = sum(facts.mass_mg)
    return (Material(material, mass_mg=mass),) if mass else ()

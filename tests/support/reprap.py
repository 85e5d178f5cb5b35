"""The RepRap case: real printed parts, a milled frame and assembly stations as one design.

The meshes are not ours and are not shipped: a manifest and a profile for them are written into a
folder. Programs are sliced on demand, or short stand-ins of the same routing.

python tests/support/reprap.py FOLDER [--stl DIR]      the folder for `fabcommons demo --design`
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from controller.adapters.slicer import find_slicer  # noqa: E402
from controller.definition.programs import check  # noqa: E402

SETTINGS = ROOT / "designs" / "profiles" / "petg-0.3mm.ini"
COUNTS = {"y-rod-holder": 4, "cable-holder": 2, "einsy-hinges": 2}
GROUPS = {
    "x-axis": ("x-end-idler", "x-end-motor", "x-carriage", "x-carriage-back", "endstop-block"),
    "y-axis": (
        "y-belt-holder",
        "y-belt-idler",
        "y-belt-tensioner",
        "y-motor-holder",
        "y-rod-holder",
    ),
    "z-axis": ("z-axis-bottom", "z-axis-top", "z-screw-cover"),
    "extruder": (
        "extruder-idler",
        "extruder-cable-clip",
        "fs-lever",
        "ir-sensor-cover-mmu2s",
        "print-fan-support",
    ),
    "electronics": ("einsy-hinges", "lcd-knob", "cable-holder", "plug-aligner"),
}
FRAME = ("frame-left", "frame-right", "frame-top")
MANIFEST = """\
okhv = "2.4"
name = "RepRap machine"
repo = "."
version = "1.0"
license = "GPL-2.0-or-later"
licensor = "the authors named in LICENSE beside the meshes"
function = "A printer whose plastic parts a printer makes."
"""


def panel(number: int) -> str:
    """Milling program of one part of the frame: its outline, and a slot to tell it by."""
    rows = ["G21 G90 G17 G94", "G54", "G0 Z5", "M3 S12000"]
    for deep in (1.5, 3.0, 4.5, 6.3):
        rows += ["G0 X5 Y5", f"G1 Z-{deep} F300", "G1 X105 F900", "G1 Y75", "G1 X5", "G1 Y5"]
    rows += ["G0 Z5", f"G0 X{20 + 10 * number} Y40", "G1 Z-2 F300", "G1 X80 F900"]
    return "\n".join([*rows, "G0 Z15", "M5", "G0 X0 Y0", "M30"]) + "\n"


def stand_in(name: str) -> str:
    """A short program in the place of a sliced one."""
    return f"; {name}\nG21\nG90\nM83\nG1 X{10 + len(name)} E40 F600\n"


def write(folder: Path, meshes: list[Path], program: Callable[[Path], str]) -> Path:
    """Manifest, profile and programs of all meshes; ``program`` gives the text for one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "okh.toml").write_text(MANIFEST)
    rows = ["profile: 1", "part: reprap", "title: RepRap machine", "work_master:"]
    for mesh in meshes:
        rows += _printed(folder, mesh.stem.lower(), program(mesh))
    for number, name in enumerate(FRAME):
        rows += _milled(folder, name, panel(number))
    rows += _joined({mesh.stem.lower() for mesh in meshes})
    (folder / "production.yml").write_text("\n".join(rows) + "\n")
    return folder


def _program(folder: Path, name: str, text: str, kind: str) -> str:
    path = folder / f"{name}.{'gcode' if kind == 'marlin' else 'nc'}"
    path.write_text(text)
    facts = check(path, kind)
    assert not facts.problems, (name, facts.problems)
    sha = hashlib.sha256(text.encode()).hexdigest()
    return (
        f"    program: {{file: {path.name}, sha256: {sha}, kind: {kind},"
        f" duration_s: {max(60, facts.duration_s)}}}"
    )


def _printed(folder: Path, name: str, text: str) -> list[str]:
    row = _program(folder, name, text, "marlin")
    mass_mg = sum(check(folder / f"{name}.gcode", "marlin").mass_mg) or 5000
    return [
        f"  - step: {name}",
        "    process: fdm",
        "    requires: {nozzle_um: 400}",
        f"    materials: [{{material: petg, mass_mg: {mass_mg}}}]",
        row,
        f"    count: {COUNTS.get(name, 1)}",
    ]


def _milled(folder: Path, name: str, text: str) -> list[str]:
    return [
        f"  - step: {name}",
        "    process: mill",
        "    requires: {tool_um: 3000}",
        "    materials: [{material: mdf-6, pieces: 1, part_mg: 31500}]",
        _program(folder, name, text, "grbl"),
    ]


def _step(name: str, process: str, after: list[str], words: str, *more: str) -> list[str]:
    return [
        f"  - step: {name}",
        f"    process: {process}",
        f"    after: [{', '.join(after)}]",
        f"    instructions: {words}",
        *(f"    {row}" for row in more),
    ]


def _joined(there: set[str]) -> list[str]:
    """Deburring, transport, sub-assemblies, the whole, a look at it."""
    time = "duration_s: 300"
    rows = _step("deburr", "deburr", list(FRAME), "Sand the edges of the frame.", time)
    rows += _step("carry", "move", ["deburr"], "Carry the frame to the bench.", "duration_s: 60")
    groups = {n: [p for p in parts if p in there] for n, parts in GROUPS.items()}
    groups = {name: parts for name, parts in groups.items() if parts}
    for name, parts in groups.items():
        cell = f"program: {{kind: cell, work_master: reprap-{name}-v1, duration_s: 240}}"
        rows += _step(f"join-{name}", "assemble", parts, f"Join the {name}.", cell)
    joined = [f"join-{name}" for name in groups]
    rest = sorted(there - {part for parts in groups.values() for part in parts})
    rows += _step("join-all", "station", ["carry", *joined, *rest], "Bolt it all together.", time)
    measure = "measures: [{name: square-um, unit: um, low: 0, high: 500}]"
    checks = "checks: [Every axis runs freely]"
    look = ("duration_s: 300", checks, measure, "on_fail: {rework: align}")
    rows += _step("inspect", "inspect", ["join-all"], "Measure how square the frame is.", *look)
    rows += ["rework:", "  - step: align", "    process: station", f"    {time}"]
    return [*rows, "    instructions: Loosen, align, tighten."]


def meshes_of(folder: Path) -> list[Path]:
    """Every mesh of a folder, by name."""
    return sorted(folder.glob("*.stl"), key=lambda path: path.stem.lower())


def main() -> int:
    """Slice every mesh (kept in .cache) and write the design's folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stl", type=Path, default=ROOT.parent / "shared/data/reprap/stl")
    options = parser.parse_args()
    slicer = find_slicer(ROOT / ".cache" / "sliced")
    if slicer is None:
        print("prusa-slicer is not installed: apt-get install prusa-slicer", file=sys.stderr)
        return 2
    meshes = meshes_of(options.stl)
    write(options.folder, meshes, lambda mesh: slicer.slice(mesh, SETTINGS).read_text())
    print(f"{options.folder}: {len(meshes)} meshes sliced")
    return 0


if __name__ == "__main__":
    sys.exit(main())

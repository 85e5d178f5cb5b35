"""Make the shipped designs: meshes, programs, manifests, production profiles.

uv run --group design python designs/author/make.py           write designs/
uv run --group design python designs/author/make.py --check   exit 1 when designs/ differs

Meshes and milling programs come out byte for byte the same; sliced programs too with the same
PrusaSlicer (its line with the date is left out).
"""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import solids  # noqa: E402  (these stand beside the script)
import trimesh  # noqa: E402
from catalogue import ITEMS, Item, Milled, Printed  # noqa: E402
from files import manifest, production, readme  # noqa: E402

from controller.adapters.slicer import Slicer, find_slicer  # noqa: E402
from controller.definition.programs import ProgramFacts, check  # noqa: E402

PROFILE = ROOT / "designs" / "profiles" / "petg-0.3mm.ini"


def make_part(
    part: Printed | Milled, folder: Path, slicer: Slicer
) -> tuple[trimesh.Trimesh, ProgramFacts, str]:
    """Mesh and program of one part below a design's folder."""
    mesh = solids.mesh_of(part.shape())
    solids.write_stl(mesh, folder / "meshes" / f"{part.name}.stl")
    program = folder / "programs" / f"{part.name}.gcode"
    if isinstance(part, Printed):
        sliced = slicer.slice(folder / "meshes" / f"{part.name}.stl", PROFILE)
        program.write_bytes(sliced.read_bytes())
    else:
        program.write_text(part.program())
    facts = check(program, "marlin" if isinstance(part, Printed) else "grbl")
    if facts.problems:
        raise SystemExit(f"{program.name}: " + "; ".join(str(p) for p in facts.problems))
    return mesh, facts, facts.slicer or "designs/author/cam.py"


def make_item(item: Item, root: Path, slicer: Slicer) -> None:
    """The folder of one design."""
    folder = root / item.name
    (folder / "meshes").mkdir(parents=True, exist_ok=True)
    (folder / "programs").mkdir(exist_ok=True)
    made = {part.name: make_part(part, folder, slicer) for part in item.all_parts()}
    profile_sha = hashlib.sha256(PROFILE.read_bytes()).hexdigest()
    (folder / "okh.toml").write_text(manifest(item, made))
    (folder / "production.yml").write_text(production(item, made, profile_sha))
    (folder / "README.md").write_text(readme(item, made))
    for name, (mesh, facts, _) in made.items():
        size = " x ".join(f"{side:.1f}" for side in mesh.extents)
        print(
            f"{item.name:13} {name:14} {size:20} {facts.lines:5} lines"
            f" {facts.duration_s / 60:5.1f} min"
        )


def differences(made: Path, shipped: Path) -> list[str]:
    """Files that are missing or differ, by their path below designs/."""
    found: list[str] = []
    for path in sorted(p for p in made.rglob("*") if p.is_file()):
        name = path.relative_to(made)
        twin = shipped / name
        if not twin.is_file() or twin.read_bytes() != path.read_bytes():
            found.append(str(name))
    return found


def main() -> int:
    """Write or check the designs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only, change nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        slicer = find_slicer(scratch / "cache")
        if slicer is None:
            print("prusa-slicer is not installed: apt-get install prusa-slicer", file=sys.stderr)
            return 2
        root = scratch / "designs" if options.check else ROOT / "designs"
        for item in ITEMS:
            make_item(item, root, slicer)
        found = differences(root, ROOT / "designs") if options.check else []
    for name in found:
        print(f"designs/{name} differs: run `make designs`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

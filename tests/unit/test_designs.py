"""The shipped designs: whole, licensed, and what their profiles say of them is true."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

import pytest

from controller.definition import DesignError, load_design, route, shipped_designs
from controller.definition.programs import check

ROOT = Path(__file__).resolve().parents[2] / "designs"
FOLDERS = shipped_designs()


def edges(stl: bytes) -> Counter[tuple[bytes, bytes]]:
    (count,) = struct.unpack_from("<I", stl, 80)
    assert len(stl) == 84 + 50 * count
    found: Counter[tuple[bytes, bytes]] = Counter()
    for at in range(84, len(stl), 50):
        corner = [stl[at + 12 + 12 * n : at + 24 + 12 * n] for n in range(3)]
        for n in range(3):
            found[corner[n], corner[(n + 1) % 3]] += 1
    return found


def test_a_printed_a_milled_and_an_assembled_design_are_shipped():
    processes = {f.name: {s.process for s in load_design(f).profile.steps} for f in FOLDERS}
    assert processes["cable-clip"] == {"fdm", "inspect"}
    assert processes["clamp-plate"] == {"mill", "inspect"}
    assert processes["toggle-clamp"] == {"fdm", "mill", "assemble", "inspect"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_a_shipped_design_loads_and_routes(folder: Path):
    design = load_design(folder)
    assert design.licence.open
    assert design.licensor == "Fabcommons contributors"
    assert design.manifest is not None
    assert design.manifest.notes == ()
    for part in design.manifest.parts:
        assert all((folder / path).is_file() for path in part.export)
        assert part.mass_mg > 0
    steps = design.profile.steps
    ways = [way for step in steps for way in (step, *step.alternatives)]
    shas = {way.program.sha256 for way in ways if way.program}
    assert {facts.sha256 for facts in design.programs} == shas - {""}
    routing = route(design.profile, 3)
    assert len(routing.operations) == sum(-(-3 * s.count // s.yields) for s in steps)


@pytest.mark.parametrize("mesh", sorted(ROOT.glob("*/meshes/*.stl")), ids=lambda m: m.stem)
def test_a_shipped_mesh_is_watertight(mesh: Path):
    found = edges(mesh.read_bytes())
    assert found
    assert all(found[b, a] == n for (a, b), n in found.items())


def test_programs_run_within_the_demo_floor_and_estimates_are_those_of_the_file():
    for folder in FOLDERS:
        for step in load_design(folder).profile.steps:
            if step.program is None or not step.program.path:
                continue
            facts = check(Path(step.program.path), step.program.kind)
            assert not facts.problems
            assert step.duration_s == facts.duration_s
            assert facts.box_um is not None
            assert all(high <= 220_000 for high in facts.box_um[1])
            if facts.kind == "marlin":
                assert step.materials[0].mass_mg == sum(facts.mass_mg)
                assert sum(facts.length_um) == pytest.approx(sum(facts.said_length_um), rel=1e-3)


def test_problems_of_manifest_and_profile_come_together(tmp_path: Path):
    (tmp_path / "okh.toml").write_text('okhv = "2.4"\nname = "X"\n')
    (tmp_path / "production.yml").write_text("profile: 1\npart: X y\n")
    with pytest.raises(DesignError) as caught:
        load_design(tmp_path)
    fields = {problem.field for problem in caught.value.problems}
    assert {"okh.toml: license", "production.yml: part", "production.yml: work_master"} <= fields


def test_an_empty_folder_says_what_to_add(tmp_path: Path):
    with pytest.raises(DesignError) as caught:
        load_design(tmp_path)
    assert [problem.fix[:12] for problem in caught.value.problems] == [
        "add okh.toml",
        "add producti",
    ]

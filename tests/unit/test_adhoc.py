"""Bare folders: told apart by content, one design per file, a reason for each file left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.adapters.slicer import SlicerError, find_slicer
from controller.definition import DesignError, route
from controller.definition.adhoc import NOTE, Bench, designs_from_folder, kind_of

BENCH = Bench("CC-BY-SA-4.0", "a person")
PRINTED = "M104 S200\nG1 X10 Y10 E2 F600\n; filament_type = PLA\n; nozzle_diameter = 0.4\n"
MILLED = "G21 G90\nM3 S1000\nG1 X-10 Z-1 F100\nM5\n"


class FakeSlicer:
    """Copies a text beside the mesh, or refuses."""

    def slice(self, mesh: Path, settings: Path) -> Path:
        if b"bad" in mesh.read_bytes():
            raise SlicerError("does not fit the bed")
        out = mesh.with_suffix(".out")
        out.write_text(PRINTED)
        return out


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PRINTED, "marlin"),
        ("G28\nM109 S210\n", "marlin"),
        ("N1 G1 X1 E.5\n", "marlin"),
        (MILLED, "grbl"),
        ("G0 X1\nG1 Z-1\n", "grbl"),
        ("(E 5) G1 X1 ; E5\n", "grbl"),
    ],
)
def test_printers_and_mills_are_told_apart_by_content(tmp_path: Path, text: str, kind: str):
    (tmp_path / "p.nc").write_text(text)
    assert kind_of(tmp_path / "p.nc") == kind


def test_each_file_becomes_a_design_that_can_be_routed(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "Big Part.gcode").write_text(PRINTED)
    (tmp_path / "sub" / "plate.nc").write_text(MILLED)
    (tmp_path / "notes.txt").write_text("hello")
    designs, skipped = designs_from_folder(tmp_path, BENCH)
    assert skipped == []
    printed, milled = designs
    assert (printed.id, printed.licence.spdx, printed.licensor) == (
        "big-part",
        "CC-BY-SA-4.0",
        "a person",
    )
    assert (printed.note, printed.manifest) == (NOTE, None)
    first = printed.profile.steps[0]
    assert (first.process, first.requires["nozzle_um"]) == ("fdm", 400)
    assert (first.materials[0].material, first.materials[0].mass_mg) == ("pla", 6)
    assert milled.profile.steps[0].requires == {"volume_um": [1, 1, 1]}
    assert [o.step for o in route(milled.profile, 2).operations] == [
        "mill",
        "mill",
        "inspect",
        "inspect",
    ]


def test_files_that_cannot_be_made_are_left_out_with_their_reasons(tmp_path: Path):
    (tmp_path / "good.gcode").write_text(PRINTED)
    (tmp_path / "evil.gcode").write_text(PRINTED + "M112\n")
    (tmp_path / "text.nc").write_text("hello\n")
    (tmp_path / "mesh.stl").write_bytes(b"solid")
    (tmp_path / "good.stl").write_bytes(b"solid")
    designs, skipped = designs_from_folder(tmp_path, BENCH)
    assert [d.id for d in designs] == ["good"]
    reasons = {s.file: s.reason for s in skipped}
    assert "a program of this name is there" in reasons["good.stl"]
    assert "M112" in reasons["evil.gcode"]
    assert "is not a program" in reasons["text.nc"]
    assert "no slicer is installed" in reasons["mesh.stl"]


def test_meshes_are_sliced_and_progress_is_told(tmp_path: Path):
    (tmp_path / "a.stl").write_bytes(b"solid")
    (tmp_path / "b.stl").write_bytes(b"bad")
    told: list[tuple[int, int, str]] = []
    bench = Bench(
        "MIT",
        "a person",
        FakeSlicer(),
        refused=(SlicerError,),
        progress=lambda done, of, file: told.append((done, of, file)),
    )
    designs, skipped = designs_from_folder(tmp_path, bench)
    assert [d.id for d in designs] == ["a"]
    assert [(s.file, s.reason) for s in skipped] == [("b.stl", "does not fit the bed")]
    assert told == [(1, 2, "a.stl"), (2, 2, "b.stl")]


def test_names_that_fall_together_stay_apart(tmp_path: Path):
    for name in ("Part A.gcode", "part-a.nc", "part_a.gcode"):
        (tmp_path / name).write_text(PRINTED)
    designs, _ = designs_from_folder(tmp_path, BENCH)
    assert sorted(d.id for d in designs) == ["part-a", "part-a-2", "part-a-3"]


def test_a_manifest_beside_the_files_gives_licence_and_credit(tmp_path: Path):
    (tmp_path / "a.gcode").write_text(PRINTED)
    (tmp_path / "okh.toml").write_text(
        'okhv="2.4"\nname="A"\nversion="3"\nlicense="MIT"\nlicensor="Makers"\nfunction="f"\n'
    )
    design = designs_from_folder(tmp_path, BENCH)[0][0]
    assert (design.licence.spdx, design.licensor, design.version, design.note) == (
        "MIT",
        "Makers",
        "3",
        "",
    )


@pytest.mark.parametrize(
    ("files", "licence", "message"),
    [
        ({}, "MIT", "no program or mesh"),
        ({"a.gcode": "M112\n"}, "MIT", "M112"),
        ({"a.gcode": PRINTED}, "", "all rights are reserved"),
        ({"a.gcode": PRINTED}, "CC-BY-NC-4.0", "forbids commercial use"),
    ],
)
def test_a_folder_that_cannot_be_made_is_one_clear_error(
    tmp_path: Path, files, licence: str, message: str
):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(DesignError, match=message):
        designs_from_folder(tmp_path, Bench(licence, "a person"))


def test_a_missing_folder_is_one_clear_error(tmp_path: Path):
    with pytest.raises(DesignError, match="is not a folder"):
        designs_from_folder(tmp_path / "none", BENCH)


def test_real_milling_programs_become_designs(shared_data: Path):
    designs, skipped = designs_from_folder(shared_data / "cnc", BENCH)
    assert {"circle", "jsdc", "tball-engrave"} <= {d.id for d in designs}
    kinds = {d.id: d.profile.steps[0].process for d in designs}
    assert kinds["sample"] == "fdm"  # a print among the milling programs
    assert all(s.reason for s in skipped)


def test_a_real_mesh_is_sliced_when_a_slicer_is_there(shared_data: Path, tmp_path: Path):
    slicer = find_slicer(tmp_path / "cache")
    if slicer is None:
        pytest.skip("prusa-slicer is not installed")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "plug.stl").write_bytes(
        (shared_data / "reprap" / "stl" / "plug-aligner.stl").read_bytes()
    )
    settings = Path(__file__).resolve().parents[2] / "designs" / "profiles" / "petg-0.3mm.ini"
    bench = Bench("GPL-2.0-only", "a person", slicer, settings, (SlicerError,))
    designs, skipped = designs_from_folder(tmp_path / "parts", bench)
    assert [d.id for d in designs] == ["plug"], skipped
    assert designs[0].profile.steps[0].duration_s > 60

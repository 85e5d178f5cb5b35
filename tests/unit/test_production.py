"""Production profiles: every problem at once, each with its field, line and fix."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from controller.definition import DesignError, Profile, profile_from_json, profile_json
from controller.definition.document import read_yaml
from controller.definition.production import read_profile

PROGRAM = b"G21\nG90\nG1 X10 E1 F600\n"
SHA = hashlib.sha256(PROGRAM).hexdigest()
GOOD = f"""\
profile: 1
part: clip
title: Clip
work_master:
  - step: print
    process: fdm
    requires: {{nozzle_um: 400, volume_um: [20000, 20000, 10000]}}
    materials: [{{material: petg, mass_mg: 1200}}]
    program: {{file: clip.gcode, sha256: {SHA}, kind: marlin, duration_s: 300}}
    yields: 4
  - step: inspect
    process: inspect
    after: [print]
    duration_s: 30
    instructions: Look at it.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clip.gcode").write_bytes(PROGRAM)
    (tmp_path / "mill.nc").write_bytes(b"G21\nM3 S1000\nG1 X1 F100\nM5\n")
    return tmp_path


def read(text: str, folder: Path) -> Profile:
    return read_profile(read_yaml(text.encode(), "production.yml"), folder)[0]


def problems(text: str, folder: Path) -> list[tuple[str, int, str, str]]:
    with pytest.raises(DesignError) as caught:
        read(text, folder)
    return [(p.field, p.line, p.message, p.fix) for p in caught.value.problems]


def test_a_good_profile_is_read_whole_and_survives_the_store(folder: Path):
    profile = read(GOOD, folder)
    first, second = profile.steps
    assert (first.step, first.yields, first.duration_s) == ("print", 4, 300)
    assert first.program is not None
    assert (first.program.sha256, first.program.lines, first.program.size) == (SHA, 3, len(PROGRAM))
    assert Path(first.program.path) == folder / "clip.gcode"
    assert (second.after, second.duration_s) == (("print",), 30)
    assert profile_from_json(profile_json(profile)) == profile


def test_steps_come_out_in_an_order_that_keeps_precedence(folder: Path):
    head, tail = GOOD.split("  - step: inspect")
    swapped = head.split("  - step: print")[0] + "  - step: inspect" + tail
    profile = read(swapped + "  - step: print" + head.split("  - step: print")[1], folder)
    assert [s.step for s in profile.steps] == ["print", "inspect"]


CASES = [
    # what is changed, field, line, message, fix
    (
        "process: fdm",
        "process: fmd",
        "work_master[0].process",
        6,
        "'fmd' is not known",
        "one of fdm",
    ),
    ("title: Clip", "titel: Clip", "titel", 3, "is not a field", "did you mean title?"),
    ("title: Clip", "", "title", 0, "is missing", "name of the part"),
    (
        "clip.gcode",
        "clop.gcode",
        "work_master[0].program.file",
        9,
        "there is no file clop.gcode",
        "add",
    ),
    (
        "clip.gcode",
        "../clip.gcode",
        "work_master[0].program.file",
        9,
        "out of the design's",
        "path",
    ),
    (SHA, "0f" * 32, "work_master[0].program.sha256", 9, "is not that of the file", SHA),
    (f"sha256: {SHA}, ", "", "work_master[0].program.sha256", 9, "is missing", SHA),
    (
        "duration_s: 300",
        "duration_s: -5",
        "work_master[0].program.duration_s",
        9,
        "-5 is negative",
        "1",
    ),
    (
        "duration_s: 300",
        "duration_s: 1.5",
        "work_master[0].program.duration_s",
        9,
        "whole number",
        "1",
    ),
    (
        "petg",
        "unobtainium",
        "work_master[0].materials[0].material",
        8,
        "is not known",
        "known: abs",
    ),
    ("petg", "mdf-6", "work_master[0].materials[0].material", 8, "does not fit fdm", "filament"),
    (", mass_mg: 1200", "", "work_master[0].materials[0].mass_mg", 8, "is missing", "estimate"),
    ("step: inspect", "step: print", "work_master[1].step", 11, "another step print", "own id"),
    (
        "after: [print]",
        "after: [prnt]",
        "work_master[1].after[0]",
        13,
        "there is no step prnt",
        "print",
    ),
    ("kind: marlin", "kind: grbl", "work_master[0].program.kind", 9, "does not fit fdm", "marlin"),
    ("yields: 4", "yields: 0", "work_master[0].yields", 10, "0 is out of bounds", "1 to 1000"),
    ("duration_s: 30\n", "\n", "work_master[1]", 11, "neither a program nor a time", "duration_s"),
    ("    instructions: Look at it.\n", "", "work_master[1]", 11, "needs instructions", "person"),
    ("profile: 1", "profile: 2", "profile", 1, "2 is out of bounds", "1 to 1"),
    (
        "title: Clip",
        "title: Clip\nquantity: {min: 9, max: 3}",
        "quantity.min",
        4,
        "above max 3",
        "swap",
    ),
    (
        "nozzle_um: 400",
        "nozle_um: 400",
        "work_master[0].requires.nozle_um",
        7,
        "not a field",
        "nozzle",
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_field_is_named_with_its_line_and_fix(
    folder: Path, case: tuple[str, str, str, int, str, str]
):
    old, new, field, line, message, fix = case
    found = problems(GOOD.replace(old, new, 1), folder)
    matching = [p for p in found if p[0] == field]
    assert matching, found
    assert matching[0][1] == line
    assert message in matching[0][2]
    assert fix in matching[0][3]


def test_all_problems_come_at_once_in_the_order_of_the_file(folder: Path):
    text = (
        GOOD.replace("petg", "gold").replace("after: [print]", "after: [x]").replace(SHA, "f" * 64)
    )
    found = problems(text, folder)
    assert [p[1] for p in found] == [8, 9, 13]


def test_steps_that_wait_for_each_other_are_refused_with_the_ring(folder: Path):
    text = GOOD.replace("    yields: 4", "    after: [inspect]")
    found = problems(text, folder)
    assert len(found) == 1
    assert "print" in found[0][2]
    assert " -> " in found[0][2]


def test_a_mill_step_needs_a_program_and_stock_by_the_piece(folder: Path):
    text = GOOD.replace("process: fdm", "process: mill").replace("petg, mass_mg: 1200", "mdf-6")
    fields = [p[0] for p in problems(text, folder)]
    assert "work_master[0].program.kind" in fields
    assert "work_master[0].materials[0].pieces" in fields


def test_a_program_that_may_not_run_is_refused_with_its_line(folder: Path):
    (folder / "clip.gcode").write_bytes(PROGRAM + b"M500\n")
    found = [p for p in problems(GOOD, folder) if p[0].endswith("file")]
    assert "line 4" in found[0][2]
    assert "M500" in found[0][2]


def test_a_link_out_of_the_folder_is_not_followed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
):
    outside = tmp_path_factory.mktemp("outside") / "secret.gcode"
    outside.write_bytes(PROGRAM)
    (folder / "clip.gcode").unlink()
    (folder / "clip.gcode").symlink_to(outside)
    found = problems(GOOD, folder)
    assert found[0][2] == "leads out of the design's folder"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"profile: [1", "is not valid YAML"),
        (b"a: &x 1\nb: *x\n", "anchors"),
        (b"- 1\n- 2\n", "must be a mapping"),
        (b"", "must be a mapping"),
        (b"part: \xff\n", "not text in UTF-8"),
        (b"a: " + b"[" * 60 + b"]" * 60, "deep nesting"),
        (b"a: " + b"x" * 200_000, "longer than"),
        (b"a: \x07\n", "is not valid YAML"),
    ],
)
def test_text_that_is_no_profile_is_one_clear_error(text: bytes, message: str):
    with pytest.raises(DesignError, match=message):
        read_yaml(text, "production.yml")


def test_a_stored_profile_that_is_broken_says_so():
    with pytest.raises(DesignError, match="import the design again"):
        profile_from_json('{"part": 3}')

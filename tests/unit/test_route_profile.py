"""Routes as text: every field beyond a plain step, its problems, its schema, its picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from controller.definition import DesignError, load_design, profile_from_json, profile_json
from controller.definition.schema import profile_schema
from controller.route_picture import nodes_of, picture
from simulators.technician import photo
from support import kit_design

PIN, LAST = "pins", "look"


def test_a_route_is_read_whole_and_survives_the_store(tmp_path: Path) -> None:
    profile = kit_design.load(tmp_path).profile
    steps = {step.step: step for step in profile.steps}
    assert (steps["pins"].share, steps["pins"].yields, steps["pins"].count) == (True, 6, 2)
    assert [way.process for way in steps["base"].alternatives] == ["mill"]
    assert steps["look"].on_fail is not None
    assert (steps["look"].work.measures[0].high, steps["glue"].work.timer_s) == (200, 600)
    assert [step.step for step in profile.rework] == ["sand"]
    assert profile_from_json(profile_json(profile)) == profile


CASES = [
    ("share: true\n", "share: maybe\n", "share", "must be true or false"),
    ("    yields: 6\n", "", "share", "one piece cannot be shared"),
    ("after: [pins, carry]", "after: [carry]", "share", "nothing takes its pieces"),
    ("{rework: sand}", "{rework: snad}", "on_fail.rework", "there is no rework step snad"),
    ("low: 100", "low: 300", "measures[0].low", "low 300 is above high 200"),
    ("unit: um, low", "unit: mm, low", "measures[0].unit", "'mm' is not known"),
    ("    timer_s: 600\n", "    timer_s: -1\n", "timer_s", "is negative"),
    ("    duration_s: 300\n", "    duration_s: 300\n    after: [pins]\n", "after", "in rework"),
    ("process: deburr", "process: fdm", "rework[0].process", "not done by hand"),
    ("    share: true\n", "    share: true\n    photo: true\n", "photo", "not done by hand"),
    ("      - process: mill\n", "      - process: mil\n", "alternatives[0].process", "not known"),
    ("photo: false", "photo: false\n    pictures: [none.png]", "pictures[0]", "no file none.png"),
    ("photo: false", "photo: false\n    pictures: [bad.png]", "pictures[0]", "neither PNG nor"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[2]} {case[3]}")
def test_a_wrong_field_of_a_route_is_named_with_line_and_fix(
    tmp_path: Path, case: tuple[str, str, str, str]
) -> None:
    old, new, field, words = case
    text = kit_design.text()
    assert old in text
    kit_design.write(tmp_path, text.replace(old, new, 1))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DesignError) as caught:
        load_design(tmp_path)
    found = [p for p in caught.value.problems if p.field.endswith(field) and words in p.message]
    assert found, [str(p) for p in caught.value.problems]
    assert found[0].line > 0 and found[0].fix


def test_pictures_for_the_person_are_kept_with_the_programs(tmp_path: Path) -> None:
    kit_design.write(tmp_path, kit_design.text().replace("photo: false", "pictures: [look.png]"))
    (tmp_path / "look.png").write_bytes(photo())
    design = load_design(tmp_path)
    [sha] = next(step for step in design.profile.steps if step.step == "look").work.pictures
    assert {facts.kind for facts in design.programs if facts.sha256 == sha} == {"png"}


def test_the_schema_names_every_field_of_the_tables() -> None:
    schema: dict[str, Any] = profile_schema()
    step = schema["properties"]["work_master"]["items"]["properties"]
    assert {"alternatives", "share", "on_fail", "measures"} <= set(step)
    assert step["measures"]["items"]["properties"]["low"]["type"] == "integer"
    assert json.loads(json.dumps(schema)) == schema


def test_each_box_of_a_picture_has_its_own_room(tmp_path: Path) -> None:
    profile = json.loads(profile_json(kit_design.load(tmp_path).profile))
    drawn = ET.fromstring(picture(*nodes_of(profile), "Kit <&>"))
    name = "{http://www.w3.org/2000/svg}"
    boxes = [
        (float(r.attrib["x"]), float(r.attrib["y"]))
        for r in drawn.iter(f"{name}rect")
        if r.attrib.get("rx")
    ]
    assert len(boxes) == len(set(boxes)) == len(profile["steps"]) + 1
    assert any(text.text == "Kit <&>" for text in drawn.iter(f"{name}text"))

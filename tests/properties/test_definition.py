"""Whatever is in the files, reading ends in a value or in a DesignError."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.definition import DesignError, Profile, Step, route
from controller.definition.adhoc import kind_of
from controller.definition.document import Document, read_toml, read_yaml
from controller.definition.licences import read_licence
from controller.definition.okh import read_manifest
from controller.definition.production import read_profile
from controller.definition.profile_fields import PROFILE
from controller.definition.programs import check

ROOT = Path(__file__).resolve().parents[2]
TOML = (ROOT / "designs/toggle-clamp/okh.toml").read_bytes()
YAML = (ROOT / "designs/toggle-clamp/production.yml").read_bytes()
GCODE = (ROOT / "designs/clamp-plate/programs/clamp-plate.gcode").read_bytes()[:1500]

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn, text: bytes) -> bytes:
    """A good file with a few bytes cut out, doubled or replaced."""
    data = bytearray(text)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 40))] = draw(st.binary(max_size=12))
    return bytes(data)


def ends_well(call, *arguments) -> None:
    try:
        call(*arguments)
    except DesignError as error:
        assert error.problems
        assert all(problem.message for problem in error.problems)


@given(st.binary(max_size=300) | damaged(TOML))
def test_any_toml_is_a_manifest_or_an_error(data: bytes):
    ends_well(lambda: read_manifest(read_toml(data, "okh.toml")))


@given(st.binary(max_size=300) | damaged(YAML))
@SLOW
def test_any_yaml_is_a_profile_or_an_error(data: bytes):
    ends_well(lambda: read_profile(read_yaml(data, "p.yml"), ROOT / "designs/toggle-clamp"))
    ends_well(lambda: read_manifest(read_yaml(data, "okh.yml")))


NAMES = [field.name for field in PROFILE] + [
    "name", "license", "licensor", "function", "part", "title", "okhv", "tsdc", "project-link",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), values, max_size=9))
@SLOW
def test_any_values_are_read_or_refused(fields):
    ends_well(lambda: read_manifest(Document("okh.toml", fields, {})))
    ends_well(lambda: read_manifest(Document("okh.yml", fields, {})))
    ends_well(lambda: read_profile(Document("production.yml", fields, {}), ROOT))


steps = st.fixed_dictionaries(
    {
        "step": values | st.just("a"),
        "process": values | st.sampled_from(["fdm", "mill", "inspect"]),
    },
    optional={
        name: values
        for name in ("after", "requires", "materials", "program", "duration_s", "yields", "title")
    },
)


@given(st.lists(steps | values, max_size=4))
@SLOW
def test_any_steps_are_read_or_refused(work):
    fields = {"profile": 1, "part": "a", "title": "a", "work_master": work}
    ends_well(lambda: read_profile(Document("production.yml", fields, {}), ROOT))


gcode = st.lists(
    st.sampled_from(
        [b"G1 X1", b"G2 I1", b"G3 R-2 X4", b"G4 P1e9", b"G20", b"G91", b"F0", b"M2", b"T99"]
    )
    | st.binary(max_size=30)
).map(b"\n".join)


@given(gcode | damaged(GCODE), st.sampled_from(["marlin", "grbl"]))
@SLOW
def test_any_program_is_checked(data: bytes, kind: str):
    with tempfile.NamedTemporaryFile(suffix=".gcode") as file:
        file.write(data)
        file.flush()
        facts = check(Path(file.name), kind)
        ends_well(kind_of, Path(file.name))
    assert facts.size == len(data)
    assert facts.duration_s >= 1


@given(st.text(max_size=80))
def test_any_text_is_a_licence_or_a_reason(text: str):
    licence = read_licence(text)
    assert licence.open or licence.refused
    assert licence.spdx


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=4),
    st.integers(1, 12),
)
def test_routing_makes_enough_pieces_and_hands_each_on_once(shape, quantity: int):
    made = tuple(
        Step(f"s{n}", "station", after=(f"s{n - 1}",) if n else (), duration_s=1, yields=y, count=c)
        for n, (y, c) in enumerate(shape)
    )
    routing = route(Profile("p", "P", made, 1, 100), quantity)
    for place, (yields, count) in enumerate(shape):
        runs = [n for n, o in enumerate(routing.operations) if o.step == f"s{place}"]
        assert sum(routing.operations[n].pieces for n in runs) == quantity * count
        assert all(1 <= routing.operations[n].pieces <= yields for n in runs)
        if place + 1 < len(shape):
            for run in runs:
                handed = [p for before, _, p in routing.links if before == run]
                assert sum(handed) == routing.operations[run].pieces
        if place:
            waiting = {after for _, after, _ in routing.links}
            assert waiting.issuperset(runs)


def test_the_files_this_starts_from_are_good():
    assert read_manifest(read_toml(TOML, "okh.toml")).name == "Toggle clamp"
    with pytest.raises(DesignError, match="there is no file"):
        read_profile(read_yaml(YAML, "p.yml"), ROOT)

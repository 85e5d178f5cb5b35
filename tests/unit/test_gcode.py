"""G-code lines: vectors, what is forbidden, modes."""

import json
from pathlib import Path
from typing import Any

import pytest

from protocols import forbidden as forbidding
from protocols import gcode
from protocols.errors import WireError

VECTORS = Path(__file__).parent.parent / "vectors"


@pytest.mark.parametrize(
    "case", json.loads((VECTORS / "gcode_lines.json").read_text()), ids=lambda c: c["raw"]
)
def test_lines(case: dict[str, Any]) -> None:
    code = gcode.strip(case["raw"].encode())
    assert code == case["code"]
    if "error" in case:
        with pytest.raises(WireError) as caught:
            gcode.words(code)
        assert caught.value.field == case["error"]
    if "words" in case:
        words = gcode.words(code)
        assert [list(word) for word in words] == case["words"]
        assert gcode.words(gcode.write_words(words)) == words
        if case.get("twin"):
            assert gcode.write_words(words) == code


def test_non_ascii_bytes_of_a_comment_go_with_it() -> None:
    assert gcode.strip(b"G1 X1 ; gr\xfc\xdfe") == "G1 X1"
    assert gcode.strip(b"M117 gr\xfcn") == "M117 grün"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("G01 X1", "G1"),
        ("M117 hi", "M117"),
        ("G38.2 Z-5", "G38.2"),
        ("T1", "T1"),
        ("", ""),
        ("$H", "$"),
    ],
)
def test_command(line: str, name: str) -> None:
    assert gcode.command(line) == name


@pytest.mark.parametrize(
    ("line", "dialect", "reason"),
    [
        ("G1 X1 E2", "marlin", None),
        ("M117 layer 2 of 7: 50 %!", "marlin", None),
        ("M600", "marlin", None),
        ("M500 ; keep", "marlin", "settings"),
        ("M502", "marlin", "settings"),
        ("M997", "marlin", "firmware"),
        ("M28 a.gco", "marlin", "memory card"),
        ("M112", "marlin", "emergency"),
        ("M0108", "marlin", "emergency"),
        ("M110 N0", "marlin", "line numbers"),
        ("M118 A1 action:pause", "marlin", "voice"),
        ("G1 X1 Y", "marlin", None),
        ("G1 X1 Yx-", "marlin", "cannot be read"),
        ("M117 " + "x" * 78, "marlin", "83 bytes"),
        ("M117 " + "x" * 77, "marlin", None),
        ("M117 a\x07b", "marlin", "control"),
        ("G1 X1 F100", "grbl", None),
        ("$H", "grbl", "$"),
        ("$110=1", "grbl", "$"),
        ("G10 L2 P1 X0", "grbl", "kept offsets"),
        ("g10l20p1x0", "grbl", "kept offsets"),
        ("G28.1", "grbl", "kept offsets"),
        ("G30.1", "grbl", "kept offsets"),
        ("G28", "grbl", None),
        ("G1 X1!", "grbl", "real-time"),
        ("G1 X1 (wait?)", "grbl", None),
        ("G1 X1\x18", "grbl", "control"),
        ("G1 X" + "1" * 80, "grbl", "bytes long"),
    ],
)
def test_forbidden(line: str, dialect: str, reason: str | None) -> None:
    found = forbidding.forbidden(line.encode(), dialect)
    assert (found is None) == (reason is None), found
    assert reason is None or reason in str(found)


def test_longest_marlin_line_fits_its_frame() -> None:
    from protocols import marlin

    longest = "M117 " + "x" * (forbidding.MAX_LINE["marlin"] - 5)
    assert len(marlin.frame(9_999_999, longest)) <= marlin.MAX_CMD_SIZE


def test_modes() -> None:
    modal = gcode.Modal()
    modal.feed(gcode.words("G20 G91"))
    assert (modal.inch, modal.relative, modal.e_relative) == (True, True, True)
    assert modal.nm(1_000_000) == 25_400_000
    modal.feed(gcode.words("M82"))
    assert not modal.e_relative
    modal.feed(gcode.words("M83"))
    modal.feed(gcode.words("G90.1"))
    assert modal.relative and modal.e_relative
    modal.feed(gcode.words("G90 G21 T2"))
    assert (modal.inch, modal.relative, modal.e_relative, modal.tool) == (False, False, False, 2)
    apart = gcode.Modal(g90_sets_e=False)
    apart.feed(gcode.words("M83"))
    apart.feed(gcode.words("G90"))
    assert apart.e_relative

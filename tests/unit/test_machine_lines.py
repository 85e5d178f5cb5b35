"""Marlin's and GRBL's lines: vectors both ways, frames, codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from protocols import grbl, grbl_codes, marlin
from protocols.errors import WireError

VECTORS = Path(__file__).parent.parent / "vectors"


def plain(value: Any) -> Any:
    """As JSON would give it back."""
    return json.loads(json.dumps(value))


def load(name: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / name).read_text())


@pytest.mark.parametrize("case", load("marlin_replies.json"), ids=lambda c: c["line"])
def test_marlin_replies(case: dict[str, Any]) -> None:
    reply = marlin.parse_reply(case["line"].encode())
    assert plain(reply) == case["reply"]
    if case.get("twin"):
        assert marlin.write_reply(reply) == case["line"]
    assert marlin.parse_reply(marlin.write_reply(reply).encode()) == reply


@pytest.mark.parametrize("case", load("grbl_replies.json"), ids=lambda c: c["line"])
def test_grbl_replies(case: dict[str, Any]) -> None:
    reply = grbl.parse_reply(case["line"].encode())
    assert plain(reply) == case["reply"]
    if case.get("twin"):
        assert grbl.write_reply(reply) == case["line"]
    assert grbl.parse_reply(grbl.write_reply(reply).encode()) == reply


def test_frame_of_the_documentation() -> None:
    # RepRap wiki, "Checking": N3 T0*57
    assert marlin.frame(3, "T0") == b"N3 T0*57\n"
    assert marlin.parse_frame(b"N3 T0*57") == (3, "T0")


@pytest.mark.parametrize(
    ("line", "code"),
    [(b"N3 T0*58", "checksum"), (b"N3 T0", "no_checksum"), (b"N3 T0*", "checksum")],
)
def test_bad_frames(line: bytes, code: str) -> None:
    with pytest.raises(WireError) as caught:
        marlin.parse_frame(line)
    assert caught.value.code == code


def test_frame_without_number_is_not_checked() -> None:
    assert marlin.parse_frame(b"M105*1") == (None, "M105*1")


def test_frame_refuses_what_the_machine_would_cut() -> None:
    with pytest.raises(WireError):
        marlin.frame(1, "M117 " + "x" * 90)
    with pytest.raises(WireError):
        marlin.frame(1, "M105\nM112")


def test_codes_differ_by_firmware() -> None:
    assert grbl_codes.error_words(20) == grbl_codes.error_words(20, "fluidnc")
    assert "limit" in grbl_codes.alarm_words(1)
    assert "emergency stop" in grbl_codes.alarm_words(10, "grblhal")
    assert "spindle" in grbl_codes.alarm_words(10, "fluidnc")
    assert "unknown code 99 of grbl" in grbl_codes.alarm_words(99)


def test_real_time_bytes() -> None:
    found = [b for b in range(256) if grbl.is_realtime(b)]
    assert found == [0x18, 0x21, 0x3F, 0x7E, *range(0x80, 0x100)]


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"ok", ("ok", None, None, None, {})),
        (b"ok N12 P15 B3", ("ok", 12, 15, 3, {})),
        (b"ok P15", ("ok", None, 15, None, {})),
        (b"ok N1 N2", ("ok", 2, None, None, {})),
        (b"ok N1234567890", ("ok", None, None, None, {})),
        (b"ok N7 Px", ("ok", 7, None, None, {})),
        (b"ok N7 Resend: 5", ("resend", 5)),
        (b"ok T:20.5 /0", ("ok", None, None, None, {"T": (20500, 0)})),
        (b"ok MAXTEMP triggered", ("error", "maxtemp", "ok MAXTEMP triggered")),
        (b"okay", ("ok", None, None, None, {})),
    ],
)
def test_an_ok_with_anything_but_counters_is_read_with_care(line: bytes, reply: Any) -> None:
    assert marlin.parse_reply(line) == reply

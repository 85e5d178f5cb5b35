"""Any bytes give a value; what is written is read back."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from protocols import gcode, grbl, marlin
from protocols.errors import WireError
from protocols.forbidden import forbidden

PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
WORDS = st.lists(
    st.tuples(
        st.sampled_from("ABCDEFGHIJKLMOPQRSTUVWXYZ"),
        st.none() | st.integers(-(10**15) + 1, 10**15 - 1),
    ),
    max_size=8,
)
UM = st.integers(-(10**9), 10**9)
TENTHS = st.integers(-5000, 50000).map(lambda hundredths: hundredths * 10)
TEMPS = st.dictionaries(
    st.sampled_from(["T", "B", "C", "T0", "T1", "T12"]),
    st.tuples(TENTHS, st.none() | TENTHS),
    max_size=4,
)
COUNT = st.none() | st.integers(0, 999_999_999)
MARLIN = st.one_of(
    st.tuples(st.just("ok"), COUNT, COUNT, COUNT, TEMPS),
    st.tuples(st.just("resend"), st.integers(0, 999_999_999)),
    st.tuples(st.just("busy"), st.sampled_from(["processing", "paused for user"])),
    st.tuples(st.just("temps"), TEMPS.filter(bool)),
    st.tuples(st.just("cap"), st.sampled_from(["EEPROM", "RUNOUT"]), st.booleans()),
    st.tuples(st.just("action"), st.sampled_from(["pause"]), st.sampled_from(["", "a b"])),
)
AXES = st.lists(UM, min_size=3, max_size=3)
REPORT = st.fixed_dictionaries(
    {"state": st.sampled_from(grbl.STATES), "sub": st.none() | st.integers(0, 3), "mpos": AXES},
    optional={
        "wco": AXES,
        "bf": st.tuples(st.integers(0, 15), st.integers(0, 128)).map(list),
        "fs": st.tuples(st.integers(0, 9999), st.integers(0, 99999)).map(list),
        "pins": st.sampled_from(["X", "XYZPDHRS"]),
        "ov": st.lists(st.integers(10, 200), min_size=3, max_size=3),
        "ln": st.integers(0, 10**7),
    },
)
GRBL = st.one_of(
    st.just(("ok",)),
    st.tuples(st.just("error"), st.integers(1, 255)),
    st.tuples(st.just("alarm"), st.integers(1, 20)),
    st.tuples(st.just("status"), REPORT),
    st.tuples(st.just("prb"), AXES, st.booleans()),
    st.tuples(st.just("offset"), st.sampled_from(["G54", "G92"]), AXES),
)


@given(st.binary(max_size=120))
def test_any_bytes(data: bytes) -> None:
    for module in (marlin, grbl):
        reply = module.parse_reply(data)
        assert isinstance(reply, tuple) and isinstance(module.write_reply(reply), str)
    code = gcode.strip(data)
    gcode.command(code)
    with contextlib.suppress(WireError):
        gcode.words(code)
    with contextlib.suppress(WireError):
        marlin.parse_frame(data)
    for dialect in ("marlin", "grbl"):
        forbidden(data, dialect)


@given(MARLIN)
def test_marlin_twins(reply: tuple[Any, ...]) -> None:
    assert marlin.parse_reply(marlin.write_reply(reply).encode()) == reply


@given(GRBL)
def test_grbl_twins(reply: tuple[Any, ...]) -> None:
    assert grbl.parse_reply(grbl.write_reply(reply).encode()) == reply


@given(WORDS)
def test_words_twins(words: list[tuple[str, int | None]]) -> None:
    assert gcode.words(gcode.write_words(words)) == words


@given(st.integers(0, 9_999_999), st.from_regex(r"[A-Z][ -~]{0,60}", fullmatch=True))
def test_frame_twins(n: int, command: str) -> None:
    assert marlin.parse_frame(marlin.frame(n, command)) == (n, command)


@given(st.integers(1, 9999), st.integers(0, 200), st.integers(1, 255))
def test_a_changed_byte_never_passes(n: int, at: int, change: int) -> None:
    frame = bytearray(marlin.frame(n, "G1 X10.5 E3"))[:-1]
    frame[at % len(frame)] ^= change
    with contextlib.suppress(WireError):
        found = marlin.parse_frame(bytes(frame))
        assert found[0] is None or found == (n, "G1 X10.5 E3")

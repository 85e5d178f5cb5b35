"""The short way of checking a program's lines lets nothing pass that no machine may get."""

from hypothesis import example, given
from hypothesis import strategies as st

from firmware.spool import is_plain_move
from protocols.forbidden import forbidden

WORD = st.builds(
    str.__add__, st.sampled_from("XYZEFGMTxe$ ;"), st.text("0123456789.-+ \x0b\r\x18?", max_size=14)
)
LINE = st.builds(
    lambda head, words, end: (head + " ".join(words) + end).encode(),
    st.sampled_from(["G1 ", "G0 ", "G1"]),
    st.lists(WORD, max_size=5),
    st.sampled_from(["", "\r", " "]),
)


@given(LINE | st.binary(max_size=12).map(lambda tail: b"G1 " + tail))
@example(b"G1 X\x01")
@example(b"G1 X1\x11")
@example(b"G1 X1 (\x05)")
def test_a_plain_move_is_refused_for_how_a_number_is_written_at_most(raw: bytes) -> None:
    if is_plain_move(raw):
        for dialect in ("marlin", "grbl"):
            assert (forbidden(raw, dialect) or "cannot be read").startswith("cannot be read")


def test_what_slicers_write_goes_the_short_way() -> None:
    for line in (b"G1 X110.245 Y98.1 E1234.5678", b"G0 F7200 X-1.5 Y.25 Z0.3\r", b"G1 F1500"):
        assert is_plain_move(line)

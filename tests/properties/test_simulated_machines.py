"""Whatever a host sends and whenever, a simulated machine stays up, bounded and repeatable."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import marlin
from simulators.core import Core
from simulators.mill import Mill, MillConfig
from simulators.printer import Printer, PrinterConfig

LETTER = st.sampled_from("GMTXYZEFIJRSPLN$")
NUMBER = st.sampled_from(["0", "1", "2", "3", "4", "28", "38.2", "92", "109", "600", "-5", ""])
LINE = st.lists(st.tuples(LETTER, NUMBER).map("".join), max_size=5).map(" ".join)
SENT = st.one_of(
    st.binary(max_size=40),
    LINE.map(lambda line: line.encode() + b"\n"),
    st.tuples(st.integers(0, 5), LINE).map(lambda t: marlin.frame(*t)),
    st.sampled_from([b"?", b"!", b"~", b"\x18", b"\x84", b"$H\n", b"$X\n", b"$J=G91X5F100\n"]),
    st.sampled_from([b"M112\n", b"M108\n", b"M410\n", b"G28\n", b"M600\n", b"M3S100\n"]),
)
STEPS = st.lists(st.tuples(SENT, st.sampled_from([0, 1, 40, 3000, 100_000])), max_size=25)


def play(core: Core, steps: list[tuple[bytes, int]]) -> tuple[bytes, Any]:
    now, out = 0.0, b""
    for sent, ms in steps:
        core.feed(sent, now)
        now += ms
        out += core.step(now)
        assert core.next_ms() >= 0
        assert len(core.planner.blocks) <= core.planner.capacity
    return out, core.truth()  # type: ignore[attr-defined]  # every machine has one


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(0, 3))
def test_any_printer(steps: list[tuple[bytes, int]], seed: int) -> None:
    def made() -> Core:
        faults = ("rx_flip:0.01", "drop_ok:3", "stall:5:1s", "thermal:500s")[:seed]
        return Printer(PrinterConfig(seed=seed, faults=faults))

    out, truth = play(made(), steps)
    assert play(made(), steps) == (out, truth)
    for line in out.splitlines():
        marlin.parse_reply(line)
    assert truth["extruded_nm_by_tool"][0] >= max(0, truth["net_nm_by_tool"][0])


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(0, 3), st.booleans())
def test_any_mill(steps: list[tuple[bytes, int]], seed: int, homing: bool) -> None:
    def made() -> Core:
        faults = ("rx_flip:0.01", "door:4", "hard_limit:9")[:seed]
        return Mill(MillConfig(seed=seed, homing=homing, faults=faults))

    out, truth = play(made(), steps)
    assert play(made(), steps) == (out, truth)

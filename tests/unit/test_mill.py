"""The simulated mill: truth, streaming, faults."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from protocols import grbl
from simulators.mill import Mill, MillConfig


def mill(sims: ModuleType, *faults: str, **more: Any) -> Any:
    return sims.MillHost(Mill(MillConfig(faults=faults, **more)))


def test_truth(sims: ModuleType) -> None:
    host = mill(sims)
    for line in ("G0 X10", "G1 X20 F1000", "M3 S9000", "G1 X30", "G0 X0", "G1 Y5", "M5", "M30"):
        assert host.do(line)[-1] == "ok"
    truth = host.core.truth()
    assert truth["cut_um"] == 15_000
    assert truth["spindle_starts"] == 1
    assert truth["programs_ended"] == 1
    assert truth["spindle_ms"] == pytest.approx(15 / (1000 / 60) * 1000 + 30 / 5 * 60, rel=0.3)


@pytest.mark.parametrize(
    ("line", "length_um", "end"),
    [
        ("G2 X10 Y0 I5", 15708, [10_000, 0, 0]),
        ("G3 X10 Y0 I5", 15708, [10_000, 0, 0]),
        ("G3 X5 Y5 R5", 7854, [5_000, 5_000, 0]),
        ("G3 X5 Y5 R-5", 23562, [5_000, 5_000, 0]),
        ("G2 X40.012 Y0 I20", 62_832, [40_012, 0, 0]),  # within 0.1 % of the radius
        ("G2 X0 I5", 31416, [0, 0, 0]),
        ("G2 X10 I5 Z3", 15992, [10_000, 0, 3_000]),
        ("G18 G2 X10 Z0 I5", 15708, [10_000, 0, 0]),
    ],
)
def test_arcs(sims: ModuleType, line: str, length_um: int, end: list[int]) -> None:
    host = mill(sims)
    host.do("M3 S1")
    assert host.do("F600 " + line)[-1] == "ok"
    host.settle()
    assert host.core.truth()["cut_um"] == pytest.approx(length_um, abs=1)
    assert grbl.parse_reply(host.report().encode())[1]["mpos"] == end


def test_arc_goes_round_the_right_side(sims: ModuleType) -> None:
    host = mill(sims)
    host.do("G2 X10 Y0 I5 F600")
    host.wait(800)
    assert grbl.parse_reply(host.report().encode())[1]["mpos"][1] > 3000
    host.settle()
    host.do("G3 X0 Y0 I-5 F600")
    host.wait(800)
    assert grbl.parse_reply(host.report().encode())[1]["mpos"][1] > 3000


def test_arc_in_another_plane(sims: ModuleType) -> None:
    host = mill(sims)
    host.do("G18 G3 X10 Z0 I5 F600")
    host.wait(800)
    x, y, z = grbl.parse_reply(host.report().encode())[1]["mpos"]
    assert 2000 < x < 8000 and y == 0 and z > 3000


def test_planner_and_buffer_have_the_real_sizes(sims: ModuleType) -> None:
    host = mill(sims)
    host.do("$10=3")
    host.send(b"".join(b"G1X%02dF60\n" % n for n in range(1, 40)))
    assert host.lines.count("ok") == 15
    report = grbl.parse_reply(host.report().encode())[1]
    assert report["bf"] == [0, 0]
    host.settle()
    # one line waited for room, 14 whole ones filled the 128 bytes, the rest was lost
    assert host.lines.count("ok") == 1 + 128 // 9


def test_hard_limit_needs_a_reset(sims: ModuleType) -> None:
    host = mill(sims, "hard_limit:3")
    host.do("M3 S1000")
    host.do("G1 X100 F600")
    assert host.do("X200")[-1] == "ALARM:1"
    host.send(b"?\n$X\n")
    host.wait(5000)
    assert host.lines == ["[MSG:Reset to continue]"]
    host.send(b"\x18")
    assert host.lines[-1] == "[MSG:'$H'|'$X' to unlock]"
    host.lines.clear()
    assert host.do("G0 X0")[-1] == "error:9"
    assert host.core.truth()["spindle_starts"] == 1


def test_door_holds(sims: ModuleType) -> None:
    host = mill(sims, "door:1s")
    host.do("G1 X100 F600")
    host.wait(3000)
    assert host.report().startswith("<Door:1|")
    host.send(b"~")  # not while it is open
    host.wait(5000)
    assert host.report().startswith("<Door:0|")
    host.send(b"~")
    host.settle()
    assert host.report().startswith("<Idle|MPos:100.000")


def test_hold_keeps_the_cut_length(sims: ModuleType) -> None:
    host = mill(sims)
    host.do("M3 S1")
    for n in range(1, 6):
        host.do(f"G1 X{n} F3000")
    for _ in range(4):
        host.wait(30)
        host.send(b"!")
        host.wait(500)
        host.send(b"~")
    host.settle()
    assert host.core.truth()["cut_um"] == pytest.approx(5000, abs=3)


def test_feed_override_slows(sims: ModuleType) -> None:
    def took(*bytes_: int) -> float:
        host = mill(sims)
        host.send(bytes(bytes_))
        host.do("G1 X10 F600")
        host.settle()
        return host.at

    assert took(*[0x92] * 5) > 1.9 * took()
    assert took(*[0x92] * 5, 0x90) == took()


def test_power_cycle_forgets_the_position(sims: ModuleType) -> None:
    host = mill(sims)
    host.do("G0 X10")
    host.settle()
    host.core.reset(host.at)
    host.wait(1000)
    assert host.report().startswith("<Idle|MPos:0.000")


@pytest.mark.parametrize(
    ("program", "pieces"),
    [
        ("G21\nG0 X5\n", 0),
        ("G21\nG1 X5 F600\n", 1),
        ("G21\nM3 S1000\nG1 X5 F600\nM5\nM3 S1000\nG1 X9\nM30\n", 1),
        ("G21\nG1 X5 F600\nM30\nG1 X0 F600\nM30\n", 2),
        ("$C\nG21\nG1 X5 F600\nM3 S1000\n$C\n", 0),
    ],
)
def test_a_piece_is_used_up_once_by_what_cuts_it(sims: Any, program: str, pieces: int) -> None:
    mill = Mill(MillConfig())
    mill.feed(program.encode(), 0)
    for now_ms in range(0, 60_000, 50):
        mill.step(now_ms)
    assert mill.truth()["pieces"] == pieces

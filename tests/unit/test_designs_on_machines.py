"""Shipped programs on simulated machines: every line is taken; lengths and times are true."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.definition.programs import check
from protocols.gcode import strip
from simulators.core import Core
from simulators.mill import Mill
from simulators.printer import Printer

ROOT = Path(__file__).resolve().parents[2] / "designs"


def run(machine: Core, program: Path, waits: tuple[str, ...] = ()) -> tuple[float, list[bytes]]:
    """Send a program line by line, each after the answer to the last; seconds, odd answers."""
    clock, odd = 10_000.0, []
    machine.step(clock)
    begun = clock
    lines = [line for line in map(strip, program.read_bytes().split(b"\n")) if line]
    for line in [*lines, *waits]:
        machine.feed(line.encode() + b"\n", clock)
        answered = False
        while not answered:
            said = machine.step(clock)
            odd += [row for row in said.split(b"\n") if b"rror" in row or b"ALARM" in row]
            answered = any(row.startswith(b"ok") for row in said.split(b"\n")) or bool(odd)
            if not answered:
                clock = max(machine.next_ms(), clock)
    return (clock - begun) / 1000, odd


@pytest.mark.parametrize("program", sorted(ROOT.glob("*/programs/clamp-plate.gcode")))
def test_the_plate_is_milled_without_an_error_in_about_the_time_estimated(program: Path):
    mill = Mill()
    seconds, odd = run(mill, program)
    assert odd == []
    assert mill.truth()["programs_ended"] == 1
    assert mill.truth()["spindle_starts"] == 1
    assert seconds == pytest.approx(check(program, "grbl").duration_s, rel=0.25)


def test_the_clip_is_printed_without_an_error_and_draws_what_was_counted():
    printer = Printer()
    program = ROOT / "cable-clip/programs/cable-clip.gcode"
    seconds, odd = run(printer, program, ("M400",))
    facts = check(program, "marlin")
    assert odd == []
    drawn_nm = printer.truth()["extruded_nm_by_tool"]
    assert isinstance(drawn_nm, list)
    assert [nm // 1000 for nm in drawn_nm] == list(facts.length_um)
    assert seconds > facts.duration_s * 0.8

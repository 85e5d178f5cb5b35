"""Filament counted from program lines equals what slicers say and what physics did."""

import re

import pytest

from protocols.filament import Accountant, drawn_nm, length_nm, mass_mg
from protocols.gcode import strip


def count(program, g90_sets_e=True):
    accountant = Accountant(g90_sets_e)
    for line in program.splitlines():
        code = strip(line.encode())
        if code:
            accountant.feed(code)
    return accountant


CASES = {
    "absolute": ("G1 X1 E1\nG1 X2 E2.5", [2500]),
    "relative": ("M83\nG1 E1\nG1 E1.5", [2500]),
    "retraction draws nothing": ("G1 E10\nG1 E8 F1800\nG1 X5\nG1 E10\nG1 X9 E11", [11000]),
    "relative retraction": ("M83\nG1 E10\nG1 E-2\nG1 E2\nG1 E1", [11000]),
    "G92 E sets where E is": ("G1 E10\nG92 E0\nG1 E5", [15000]),
    "bare G92 zeroes E": ("G1 E10\nG92\nG1 E5", [15000]),
    "G92 of another axis leaves E": ("G1 E10\nG92 X0\nG1 E15", [15000]),
    "G90 makes E absolute on Marlin": ("M83\nG90\nG1 E5\nG1 E5", [5000]),
    "G91 makes E relative on Marlin": ("G91\nG1 E5\nG1 E5", [10000]),
    "two tools": ("T0\nG1 E3\nG92 E0\nT1\nG1 E4\nG92 E0\nT0\nG1 E1", [4000, 4000]),
    "arcs carry E": ("G2 X1 Y1 I1 J0 E2\nG3 X1 Y1 I1 J0 E3", [3000]),
    "volume": ("M200 D1.75\nG1 E24.0528", [9999]),
    "volume off again": ("M200 D1.75\nM200 D0\nG1 E10", [10000]),
    "flow": ("M221 S50\nG1 E10", [5000]),
    "flow of another tool": ("M221 T1 S50\nG1 E10", [10000]),
    "inches": ("G20\nG1 E1", [25400]),
    "firmware retraction": ("G1 E5\nG10\nG11\nG1 E6", [6000]),
    "words without spaces": ("G1X1Y2E1.5\nG01 X2 E2", [2000]),
    "travel": ("G1 X5 Y5 F9000\nG28 X Y\nM117 E5 E6", [0]),
    "comments": ("G1 X1 E1 ; E99\n; G1 E50", [1000]),
    "damaged": ("G1 E\nG1 E1..2\nTx\nT99\nG1 X- E1", [1000]),
}


@pytest.mark.parametrize("name", CASES)
def test_counts(name):
    program, lengths_um = CASES[name]
    assert count(program).used_um() == lengths_um


def test_elsewhere_g90_leaves_e_relative():
    assert count("M83\nG90\nG1 E5\nG1 E5", g90_sets_e=False).used_um() == [10000]


def left_nm(accountant, back_nm):
    """How far back a spool is pulled after a program that found it pulled back."""
    used = accountant.used_nm(0)
    return back_nm + drawn_nm(used, back_nm) - accountant.position_nm(0)


def test_a_spool_continues_over_programs_to_the_nanometre():
    program = "M83\nG1 E5.00003\nG1 E-0.8\nG1 E0.8\nG1 E1\nG1 E-2.5"
    back = total = 0
    for _ in range(3):
        accountant = count(program)
        assert accountant.used_nm(0) == 6000030
        total += drawn_nm(accountant.used_nm(0), back)
        back = left_nm(accountant, back)
    truth = count("\n".join([program] * 3))
    assert total == truth.used_nm(0)
    assert back == truth.used_nm(0) - truth.position_nm(0)


def test_a_program_that_only_pulls_back_leaves_more_back():
    accountant = count("M83\nG1 E-3")
    assert drawn_nm(accountant.used_nm(0), 1000000) == 0
    assert left_nm(accountant, 1000000) == 4000000


@pytest.mark.parametrize("mass", [0, 1, 2, 999, 1000, 4321])
@pytest.mark.parametrize("ug_per_m", [1, 2982000, 3051234])
def test_mass_and_length_are_twins(mass, ug_per_m):
    assert mass_mg(length_nm(mass, ug_per_m), ug_per_m) == mass
    if mass:
        assert mass_mg(length_nm(mass, ug_per_m) - 1000, ug_per_m) == mass - 1


def test_equals_the_slicer_on_real_programs(shared_data):
    files = sorted((shared_data / "reprap" / "gcode").glob("*.gcode"))
    assert files
    for file in files:
        text = file.read_text()
        said = re.search(r"; filament used \[mm\] = ([\d., ]+)", text).group(1)
        counted = count(text).used_um()
        for um, mm in zip(counted, said.split(","), strict=False):
            assert abs(um - float(mm) * 1000) <= max(6, float(mm)), file.name

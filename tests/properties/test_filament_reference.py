"""The filament count against a second one made from the definition, in fractions."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.filament import Accountant
from protocols.gcode import strip

_WORD = re.compile(r"([A-Z])\s*([-+]?\d*\.?\d*)")
PI = Fraction(314159265358979, 100000000000000)


class Reference:
    """Exact, slow, and written from the G-code reference alone. Lengths in mm."""

    def __init__(self, g90_sets_e: bool) -> None:
        self.g90_sets_e = g90_sets_e
        self.relative = False
        self.unit = Fraction(1)
        self.tool = 0
        self.said = Fraction(0)
        self.at = [Fraction(0)] * 4
        self.high = [Fraction(0)] * 4
        self.area = [Fraction(0)] * 4
        self.flow = [Fraction(1)] * 4

    def feed(self, code: str) -> None:
        line = [(k, Fraction(v) if v else None) for k, v in _WORD.findall(code)]
        head = f"{line[0][0]}{line[0][1]}"
        words = dict(line[1:])
        if head in ("G0", "G1", "G2", "G3") and "E" in words:
            self._move(words["E"] or Fraction(0))
        elif head in ("M82", "M83"):
            self.relative = head == "M83"
        elif head in ("G90", "G91") and self.g90_sets_e:
            self.relative = head == "G91"
        elif head == "G92" and ("E" in words or not words):
            self.said = (words.get("E") or Fraction(0)) * self.unit
        else:
            self._set(head, words)

    def _set(self, head: str, words: dict[str, Fraction | None]) -> None:
        if head in ("G20", "G21"):
            self.unit = Fraction(254, 10) if head == "G20" else Fraction(1)
        elif head == "M200":
            d = words.get("D") or Fraction(0)
            self.area[self.tool] = PI * d * d / 4
        elif head == "M221":
            self.flow[self.tool] = (words["S"] or Fraction(0)) / 100
        elif head[0] == "T":
            self.tool = int(head[1:])

    def _move(self, e: Fraction) -> None:
        e *= self.unit
        step = e if self.relative else e - self.said
        self.said = self.said if self.relative else e
        t = self.tool
        step = step / self.area[t] if self.area[t] else step
        self.at[t] += step * self.flow[t]
        self.high[t] = max(self.high[t], self.at[t])


E = st.decimals(-20, 60, places=5, allow_nan=False).map(lambda d: f"E{d:f}")
LINE = st.one_of(
    st.tuples(st.sampled_from(["G1 X5 ", "G1 ", "G0 Y1 ", "G2 X1 Y2 I3 J0 ", "G3 I1 "]), E).map(
        "".join
    ),
    E.map(lambda e: "G92 " + e),
    st.sampled_from(["M82", "M83", "G90", "G91", "G92", "G92 X0", "T0", "T1", "T2", "G10", "G11"]),
    st.sampled_from(
        ["G20", "G21", "M221 S95", "M221 S100", "M200 D1.75", "M200 D0", "G28 X", "G1 X3"]
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINE, max_size=40), st.booleans())
def test_the_count_equals_the_definition(program: list[str], g90_sets_e: bool) -> None:
    ours, reference = Accountant(g90_sets_e), Reference(g90_sets_e)
    for code in program:
        ours.feed(code)
        reference.feed(code)
    for tool in range(3):
        exact = reference.high[tool] * 1_000_000
        # a line rounds by at most 1 nm, a volume by the 8e-8 of its pi
        assert abs(ours.used_nm(tool) - exact) <= 2 * len(program) + exact / 10**6


def gcode_files(shared: Path) -> list[Path]:
    return sorted((shared / "reprap" / "gcode").glob("*.gcode"))


@pytest.mark.parametrize("form", ["absolute", "relative", "reset at each layer", "volumetric"])
def test_each_real_part_in_every_form(shared_data: Path, form: str) -> None:
    """The same part written in absolute E, relative E, with G92 and in mm3: the slicer's figure."""
    for file in gcode_files(shared_data)[: 3 if form != "absolute" else None]:
        text = file.read_text()
        found = re.search(r"; filament used \[mm\] = ([\d.]+)", text)
        assert found is not None
        ours = Accountant()
        for code in rewritten(text, form):
            ours.feed(code)
        assert abs(ours.used_nm(0) / 1e6 - float(found[1])) <= float(found[1]) / 1000, file.name


def rewritten(text: str, form: str) -> list[str]:
    out = {"volumetric": ["M200 D1.75"], "relative": ["M83"]}.get(form, [])
    area = Fraction(314159265, 100000000) * Fraction(175, 100) ** 2 / 4
    last, base = Fraction(0), Fraction(0)
    for code in filter(None, map(strip, text.encode().splitlines())):
        head = code.split(" ", 1)[0]
        if form != "absolute" and head in ("M82", "M83", "G90"):
            continue
        if form != "absolute" and head == "G92" and "E" in code:
            last = Fraction(code.split("E")[1].split()[0])
            base = last
            if form in ("reset at each layer", "volumetric"):
                out.append("G92 E0")
            continue
        at = code.find(" E")
        if form == "absolute" or head != "G1" or at < 0:
            out.append(code)
            continue
        value, _, rest = code[at + 2 :].partition(" ")
        e = Fraction(value)
        shown = (
            e - last if form == "relative" else (e - base) * (area if form == "volumetric" else 1)
        )
        out.append(f"{code[:at]} E{float(shown):.6f} {rest}".strip())
        last = e
        if form == "reset at each layer" and len(out) % 200 == 0:
            out.append("G92 E0")
            base = e
    return out

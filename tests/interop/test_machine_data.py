"""Programs nobody here wrote, through the simulated machines."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from simulators.mill import Mill
from simulators.printer import Printer

# What GRBL 1.1 itself refuses in these files, and why.
REFUSED = {
    # arcs whose centre is not as far from the end as from the start
    "Circle_Diamond_Square_Calibration.gcode": {"error:33": 5},
    # G42: no cutter compensation in GRBL
    "helical-thread-milling.gcode": {"error:20": 1},
    # a printer's program: heaters, fans, E words
    "sample.gcode": {"error:20": 17549},
}
# The long prints repeat what the short ones show; they take minutes.
SHORT = 1_000_000


def prints(folder: Path) -> list[Path]:
    found = sorted((folder / "reprap" / "gcode").glob("*.gcode"))
    return [path for path in found if path.stat().st_size < SHORT]


def test_prints_draw_and_take_what_the_slicer_says(sims: ModuleType, shared_data: Path) -> None:
    checked = 0
    for path in prints(shared_data):
        host = sims.PrintHost(Printer())
        began = 0.0
        for line in [*sims.program_lines(path), "M400"]:
            host.do(line)
            if line.startswith("G28"):
                began = host.at
        used_mm, seconds = sims.slicer_says(path)
        truth: Any = host.core.truth()
        drawn = [nm / 1e6 for nm in truth["extruded_nm_by_tool"]]
        assert drawn == pytest.approx(used_mm, rel=0.001), path.name
        assert (host.at - began) / 1000 == pytest.approx(seconds, rel=0.15), path.name
        assert truth["faults"] == []
        checked += 1
    assert checked >= 5


@pytest.mark.parametrize(
    "name",
    [
        "Circle_Diamond_Square_Calibration",
        "circle",
        "helical-thread-milling",
        "jsdc",
        "sample",
        "tball-engrave",
    ],
)
def test_milling_programs(name: str, sims: ModuleType, shared_data: Path) -> None:
    path = shared_data / "cnc" / f"{name}.gcode"
    host = sims.MillHost(Mill())
    refused: dict[str, int] = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        said = host.do(line.translate({33: None, 63: None, 126: None}))
        if said[-1] != "ok":
            refused[said[-1]] = refused.get(said[-1], 0) + 1
    assert refused == REFUSED.get(path.name, {})
    host.settle()
    assert host.report().startswith("<Idle|")

"""The demo on files that nobody here wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.demos import demo

pytestmark = pytest.mark.system


def test_a_folder_of_programs_nobody_here_wrote(shared_data: Path, tmp_path: Path) -> None:
    """Real sliced parts: the filament measured equals the slicer's own figure to 0.1 %."""
    folder = tmp_path / "parts"
    folder.mkdir()
    names = ("endstop-block", "plug-aligner")
    said_um: dict[str, float] = {}
    for name in names:
        text = (shared_data / "reprap" / "gcode" / f"{name}.gcode").read_text()
        (folder / f"{name}.gcode").write_text(text)
        said = next(line for line in text.splitlines() if line.startswith("; filament used [mm]"))
        said_um[f"{name}.gcode"] = float(said.rpartition("=")[2]) * 1000
    options = ("--printers", "2", "--mills", "0", "--cells", "0", "--broker", "amqtt")
    code, summary, said = demo(
        tmp_path / "run", "--design", str(folder), "--licence", "GPL-2.0-only", *options
    )
    assert (code, summary.get("findings")) == (0, []), said
    measured = {row["name"]: row["measured_um"] for row in summary["programs"]}
    assert set(measured) == set(said_um)
    for name, length_um in said_um.items():
        assert measured[name] == pytest.approx(length_um, rel=0.001)

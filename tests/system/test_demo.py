"""The main job: a whole floor of real processes, judged by what the machines physically did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.broker import find_mosquitto, free_port

pytestmark = pytest.mark.system
LIMIT_S = 280


def demo(folder: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run a demo to its end: exit code, summary, what it said."""
    command = [sys.executable, "-m", "fabcommons", "demo", "--until-done", "--json"]
    command += ["--http", f"127.0.0.1:{free_port()}", "--folder", str(folder)]
    done = subprocess.run(
        [*command, "--timeout", str(LIMIT_S - 30), *options],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    summary = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return done.returncode, summary, done.stderr


def need_broker(kind: str) -> None:
    """Skip where mosquitto is missing, fail where it must be there."""
    if kind == "mosquitto" and find_mosquitto() is None:
        reason = "mosquitto is not installed (make servers)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
def test_needs_become_parts_and_the_ledger_is_the_truth(broker: str, tmp_path: Path) -> None:
    need_broker(broker)
    small = ("--needs", "4", "--printers", "2", "--mills", "1", "--seed", "5")
    code, summary, said = demo(tmp_path, "--broker", broker, "--firmware", "micropython", *small)
    assert summary.get("findings") == [], said
    assert code == 0
    assert f"broker: {broker}" in said
    assert summary["delivered"] == summary["needs"] == 4
    held = summary["round"]
    assert held["ballots"] == 37 and held["accepted"] + held["urgent"] == 4
    assert held["findings"] == []
    assert summary["material"]
    for line in summary["material"]:
        assert line["physical_mg"] == line["ledger_mg"]
        assert line["uncertain_mg"] == 0


def test_a_rejected_part_is_made_again_and_charged_as_scrap(tmp_path: Path) -> None:
    small = ("--needs", "3", "--printers", "1", "--mills", "1", "--cells", "0", "--seed", "3")
    code, summary, said = demo(tmp_path, "--broker", "amqtt", "--reject", "0.4", *small)
    assert (code, summary.get("findings")) == (0, []), said
    assert summary["job_orders"] > 6  # three parts and three inspections would be enough


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


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--design", "/no/such/folder"), "is not a folder"),
        (("--needs", "0"), "--needs is too small"),
        (("--broker", "rabbit"), "HOST:PORT"),
        (("--firmware", "java"), "invalid choice"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(
    options: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    code, _, said = demo(tmp_path, *options)
    assert code != 0
    assert words in said
    assert "Traceback" not in said

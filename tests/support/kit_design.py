"""A design with everything a route can have, written into a folder of a test."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from controller.definition import Design, load_design

MANIFEST = """\
okhv = "2.4"
name = "Kit"
repo = "."
version = "1.0"
license = "CERN-OHL-W-2.0"
licensor = "Fabcommons contributors"
function = "A part for a test."
"""
PRINT = b"G21\nG90\nM83\nG1 X10 E5 F600\n"
MILL = b"G21\nG90\nM3 S12000\nG1 X10 F300\nM5\nM2\n"
PROFILE = """\
profile: 1
part: kit
title: Kit
work_master:
  - step: pins
    process: fdm
    title: Print pins, six on a plate
    requires: {{nozzle_um: 400}}
    materials: [{{material: petg, mass_mg: 6000}}]
    program: {{file: pins.gcode, sha256: {print_sha}, kind: marlin, duration_s: 1800}}
    yields: 6
    count: 2
    share: true
  - step: base
    process: fdm
    title: Print the base
    requires: {{nozzle_um: 400}}
    materials: [{{material: petg, mass_mg: 9000}}]
    program: {{file: base.gcode, sha256: {base_sha}, kind: marlin, duration_s: 3600}}
    alternatives:
      - process: mill
        requires: {{tool_um: 3000}}
        materials: [{{material: mdf-6, pieces: 1, part_mg: 20000}}]
        program: {{file: base.nc, sha256: {mill_sha}, kind: grbl, duration_s: 900}}
  - step: carry
    process: move
    after: [base]
    duration_s: 60
    instructions: Carry the base to the bench.
  - step: join
    process: assemble
    after: [pins, carry]
    program: {{kind: cell, work_master: kit-v1, duration_s: 120}}
  - step: glue
    process: station
    after: [join]
    duration_s: 60
    timer_s: 600
    instructions: Glue the pins and wait.
  - step: look
    process: inspect
    after: [glue]
    duration_s: 60
    instructions: Measure the gap.
    checks: [No strings, Pins are straight]
    measures: [{{name: gap-um, unit: um, low: 100, high: 200, title: Gap under the base}}]
    photo: {photo}
    on_fail: {{rework: sand}}
rework:
  - step: sand
    process: deburr
    title: Sand the base
    duration_s: 300
    instructions: Sand until it is flat.
"""


def text(photo: str = "false") -> str:
    """The production profile as text."""
    shas = {"print_sha": PRINT, "base_sha": PRINT + b"G1 X0\n", "mill_sha": MILL}
    found = {name: hashlib.sha256(content).hexdigest() for name, content in shas.items()}
    return PROFILE.format(photo=photo, **found)


def write(folder: Path, profile: str = "") -> Path:
    """The design's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "okh.toml").write_text(MANIFEST)
    (folder / "pins.gcode").write_bytes(PRINT)
    (folder / "base.gcode").write_bytes(PRINT + b"G1 X0\n")
    (folder / "base.nc").write_bytes(MILL)
    (folder / "production.yml").write_text(profile or text())
    return folder


def load(folder: Path, **more: Any) -> Design:
    """The design, read from a folder it is written into."""
    return load_design(write(folder, text(**more)))

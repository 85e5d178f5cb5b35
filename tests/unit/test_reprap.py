"""The RepRap case on the quick floor: real parts' routing, over every kind of machine, as one need.

`make reprap` does the same with sliced programs on simulated machines behind real wires.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from controller.adapters.slicer import find_slicer
from controller.definition import load_design
from controller.definition.programs import check
from controller.genealogy import bom, history
from controller.routed import Place
from fabcommons.floor import BENCH, CELL, MILL, PRINTER
from support import reprap
from support.quick_floor import QuickFloor
from support.quick_parts import Chance, greedy, machine, request


@pytest.fixture
def meshes(shared_data: Path) -> list[Path]:
    return reprap.meshes_of(shared_data / "reprap" / "stl")


def test_a_machine_of_its_own_kind_is_made_by_the_floor(meshes: list[Path], tmp_path: Path) -> None:
    folder = reprap.write(tmp_path / "reprap", meshes, lambda mesh: reprap.stand_in(mesh.stem))
    floor = QuickFloor(tmp_path, Chance(fail=0.05, bad=0.05, off=0.3, seed=2), greedy)
    floor.machines(*[machine(f"printer-{n}", PRINTER) for n in (1, 2, 3)], machine("mill-1", MILL))
    floor.machines(machine("cell-1", CELL), machine("bench-1", BENCH), machine("bench-2", BENCH))
    floor.stock_up()
    takes = ["fdm", "mill", "assemble", "deburr", "move", "station"]
    floor.places(Place("rack", "Rack", 40, takes))
    floor.design(load_design(folder))
    [need] = floor.state([request(1, "reprap")])
    floor.run()
    assert floor.verdict() == []
    with floor.store.read() as tx:
        operations = [op for op in tx.operations.of_need(need) if op.state == "done"]
        assert len(operations) >= 35
        assert {op.process for op in operations} >= {
            "fdm", "mill", "deburr", "move", "assemble", "station", "inspect"
        }  # fmt: skip
        bill = bom(tx, need)
        assert bill.off_mg == 0
        assert {line.material for line in bill.lines} == {"petg", "mdf-6"}
        [part] = tx.routes.numbered_of(need)
        printed = [line for line in history(tx, part).lines if line.material == "petg"]
        assert len({line.step for line in printed if line.kind == "spool"}) == len(meshes)
    floor.close()


def test_a_real_part_is_sliced_for_it(meshes: list[Path], tmp_path: Path) -> None:
    if shutil.which("prusa-slicer") is None:
        pytest.skip("prusa-slicer is not installed")
    slicer = find_slicer(tmp_path / "sliced")
    assert slicer is not None
    small = [mesh for mesh in meshes if mesh.stem == "plug-aligner"]
    folder = reprap.write(
        tmp_path / "one", small, lambda mesh: slicer.slice(mesh, reprap.SETTINGS).read_text()
    )
    design = load_design(folder)
    step = design.profile.steps[0]
    assert step.program is not None
    content = (folder / "plug-aligner.gcode").read_bytes()
    assert step.program.sha256 == hashlib.sha256(content).hexdigest()
    assert sum(check(folder / "plug-aligner.gcode", "marlin").mass_mg) > 100

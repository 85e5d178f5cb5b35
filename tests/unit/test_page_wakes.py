"""Pages are woken by what they show, and by nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from controller import execution
from support.quick_floor import QuickFloor
from support.quick_parts import machine


def test_a_change_of_a_machines_state_wakes_the_pages_once(tmp_path: Path) -> None:
    floor = QuickFloor(tmp_path)
    floor.machines(machine("printer-1", {}))
    said: dict[str, Any] = {"v": 1, "on": True, "bn": "b", "jid": "j", "fw": "1", "tq": "none"}

    def tell(state: str) -> None:
        report = {**said, "st": state, "ready": False}
        floor.do(lambda tx: execution.hear_state(tx, "printer-1", report))

    tell("busy")
    wakes: list[int] = []
    floor.site.changes.subscribe(lambda: wakes.append(1))
    tell("paused")
    assert len(wakes) == 1
    tell("paused")
    assert len(wakes) == 1, "nothing changed"
    floor.close()

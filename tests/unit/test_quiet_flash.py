"""Flash is written while the serial line is quiet: a board that erases may miss an answer."""

import io

import pytest

from firmware.drivers.grbl import Grbl
from firmware.drivers.marlin import Marlin
from firmware.streamer import Streamer
from simulators.mill import Mill
from simulators.printer import Printer
from support.cutflash import CutFlash
from support.machine import LOT, Machine
from support.rigs import STEP_MS, Rig

PRINT = ["M83", "M109 S200", "G28", *[f"G1 X{10 + i % 90} E2 F6000" for i in range(1500)]]
MILL = ["G21 G90", "M3 S9000", *[f"G1 X{10 + i % 90} Y{i % 50} F3000" for i in range(600)], "M5"]
PLATE = {"ch": 0, "lot": "plate", "piece_mg": 21000}


class Watched(CutFlash):
    """Flash that notes whether an answer of the machine is under way at each operation."""

    def __init__(self):
        super().__init__()
        self.rig = None
        self.loud, self.syncs = [], 0

    def operation(self, file=None):
        super().operation(file)
        self.syncs += 1
        if self.rig is not None and not self.rig.driver.is_quiet():
            self.loud.append(file.name if file is not None else "")


def run(driver, core, lines, lot, window):
    """An order over a slow wire; (flash, most lines in flight, the rig)."""
    flash = Watched()
    machine = Machine(flash)
    machine.start(1)
    machine.meter.begin({"order": "o-1", "ep": 1}, [lot], True, machine.now)
    rig = Rig(driver, core, late_ms=60)
    rig.idle()
    machine.journal.is_quiet = driver.is_quiet
    flash.rig = rig
    flash.syncs = 0
    data = ("\n".join(lines) + "\n").encode()
    source = Streamer(io.BytesIO(data), len(data), machine.meter.before)
    driver.run(source, "part")
    flown = 0
    while not rig.has_ended():
        assert rig.now < 36_000_000, driver.state
        rig.turn()
        machine.meter.lines = source.acknowledged_n
        machine.now += STEP_MS
        machine.agent.tick(machine.now)
        flown = max(flown, window(driver))
    return flash, flown, rig


CASES = {
    "printer": (Marlin, Printer, PRINT, LOT, lambda d: d._flow._sent_n - d._flow._acked_n),
    "mill": (Grbl, Mill, MILL, PLATE, lambda d: len(d._flow._flight)),
}


@pytest.mark.parametrize("kind", CASES)
def test_streaming_writes_flash_only_while_no_answer_is_under_way(kind):
    driver, core, lines, lot, window = CASES[kind]
    flash, flown, rig = run(driver(), core(), lines, lot, window)
    assert rig.has("ended", True)
    assert flown > 1, "lines were in flight together"
    assert flash.syncs >= (8 if kind == "printer" else 1)
    assert flash.loud == []


def test_what_waits_too_long_for_quiet_is_written_all_the_same():
    machine = Machine(CutFlash())
    machine.claim_of(1)
    machine.journal.is_quiet = lambda: False
    machine.agent.tell_fault("thermal", "one")
    machine.tick(60_000)
    machine.agent.tell_fault("thermal", "two")
    before = machine.journal.hi
    machine.tick(14_000)
    assert machine.journal.hi == before
    machine.tick(20_000)
    assert machine.journal.hi == before + 1

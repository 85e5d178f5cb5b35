"""What goes wrong on a floor with faults comes from the seed alone, and every fault exists."""

from __future__ import annotations

from fabcommons.faults import acts, machine_faults
from fabcommons.floor import Extent
from simulators.faults import parse_fault

EXTENT = Extent(printers=2, mills=1)


def test_the_same_seed_gives_the_same_faults_and_another_others() -> None:
    assert machine_faults(EXTENT, 1) == machine_faults(EXTENT, 1) != machine_faults(EXTENT, 2)
    assert acts(EXTENT, 1) == acts(EXTENT, 1) != acts(EXTENT, 2)


def test_every_fault_is_one_that_the_machines_know() -> None:
    texts = [text for line in machine_faults(EXTENT, 3).values() for text in line.split(",")]
    names = {parse_fault(text).name for text in texts}
    assert {"drop_ok", "bad_checksum", "tx_flip", "stall", "thermal", "reset"} <= names


def test_each_firmware_and_the_broker_are_killed_once() -> None:
    killed = [act.what for act in acts(EXTENT, 4)]
    assert sorted(killed) == ["broker", "mill-1", "printer-1", "printer-2"]

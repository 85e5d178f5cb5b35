"""A short run of the memory gate; the long one is ``make memory-gate``."""

import os

import pytest

from support import memory_gate

pytestmark = pytest.mark.system
LINES, EVENTS = 1000, 40


@pytest.mark.parametrize("way", sorted(memory_gate.GATES))
def test_the_firmware_runs_in_a_small_heap_with_room_to_spare(tmp_path, way):
    if not memory_gate.is_here():
        if os.environ.get("CI") == "true":
            pytest.fail("scripts/micropython32 cannot be fetched")
        pytest.skip("no 32-bit MicroPython here (scripts/micropython32)")
    memory_gate.check(memory_gate.run(tmp_path, LINES, EVENTS, way), way)

"""A short run of the memory gate; the long one is ``make memory-gate``."""

import os

import pytest

from support import memory_gate

pytestmark = pytest.mark.system
LINES, EVENTS = 4000, 40


@pytest.mark.parametrize("way", sorted(memory_gate.GATES))
def test_the_firmware_runs_in_a_small_heap_with_room_to_spare(tmp_path, way):
    if why := memory_gate.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    memory_gate.check(memory_gate.run(tmp_path, LINES, EVENTS, way), way)

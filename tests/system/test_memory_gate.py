"""A short run of the memory gate; the long one is ``make memory-gate``."""

import os

import pytest

from support import memory_gate

pytestmark = pytest.mark.system
def test_x(tmp_path):
    print(memory_gate.run(tmp_path, int(os.environ.get("L","2000")), 200, int(os.environ["H"])*1024, os.environ.get("P","1")=="1"))

"""The long memory gate: 100,000 lines and 10,000 events from bytecode on 32-bit MicroPython.

python tests/bench/gate_memory.py [LINES EVENTS]     prints what was free; exit 1 when too little
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("GATE_PATIENCE_S", "3600")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fabcommons.image import build  # noqa: E402  (the tree is the import path)
from support import memory_gate  # noqa: E402


def main() -> int:
    """Run both ways of holding the bytecode."""
    lines, events = (int(n) for n in (sys.argv[1:3] or ("100000", "10000")))
    for dialect in ("marlin", "grbl"):
        print(f"image {dialect}: {build(dialect).size_bytes} B")
    failed = False
    for way, heap_bytes in memory_gate.GATES.items():
        with tempfile.TemporaryDirectory() as folder:
            found = memory_gate.run(Path(folder), lines, events, way)
        print(f"{way}, heap {heap_bytes} B: {found}")
        try:
            memory_gate.check(found, way)
        except AssertionError as error:
            print(f"too little: {error}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Prints a file with Printrun's printcore: oracle_printrun.py PORT FILE; says "done" at its end.

Run by bench_firmware.py in an environment of its own (scripts/printrun): Printrun is GPL and never
imported by us.
"""

import sys
import threading
from pathlib import Path

from printrun import gcoder  # type: ignore[import-not-found]  # lives in its own environment
from printrun.printcore import printcore  # type: ignore[import-not-found]  # the same

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.waiting import until  # found by the path above

core = printcore()
ended = threading.Event()
core.endcb = ended.set
core.connect(sys.argv[1], 250000)
until(lambda: core.online, what="a printer")
with open(sys.argv[2], encoding="ascii") as file:
    program = gcoder.LightGCode([line.strip() for line in file])
core.startprint(program)
ended.wait()
print("done", flush=True)
until(lambda: core.clear, what="the ok of the last line")
core.disconnect()

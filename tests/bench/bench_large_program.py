"""A program far larger than any flash, read, verified and streamed by MicroPython in a fixed heap.

The program is made while it is served, by ranges; the machine's side is the product's spool, ring
and streamer, without a serial line. A small program first, then one of ``--mb N`` (500): the heap
in use after a collection, at 20 places along the way, must be the same for both.
``--heap BYTES``; writes run/bench/large_program.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.bench_floor import MICROPYTHON  # noqa: E402  # found by the path above
from support.big_program import Server, program  # noqa: E402  # the same

SMALL_MB = 5


async def run(megabytes: int, heap_bytes: int) -> dict[str, Any]:
    """Serve a program and let MicroPython run it; what it says of itself, with seconds."""
    server = Server()
    wanted = program(megabytes * 1_000_000, await server.open())
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        child = await asyncio.create_subprocess_exec(
            MICROPYTHON, "-X", f"heapsize={heap_bytes}", "tests/support/large_run.py",
            wanted["url"], str(wanted["size"]), wanted["sha"], folder,
            stdout=asyncio.subprocess.PIPE, env={"MICROPYPATH": f"{ROOT}:.frozen"}, cwd=ROOT,
        )  # fmt: skip
        said, _ = await child.communicate()
    server.close()
    assert child.returncode == 0, said.decode()
    found = json.loads(said)
    assert not found["why"], found["why"]
    heap = found.pop("heap_bytes")
    return found | {
        "size_bytes": wanted["size"],
        "heap_least_bytes": min(heap),
        "heap_most_bytes": max(heap),
        "seconds": round(time.monotonic() - began),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("--heap", type=int, default=256 * 1024)
    asked = parser.parse_args()
    figures = [asyncio.run(run(size, asked.heap)) for size in (SMALL_MB, asked.mb)]
    for row in figures:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    out = ROOT / "run" / "bench" / "large_program.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

"""How much CPU a streamed line costs in the simulated machines' cores.

    uv run python tests/bench/bench_simulators.py PROGRAM.gcode [mill]

Streams a program ping-pong on virtual time and prints lines per CPU second and us of CPU a line,
best of three, once without and once with the host's framing.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from protocols import marlin
from protocols.gcode import strip
from simulators.core import Core
from simulators.mill import Mill
from simulators.printer import Printer


def stream(core: Core, lines: list[bytes]) -> float:
    """CPU seconds the core takes for the lines."""
    now = 0.0
    core.step(now)
    began = time.process_time()
    for line in lines:
        core.feed(line, now)
        said = core.step(now)
        while b"ok" not in said and b"error" not in said:
            now = max(now, core.next_ms())
            said += core.step(now)
    return time.process_time() - began


def main() -> None:
    """Print the table."""
    path = Path(sys.argv[1])
    code = [line for line in map(strip, path.read_bytes().splitlines()) if line]
    mill = sys.argv[2:] == ["mill"]
    lines = [
        line.encode() + b"\n" if mill else marlin.frame(n, line) for n, line in enumerate(code, 1)
    ]
    best = min(stream(Mill() if mill else Printer(), lines) for _ in range(3))
    print("machine  lines  lines/CPU s  us/line")
    print(
        f"{'mill' if mill else 'printer':8}{len(lines):6}{len(lines) / best:13.0f}"
        f"{best / len(lines) * 1e6:9.1f}"
    )


if __name__ == "__main__":
    main()

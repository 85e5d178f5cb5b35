"""The peer of the firmware benches: our simulated printer behind a pty, its moves taking no time.

    python tests/support/bench_peer.py --link PATH --pid-file FILE [--bad RATIO]

It measures the host at the host's own wire, so that every host is measured alike: lines a second
and the host's CPU from the first move to the last, and for each line asked for again the time until
it came. Prints one line of JSON when told to end. At each M112 it prints when it came
(time.monotonic, s) and how many moves it had run, and is itself again at once, as if someone had
pressed its reset button.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from simulators.core import Work  # noqa: E402  # found by the path above
from simulators.host import Host, Pty, Truth  # noqa: E402  # found by the path above
from simulators.printer import Printer, PrinterConfig  # noqa: E402  # found by the path above
from support.waiting import until  # noqa: E402  # found by the path above

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Processor time of a process and all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


class Peer(Printer):
    """Answers moves at once and takes the time."""

    def __init__(self, config: PrinterConfig, pid_file: Path) -> None:
        self._pid_file = pid_file
        self.first: tuple[float, float] | None = None  # wall and host's CPU, s
        self.last: tuple[float, float] | None = None
        self.ran = 0
        self.asked = 0.0
        self.recovered: list[float] = []
        super().__init__(config)

    def _times(self) -> tuple[float, float]:
        return time.monotonic(), cpu_s(int(self._pid_file.read_text()))

    def _start(self, command: str) -> Work | None:
        if command[:3] != "G1 ":
            if self.first and not self.last and command[:4] == "M104":  # last line of the program
                self.last = self._times()
            return super()._start(command)
        if self.first is None:
            self.first = self._times()
        self.ran += 1
        if self.asked:
            self.recovered.append(time.monotonic() - self.asked)
            self.asked = 0.0
        return None

    def say(self, line: str) -> None:
        if line.startswith("Resend") and not self.asked:
            self.asked = time.monotonic()
        super().say(line)

    def kill(self, why: str) -> None:
        print(json.dumps({"stop": time.monotonic(), "ran": self.ran}), flush=True)
        super().kill(why)

    def step(self, now_ms: float) -> bytes:
        said = super().step(now_ms)
        if self.dead:
            self._start_over()
        return said

    def found(self) -> dict[str, Any]:
        """What was measured."""
        if self.first is None or self.last is None:
            return {}
        took_s, cpu = self.last[0] - self.first[0], self.last[1] - self.first[1]
        again = sorted(self.recovered)
        figures: dict[str, Any] = {
            "lines": self.ran,
            "seconds": round(took_s, 2),
            "lines_per_s": round(self.ran / took_s),
            "cpu_ms_per_1000_lines": round(cpu / self.ran * 1e6, 1),
        }
        if again:
            figures |= {
                "resends": len(again),
                "recovery_ms_median": round(statistics.median(again) * 1000, 2),
                "recovery_ms_p99": round(again[-(-len(again) * 99 // 100) - 1] * 1000, 2),
            }
        return figures


def program(lines: int) -> str:
    """Moves as a slicer writes them; nothing to heat or to home, so the peer waits for nothing."""
    moves = [
        f"G1 X{i * 37 % 150000 / 1000 + 20:.3f} Y{i * 53 % 130000 / 1000 + 25:.3f} E{i / 32:.5f}"
        for i in range(1, lines + 1)
    ]
    return "\n".join(["M82", "G92 E0", *moves, "M104 S0", ""])


@contextmanager
def peer(folder: Path, bad: float = 0.0) -> Iterator[subprocess.Popen[str]]:
    """The peer, at folder/machine; after the block it prints what it measured."""
    command = [sys.executable, __file__, "--link", str(folder / "machine")]
    command += ["--pid-file", str(folder / "pid"), "--bad", str(bad)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: running.poll() is not None or (folder / "machine").exists(), 60, "a peer")
        assert running.poll() is None, "no peer"
        yield running
    finally:
        running.send_signal(signal.SIGINT)


def measured(running: subprocess.Popen[str]) -> dict[str, Any]:
    """What a peer that was told to end has found."""
    assert running.stdout is not None
    lines = running.stdout.read().splitlines()
    running.wait()
    return json.loads(lines[-1])


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--link", type=Path, required=True)
    parser.add_argument("--pid-file", type=Path, required=True)
    parser.add_argument("--bad", type=float, default=0.0)
    asked = parser.parse_args()
    faults = (f"bad_checksum:{asked.bad:.4f}",) if asked.bad else ()
    peer = Peer(PrinterConfig(faults=faults), asked.pid_file)
    host = Host(peer, Pty(asked.link), 1.0, Truth(None, peer))
    host.listen_to_signals()
    host.run()
    print(json.dumps(peer.found()), flush=True)


if __name__ == "__main__":
    main()

"""Hosts for the simulated machines' cores, on virtual time."""

from __future__ import annotations

import re
from math import inf
from pathlib import Path

from protocols import marlin
from protocols.gcode import strip
from simulators.core import Core
from simulators.mill import Mill
from simulators.printer import Printer


class Wire:
    """Sends bytes to a core and collects its lines."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.at = 0.0
        self._rest = b""
        self.lines = self._read()

    def _read(self) -> list[str]:
        text = self._rest + self.core.step(self.at)
        *whole, self._rest = text.split(b"\n")
        return [line.decode("latin-1").rstrip("\r") for line in whole]

    def send(self, data: bytes) -> None:
        self.core.feed(data, self.at)
        self.lines += self._read()

    def wait(self, ms: float) -> None:
        self.at += ms
        self.lines += self._read()

    def until(self, *starts: str, limit_ms: float = 1e8) -> list[str]:
        """Let time pass until a line starts so; the lines up to and with it."""
        end = self.at + limit_ms
        self.wait(0)
        while True:
            for i, line in enumerate(self.lines):
                if line.startswith(starts):
                    found, self.lines = self.lines[: i + 1], self.lines[i + 1 :]
                    return found
            due = self.core.next_ms()
            if due == inf or due > end:
                raise AssertionError(f"waited in vain for {starts}; got {self.lines}")
            self.wait(max(0.0, due - self.at))

    def settle(self) -> None:
        """Let time pass until nothing moves."""
        while self.core.planner.blocks:
            self.wait(100)


class PrintHost(Wire):
    """Ping-pong host for a printer, as simple as can be."""

    def __init__(self, printer: Printer) -> None:
        super().__init__(printer)
        self.until("echo")
        self.lines.clear()
        self.n = 0

    def do(self, command: str) -> list[str]:
        """Send one numbered command; everything said up to its ok."""
        self.n += 1
        self.send(marlin.frame(self.n, command))
        return self.until("ok")


class MillHost(Wire):
    """Ping-pong host for a mill."""

    def __init__(self, mill: Mill) -> None:
        super().__init__(mill)
        self.lines.clear()

    def do(self, line: str) -> list[str]:
        """Send one line; everything said up to its ok or error."""
        self.send(line.encode() + b"\n")
        return self.until("ok", "error", "ALARM")

    def report(self) -> str:
        """Status report now."""
        self.send(b"?")
        return self.until("<")[-1]


def program_lines(path: Path) -> list[str]:
    """Lines of a program as a machine needs them."""
    return [line for line in map(strip, path.read_bytes().splitlines()) if line]


def slicer_says(path: Path) -> tuple[list[float], int]:
    """Filament per tool in mm and printing time in s, from the slicer's comments."""
    text = path.read_text(encoding="utf-8")
    used = re.search(r"^; filament used \[mm\] = (.*)$", text, re.MULTILINE)
    took = re.search(r"normal mode\) = (?:(\d+)h )?(?:(\d+)m )?(\d+)s", text)
    assert used is not None and took is not None
    hours, minutes, seconds = [int(part or 0) for part in took.groups()]
    return [float(mm) for mm in used[1].split(",")], hours * 3600 + minutes * 60 + seconds

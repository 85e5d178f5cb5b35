"""LinuxCNC's stand-alone interpreter as a second reader of milling programs: a process of its own.

``scripts/linuxcnc`` unpacks it. It prints the canonical machining functions (NIST RS274NGC 3
section 4) a program comes to, lengths in the units then in force with four decimals.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "linuxcnc"
PROGRAM = ROOT / ".cache" / "linuxcnc" / "usr" / "bin" / "rs274"
_CALL = re.compile(r"^\s*\d+ N\S+\s+([A-Z_0-9]+)\((.*)\)$")
_PLANES = {"CANON_PLANE_XY": (0, 1, 2), "CANON_PLANE_XZ": (2, 0, 1), "CANON_PLANE_YZ": (1, 2, 0)}
_OPEN = "File ended with no percent sign or program end"  # GRBL asks for none


@dataclass
class Course:
    """What a program does: mm. low, high: of every move, from the origin on."""

    at: list[float] = field(default_factory=lambda: [0.0] * 3)
    low: list[float] = field(default_factory=lambda: [0.0] * 3)
    high: list[float] = field(default_factory=lambda: [0.0] * 3)
    fed: float = 0.0  # length of the moves at a feed
    cut: float = 0.0  # of it with the spindle on
    spindle_starts: int = 0
    refused: str = ""  # why the program was given up, "" when it was read to its end
    refused_line: str = ""
    _mm: float = 1.0
    _plane: tuple[int, int, int] = (0, 1, 2)
    _turns: bool = False

    def call(self, name: str, arguments: list[str]) -> None:
        """Take one canonical function."""
        if name == "USE_LENGTH_UNITS":
            self._mm = 25.4 if arguments[0] == "CANON_UNITS_INCHES" else 1.0
        elif name == "SELECT_PLANE":
            self._plane = _PLANES[arguments[0]]
        elif name in ("STRAIGHT_TRAVERSE", "STRAIGHT_FEED"):
            target = [float(text) * self._mm for text in arguments[:3]]
            self._move(target, math.dist(self.at, target), name == "STRAIGHT_FEED")
        elif name == "ARC_FEED":
            self._arc([float(text) for text in arguments[:6]])
        elif name.startswith("START_SPINDLE"):
            self.spindle_starts += 1
            self._turns = True
        elif name == "STOP_SPINDLE_TURNING":
            self._turns = False

    def _move(self, target: list[float], length: float, fed: bool) -> None:
        self.fed += length if fed else 0.0
        self.cut += length if fed and self._turns else 0.0
        self.at = target
        self._reach(target)

    def _reach(self, point: list[float]) -> None:
        self.low = [min(a, b) for a, b in zip(self.low, point, strict=True)]
        self.high = [max(a, b) for a, b in zip(self.high, point, strict=True)]

    def _arc(self, said: list[float]) -> None:
        """Section 4.3.5: end and centre in the plane, turns (below 0 = clockwise), end across."""
        a, b, c = self._plane
        end_a, end_b, centre_a, centre_b, end_c = (said[n] * self._mm for n in (0, 1, 2, 3, 5))
        begin = math.atan2(self.at[b] - centre_b, self.at[a] - centre_a)
        radius = math.hypot(self.at[a] - centre_a, self.at[b] - centre_b)
        sweep = math.atan2(end_b - centre_b, end_a - centre_a) - begin
        turns = int(said[4])
        way = 1 if turns > 0 else -1
        sweep = way * sweep % math.tau
        if sweep < 1e-6:  # ends where it began: a whole turn
            sweep = math.tau
        sweep += math.tau * (abs(turns) - 1)
        for quarter in range(4):
            if way * (quarter * math.pi / 2 - begin) % math.tau < sweep:
                point = list(self.at)
                point[a] = centre_a + radius * (1, 0, -1, 0)[quarter]
                point[b] = centre_b + radius * (0, 1, 0, -1)[quarter]
                self._reach(point)
        target = list(self.at)
        target[a], target[b], target[c] = end_a, end_b, end_c
        self._move(target, math.hypot(radius * sweep, end_c - self.at[c]), fed=True)


def why_not() -> str:
    """Why rs274 cannot be asked here; "" when it can."""
    if not PROGRAM.exists():
        return "LinuxCNC's rs274 is not here: scripts/linuxcnc --fetch unpacks it"
    try:
        asked = subprocess.run([SCRIPT, "-h"], capture_output=True, timeout=30, check=False)
    except OSError as error:
        return f"rs274 does not start: {error}"
    said = asked.stderr.decode("latin-1")
    return f"rs274 does not start: {said.strip()[-200:]}" if "shared librar" in said else ""


def follow(program: str, folder: Path) -> Course:
    """What LinuxCNC makes of a program that begins at the origin; its files go into a folder."""
    variables, tools, file = (folder / name for name in ("rs274.var", "rs274.tbl", "program.ngc"))
    variables.write_text("")
    tools.write_text("")
    file.write_text(program, encoding="latin-1")
    asked = subprocess.run(
        [SCRIPT, "-g", "-v", variables, "-t", tools, file],
        capture_output=True, encoding="latin-1", timeout=120, check=False, cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    course = Course()
    for line in asked.stdout.splitlines():
        found = _CALL.match(line)
        if found is not None:
            course.call(found[1], [text.strip() for text in found[2].split(",")])
    if asked.returncode and _OPEN not in asked.stderr:
        words = [line for line in asked.stderr.splitlines() if line and line != "executing"]
        course.refused, course.refused_line = [*words, f"exit code {asked.returncode}", ""][:2]
    return course

"""Programs: what a file of G-code asks of a machine, read once from start to end.

Slicer comments are estimates and are kept apart from what the program itself says; the ledger
uses neither, it uses what the machine measured.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from controller.definition.comments import SlicerComments
from controller.definition.motion import Motion, MotionError, unknown_command, unknown_to_grbl
from controller.definition.problems import Problem, fail
from protocols import gcode
from protocols.errors import WireError
from protocols.filament import Accountant
from protocols.forbidden import MOVES, asked, kept_out, names

MAX_PROBLEMS = 20
MAX_ROW_BYTES = 2048
MAX_COMMANDS = 500  # by name; a program uses about twenty
_BLOCK = 64 * 1024
# Lines of this form make most of a program and are short and allowed everywhere.
_PLAIN = re.compile(r"G[0123](?: [XYZEFIJ]-?(?:\d{1,5}\.?\d{0,5}|\.\d{1,5})){1,6}")
_WORD = re.compile(r"([A-Z])([-+]?(?:\d+\.?\d*|\.\d+))")


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """What is known of a program. Masses and times are estimates; lists go by tool.

    lines: lines a machine gets (no comments, no blank ones). duration_from: ``slicer`` or
    ``motion``. length_um: counted from the lines as a machine's meter does; said_length_um: by
    the slicer. box_um: ((x, y, z) low, (x, y, z) high) of all moves, None without any. commands:
    by name the first line they are on, and why only a machine that allows them takes them ("" =
    any does); moves are left out.
    """

    path: Path
    sha256: str
    size: int
    kind: str
    lines: int = 0
    duration_s: int = 0
    duration_from: str = ""
    length_um: tuple[int, ...] = ()
    said_length_um: tuple[int, ...] = ()
    mass_mg: tuple[int, ...] = ()
    box_um: tuple[tuple[int, int, int], tuple[int, int, int]] | None = None
    material: str = ""
    nozzle_um: int = 0
    slicer: str = ""
    problems: tuple[Problem, ...] = ()
    commands: Mapping[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])

    def asks(self) -> tuple[Problem, ...]:
        """What only a machine takes whose own rules allow it."""
        fix = "take it out, or allow it on a machine: gcode.allow"
        asked = [Problem("", line, why, fix) for line, why in self.commands.values() if why]
        return tuple(sorted(asked, key=lambda problem: problem.line))


def check(path: Path, kind: str) -> ProgramFacts:
    """Read a ``marlin`` or ``grbl`` program; raise DesignError only when it cannot be read."""
    try:
        with path.open("rb") as file:
            return _Reader(path, kind).read(file)
    except OSError as error:
        raise fail(path.name, "", f"cannot be read: {error.strerror}", "check the file") from None


@dataclass(slots=True)
class _Reader:
    """One pass over a program in constant memory."""

    path: Path
    kind: str
    motion: Motion = field(default_factory=Motion)
    comments: SlicerComments = field(default_factory=SlicerComments)
    filament: Accountant = field(default_factory=Accountant)
    problems: list[Problem] = field(default_factory=list[Problem])
    commands: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    lines: int = 0
    size: int = 0

    def read(self, file: BinaryIO) -> ProgramFacts:
        digest = hashlib.sha256()
        for number, row in enumerate(self._rows(file, digest.update), 1):
            self._row(number, row)
        if self.lines == 0:
            self._wrong(0, "holds no command", "slice or post-process it again")
        low, high = self.motion.low, self.motion.high
        box = (_um(low), _um(high)) if self.motion.moves else None
        said = self.comments
        length = tuple(self.filament.used_um()) if self.kind == "marlin" else ()
        seconds = said.seconds or max(round(self.motion.seconds), 1)
        return ProgramFacts(
            path=self.path,
            sha256=digest.hexdigest(),
            size=self.size,
            kind=self.kind,
            lines=self.lines,
            duration_s=seconds,
            duration_from="slicer" if said.seconds else "motion",
            length_um=length,
            said_length_um=said.length_um,
            mass_mg=tuple(said.mass_mg(um) for um in length),
            box_um=box,
            material=said.material,
            nozzle_um=said.nozzle_um,
            slicer=said.slicer,
            problems=tuple(self.problems),
            commands=self.commands,
        )

    def _rows(self, file: BinaryIO, take: Callable[[bytes], None]) -> Iterator[bytes]:
        """Rows without their ends; a row past MAX_ROW_BYTES is cut and becomes a problem."""
        held = b""
        while block := file.read(_BLOCK):
            take(block)
            self.size += len(block)
            rows = (held + block).split(b"\n")
            held = rows.pop()[: MAX_ROW_BYTES + 1]
            yield from rows
        if held:
            yield held

    def _row(self, number: int, row: bytes) -> None:
        if row.lstrip().startswith(b";"):
            self.comments.take(row[:MAX_ROW_BYTES].decode("utf-8", "replace"))
            return
        if len(row) > MAX_ROW_BYTES:
            self._wrong(number, f"is longer than {MAX_ROW_BYTES} bytes", "split the line")
            row = row[:MAX_ROW_BYTES]
        code = gcode.strip(row)
        if not code:
            return
        self.lines += 1
        if _PLAIN.fullmatch(code):
            words = {token[0]: float(token[1:]) for token in code.split(" ")}
            self._follow(number, code, [words.pop("G")], words)
        elif reason := kept_out(row, self.kind):
            self._wrong(number, reason, "take it out of the program")
        elif self._note(number, code) and gcode.command(code) not in gcode.TEXT_COMMANDS:
            self._follow(number, code, *_words(code))

    def _note(self, number: int, code: str) -> bool:
        """Note the commands of a line; say whether its words can be followed."""
        for name in names(code, self.kind):
            why = asked(code, name, self.kind) or ""
            if self.kind == "grbl":
                why = unknown_command(name)
            if why.startswith("cannot be read"):
                self._wrong(number, why, "take it out of the program")
            elif why and name.startswith("G"):
                self._wrong(number, why, "post-process the program for GRBL 1.1")
            elif name not in MOVES and len(self.commands) < MAX_COMMANDS:
                self.commands.setdefault(name, (number, why))
            elif name not in MOVES and name not in self.commands:
                self._wrong(number, f"is past {MAX_COMMANDS} different commands", "split it")
        return _is_readable(code)

    def _follow(self, number: int, code: str, codes: list[float], words: dict[str, float]) -> None:
        if self.kind == "marlin":
            self.filament.feed(code)
        if self.kind == "grbl":
            unknown = unknown_to_grbl(words)
            if unknown:
                self._wrong(number, unknown, "post-process the program for GRBL 1.1")
        try:
            self.motion.feed(codes, words)
        except MotionError as error:
            self._wrong(number, str(error), "post-process the program again")

    def _wrong(self, number: int, message: str, fix: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem("", number, message, fix))


def _is_readable(code: str) -> bool:
    try:
        gcode.words(code)
    except WireError:
        return False
    return True


def _words(code: str) -> tuple[list[float], dict[str, float]]:
    codes: list[float] = []
    words: dict[str, float] = {}
    for letter, value in _WORD.findall(code.upper().replace(" ", "")):
        if letter == "G":
            codes.append(float(value))
        else:
            words[letter] = float(value)
    return codes, words


def _um(point: list[float]) -> tuple[int, int, int]:
    return round(point[0] * 1000), round(point[1] * 1000), round(point[2] * 1000)

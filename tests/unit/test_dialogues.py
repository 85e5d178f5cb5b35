"""Dialogues with the simulated machines, as files.

``: KIND WORDS`` names the machine, ``> text`` sends a line (``\\n`` and ``\\x18`` are escapes),
``>> text`` sends bytes without a line end, ``< text`` expects the next line (``...`` at the end:
begins so), ``=`` expects silence, ``*`` skips what was said, ``@ms`` lets time pass.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from protocols import grbl, marlin
from simulators.mill import Mill, MillConfig
from simulators.printer import Printer, PrinterConfig

_SAYS_NOTHING = (
    *("PowerUp", "Marlin ", "// ", "Writing to file", "Done saving", "Begin file", "PART.G"),
    *("End file", "File ", "Not SD", "Done printing", "open failed", "$N"),
)
FILES = sorted((Path(__file__).parent.parent / "dialogues").glob("*.txt"))


def machine(words: list[str]) -> Any:
    faults = tuple(word for word in words[1:] if ":" in word)
    if words[0] == "mill":
        return Mill(MillConfig(homing="homing" in words, faults=faults))
    firmware = next((w for w in words if w in ("klipper", "reprapfirmware")), "marlin")
    return Printer(
        PrinterConfig(
            faults=faults,
            firmware=firmware,
            card="card" in words,
            power_loss="power_loss" in words,
            emergency_parser="no-parser" not in words,
        )
    )


def plain(text: str) -> bytes:
    return text.encode().decode("unicode_escape").encode("latin-1")


def take(wire: Any) -> list[str]:
    wire.lines = [line for line in wire.lines if line]
    return wire.lines


def expect(wire: Any, wanted: str, where: str) -> None:
    said = take(wire)
    assert said, f"{where}: silence instead of {wanted!r}"
    line = said.pop(0)
    if wanted.endswith("..."):
        assert line.startswith(wanted[:-3]), f"{where}: {line!r} instead of {wanted!r}"
    else:
        assert line == wanted, where


def play(sims: ModuleType, path: Path) -> None:
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    wire = sims.Wire(machine(head[1:].split()))
    for number, row in enumerate(rows, 2):
        where = f"{path.name}:{number}"
        if row.startswith(">> "):
            wire.send(plain(row[3:]))
        elif row.startswith(">"):
            wire.send(plain(row[2:]) + b"\n")
        elif row.startswith("<"):
            expect(wire, row[2:], where)
        elif row.startswith("@"):
            wire.wait(float(row[1:]))
        elif row.startswith("*"):
            wire.lines.clear()
        elif row.startswith("="):
            assert take(wire) == [], where
    assert take(wire) == [], f"{path.name}: said more than expected"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_dialogue(path: Path, sims: ModuleType) -> None:
    play(sims, path)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_what_a_machine_says_is_understood(path: Path) -> None:
    """Every line of a dialogue is a reply the drivers' parsers know, or one that says nothing."""
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    parse = grbl.parse_reply if head.startswith(": mill") else marlin.parse_reply
    for row in rows:
        line = row[2:]
        if row.startswith("< ") and not line.endswith("...") and not line.startswith(_SAYS_NOTHING):
            assert parse(line.encode())[0] != "unknown", f"{path.name}: {line}"


def test_there_are_dialogues() -> None:
    assert len(FILES) >= 10

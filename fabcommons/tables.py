"""Plain tables and units for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns aligned: numbers to the right, words to the left."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(head), *cells]) for i in range(len(head))]
    right = [
        bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        for i in range(len(head))
    ]

    def write(line: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()

    return "\n".join([write(head), write(["-" * width for width in widths]), *map(write, cells)])


def grams(mass_mg: int) -> str:
    """Mass for people, to the milligram."""
    sign = "-" if mass_mg < 0 else ""
    return f"{sign}{abs(mass_mg) // 1000}.{abs(mass_mg) % 1000:03d} g"


def duration(seconds: float) -> str:
    """Duration for people: 45 s, 12 min 30 s, 3 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(at_ms: int | None) -> str:
    """A floor time in the local zone, to the minute; "-" for none."""
    if at_ms is None:
        return "-"
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")

"""Files that are made from code: written, or checked to be what the code says."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def settle(made: dict[Path, str], source: str) -> int:
    """Write files that differ, or with ``--check`` name them and return 1."""
    differ = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    if "--check" not in sys.argv[1:]:
        for path in differ:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path])
        return 0
    for path in differ:
        words = f"is not what the {source} says: run `make docs`"
        print(f"{path.relative_to(ROOT)} {words}", file=sys.stderr)
    return 1 if differ else 0

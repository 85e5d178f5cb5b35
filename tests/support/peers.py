"""Peers that live in environments of their own, made by scripts: programs we may not depend on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def environment(name: str, shown: str) -> Path:
    """Programs of the environment ``scripts/NAME`` makes; skips without it, fails under CI."""
    made = subprocess.run(
        [f"scripts/{name}"], check=False, cwd=ROOT, capture_output=True, text=True
    )
    if made.returncode:
        why = f"{shown} cannot be installed here: {made.stderr[-300:]}"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return ROOT / f".cache/{name}/bin"

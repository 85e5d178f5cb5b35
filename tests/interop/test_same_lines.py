"""The line protocols give the same on CPython and on real MicroPython, byte for byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
VECTORS = HERE.parent / "vectors"


def run(interpreter: str) -> bytes:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": f"{ROOT}:.frozen"}
    done = subprocess.run(
        [interpreter, str(HERE / "same_lines.py"), str(VECTORS)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


def test_same_output() -> None:
    beside = Path(sys.executable).with_name("micropython")
    micropython = str(beside) if beside.exists() else shutil.which("micropython")
    if micropython is None:
        pytest.skip("no micropython beside this Python nor on the path")
    here, there = run(sys.executable).splitlines(), run(micropython).splitlines()
    assert len(here) > 700
    for ours, theirs in zip(here, there, strict=True):
        assert ours == theirs

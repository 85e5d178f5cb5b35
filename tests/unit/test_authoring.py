"""The shipped designs are what their scripts make, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_making_the_designs_again_changes_nothing():
    pytest.importorskip("manifold3d", reason="dependency group design is not installed")
    if shutil.which("prusa-slicer") is None:
        pytest.skip("prusa-slicer is not installed")
    version = subprocess.run(
        ["prusa-slicer", "--help"], capture_output=True, text=True, check=False
    )
    if "PrusaSlicer-2.5.0" not in version.stdout:
        pytest.skip("the designs were sliced with PrusaSlicer 2.5.0")
    made = subprocess.run(
        [sys.executable, str(ROOT / "designs/author/make.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr

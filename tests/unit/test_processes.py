"""Children are logged, missed when they end by themselves, and never left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fabcommons.processes import Children, ProcessError

WAIT = "import signal; signal.pause()"


def test_children_end_with_the_block(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        children.start("one", [sys.executable, "-c", WAIT])
        pid = children.pid("one")
        children.check()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_that_ends_is_named_with_its_last_words(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        children.start("two", [sys.executable, "-c", "print('no such port'); raise SystemExit(4)"])
        with pytest.raises(ProcessError, match=r"(?s)two ended with code 4.*no such port"):
            children.wait_for_file("two", tmp_path / "never")


def test_a_made_file_is_seen(tmp_path: Path) -> None:
    made = tmp_path / "made"
    code = f"open({str(made)!r}, 'w').close(); {WAIT}"
    with Children(tmp_path) as children:
        children.start("three", [sys.executable, "-c", code])
        children.wait_for_file("three", made)
        children.kill("three")
        assert children.ended() == {"three": -9}

"""Every command the runbook names is there, with its verbs and options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fabcommons import cli

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "runbook.md").read_text()
COMMANDS = sorted({found for found in re.findall(r"`fabcommons ([^`]+)`", TEXT)})


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_of_the_runbook_exists(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    parts = words.split()
    verbs = [part for part in parts if re.fullmatch(r"[a-z-]+", part) and part[0] != "-"]
    asked = verbs[:1] if verbs[0] in ("doctor", "controller", "audit") else verbs[:2]
    with pytest.raises(SystemExit) as ended:
        cli.main([*asked, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for word in parts[len(asked) :]:
        if word in verbs or word.startswith("--"):
            assert word in said


def test_there_are_ten_nights() -> None:
    assert len(re.findall(r"^## \d+\. ", TEXT, re.MULTILINE)) == 10

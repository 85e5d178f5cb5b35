"""A wrong request to the demo: refused in words, before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabcommons.cli import main


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--design", "/no/such/folder"), "is not a folder"),
        (("--needs", "0"), "--needs is too small"),
        (("--broker", "rabbit"), "HOST:PORT"),
        (("--firmware", "java"), "invalid choice"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(
    options: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = ["demo", "--until-done", "--folder", str(tmp_path / "run"), *options]
    try:
        code = main(request)
    except SystemExit as error:  # argparse's own refusal
        code = error.code
    assert code == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()

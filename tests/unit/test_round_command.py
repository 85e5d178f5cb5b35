"""fabcommons round: run and verify from the command line, with exit codes a script can use."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from fabcommons import round as command
from fabcommons.client import FAILED, OK, CliError
from support.commons import EXAMPLE


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    options = parser.parse_args(["round", *words])
    return options.run(options)


def test_a_round_is_run_published_and_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("run", str(EXAMPLE), "--out", str(tmp_path)) == OK
    told = capsys.readouterr().out
    assert "n1  Splints for the clinic: accepted: 76 supporters paid for it" in told
    sha256 = told.split()[1]
    published = str(tmp_path / "round.json")
    assert run("verify", published, "--inputs-sha256", sha256) == OK
    assert capsys.readouterr().out.startswith("correct: ")
    (tmp_path / "round.json").write_text((tmp_path / "round.json").read_text().replace("n1", "n2"))
    assert run("verify", published, "--json") == FAILED
    assert json.loads(capsys.readouterr().out)[0]["code"]


def test_an_exported_file_can_be_run_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("run", str(EXAMPLE), "--out", str(tmp_path))
    capsys.readouterr()
    assert run("run", str(tmp_path / "example-1.printer.pb"), "--json") == OK
    assert len(json.loads(capsys.readouterr().out)["decisions"]) == 11


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.json", "{}", "format: is not known"),
        ("x.json", "{", "document: is no JSON"),
        ("x.pb", "META", "section PROJECTS is missing"),
        ("none.json", None, "No such file or directory"),
    ],
)
def test_what_cannot_be_run_is_told(
    name: str, content: str | None, told: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(CliError, match=told):
        run("run", str(path))

"""Programs by content: durable, once, unchanged."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from controller.definition import DesignError
from controller.definition.program_store import ProgramStore


def test_the_same_bytes_are_kept_once_under_their_hash(tmp_path: Path):
    store = ProgramStore(tmp_path / "store")
    for name in ("a.gcode", "b.gcode"):
        (tmp_path / name).write_bytes(b"G1 X1\n" * 100_000)
    shas = {store.put(tmp_path / name) for name in ("a.gcode", "b.gcode")}
    sha = hashlib.sha256(b"G1 X1\n" * 100_000).hexdigest()
    assert shas == {sha}
    assert [p.name for p in (tmp_path / "store").iterdir()] == [sha + ".gcode"]
    with store.open(sha) as file:
        assert file.read() == b"G1 X1\n" * 100_000


def test_what_is_kept_does_not_change_with_its_source(tmp_path: Path):
    store = ProgramStore(tmp_path / "store")
    source = tmp_path / "a.gcode"
    source.write_bytes(b"one")
    sha = store.put(source)
    source.write_bytes(b"two")
    assert store.path(sha).read_bytes() == b"one"
    assert store.put(source) != sha


@pytest.mark.parametrize("sha", ["", "..", "../" + "a" * 61, "A" * 64, "0" * 63])
def test_what_is_no_hash_leads_nowhere(tmp_path: Path, sha: str):
    with pytest.raises(DesignError, match="is not a SHA-256"):
        ProgramStore(tmp_path).open(sha)


def test_missing_programs_and_sources_are_clear_errors(tmp_path: Path):
    store = ProgramStore(tmp_path / "store")
    with pytest.raises(DesignError, match="import the design again"):
        store.open("0" * 64)
    with pytest.raises(DesignError, match="cannot be stored"):
        store.put(tmp_path / "none")
    assert list((tmp_path / "store").iterdir()) == []

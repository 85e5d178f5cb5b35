"""What machines of every release said is understood: their recorded conversations, played again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controller.ledger.balance import check
from firmware.version import VERSION
from support.conversation import FOLDER, Replay, record

RECORDINGS = sorted(FOLDER.glob("firmware-*.jsonl"))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_release_is_understood(path: Path, tmp_path: Path) -> None:
    replay = Replay(tmp_path)
    assert replay.play(path) == []
    with replay.floor.store.read() as tx:
        assert [order.state for order in tx.orders.all()] == ["SUCCEEDED"]
        assert tx.ledger.balance("spool-1").mass_mg == 1_000_000 - 4000
        assert check(tx) == []


def test_this_release_is_recorded_as_it_speaks_now() -> None:
    kept = FOLDER / f"firmware-{VERSION}.jsonl"
    assert kept.read_text() == record(VERSION), "a change of the wire: keep the old recording too"


def test_a_word_that_is_not_understood_is_found(tmp_path: Path) -> None:
    rows = RECORDINGS[-1].read_text().splitlines()
    spoiled = [row.replace('\\"ty\\":\\"started\\"', '\\"ty\\":\\"begun\\"') for row in rows]
    assert spoiled != rows
    path = tmp_path / "spoiled.jsonl"
    path.write_text("\n".join(spoiled))
    assert any("was " in words for words in Replay(tmp_path).play(path))
    assert all(json.loads(row) for row in rows)

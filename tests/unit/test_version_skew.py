"""What machines of every release said is understood: their recorded conversations, played again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controller.ledger.balance import check
from firmware.version import VERSION
from support import controller_talk
from support.conversation import FOLDER, Replay, record
from support.cutflash import CutFlash
from support.machine import Machine

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


CONTROLLERS = sorted(FOLDER.glob("controller-*.jsonl"))


@pytest.mark.parametrize("path", CONTROLLERS, ids=lambda path: path.stem)
def test_the_agent_does_what_a_controller_of_a_release_says(path: Path) -> None:
    machine = Machine(CutFlash())
    assert controller_talk.play(path, machine) == []
    assert machine.starts == [7]


def test_this_release_of_the_controller_is_recorded_as_it_speaks_now() -> None:
    kept = FOLDER / f"controller-{VERSION}.jsonl"
    assert kept.read_text() == controller_talk.record(), "keep the old recording too"


def test_an_agent_that_hears_another_word_is_found(tmp_path: Path) -> None:
    text = CONTROLLERS[-1].read_text()
    path = tmp_path / "spoiled.jsonl"
    path.write_text(text.replace('\\"ph\\":\\"grant\\"', '\\"ph\\":\\"idle\\"'))
    assert path.read_text() != text
    assert any("starts is 0" in words for words in controller_talk.play(path, Machine(CutFlash())))


def test_a_word_that_is_not_understood_is_found(tmp_path: Path) -> None:
    rows = RECORDINGS[-1].read_text().splitlines()
    spoiled = [row.replace('\\"ty\\":\\"started\\"', '\\"ty\\":\\"begun\\"') for row in rows]
    assert spoiled != rows
    path = tmp_path / "spoiled.jsonl"
    path.write_text("\n".join(spoiled))
    assert any("was " in words for words in Replay(tmp_path).play(path))
    assert all(json.loads(row) for row in rows)

"""The spool: nothing kept is lost over a restart, small files become large ones, torn ones go."""

from pathlib import Path

import pytest

from controller.adapters.spool import Spool

MUCH = 10_000_000


def test_what_was_kept_is_there_again_and_what_was_torn_is_not(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MUCH)
    spool.append(["a 1", "b 2"])
    spool.append(["c 3"])
    (tmp_path / "000000000003.tmp").write_text("half a li")
    again = Spool(tmp_path, MUCH)
    assert again.take(MUCH) == ["a 1", "b 2", "c 3"]
    assert not list(tmp_path.glob("*.tmp"))
    again.append(["d 4"])
    again.forget()
    assert again.take(MUCH) == ["d 4"]
    again.forget()
    assert (again.take(MUCH), again.waiting_bytes(), list(tmp_path.iterdir())) == ([], 0, [])


def test_taking_stops_at_the_limit_but_gives_one_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MUCH)
    for name in "abc":
        spool.append([f"{name} 1"])
    assert spool.take(1) == ["a 1"]
    assert spool.take(2 * 4096) == ["a 1", "b 1"]


def test_many_small_files_become_one_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MUCH)
    for n in range(600):
        spool.append([f"line {n}"])
    assert spool.take(1) == ["line 0"]
    assert spool.merge(MUCH)
    assert len(list(tmp_path.iterdir())) == 600 - 255
    spool.forget()
    assert spool.take(MUCH) == [f"line {n}" for n in range(1, 600)]
    assert not spool.merge(MUCH)
    assert Spool(tmp_path, MUCH).take(MUCH) == [f"line {n}" for n in range(1, 600)]


def test_past_the_limit_the_oldest_go_but_not_what_is_being_sent(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 3 * 4096)
    for name in "abc":
        spool.append([f"{name} 1", f"{name} 2"])
    assert spool.take(1) == ["a 1", "a 2"]
    spool.append(["d 1"])
    assert spool.dropped == 2
    spool.forget()
    assert spool.take(MUCH) == ["c 1", "c 2", "d 1"]
    spool.append(["e" * 5 * 4096])
    assert spool.dropped == 3


def test_a_file_that_cannot_be_written_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    spool = Spool(tmp_path, MUCH)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        spool.append(["a 1"])
    monkeypatch.undo()
    assert (spool.take(MUCH), spool.waiting_bytes()) == ([], 0)
    spool.append(["b 1"])
    assert spool.take(MUCH) == ["b 1"]

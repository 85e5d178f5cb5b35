"""A backup holds a site whole; it comes back on either database, or nothing happens at all."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller import execution, planning
from controller.adapters.store import Store, schema
from controller.adapters.store.backup import EPOCHS_AHEAD, BackupError, dump, fence, load, verify
from controller.adapters.store.dialects import open_engine, store_url
from controller.adapters.store.soundness import unsound
from controller.ledger.post import post
from controller.picturing import floor_picture
from controller.values import EconomicEvent
from fabcommons.cli import main
from support.postgres import server


def quiet(_: str) -> None:
    """No progress."""


def rows_of(store: Store) -> tuple[Any, ...]:
    """Everything people would miss."""
    with store.read() as tx:
        return (
            tx.needs.all(),
            tx.operations.open(),
            tx.operations.links(),
            tx.machines.all(),
            tx.ledger.page(1000),
            tx.ledger.balances(),
            tx.notice_room.page(1000),
        )


def saved(floor: Any, folder: Path) -> Path:
    """A backup of a floor with a need and a program."""
    floor.state()
    programs = folder / "programs"
    programs.mkdir()
    (programs / f"{'a' * 64}.gcode").write_text("G28\n")
    out = folder / "backup.tar"
    dump(floor.store.url, out, programs, 5, quiet)
    return out


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_site_comes_back_whole(floor: Any, tmp_path: Path, kind: str) -> None:
    out = saved(floor, tmp_path)
    target = tmp_path / "new.db" if kind == "sqlite" else server().empty("restored")
    contents = load(out, store_url(target), tmp_path / "there", quiet)
    assert contents.made_at == 5 and contents.rows["need"] == 1
    back = Store(target, floor.clock.now_ms)
    assert rows_of(back) == rows_of(floor.store)
    assert (tmp_path / "there" / f"{'a' * 64}.gcode").read_text() == "G28\n"
    with back.write() as tx:  # numbers go on where they were
        last = max(line.id or 0 for line in tx.ledger.page(1000))
        line = EconomicEvent("new", "consume", "a", "b", 1, lot="spool-1", mass_mg=1)
        assert post(tx, line) == last + 1
    back.close()


def test_a_store_in_use_is_never_restored_over(floor: Any, tmp_path: Path) -> None:
    out = saved(floor, tmp_path)
    before = rows_of(floor.store)
    with floor.store.write() as tx:
        tx.site.put("epoch", "9")
    with pytest.raises(BackupError, match="in use"):
        load(out, floor.store.url, tmp_path / "there", quiet)
    assert rows_of(floor.store) == before


def test_damage_anywhere_is_found_before_anything_is_written(floor: Any, tmp_path: Path) -> None:
    out = saved(floor, tmp_path)
    whole = out.read_bytes()
    with tarfile.open(out) as tar:
        places = {m.name: (m.offset_data, m.size) for m in tar if m.size}
    for name, (at, size) in places.items():
        torn = bytearray(whole)
        torn[at + size // 2] ^= 0x20
        out.write_bytes(torn)
        with pytest.raises(BackupError):
            load(out, store_url(tmp_path / "new.db"), tmp_path / "there", quiet)
        assert not (tmp_path / "new.db").exists(), name
    for length in (0, 100, len(whole) // 2):
        out.write_bytes(whole[:length])
        with pytest.raises(BackupError):
            verify(out)


def test_a_backup_of_the_first_tables_comes_back_in_todays(tmp_path: Path) -> None:
    old = store_url(tmp_path / "old.db")
    engine = open_engine(old, writes=True, foreign_keys=False)
    schema.make(engine, "", schema.FIRST)
    with engine.begin() as conn:
        conn.exec_driver_sql("INSERT INTO community VALUES ('north', 'North', 12, 1)")
        conn.exec_driver_sql("INSERT INTO site VALUES ('epoch', '41')")
    engine.dispose()
    dump(old, tmp_path / "old.tar", tmp_path, 5, quiet)
    load(tmp_path / "old.tar", store_url(tmp_path / "new.db"), tmp_path / "there", quiet)
    store = Store(tmp_path / "new.db", lambda: 0)
    with store.read() as tx:
        assert tx.site.number("epoch") == 41
        assert [c.id for c in tx.communities.all()] == ["north"]
    store.close()


def test_the_command_backs_up_checks_and_restores(floor: Any, tmp_path: Path, capsys: Any) -> None:
    floor.state()
    floor.store.close()
    site = tmp_path / "site.yml"
    site.write_text(yaml.safe_dump({"site": "floor", "store": str(floor.store.url.database)}))
    if floor.store.url.get_backend_name() != "sqlite":
        site.write_text(
            yaml.safe_dump({"site": "floor", "store": str(floor.store.url).replace("+psycopg", "")})
        )
    out = str(tmp_path / "b.tar")
    assert main(["store", "backup", str(site), out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["need"] == 1
    new = tmp_path / "new" / "site.yml"
    new.parent.mkdir()
    new.write_text(yaml.safe_dump({"site": "floor"}))
    assert main(["store", "restore", str(new), out, "--dry-run"]) == 0
    assert not (new.parent / "site.db").exists()
    assert main(["store", "restore", str(new), out]) == 0
    store = Store(new.parent / "site.db", lambda: 0)
    with store.read() as tx:
        assert tx.site.number("epoch") >= EPOCHS_AHEAD, "no epoch is given out twice"
    store.close()
    assert main(["store", "restore", str(new), out]) == 1
    assert "in use" in capsys.readouterr().err


def test_what_is_unsound_is_said(floor: Any, tmp_path: Path) -> None:
    assert unsound(floor.store, tmp_path)[0].endswith("import its design again")
    with floor.store.write() as tx:
        held = tx.ledger.balance("spool-1")
        tx.ledger.put_balance(type(held)(held.lot, held.mass_mg + 1, held.pieces))
    said = "\n".join(unsound(floor.store, tmp_path))
    assert "ledger: spool-1: mass_mg is kept as 1000001, its lines say 1000000" in said


def test_what_was_offered_when_the_backup_was_made_waits_for_a_person(
    floor: Any, small_floor: Any
) -> None:
    floor.state(small_floor.print_only)
    floor.do(execution.hear_state, "printer-1", small_floor.state_report())
    with floor.store.write() as tx:
        planning.apply_plan(tx, small_floor.plan(floor_picture(tx)))
        order = tx.orders.open_on("printer-1")
    fence(floor.store.url)
    with floor.store.read() as tx:
        assert tx.orders.get(order.id).state == "UNKNOWN"
        assert "when the backup was made" in tx.operations.get(order.operation).reason
        assert tx.site.number("epoch") == order.ep + EPOCHS_AHEAD

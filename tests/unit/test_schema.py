"""Tables of the store: made new or upgraded they are the same; nothing is lost on the way."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from controller.adapters.store import SchemaMismatch, Store, StoreUnreachable, tables
from controller.adapters.store.dialects import open_engine, store_url
from controller.adapters.store.schema import FIRST, HEAD, MIGRATIONS, make, revision_of
from support.postgres import server
from support.waiting import until


def made_at(path: Path, revision: str) -> None:
    """An SQLite store with the tables of an older revision."""
    engine = open_engine(store_url(path), writes=True, foreign_keys=False)
    make(engine, "", revision)
    engine.dispose()


def fill_first(path: Path) -> None:
    """Rows as the first revision kept them, the needs not in the order of their ids."""
    rows = sqlite3.connect(path)
    rows.execute("INSERT INTO community VALUES ('north', 'North', 12, 1)")
    rows.execute("INSERT INTO design VALUES ('clip','1','Clip','MIT','x','s','{}','{}','f',1)")
    for number, need in enumerate(("b", "a", "c")):
        rows.execute(
            "INSERT INTO need VALUES (?,?,'north','clip','clip',1,NULL,'normal','','','stated','',"
            "1000,NULL,NULL,0,'')",
            (need, f"key-{number}"),
        )
    rows.execute("INSERT INTO site VALUES ('epoch', '41')")
    rows.execute(
        "INSERT INTO economic_event (key, action, provider, receiver, mass_mg, pieces, duration_ms,"
        " happened_at, created_at, measure, note) VALUES ('k','use','a','b',5,0,0,1,1,'counted','')"
    )
    rows.commit()
    rows.close()


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]


@pytest.mark.parametrize("start", ["", FIRST])
def test_tables_are_those_the_code_names_made_new_or_upgraded(tmp_path: Path, start: str) -> None:
    path = tmp_path / "site.db"
    if start:
        made_at(path, start)
    Store(path, lambda: 0).close()
    engine = open_engine(store_url(path), writes=False)
    with engine.connect() as conn:
        context = MigrationContext.configure(conn)
        assert compare_metadata(context, tables.metadata) == []
        assert revision_of(conn) == HEAD
    engine.dispose()


def test_an_upgrade_keeps_every_row_the_order_and_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    made_at(path, FIRST)
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE alembic_version")  # the first ones did not number themselves
    raw.close()
    fill_first(path)
    store = Store(path, lambda: 7)
    assert store.upgraded_from == FIRST
    with store.read() as tx:
        assert [need.id for need in tx.needs.all()] == ["b", "a", "c"]
        assert tx.site.number("epoch") == 41
        assert len(tx.ledger.page(10)) == 1
    store.close()
    copy = sqlite3.connect(tmp_path / f"site.db.{FIRST}")
    assert copy.execute("SELECT count(*) FROM need").fetchone() == (3,)
    copy.close()


def test_an_upgraded_ledger_is_guarded_too(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    made_at(path, FIRST)
    fill_first(path)
    Store(path, lambda: 0).close()
    raw = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute("UPDATE economic_event SET mass_mg = 0")
    raw.close()


def test_a_store_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    Store(path, lambda: 0).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(SchemaMismatch, match=r"9999.*use the newer"):
        Store(path, lambda: 0)


def test_what_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="does not open"):
        Store(tmp_path / "nowhere" / "site.db", lambda: 0)
    with pytest.raises(StoreUnreachable, match="mysql:// is not known"):
        Store("mysql://here/site", lambda: 0)
    with pytest.raises(StoreUnreachable, match=r"fab@127\.0\.0\.1:1/"):
        Store("postgresql://fab@127.0.0.1:1/site", lambda: 0)


def test_postgresql_has_the_tables_the_code_names_and_refuses_changes() -> None:
    store = Store(server().empty("schema"), lambda: 0)
    engine = open_engine(store.url, writes=False)
    with engine.connect() as conn:
        context = MigrationContext.configure(conn)
        assert compare_metadata(context, tables.metadata) == []
        triggers = conn.execute(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"))
        assert {row[0] for row in triggers} >= {"economic_event_no_update", "inbox_no_update"}
    engine.dispose()
    store.close()


def test_writers_on_postgresql_wait_for_each_other() -> None:
    url = server().empty("writers")
    one, two = Store(url, lambda: 1), Store(url, lambda: 2)
    taken: list[int] = []

    def second() -> None:
        with two.write() as tx:
            taken.append(tx.site.next("epoch"))

    thread = threading.Thread(target=second)
    with one.write() as tx:
        assert tx.site.next("epoch") == 1
        thread.start()
        until(lambda: waiting(one) == 1, 90)
        assert taken == []
    thread.join(90)
    assert taken == [2]
    one.close()
    two.close()


def waiting(store: Store) -> int:
    """How many sessions of this database wait for the writer's lock."""
    engine = open_engine(store.url, writes=False)
    with engine.connect() as conn:
        asked = (
            "SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid"
            " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )
        found = int(conn.execute(text(asked)).scalar() or 0)
    engine.dispose()
    return found

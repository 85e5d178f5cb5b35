"""The tables of a store at the version of this program: made new, or brought up from an older one.

A change of the tables is a file in ``migrations/versions``; HEAD names the newest. Nothing is ever
brought down: a store of a newer program is refused.
"""

import sqlite3
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_mock_engine, inspect, text
from sqlalchemy.engine import URL

from controller.adapters.store import tables
from controller.adapters.store.dialects import open_engine

HEAD = "0009"
FIRST = "0001"
MIGRATIONS = Path(__file__).parent / "migrations"
_GUARDS = (
    ("economic_event", "UPDATE", "the ledger is append-only: post a correcting event"),
    ("economic_event", "DELETE", "the ledger is append-only: post a correcting event"),
    ("inbox", "UPDATE", "the inbox is append-only"),
    ("audit", "UPDATE", "the audit log is append-only"),
    ("audit", "DELETE", "the audit log is append-only"),
)
_REFUSE = (
    "CREATE OR REPLACE FUNCTION fab_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$"
)


class SchemaMismatch(Exception):
    """The store was written by a newer program. Attributes: found, wanted (revisions)."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(
            f"the store has revision {found}, this program knows up to {wanted}: use the newer one"
        )
        self.found = found
        self.wanted = wanted


def prepare(url: URL) -> str:
    """Make or upgrade the tables of a store; return the revision found, "" for a new store.

    An SQLite file is copied to ``NAME.REVISION`` before it is upgraded.
    """
    engine = open_engine(url, writes=True, foreign_keys=False)
    try:
        with engine.begin() as conn:
            found = revision_of(conn)
        if found == HEAD:
            return found
        if found and not (MIGRATIONS / "versions" / f"r{found}.py").exists():
            raise SchemaMismatch(found, HEAD)
        if found and url.get_backend_name() == "sqlite":
            _copy(Path(url.database or ""), found)
        make(engine, found, HEAD)
        return found
    finally:
        engine.dispose()


def make(engine: Engine, found: str, wanted: str) -> None:
    """Bring tables from revision ``found`` ("" is none) to ``wanted`` in one transaction."""
    with engine.begin() as conn:
        if wanted == HEAD and revision_of(conn) == HEAD:
            return  # another replica did it while this one waited
        if not found and wanted == HEAD:
            for statement in _statements(conn.dialect.name):
                conn.exec_driver_sql(statement)
            _stamp(conn, HEAD)
        else:
            _upgrade(conn, found, wanted)
        if wanted == HEAD:
            _guard(conn)


@lru_cache(maxsize=2)
def _statements(dialect: str) -> tuple[str, ...]:
    """What makes every table and index anew, compiled once a process."""
    made: list[str] = []

    def keep(statement: Any, *_values: Any) -> None:
        made.append(str(statement.compile(dialect=mock.dialect)))

    mock = create_mock_engine(f"{dialect}://", keep)
    tables.metadata.create_all(mock, checkfirst=False)
    return tuple(made)


def revision_of(conn: Connection) -> str:
    """Revision of the tables a connection sees, "" when there are none."""
    there = set(inspect(conn).get_table_names())
    if "alembic_version" in there:
        found = conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return str(found or "")
    return FIRST if "site" in there else ""


def _stamp(conn: Connection, revision: str) -> None:
    conn.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
    conn.execute(text("INSERT INTO alembic_version VALUES (:r)"), {"r": revision})


def _upgrade(conn: Connection, found: str, wanted: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = conn
    if found and "alembic_version" not in inspect(conn).get_table_names():
        _stamp(conn, found)
    command.upgrade(config, wanted)
    if conn.dialect.name != "sqlite":
        return
    broken = len(conn.execute(text("PRAGMA foreign_key_check")).all())
    if broken:
        raise RuntimeError(f"the upgrade left {broken} broken references; nothing was changed")


def _guard(conn: Connection) -> None:
    """Let the database itself refuse to change what is append-only."""
    postgres = conn.dialect.name == "postgresql"
    if postgres:
        conn.execute(text(_REFUSE))
    for table, verb, message in _GUARDS:
        name = f"{table}_no_{verb.lower()}"
        if postgres:
            statement = (
                f"CREATE OR REPLACE TRIGGER {name} BEFORE {verb} ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION fab_refuse('{message}')"
            )
        else:
            statement = (
                f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        conn.execute(text(statement))


def _copy(path: Path, revision: str) -> None:
    target = path.with_name(f"{path.name}.{revision}")
    with sqlite3.connect(path) as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    source.close()
    copy.close()

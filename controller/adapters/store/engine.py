"""SQLite through SQLAlchemy: WAL, synchronous FULL, foreign keys; one writer, short readers."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text

from controller.adapters.store import tables
from controller.adapters.store.inbox import SiteRoom
from controller.adapters.store.tx import Tx

_GUARDS = (
    ("economic_event", "UPDATE", "the ledger is append-only: post a correcting event"),
    ("economic_event", "DELETE", "the ledger is append-only: post a correcting event"),
    ("inbox", "UPDATE", "the inbox is append-only"),
)


class SchemaMismatch(Exception):
    """The file was written by another version of the store. Attributes: found, wanted."""

    def __init__(self, found: str, wanted: int) -> None:
        super().__init__(f"the store has schema {found}, this program needs {wanted}")
        self.found = found
        self.wanted = wanted


def _pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by sqlite3
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _engine(path: Path, begin: str) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})

    def begin_transaction(conn: Connection) -> None:
        conn.exec_driver_sql(begin)

    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", begin_transaction)
    return engine


def _create(conn: Connection) -> None:
    tables.metadata.create_all(conn)
    for table, verb, message in _GUARDS:
        name = f"{table}_no_{verb.lower()}"
        conn.execute(
            text(
                f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        )
    room = SiteRoom(conn)
    found = room.get("schema")
    if found is None:
        room.put("schema", str(tables.SCHEMA_VERSION))
    elif found != str(tables.SCHEMA_VERSION):
        raise SchemaMismatch(found, tables.SCHEMA_VERSION)


class Store:
    """One SQLite file; ``now`` gives floor time in ms UTC. Writing is for one thread only."""

    def __init__(self, path: Path, now: Callable[[], int]) -> None:
        self._now = now
        self._writer = _engine(path, "BEGIN IMMEDIATE")
        self._reader = _engine(path, "BEGIN")
        with self._writer.begin() as conn:
            _create(conn)

    @contextmanager
    def write(self) -> Generator[Tx]:
        """One transaction; commits at the end of the block, rolls back when it raises."""
        with self._writer.begin() as conn:
            yield Tx(conn, self._now())

    @contextmanager
    def read(self) -> Generator[Tx]:
        """One consistent view; anything written in it is undone."""
        with self._reader.connect() as conn, conn.begin() as transaction:
            yield Tx(conn, self._now())
            transaction.rollback()

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()

"""Engines of the two databases: SQLite (WAL, synchronous FULL) and PostgreSQL.

Both give what the rooms count on: one writer at a time, readers that see one moment.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url

WRITER_LOCK = 0x66616263  # advisory lock of PostgreSQL that a writing transaction holds
_POSTGRES = ("postgresql", "postgres")


class StoreUnreachable(Exception):
    """The database cannot be opened; the text says what to do."""


def store_url(where: Path | str) -> URL:
    """Address of a store: a path is an SQLite file, else ``postgresql://user@host/name``."""
    scheme, _, rest = str(where).partition("://")
    if rest and scheme in _POSTGRES:
        return make_url(f"postgresql+psycopg://{rest}")
    if rest and not scheme.startswith("sqlite"):
        raise StoreUnreachable(f"store: {scheme}:// is not known; use a path or postgresql://")
    return make_url(str(where)) if rest else URL.create("sqlite", database=str(where))


def open_engine(url: URL, writes: bool, foreign_keys: bool = True) -> Engine:
    """Engine whose transactions write (one at a time) or see one unchanging moment."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, "BEGIN IMMEDIATE" if writes else "BEGIN", foreign_keys)
    return _postgres(url, writes)


def _sqlite(url: URL, begin: str, foreign_keys: bool) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False})
    pragmas = (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        "busy_timeout=10000",
    )

    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by sqlite3
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    def begin_transaction(conn: Connection) -> None:
        conn.exec_driver_sql(begin)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin_transaction)
    return engine


def _postgres(url: URL, writes: bool) -> Engine:
    isolation = "READ COMMITTED" if writes else "REPEATABLE READ"
    try:
        engine = create_engine(url, isolation_level=isolation, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreUnreachable("PostgreSQL needs: pip install 'fabcommons[postgresql]'") from error
    if writes:

        def one_writer(conn: Connection) -> None:
            conn.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))

        event.listen(engine, "begin", one_writer)
    return engine

"""Statements of the hot path: made and compiled once a dialect, run on the driver's own cursor.

SQLAlchemy takes some 100 us to run a statement, the database a few. What runs for every report of
a machine goes past it; a failure is raised as SQLAlchemy would raise it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

from controller.values import Json

Query = Select[*tuple[Any, ...]]  # whatever its columns are


class Prepared(NamedTuple):
    """SQL text; ``order`` of its values when they go by place, None when they go by name.

    ``fixed`` are the values that stand in the statement itself.
    """

    text: str
    order: tuple[str, ...] | None
    fixed: Json


class Shape(NamedTuple):
    """Columns of what a statement gives; places of those that are true or false."""

    columns: tuple[str, ...]
    truths: tuple[int, ...]


@lru_cache(maxsize=1024)
def select_by(dialect: str, table: Table, names: tuple[str, ...]) -> Prepared:
    """The row with these columns' values."""
    where = (table.c[name] == bindparam(name) for name in names)
    return _prepared(dialect, select(table).where(*where))


@lru_cache(maxsize=1024)
def update_by(
    dialect: str, table: Table, keys: tuple[str, ...], names: tuple[str, ...]
) -> Prepared:
    """Columns of the row with these keys, whose values are named ``by_`` and the key."""
    where = (table.c[key] == bindparam(f"by_{key}") for key in keys)
    values = with_values(table, names)
    return _prepared(dialect, update(table).where(*where).values(values))


@lru_cache(maxsize=256)
def insert_of(dialect: str, table: Table, names: tuple[str, ...]) -> Prepared:
    """A new row."""
    values = with_values(table, names)
    return _prepared(dialect, insert(table).values(values).inline())


@lru_cache(maxsize=256)
def numbered(dialect: str, table: Table, names: tuple[str, ...], key: str) -> Prepared:
    """A new row whose number the database gives, and gives back."""
    values = with_values(table, names)
    statement = insert(table).values(values).returning(table.c[key])
    return _prepared(dialect, statement)


@lru_cache(maxsize=64)
def numbered_once(
    dialect: str, table: Table, names: tuple[str, ...], key: str, once: str
) -> Prepared:
    """A new row whose number is given back; nothing when ``once`` is there already."""
    values = with_values(table, names)
    made = upsert(dialect, table).values(values)
    statement = made.on_conflict_do_nothing(index_elements=[once]).returning(table.c[key])
    return _prepared(dialect, statement)


@lru_cache(maxsize=64)
def adding(dialect: str, table: Table, key: str, names: tuple[str, ...]) -> Prepared:
    """Columns of the row with this key become more by values named as they are."""
    more = {name: table.c[name] + bindparam(name, type_=table.c[name].type) for name in names}
    where = table.c[key] == bindparam(f"by_{key}")
    return _prepared(dialect, update(table).where(where).values(more))


@lru_cache(maxsize=256)
def constant(dialect: str, statement: ClauseElement) -> Prepared:
    """A statement that is made once in a module."""
    return _prepared(dialect, statement)


@lru_cache(maxsize=64)
def last_seq(dialect: str, table: Table) -> Prepared:
    """Highest ``seq`` of a table, 0 when it is empty."""
    return _prepared(dialect, select(func.coalesce(func.max(table.c.seq), 0)))


@lru_cache(maxsize=256)
def shape(statement: Table | Query) -> Shape:
    """What a row has; SQLite keeps true and false as numbers."""
    columns = statement.c if isinstance(statement, Table) else statement.selected_columns
    truths = [n for n, column in enumerate(columns) if isinstance(column.type, Boolean)]
    return Shape(tuple(str(column.key) for column in columns), tuple(truths))


def one_of(column: ColumnElement[Any], names: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column is one of these words of ours, which stand in the SQL text."""
    return column.in_([literal_column(f"'{name}'") for name in names])


def with_values(table: Table, names: Iterable[str]) -> Json:
    """Columns of a table and the values of these names that they get."""
    return {name: bindparam(name, type_=table.c[name].type) for name in names}


def upsert(dialect: str, table: Table) -> sqlite.Insert:
    """INSERT that can say what to do on conflict; both databases say it alike."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # a site on SQLite never loads it

    return cast(Any, postgresql.insert(table))


@lru_cache(maxsize=2)
def _dialect(name: str) -> Any:
    if name == "sqlite":
        return sqlite.dialect()
    from sqlalchemy.dialects import postgresql

    return cast(Any, postgresql.psycopg).dialect()


def _prepared(dialect: str, statement: ClauseElement) -> Prepared:
    made: Any = statement.compile(dialect=_dialect(dialect))
    fixed = {name: value for name, value in made.params.items() if value is not None}
    return Prepared(made.string, tuple(made.positiontup) if made.positional else None, fixed)


def run(conn: Connection, raw: Any, statement: Prepared, values: Json) -> Any:
    """Run a statement on the driver's connection ``raw``, inside the open transaction; its cursor.

    ``conn`` says how a failure is raised.
    """
    if statement.fixed:
        values = statement.fixed | values
    given = values if statement.order is None else [values[name] for name in statement.order]
    try:
        cursor = raw.cursor()
        cursor.execute(statement.text, given)
    except conn.dialect.loaded_dbapi.Error as error:
        raise _as_raised(conn, statement.text, error) from error
    return cursor


def run_many(conn: Connection, raw: Any, statement: Prepared, rows: list[Json]) -> None:
    """Run a statement for each row of values."""
    order = statement.order
    given = rows if order is None else [[row[name] for name in order] for row in rows]
    try:
        raw.cursor().executemany(statement.text, given)
    except conn.dialect.loaded_dbapi.Error as error:
        raise _as_raised(conn, statement.text, error) from error


def say(conn: Connection, raw: Any, text: str) -> None:
    """Run SQL without values, as a savepoint is."""
    try:
        raw.cursor().execute(text)
    except conn.dialect.loaded_dbapi.Error as error:
        raise _as_raised(conn, text, error) from error


def driver(conn: Connection) -> Any:
    """The driver's connection under this one."""
    return cast(Any, conn.connection.driver_connection)


def _as_raised(conn: Connection, text: str, error: Any) -> BaseException:
    dbapi: Any = conn.dialect.loaded_dbapi
    known: Any = DBAPIError
    raised: BaseException = known.instance(text, None, error, dbapi.Error, dialect=conn.dialect)
    return raised

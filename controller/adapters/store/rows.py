"""Rows to values and back: a field ``x`` of a value is column ``x`` or JSON column ``x_json``."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Connection,
    Executable,
    Table,
)
from sqlalchemy.engine import CursorResult

from controller.adapters.store import prepared
from controller.adapters.store.prepared import Query
from controller.values import Json

T = TypeVar("T")


def _made(kind: type[T], keys: tuple[str, ...], row: Sequence[Any]) -> T:
    pick, documents = _places(kind, keys)
    values = list(pick(row))
    for place in documents:
        if values[place] is not None:
            values[place] = msgspec.json.decode(values[place])
    return kind(*values)


@lru_cache(maxsize=256)
def _places(
    kind: type, keys: tuple[str, ...]
) -> tuple[Callable[[Sequence[Any]], tuple[Any, ...]], tuple[int, ...]]:
    """What picks the fields of a value from a row, and which are JSON; KeyError names one missing.

    Values are dataclasses whose fields are all given by place.
    """
    columns: list[int] = []
    documents: list[int] = []
    for place, field in enumerate(fields(kind)):
        is_json = field.name not in keys
        column = field.name + "_json" if is_json else field.name
        if column not in keys:
            raise KeyError(column)
        columns.append(keys.index(column))
        if is_json:
            documents.append(place)
    if len(columns) == 1:  # itemgetter of one gives no tuple
        only = columns[0]
        return lambda row: (row[only],), tuple(documents)
    return itemgetter(*columns), tuple(documents)


def _values(row: tuple[Any, ...], truths: tuple[int, ...]) -> tuple[Any, ...]:
    """A row of the driver with true and false where it has numbers."""
    if not truths:
        return row
    values = list(row)
    for place in truths:
        if values[place] is not None:
            values[place] = bool(values[place])
    return tuple(values)


def to_row(table: Table, changes: Json) -> Json:
    """Fields of a value as columns of ``table``; KeyError names a field it does not have."""
    out: Json = {}
    for (column, is_json), value in zip(
        _homes(table, tuple(changes)), changes.values(), strict=True
    ):
        out[column] = dumps(value) if is_json and value is not None else value
    return out


@lru_cache(maxsize=512)
def _homes(table: Table, names: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    """(column, whether it holds JSON) of each field."""
    found: list[tuple[str, bool]] = []
    for name in names:
        column = name if name in table.c else name + "_json"
        if column not in table.c:
            raise KeyError(name)
        found.append((column, column != name))
    return tuple(found)


def as_row(table: Table, value: object) -> Json:
    """A whole value as columns of ``table``; an unset key ``id`` or ``seq`` is left out."""
    out: Json = {}
    for name, column, is_json in _row(table, type(value)):
        item = getattr(value, name)
        out[column] = dumps(item) if is_json and item is not None else item
    if out.get("id", 0) is None:
        del out["id"]
    return out


@lru_cache(maxsize=128)
def _row(table: Table, kind: type) -> tuple[tuple[str, str, bool], ...]:
    """(field, column, whether it holds JSON) of a kind of value."""
    names = tuple(field.name for field in fields(kind))
    homes = zip(names, _homes(table, names), strict=True)
    return tuple((name, column, is_json) for name, (column, is_json) in homes)


def dumps(value: Any) -> str:
    """Document as compact JSON text with sorted keys."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


class Room:
    """Queries of one room over one connection; its methods run inside the open transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._dialect = conn.dialect.name
        self._raw: Any = None  # the driver's own connection, once it was asked for

    def _all(self, kind: type[T], statement: Executable) -> list[T]:
        result = self._conn.execute(statement)
        keys = tuple(result.keys())
        return [_made(kind, keys, row) for row in result.all()]

    def _one(self, kind: type[T], statement: Executable) -> T | None:
        result = self._conn.execute(statement)
        row = result.first()
        return None if row is None else _made(kind, tuple(result.keys()), row)

    def _rows(self, statement: Query, **values: object) -> list[tuple[Any, ...]]:
        """What a statement that was made once in a module gives."""
        found = self._do(prepared.constant(self._dialect, statement), values).fetchall()
        truths = prepared.shape(statement).truths
        return [_values(row, truths) for row in found] if truths else found

    def _each(self, kind: type[T], statement: Query, **values: object) -> list[T]:
        """Values from a statement that was made once in a module."""
        return self._values_of(kind, statement, self._rows(statement, **values))

    def _values_of(self, kind: type[T], statement: Query, rows: Iterable[Sequence[Any]]) -> list[T]:
        """Values from rows a statement gave."""
        columns = prepared.shape(statement).columns
        return [_made(kind, columns, row) for row in rows]

    def _first(self, kind: type[T], statement: Query, **values: object) -> T | None:
        """First value from a statement that was made once in a module; it has a limit."""
        found = self._each(kind, statement, **values)
        return found[0] if found else None

    def _do(self, statement: prepared.Prepared, values: Json) -> Any:
        """Run a prepared statement; the driver's cursor."""
        if self._raw is None:
            self._raw = prepared.driver(self._conn)
        return prepared.run(self._conn, self._raw, statement, values)

    def _do_many(self, statement: prepared.Prepared, rows: list[Json]) -> None:
        """Run a prepared statement for each row of values."""
        if self._raw is None:
            self._raw = prepared.driver(self._conn)
        if rows:
            prepared.run_many(self._conn, self._raw, statement, rows)

    def _by(self, kind: type[T], table: Table, **keys: object) -> T | None:
        """The row with these values in these columns, or None."""
        statement = prepared.select_by(self._dialect, table, tuple(keys))
        row = self._do(statement, keys).fetchone()
        if row is None:
            return None
        columns, truths = prepared.shape(table)
        return _made(kind, columns, _values(row, truths))

    def _change(self, table: Table, keys: Json, changes: Json) -> int:
        """Change columns of the rows with these keys; return how many there were."""
        statement = prepared.update_by(self._dialect, table, tuple(keys), tuple(changes))
        values = {f"by_{name}": value for name, value in keys.items()} | changes
        return self._do(statement, values).rowcount

    def _put(self, table: Table, row: Json) -> None:
        """Add a row whose key is known."""
        self._do(prepared.insert_of(self._dialect, table, tuple(row)), row)

    def _put_new(self, table: Table, row: Json, key: str) -> int:
        """Add a row; the number the database gave it."""
        statement = prepared.numbered(self._dialect, table, tuple(row), key)
        return int(self._do(statement, row).fetchone()[0])

    def _put_once(self, table: Table, row: Json, key: str, once: str) -> int | None:
        """Add a row unless one has its value of ``once``; the number the database gave it."""
        statement = prepared.numbered_once(self._dialect, table, tuple(row), key, once)
        made = self._do(statement, row).fetchone()
        return None if made is None else int(made[0])

    def _increase(self, table: Table, key: str, value: str, by: Json) -> bool:
        """Add to columns of the row with this key; False when there is none."""
        statement = prepared.adding(self._dialect, table, key, tuple(by))
        return self._do(statement, {f"by_{key}": value, **by}).rowcount > 0

    def _value(self, statement: Query, **values: object) -> Any:
        """First value a statement that was made once gives, None when it gives none."""
        found = self._do(prepared.constant(self._dialect, statement), values)
        row = found.fetchone()
        return None if row is None else row[0]

    def _run(self, statement: Executable) -> CursorResult[Any]:
        result = self._conn.execute(statement)
        assert isinstance(result, CursorResult)
        return result

    def _scalar(self, statement: Executable) -> Any:
        return self._conn.execute(statement).scalar()

    def _last_seq(self, table: Table) -> int:
        """Highest ``seq`` of a table, 0 when it is empty."""
        return self._do(prepared.last_seq(self._dialect, table), {}).fetchone()[0]

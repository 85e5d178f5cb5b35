"""Rows to values and back: a field ``x`` of a value is column ``x`` or JSON column ``x_json``."""

import json
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, RowMapping, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult

from controller.values import Json

T = TypeVar("T")


def to_value(kind: type[T], row: RowMapping) -> T:
    """One row as the frozen value ``kind``."""
    out: Json = {}
    for field in fields(kind):  # pyright: ignore[reportArgumentType]  # kind is a dataclass
        name = field.name
        if name in row:
            out[name] = row[name]
        else:
            text = row[name + "_json"]
            out[name] = None if text is None else json.loads(text)
    return kind(**out)


def to_row(table: Table, changes: Json) -> Json:
    """Fields of a value as columns of ``table``; KeyError names a field it does not have."""
    out: Json = {}
    for name, value in changes.items():
        if name in table.c:
            out[name] = value
        elif name + "_json" in table.c:
            out[name + "_json"] = None if value is None else dumps(value)
        else:
            raise KeyError(name)
    return out


def as_row(table: Table, value: object) -> Json:
    """A whole value as columns of ``table``; an unset key ``id`` or ``seq`` is left out."""
    items = {f.name: getattr(value, f.name) for f in fields(value)}  # pyright: ignore[reportArgumentType]  # a dataclass
    if items.get("id", 0) is None:
        del items["id"]
    return to_row(table, items)


def dumps(value: Any) -> str:
    """Document as compact JSON text with sorted keys."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


class Room:
    """Queries of one room over one connection; its methods run inside the open transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def _all(self, kind: type[T], statement: Executable) -> list[T]:
        return [to_value(kind, row) for row in self._conn.execute(statement).mappings()]

    def _one(self, kind: type[T], statement: Executable) -> T | None:
        row = self._conn.execute(statement).mappings().first()
        return None if row is None else to_value(kind, row)

    def _run(self, statement: Executable) -> CursorResult[Any]:
        result = self._conn.execute(statement)
        assert isinstance(result, CursorResult)
        return result

    def _scalar(self, statement: Executable) -> Any:
        return self._conn.execute(statement).scalar()

    def _upsert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """INSERT that can say what to do on conflict, in the dialect of this connection."""
        if self._conn.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    def _last_seq(self, table: Table) -> int:
        """Highest ``seq`` of a table, 0 when it is empty."""
        return self._scalar(select(func.coalesce(func.max(table.c.seq), 0)))

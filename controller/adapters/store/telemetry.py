"""Telemetry in the store: last value, raw readings, five-minute rollups."""

from collections.abc import Iterable

from sqlalchemy import case, delete, func, insert, select

from controller.adapters.store import tables
from controller.adapters.store.rows import Room, dumps
from controller.values import Json, Reading, Rollup

_last = tables.reading_last
_raw = tables.reading
_five = tables.reading_5m
ROLLUP_MS = 300_000


class TelemetryRoom(Room):
    """What machines measured."""

    def last(self, machine: str | None = None) -> list[Reading]:
        """Last values of one machine or of all, by machine and name."""
        query = select(_last).order_by(_last.c.machine, _last.c.name)
        return self._all(Reading, query.where(_last.c.machine == machine) if machine else query)

    def rollups(self, machine: str, name: str, since_at: int) -> list[Rollup]:
        """Five-minute rollups of one field from ``since_at`` on, oldest first."""
        return self._all(
            Rollup,
            select(_five)
            .where(_five.c.machine == machine, _five.c.name == name, _five.c.at >= since_at)
            .order_by(_five.c.at),
        )

    def rollups_between(self, begin_at: int, end_at: int) -> list[Rollup]:
        """Five-minute rollups of all machines from ``begin_at`` on, before ``end_at``, by time."""
        return self._all(
            Rollup,
            select(_five)
            .where(_five.c.at >= begin_at, _five.c.at < end_at)
            .order_by(_five.c.at, _five.c.machine, _five.c.name),
        )

    def raw_between(self, begin_at: int, end_at: int) -> list[tuple[str, int, dict[str, int]]]:
        """Raw readings (machine, at, values) of all machines from ``begin_at``, before ``end_at``.

        Those that are kept: of a day.
        """
        import json

        rows = self._conn.execute(
            select(_raw.c.machine, _raw.c.at, _raw.c.values_json)
            .where(_raw.c.at >= begin_at, _raw.c.at < end_at)
            .order_by(_raw.c.at, _raw.c.machine)
        )
        return [(row[0], row[1], json.loads(row[2])) for row in rows]

    def first_at(self) -> tuple[int | None, int | None]:
        """When the oldest raw reading and the oldest rollup are from, ms UTC."""
        return (
            self._scalar(select(func.min(_raw.c.at))),
            self._scalar(select(func.min(_five.c.at))),
        )

    def raw(self, machine: str, since_at: int, limit: int = 2000) -> list[tuple[int, Json]]:
        """Raw readings (at, values) of one machine, oldest first."""
        import json

        rows = self._conn.execute(
            select(_raw.c.at, _raw.c.values_json)
            .where(_raw.c.machine == machine, _raw.c.at >= since_at)
            .order_by(_raw.c.at)
            .limit(limit)
        )
        return [(row[0], json.loads(row[1])) for row in rows]

    def add(self, readings: Iterable[tuple[str, int, dict[str, int]]]) -> None:
        """Store readings (machine, at, values): raw, last value and rollup."""
        items = list(readings)
        if not items:
            return
        self._conn.execute(
            insert(_raw),
            [{"machine": m, "at": at, "values_json": dumps(values)} for m, at, values in items],
        )
        last = {(m, name): (at, value) for m, at, values in items for name, value in values.items()}
        self._put_last(last)
        self._put_rollups(items)

    def _put_last(self, last: dict[tuple[str, str], tuple[int, int]]) -> None:
        statement = self._upsert(_last)
        statement = statement.on_conflict_do_update(
            index_elements=["machine", "name"],
            set_={"value": statement.excluded.value, "at": statement.excluded.at},
            where=statement.excluded.at >= _last.c.at,
        )
        rows = [
            {"machine": m, "name": name, "at": at, "value": value}
            for (m, name), (at, value) in last.items()
        ]
        if rows:
            self._conn.execute(statement, rows)

    def _put_rollups(self, items: list[tuple[str, int, dict[str, int]]]) -> None:
        buckets: dict[tuple[str, int, str], list[int]] = {}
        for machine, at, values in items:
            for name, value in values.items():
                key = (machine, at - at % ROLLUP_MS, name)
                buckets.setdefault(key, []).append(value)
        statement = self._upsert(_five)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["machine", "at", "name"],
            set_={
                "min": case((new.min < _five.c.min, new.min), else_=_five.c.min),
                "max": case((new.max > _five.c.max, new.max), else_=_five.c.max),
                "sum": _five.c.sum + new.sum,
                "n": _five.c.n + new.n,
            },
        )
        rows = [
            dict(machine=m, at=at, name=name, min=min(v), max=max(v), sum=sum(v), n=len(v))
            for (m, at, name), v in buckets.items()
        ]
        if rows:
            self._conn.execute(statement, rows)

    def prune(self, before_at: int) -> int:
        """Drop raw readings older than ``before_at``; return how many."""
        return self._run(delete(_raw).where(_raw.c.at < before_at)).rowcount

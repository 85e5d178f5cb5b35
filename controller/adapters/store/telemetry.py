"""Telemetry in the store: last value, raw readings, rollups of five minutes and of hours.

Readings of an hour that is not over are rows; a closed hour is packed into one row a machine, and
its rollups of five minutes are added up to one of the hour. What comes late for a closed hour is a
row again until the hour is packed once more.
"""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import case, delete, exists, func, select

from controller.adapters.store import prepared, tables
from controller.adapters.store.packing import Sample, pack, unpack
from controller.adapters.store.rows import Room, dumps
from controller.adapters.store.telemetry_tables import reading_1h, reading_hour
from controller.values import Json, Reading, Rollup

_last = tables.reading_last
_raw = tables.reading
_five = tables.reading_5m
_hour = reading_1h
_packed = reading_hour
ROLLUP_MS = 300_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
Point = tuple[int, int, int, int, int]


class TelemetryRoom(Room):
    """What machines measured."""

    def last(self, machine: str | None = None) -> list[Reading]:
        """Last values of one machine or of all, by machine and name."""
        query = select(_last).order_by(_last.c.machine, _last.c.name)
        return self._all(Reading, query.where(_last.c.machine == machine) if machine else query)

    def rollups(self, machine: str, name: str, since_at: int) -> list[Rollup]:
        """Five-minute rollups of one field from ``since_at`` on, oldest first."""
        found = self.five_minutes([machine], name, (since_at, 1 << 60))
        return [Rollup(machine, p[0], name, *p[1:]) for p in found.get(machine, [])]

    def five_minutes(
        self, machines: Iterable[str], name: str, between: tuple[int, int]
    ) -> dict[str, list[Point]]:
        """Points (at, min, max, sum, n) of one field by machine, oldest first."""
        begin_at, end_at = between
        rows = self._conn.execute(
            select(_five.c.machine, _five.c.at, _five.c.min, _five.c.max, _five.c.sum, _five.c.n)
            .where(_five.c.machine.in_(list(machines)), _five.c.name == name)
            .where(_five.c.at >= begin_at, _five.c.at < end_at)
            .order_by(_five.c.machine, _five.c.at)
        )
        found: dict[str, list[Point]] = {}
        for machine, *point in rows:
            found.setdefault(machine, []).append((point[0], point[1], point[2], point[3], point[4]))
        return found

    def hours(self, machine: str, name: str, between: tuple[int, int]) -> list[Point]:
        """Points (at, min, max, sum, n) of one field an hour, the unfinished one too."""
        begin_at, end_at = between
        open_at = self._scalar(select(func.min(_raw.c.at)).where(_raw.c.machine == machine))
        until_at = end_at if open_at is None else min(end_at, open_at - open_at % HOUR_MS)
        rows = self._conn.execute(
            select(_hour.c.at, _hour.c.min, _hour.c.max, _hour.c.sum, _hour.c.n)
            .where(_hour.c.machine == machine, _hour.c.name == name)
            .where(_hour.c.at >= begin_at, _hour.c.at < until_at)
            .order_by(_hour.c.at)
        )
        points = [(row[0], row[1], row[2], row[3], row[4]) for row in rows]
        tail = self.five_minutes([machine], name, (max(begin_at, until_at), end_at))
        return points + folded(tail.get(machine, []), HOUR_MS)

    def rollups_between(self, begin_at: int, end_at: int) -> list[Rollup]:
        """Five-minute rollups of all machines from ``begin_at`` on, before ``end_at``, by time."""
        found: list[Rollup] = []
        for machine in self._machines():
            query = select(_five).where(_five.c.machine == machine)
            query = query.where(_five.c.at >= begin_at, _five.c.at < end_at)
            found += self._all(Rollup, query)
        return sorted(found, key=lambda one: (one.at, one.machine, one.name))

    def raw_between(self, begin_at: int, end_at: int) -> list[tuple[str, int, dict[str, int]]]:
        """Raw readings (machine, at, values) of all machines, from begin, before end, by time."""
        found = [
            (machine, at, values)
            for machine in self._machines()
            for at, values in self.raw(machine, begin_at, end_at)
        ]
        return sorted(found, key=lambda one: one[:2][::-1])

    def first_at(self) -> tuple[int | None, int | None]:
        """When the oldest raw reading and the oldest rollup are from, ms UTC."""
        raw = (self._first_sample(_raw.c.at, m) for m in self._machines())
        packed = (self._first_sample(_packed.c.at, m) for m in self._machines())
        five = (self._first_sample(_five.c.at, m) for m in self._machines())
        return (
            min((at for at in (*raw, *packed) if at is not None), default=None),
            min((at for at in five if at is not None), default=None),
        )

    def raw(self, machine: str, begin_at: int, end_at: int) -> list[Sample]:
        """Raw readings (at, values) of one machine, oldest first, of packed hours and open ones."""
        packed = self._conn.execute(
            select(_packed.c.packed)
            .where(_packed.c.machine == machine)
            .where(_packed.c.at >= begin_at - begin_at % HOUR_MS, _packed.c.at < end_at)
            .order_by(_packed.c.at)
        )
        samples = [one for row in packed for one in unpack(row[0])]
        samples += self._samples(machine, begin_at, end_at)
        return sorted(
            (one for one in samples if begin_at <= one[0] < end_at), key=lambda one: one[0]
        )

    def add(self, readings: Iterable[tuple[str, int, dict[str, int]]]) -> None:
        """Store readings (machine, at, values): raw, last value and rollup."""
        items = list(readings)
        if not items:
            return
        self._do_many(
            prepared.insert_of(self._dialect, _raw, ("machine", "at", "values_json")),
            [{"machine": m, "at": at, "values_json": dumps(values)} for m, at, values in items],
        )
        last = {(m, name): (at, value) for m, at, values in items for name, value in values.items()}
        self._put_last(last)
        self._put_rollups(items)

    def unpacked(self, machine: str) -> int:
        """How many raw readings of a machine are rows."""
        query = select(func.count()).select_from(_raw).where(_raw.c.machine == machine)
        return self._scalar(query) or 0

    def packed_bytes(self) -> int:
        """Bytes of all packed hours."""
        return self._scalar(select(func.sum(func.length(_packed.c.packed)))) or 0

    def pack_one(self, before_at: int) -> bool:
        """Pack one machine's oldest hour that ended before ``before_at``; False if none is."""
        oldest = self._oldest_before(_raw.c.at, before_at - before_at % HOUR_MS)
        if oldest is not None:
            machine, first_at = oldest
            self._pack(machine, first_at - first_at % HOUR_MS)
        return oldest is not None

    def prune_one(self, raw_before_at: int, five_before_at: int) -> bool:
        """Drop at most a day of what one machine has from before; False when nothing is left."""
        for table, before_at in ((_packed, raw_before_at), (_five, five_before_at)):
            oldest = self._oldest_before(table.c.at, before_at)
            if oldest is not None:
                machine, first_at = oldest
                day_at = min(before_at, first_at + DAY_MS)
                self._run(delete(table).where(table.c.machine == machine, table.c.at < day_at))
                return True
        return False

    def _oldest_before(self, at: Any, before_at: int) -> tuple[str, int] | None:
        """A machine with something from before a time, and when its first is from; None if none.

        One statement for all machines: a floor of thousands is asked every few seconds.
        """
        known = tables.machine.c.id
        older = exists().where(at.table.c.machine == known, at < before_at)
        machine = self._scalar(select(known).where(older).limit(1))
        if machine is None:
            return None
        first_at = self._first_sample(at, machine)
        return None if first_at is None else (machine, first_at)

    def _machines(self) -> list[str]:
        return list(self._conn.execute(select(tables.machine.c.id)).scalars())

    def _first_sample(self, at: Any, machine: str) -> int | None:
        return self._scalar(select(func.min(at)).where(at.table.c.machine == machine))

    def _samples(self, machine: str, begin_at: int, end_at: int) -> list[Sample]:
        rows = self._conn.execute(
            select(_raw.c.at, _raw.c.values_json)
            .where(_raw.c.machine == machine, _raw.c.at >= begin_at, _raw.c.at < end_at)
            .order_by(_raw.c.at, _raw.c.id)
        )
        return [(row[0], json.loads(row[1])) for row in rows]

    def _pack(self, machine: str, at: int) -> None:
        between = (at, at + HOUR_MS)
        samples = self.raw(machine, *between)
        statement = prepared.upsert(self._dialect, _packed).values(
            machine=machine, at=at, n=len(samples), packed=pack(samples)
        )
        new = statement.excluded
        self._run(
            statement.on_conflict_do_update(
                index_elements=["machine", "at"], set_={"n": new.n, "packed": new.packed}
            )
        )
        self._run(
            delete(_raw).where(_raw.c.machine == machine, _raw.c.at >= at, _raw.c.at < between[1])
        )
        self._fold(machine, between)

    def _fold(self, machine: str, between: tuple[int, int]) -> None:
        """Add up an hour's rollups of five minutes."""
        query = select(_five).where(_five.c.machine == machine)
        query = query.where(_five.c.at >= between[0], _five.c.at < between[1])
        points: dict[str, list[Point]] = {}
        for one in self._all(Rollup, query):
            points.setdefault(one.name, []).append((one.at, one.min, one.max, one.sum, one.n))
        rows = [
            dict(machine=machine, name=name, at=at, min=low, max=high, sum=total, n=n)
            for name in sorted(points)
            for at, low, high, total, n in folded(points[name], HOUR_MS)
        ]
        statement = prepared.upsert(self._dialect, _hour)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["machine", "name", "at"],
            set_={"min": new.min, "max": new.max, "sum": new.sum, "n": new.n},
        )
        if rows:
            self._conn.execute(statement, rows)

    def _put_last(self, last: dict[tuple[str, str], tuple[int, int]]) -> None:
        rows: list[Json] = [
            {"machine": m, "name": name, "at": at, "value": value}
            for (m, name), (at, value) in last.items()
        ]
        self._do_many(_newer(self._dialect), rows)

    def _put_rollups(self, items: list[tuple[str, int, dict[str, int]]]) -> None:
        buckets: dict[tuple[str, int, str], list[int]] = {}
        for machine, at, values in items:
            for name, value in values.items():
                key = (machine, at - at % ROLLUP_MS, name)
                buckets.setdefault(key, []).append(value)
        rows: list[Json] = [
            dict(machine=m, at=at, name=name, min=min(v), max=max(v), sum=sum(v), n=len(v))
            for (m, at, name), v in buckets.items()
        ]
        self._do_many(_added_up(self._dialect), rows)


@cache
def _newer(dialect: str) -> prepared.Prepared:
    """A last value, in the place of one that is not newer."""
    values = prepared.with_values(_last, _last.c.keys())
    made = prepared.upsert(dialect, _last).values(values)
    statement = made.on_conflict_do_update(
        index_elements=["machine", "name"],
        set_={"value": made.excluded.value, "at": made.excluded.at},
        where=made.excluded.at >= _last.c.at,
    )
    return prepared.constant(dialect, statement)


@cache
def _added_up(dialect: str) -> prepared.Prepared:
    """A rollup of five minutes, added to what is there."""
    made = prepared.upsert(dialect, _five).values(prepared.with_values(_five, _five.c.keys()))
    new = made.excluded
    statement = made.on_conflict_do_update(
        index_elements=["machine", "at", "name"],
        set_={
            "min": case((new.min < _five.c.min, new.min), else_=_five.c.min),
            "max": case((new.max > _five.c.max, new.max), else_=_five.c.max),
            "sum": _five.c.sum + new.sum,
            "n": _five.c.n + new.n,
        },
    )
    return prepared.constant(dialect, statement)


def folded(points: Iterable[Point], every_ms: int) -> list[Point]:
    """Points added up to buckets of ``every_ms``, oldest first."""
    found: dict[int, Point] = {}
    for at, low, high, total, n in points:
        key = at - at % every_ms
        before = found.get(key, (key, low, high, 0, 0))
        found[key] = (
            key,
            min(before[1], low),
            max(before[2], high),
            before[3] + total,
            before[4] + n,
        )
    return [found[key] for key in sorted(found)]

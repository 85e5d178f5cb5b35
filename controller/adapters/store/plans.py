"""The plan's room: how the plan in force was made, what plans moved, and how long runs took."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ScalarSelect, and_, bindparam, delete, func, insert, or_, select

from controller.adapters.store import tables
from controller.adapters.store.inbox import SiteRoom
from controller.adapters.store.orders import OPEN_OPERATIONS
from controller.adapters.store.plan_tables import plan_change
from controller.adapters.store.rows import Room, as_row, dumps
from controller.picture import PlanChange, Run
from controller.values import Json

KEPT_CHANGES = 2000
MADE = "plan"  # name of the value that says how the plan in force was made
_operation, _order, _need = tables.operation, tables.job_order, tables.need


_OF_OPERATION = (
    "id",
    "need",
    "step",
    "process",
    "state",
    "duration_s",
    "machine",
    "planned_start_at",
    "planned_end_at",
    "reason",
)


_RUNS = (
    select(
        _need.c.id,
        _need.c.community,
        _need.c.design,
        _operation.c.process,
        _operation.c.step,
        _order.c.machine,
        _operation.c.duration_s,
        _order.c.run_ms,
        _order.c.started_at,
        _order.c.result,
    )
    .join(_operation, _operation.c.id == _order.c.operation)
    .join(_need, _need.c.id == _operation.c.need)
    .where(_order.c.started_at.is_not(None))
    .order_by(_order.c.ep.desc())
    .limit(bindparam("most"))
)


class PlanRow(NamedTuple):
    """One operation as a plan shows it: planned and actual times (ms UTC), due, reason."""

    operation: str
    need: str
    step: str
    process: str
    state: str
    stated_s: int
    machine: str | None
    planned_start_at: int | None
    planned_end_at: int | None
    reason: str
    community: str
    design: str
    part: str
    due_at: int | None
    need_class: str
    started_at: int | None
    ended_at: int | None


class PlanRoom(Room):
    """Changes of the plan, newest last; the plan itself stands with its operations."""

    def add(self, changes: Iterable[PlanChange]) -> None:
        """Store what a plan moved; the oldest beyond 2,000 go."""
        rows = [as_row(plan_change, change) for change in changes]
        if not rows:
            return
        for row in rows:
            row.pop("seq", None)
        self._conn.execute(insert(plan_change), rows)
        last = self._scalar(select(func.max(plan_change.c.seq))) or 0
        self._run(delete(plan_change).where(plan_change.c.seq <= last - KEPT_CHANGES))

    def page(self, limit: int, operation: str = "") -> list[PlanChange]:
        """The newest changes, newest first; of one operation when asked."""
        query = select(plan_change).order_by(plan_change.c.seq.desc()).limit(limit)
        if operation:
            query = query.where(plan_change.c.operation == operation)
        return self._all(PlanChange, query)

    def board(self, since_at: int) -> list[PlanRow]:
        """Operations that are open or ended since then, by planned start, with actual times."""
        ended = and_(_operation.c.state == "done", _operation.c.done_at >= since_at)
        columns = [_operation.c[name] for name in _OF_OPERATION]
        rows = self._conn.execute(
            select(
                *columns,
                _need.c.community,
                _need.c.design,
                _need.c.part,
                _need.c.due_at,
                _need.c.need_class,
                _last_attempts("started_at"),
                _last_attempts("ended_at"),
            )
            .join(_need, _need.c.id == _operation.c.need)
            .where(or_(_operation.c.state.in_(OPEN_OPERATIONS), ended))
            .order_by(_operation.c.planned_start_at.is_(None), _operation.c.planned_start_at)
        )
        return [PlanRow(*row) for row in rows]

    def note(self, made: Json) -> None:
        """Keep how the plan in force was made and what it is worth."""
        SiteRoom(self._conn).put(MADE, dumps(made))

    def made(self) -> Json:
        """How the plan in force was made; {} before the first."""
        return json.loads(SiteRoom(self._conn).get(MADE) or "{}")

    def runs(self, limit: int) -> list[Run]:
        """The newest orders that started, newest first; ``run_ms`` 0 while it is not known."""
        rows = self._rows(_RUNS, most=limit)
        return [Run._make((*row[:7], row[7] or 0, row[8], row[9] == "good")) for row in rows]


def _last_attempts(time: str) -> ScalarSelect[int | None]:
    """The latest such time of an operation's orders that started."""
    mine = select(func.max(_order.c[time])).where(_order.c.operation == _operation.c.id)
    return mine.where(_order.c.started_at.is_not(None)).scalar_subquery()

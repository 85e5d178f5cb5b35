"""The plan's room: how the plan in force was made, what plans moved, and how long runs took."""

import json
from collections.abc import Iterable

from sqlalchemy import delete, func, insert, select

from controller.adapters.store import tables
from controller.adapters.store.inbox import SiteRoom
from controller.adapters.store.plan_tables import plan_change
from controller.adapters.store.rows import Room, as_row, dumps
from controller.picture import PlanChange, Run
from controller.values import Json

KEPT_CHANGES = 2000
MADE = "plan"  # name of the value that says how the plan in force was made
_operation, _order, _need = tables.operation, tables.job_order, tables.need


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

    def note(self, made: Json) -> None:
        """Keep how the plan in force was made and what it is worth."""
        SiteRoom(self._conn).put(MADE, dumps(made))

    def made(self) -> Json:
        """How the plan in force was made; {} before the first."""
        return json.loads(SiteRoom(self._conn).get(MADE) or "{}")

    def runs(self, limit: int) -> list[Run]:
        """The newest orders that started, newest first; ``run_ms`` 0 while it is not known."""
        rows = self._conn.execute(
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
            .limit(limit)
        )
        return [Run(*row[:7], row[7] or 0, row[8], row[9] == "good") for row in rows]

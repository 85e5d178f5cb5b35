"""The schedule as people see it: planned and actual, why something waits, what moved and why."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Query

from controller.adapters.store import Tx
from controller.adapters.store.plans import PlanRow
from controller.joints.plans import learned
from controller.scheduling.calendars import in_words
from controller.scheduling.durations import Learned
from controller.scheduling.durations import in_words as duration_in_words
from dashboards.desk import Desk
from dashboards.problems import ERRORS
from dashboards.routing import add_rows
from dashboards.schedule_models import PlanChangeView, PlannedOperation, ScheduleView
from dashboards.sentences import said_view

RUNS = 600
WAITING = ("waiting", "ready", "planned", "held")
HOUR_MS = 3_600_000
Hours = Annotated[int, Query(ge=0, le=24 * 14)]
Count = Annotated[int, Query(ge=1, le=2000)]


def schedule(tx: Tx, past_h: int, changes: int) -> ScheduleView:
    """The plan in force with what ended in the last hours, and the newest changes first."""
    made = tx.plans.made()
    known = learned(tx.plans.runs(RUNS))
    view: dict[str, Any] = {
        "at": tx.now_ms,
        "made_at": made.get("at"),
        **{name: made.get(name) for name in ("by", "search", "lost", "worth")},
        "machines": {machine.id: machine.name or machine.id for machine in tx.machines.all()},
        "operations": [
            _operation(row, tx.now_ms, known)
            for row in tx.plans.board(tx.now_ms - past_h * HOUR_MS)
        ],
        "changes": _changes(tx, changes),
        "problems": made.get("problems", []),
    }
    return cast("ScheduleView", _present(view))


def _changes(tx: Tx, limit: int, operation: str = "") -> list[PlanChangeView]:
    return [
        {
            "seq": change.seq or 0,
            "at": change.at,
            "operation": change.operation,
            "need": change.need,
            "text": change.text,
            "why": change.why,
        }
        for change in tx.plans.page(limit, operation)
    ]


def _operation(row: PlanRow, now_ms: int, known: Learned) -> PlannedOperation:
    waits = row.state in WAITING
    done = row.state == "done"
    end_at = row.ended_at if done else row.planned_end_at
    late_ms = max(0, end_at - row.due_at) if end_at and row.due_at else 0
    estimate = known.of((row.design, row.process, row.step), row.machine or "", row.stated_s)
    starts_s = (row.planned_start_at - now_ms) // 1000 if row.planned_start_at else None
    view: dict[str, Any] = {
        "id": row.operation,
        "need": row.need,
        "part": row.part,
        "community": row.community,
        "step": row.step,
        "process": row.process,
        "state": row.state,
        "cls": row.need_class,
        "machine": row.machine,
        "planned_start_at": row.planned_start_at,
        "planned_end_at": row.planned_end_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at if row.state in ("done", "inspecting") else None,
        "due_at": row.due_at,
        "late_ms": late_ms or None,
        "reason": row.reason if waits else None,
        "said": said_view(row.reason) if waits else None,
        "starts": f"earliest start {in_words(starts_s)}"
        if waits and starts_s is not None
        else None,
        "takes": None if done else duration_in_words(estimate),
    }
    return cast("PlannedOperation", _present(view))


def _present(view: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in view.items() if value is not None}


def router(desk: Desk) -> APIRouter:
    """Routes of the schedule."""
    routes = APIRouter(responses=ERRORS)

    def read(past_h: Hours = 12, changes: Count = 100) -> ScheduleView:
        """The plan in force: every open operation, what ended lately, what moved and why."""
        with desk.read() as tx:
            return schedule(tx, past_h, changes)

    def moved(operation: str = "", limit: Count = 200) -> list[PlanChangeView]:
        """What plans moved and why, newest first; of one operation when asked."""
        with desk.read() as tx:
            return _changes(tx, limit, operation)

    add_rows(
        routes,
        ("GET", "/api/schedule", read, ScheduleView),
        ("GET", "/api/schedule/changes", moved, list[PlanChangeView]),
    )
    return routes

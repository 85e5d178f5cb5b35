"""Endpoints of the schedule page: what machines did, do and will do, and a plan without one."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath

from controller.adapters.store import Tx
from controller.joints.changeovers import House
from controller.picturing import floor_picture
from controller.values import JobOrder, Need, Operation
from dashboards.desk import Desk
from dashboards.page_models import (
    BarView,
    TimelinePage,
    WaitView,
    WhatIfView,
)
from dashboards.present import present
from dashboards.problems import ERRORS, Problem
from dashboards.routing import add_rows
from dashboards.sentences import said_view
from dashboards.views import label, reason
from dashboards.what_if import what_if
from protocols.orders import OPC_STATES

HOUR_MS = 3_600_000
ORDERS_SHOWN = 1000
Id = Annotated[str, InPath(max_length=64)]
Hours = Annotated[int, Query(ge=1, le=24 * 14)]


class Timeline:
    """Handlers of the schedule page over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def page(self, back_h: Hours = 12) -> TimelinePage:
        """Work in time by machine, from ``back_h`` hours ago on; what waits, with the reason."""
        with self._desk.read() as tx:
            page = _page(tx, tx.now_ms - back_h * HOUR_MS)
            page["away"] = away(self._desk.house, tx.now_ms - back_h * HOUR_MS)
            return page

    def without(self, machine: Id) -> WhatIfView:
        """The plan as it would be without a machine, beside the plan with it; changes nothing."""
        with self._desk.read() as tx:
            if tx.machines.get(machine) is None:
                raise Problem(404, "unknown", "there is no such machine", "machine")
            picture = floor_picture(tx)
            names = Names(tx)
        house = self._desk.house
        return what_if(picture, machine, house, names.needs, lambda op, why: _wait(names, op, why))


class Names:
    """What people call needs and operations."""

    def __init__(self, tx: Tx) -> None:
        self.communities: Mapping[str, str] = {c.id: c.name for c in tx.communities.all()}
        self.needs: dict[str, Need] = {n.id: n for n in tx.needs.all()}

    def head(self, op: Operation) -> dict[str, object]:
        """Fields that every piece of work shares."""
        need = self.needs.get(op.need)
        community = need.community if need else ""
        return {
            "id": op.id,
            "need": op.need,
            "label": label(need, op),
            "community": self.communities.get(community, community),
            "due_at": need.due_at if need else None,
        }


def _page(tx: Tx, since_at: int) -> TimelinePage:
    names = Names(tx)
    rows: dict[str, list[BarView]] = {m.id: [] for m in tx.machines.all()}
    ran = tx.upkeep.orders_since(since_at, ORDERS_SHOWN)
    running: set[str] = set()
    for order in reversed(ran):
        op = tx.operations.get(order.operation)
        if op is not None:
            rows.setdefault(order.machine, []).append(_ran(names, op, order))
            if order.ended_at is None:
                running.add(op.id)
    waits: list[WaitView] = []
    for op in tx.operations.open():
        if op.id in running or op.state in ("inspecting", "held"):
            continue
        if op.machine and op.planned_start_at:
            rows.setdefault(op.machine, []).append(_planned(names, op))
        if op.state in ("waiting", "ready", "planned"):
            waits.append(_wait(names, op, reason([op])))
    return {"at": tx.now_ms, "rows": rows, "waits": waits, "away": []}


def _ran(names: Names, op: Operation, order: JobOrder) -> BarView:
    return present(
        BarView,
        **names.head(op) | {"id": order.id},
        state=order.state,
        words=OPC_STATES[order.state][3],
        start_at=op.planned_start_at if order.machine == op.machine else None,
        end_at=op.planned_end_at if order.machine == op.machine else None,
        began_at=order.started_at,
        ended_at=order.ended_at,
    )


def _planned(names: Names, op: Operation) -> BarView:
    return present(
        BarView,
        **names.head(op),
        state=op.state,
        words=reason([op]),
        start_at=op.planned_start_at,
        end_at=op.planned_end_at,
    )


def _wait(names: Names, op: Operation, why: str) -> WaitView:
    return present(WaitView, **names.head(op), reason=why, said=said_view(why))


def away(house: House, since_at: int) -> list[tuple[int, int]]:
    """Stretches in which nobody is on the floor, ms UTC, from ``since_at`` on for two weeks."""
    found = house.unstaffed(since_at)
    return [(since_at + begin * 1000, since_at + end * 1000) for begin, end in found]


def router(desk: Desk) -> APIRouter:
    """Routes of the schedule page."""
    handlers = Timeline(desk)
    routes = APIRouter(responses=ERRORS)
    add_rows(
        routes,
        ("GET", "/api/timeline", handlers.page, TimelinePage),
        ("GET", "/api/timeline/without/{machine}", handlers.without, WhatIfView),
    )
    return routes

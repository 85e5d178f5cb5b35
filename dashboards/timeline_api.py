"""Endpoints of the schedule page: what machines did, do and will do, and a plan without one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath

from controller import resources
from controller.adapters.store import Tx
from controller.joints.changeovers import House
from controller.joints.rolling import Rolling
from controller.picture import FloorPicture, FloorPlan
from controller.sayings import said
from controller.values import JobOrder, Need, Operation
from dashboards.desk import Desk
from dashboards.page_models import (
    BarView,
    MovedView,
    SaidView,
    TimelinePage,
    WaitView,
    WhatIfView,
)
from dashboards.present import present
from dashboards.problems import ERRORS, Problem
from dashboards.routing import add_rows
from dashboards.views import label, reason
from protocols.orders import OPC_STATES

HOUR_MS = 3_600_000
ORDERS_SHOWN = 1000
OUT = "is taken out to see what would happen"
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
            picture = tx.picture()
            names = Names(tx)
        return _what_if(picture, names, machine, self._desk.house)


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
    found = said(why)
    view: SaidView | None = None
    if found is not None:
        view = {"code": found.code, "params": dict(found.params)}
    return present(WaitView, **names.head(op), reason=why, said=view)


def away(house: House, since_at: int) -> list[tuple[int, int]]:
    """Stretches in which nobody is on the floor, ms UTC, from ``since_at`` on for two weeks."""
    found = house.unstaffed(since_at)
    return [(since_at + begin * 1000, since_at + end * 1000) for begin, end in found]


def _what_if(picture: FloorPicture, names: Names, machine: str, house: House) -> WhatIfView:
    plan, other = (Rolling(resources.why_not, house, None) for _ in range(2))
    gone = tuple(
        replace(m, state="maintenance", fault=OUT) if m.id == machine else m
        for m in picture.machines
    )
    before, after = plan(picture), other(replace(picture, machines=gone))
    with_end, without_end = _ends(picture, before), _ends(picture, after)
    operations = {op.id: op for op in picture.operations}
    moved: list[MovedView] = []
    for need in sorted(with_end.keys() & without_end.keys()):
        if abs(without_end[need] - with_end[need]) >= 60_000:
            found = names.needs[need]
            moved.append(
                present(
                    MovedView,
                    need=need,
                    label=f"{found.quantity} × {found.part}",
                    end_at=with_end[need],
                    end_without_at=without_end[need],
                    due_at=found.due_at,
                )
            )
    lost = [i for i in after.reasons if i not in before.reasons and i in operations]
    return present(
        WhatIfView,
        machine=machine,
        moved=sorted(moved, key=lambda m: m["end_at"] - m["end_without_at"]),
        unplanned=[_wait(names, operations[i], after.reasons[i]) for i in lost],
        end_at=max(with_end.values(), default=0),
        end_without_at=max(without_end.values(), default=0),
    )


def _ends(picture: FloorPicture, plan: FloorPlan) -> dict[str, int]:
    need_of = {op.id: op.need for op in picture.operations}
    ends: dict[str, int] = {}
    for item in plan.assignments:
        need = need_of[item.operation]
        ends[need] = max(ends.get(need, 0), item.end_at)
    return ends


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

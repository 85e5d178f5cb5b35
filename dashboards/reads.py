"""Endpoints that change nothing: the floor, its events, a need's story, records, programs."""

import json
from pathlib import Path
from typing import Annotated, cast

from fastapi import APIRouter, Header, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response, StreamingResponse

from controller.adapters.store import Tx
from controller.tracking import record_of
from controller.values import Need
from dashboards.desk import Desk
from dashboards.events import MAX_PAGES, Clock, Hub
from dashboards.gate import Gate, Who, while_in
from dashboards.models import (
    FleetReadingsView as FleetReadings,
)
from dashboards.models import (
    FloorView,
    HealthView,
    InfluxView,
    LotView,
    MachineView,
    NeedView,
    ReadingsView,
)
from dashboards.problems import ERRORS, Problem
from dashboards.readings import Span, fleet, readings
from dashboards.routing import add_rows
from dashboards.rows import Rows, index
from dashboards.story import ledger_line, need_story, part_view
from dashboards.story_models import LedgerLine, NeedStory, PartView
from dashboards.views import lot_view, need_view
from protocols.telemetry import REGISTRY

NO_STORE = {"cache-control": "no-store"}
Sha256 = Annotated[str, InPath(pattern="^[0-9a-f]{64}$")]
Id = Annotated[str, InPath(max_length=64)]
Limit = Annotated[int, Query(ge=1, le=1000)]
At = Annotated[int, Query(ge=0)]
HOUR_MS = 3_600_000


class Reads:
    """Handlers of the reading endpoints over one desk."""

    def __init__(self, desk: Desk, hub: Hub, gate: Gate) -> None:
        self._desk = desk
        self._hub = hub
        self._gate = gate

    def floor(self) -> Response:
        """Snapshot of the floor; ``/api/events?since=`` its ``seq`` continues it."""
        snapshot = self._hub.feed.refresh()
        view: FloorView = {
            "site": self._desk.name,
            "seq": self._hub.feed.position(snapshot.seq),
            "at": self._desk.clock.now_ms(),
            "rate": self._desk.clock.rate,
            "floor": snapshot.floor,
        }
        if not self._desk.leads:
            view["standby"] = True
        text = json.dumps(view, separators=(",", ":"), ensure_ascii=False)
        return Response(text, media_type="application/json", headers=NO_STORE)

    async def events(
        self,
        request: Request,
        caller: Who,
        since: Annotated[str, Query(max_length=40)] = "",
        last_event_id: Annotated[str, Header(max_length=40)] = "",
    ) -> StreamingResponse:
        """Server-sent events: merge patches (RFC 7396) of the floor after a position."""
        if self._hub.pages >= MAX_PAGES:
            raise Problem(503, "busy", f"{MAX_PAGES} pages are open already; close one")
        gate: Gate = request.app.state.gate
        stream = while_in(gate, caller, self._hub.stream(last_event_id or since, self._clock))
        return StreamingResponse(stream, media_type="text/event-stream", headers=NO_STORE)

    def _clock(self) -> Clock:
        return Clock(self._desk.clock.now_ms(), self._desk.clock.rate)

    def need(self, need: Id) -> NeedStory:
        """A need from start to finish."""
        with self._desk.read() as tx:
            return need_story(tx, _need(tx, need))

    def parts(self, need: Id) -> PartView:
        """The public record of the parts made for a need."""
        with self._desk.read() as tx:
            return part_view(record_of(tx, _need(tx, need)))

    def needs(self, state: str = "", limit: Limit = 500) -> dict[str, NeedView]:
        """Needs, newest first, with their steps; only those in one state when asked."""
        with self._desk.read() as tx:
            found = tx.needs.page(limit, (state,) if state else ())
            rows = Rows(
                at=tx.now_ms,
                needs=tuple(found),
                operations=tuple(tx.operations.of_needs([n.id for n in found])),
                communities=tuple(tx.communities.all()),
            )
        floor = index(rows)
        return {need.id: need_view(floor, need) for need in found}

    def machines(self) -> dict[str, MachineView]:
        """Every machine as its tile shows it."""
        return self._hub.feed.refresh().floor["machines"]

    def lots(self) -> dict[str, LotView]:
        """Every lot, parts and scrap too, with its exact balance."""
        with self._desk.read() as tx:
            return {b.lot.id: lot_view(b, 1) for b in tx.lots.balances()}

    def ledger(self, need: str = "", order: str = "", limit: Limit = 500) -> list[LedgerLine]:
        """Economic events, newest first; of one need or job order when asked."""
        with self._desk.read() as tx:
            if need or order:
                lines = tx.ledger.of_need(need) if need else tx.ledger.of_order(order)
                lines = lines[::-1][:limit]
            else:
                lines = tx.ledger.page(limit)
            return [ledger_line(line) for line in lines]

    def readings(
        self, machine: Id, name: str = "", since_at: At = 0, until_at: At = 0
    ) -> ReadingsView:
        """Last telemetry of a machine; with ``name`` also that field over time."""
        if name:
            _known_field(name)
        with self._desk.read() as tx:
            if tx.machines.get(machine) is None:
                raise Problem(404, "unknown", "there is no such machine", "machine")
            return readings(tx, machine, Span(name, since_at, until_at) if name else None)

    def fleet(self, name: str, hours: Annotated[int, Query(ge=1, le=24 * 7)] = 24) -> FleetReadings:
        """One field of every machine over the last hours, by five minutes."""
        _known_field(name)
        with self._desk.read() as tx:
            return fleet(tx, Span(name, tx.now_ms - hours * HOUR_MS))

    def program(self, sha256: Sha256) -> FileResponse:
        """Bytes of a program by ranges, streamed from disk; its ETag is its SHA-256."""
        with self._desk.read() as tx:
            found = tx.designs.program(sha256)
        if found is None or not Path(found.path).is_file():
            raise Problem(404, "unknown", "no program with this hash is kept here", "sha256")
        headers = {
            "etag": f'"{sha256}"',
            "cache-control": "public, max-age=31536000, immutable",
        }
        return FileResponse(found.path, media_type="application/octet-stream", headers=headers)

    async def health(self) -> HealthView:
        """Whether this process answers; reads no database."""
        hub = self._hub
        return {
            "ok": True,
            "at": self._desk.clock.now_ms(),
            "pages": hub.pages,
            "dropped": self._desk.dropped(),
            "feed_failures": hub.failures,
            "proxy_unnamed": self._gate.proxy_unnamed,
            "influx": cast(InfluxView, self._desk.influx()._asdict()),
        }


def _need(tx: Tx, need: str) -> Need:
    found = tx.needs.get(need)
    if found is None:
        raise Problem(404, "unknown", "there is no such need; see /api/floor", "need")
    return found


def router(desk: Desk, hub: Hub, gate: Gate) -> APIRouter:
    """Routes of the reading endpoints."""
    reads = Reads(desk, hub, gate)
    routes = APIRouter(responses=ERRORS)
    add_rows(
        routes,
        ("GET", "/api/needs", reads.needs, dict[str, NeedView]),
        ("GET", "/api/machines", reads.machines, dict[str, MachineView]),
        ("GET", "/api/lots", reads.lots, dict[str, LotView]),
        ("GET", "/api/ledger", reads.ledger, list[LedgerLine]),
        ("GET", "/api/needs/{need}", reads.need, NeedStory),
        ("GET", "/api/parts/{need}", reads.parts, PartView),
        ("GET", "/api/readings", reads.fleet, FleetReadings),
        ("GET", "/api/readings/{machine}", reads.readings, ReadingsView),
        ("GET", "/healthz", reads.health, HealthView),
    )
    routes.add_api_route(
        "/api/floor", reads.floor, response_class=Response, responses={200: {"model": FloorView}}
    )
    routes.add_api_route("/api/events", reads.events, response_class=StreamingResponse)
    for method in ("GET", "HEAD"):
        routes.add_api_route(
            "/programs/{sha256}",
            reads.program,
            methods=[method],
            response_class=FileResponse,
            include_in_schema=method == "GET",
        )
    return routes


def _known_field(name: str) -> None:
    if name not in REGISTRY:
        known = ", ".join(sorted(REGISTRY))
        raise Problem(422, "range", f"must be one of {known}", "name")

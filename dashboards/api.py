"""The floor's HTTP application: interface, live events, programs for machines, the page."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles

from dashboards import (
    accounts_api,
    commands,
    drain_api,
    energy_api,
    machine_api,
    materials_api,
    metrics_api,
    peers_api,
    people_api,
    problems,
    reads,
    record_api,
    rounds_api,
    routes_api,
    schedule_api,
    stations,
    timeline_api,
)
from dashboards.desk import Desk
from dashboards.events import HEARTBEAT_S, Hub
from dashboards.feed import Feed
from dashboards.gate import Gate, Stamped
from dashboards.guards import Guards
from dashboards.models import FloorDocument
from dashboards.reading import read_rows
from dashboards.views import floor_document

STATIC = Path(__file__).parent / "static"
# addresses of pages: one document, whose script shows what the address says
PAGES = (
    "/schedule",
    "/needs",
    "/needs/{id}",
    "/materials",
    "/machines/{id}",
    "/parts/{id}",
    "/people",
    "/commons",
    "/tv",
)
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8">
<title>Fabcommons: the page is not built</title><h1>The page is not built yet</h1>
<p>Everything works but the page itself, which is built once by:</p>
<pre>cd dashboards/web &amp;&amp; npm ci &amp;&amp; npm run build</pre>
<p>Then load this page again. <a href="/api/floor">The floor as JSON</a> is here already.</p></html>
"""
# Nothing of the page comes from elsewhere, and nothing elsewhere may frame it.
SECURITY = (
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def make_hub(desk: Desk, heartbeat_s: float = HEARTBEAT_S) -> Hub:
    """Hub that serves the desk's floor to pages; not yet started."""

    def build() -> FloorDocument:
        with desk.read() as tx:
            return floor_document(read_rows(tx, desk.dropped()), desk.clock.rate)

    return Hub(Feed(build), heartbeat_s)


def build_app(
    desk: Desk,
    hosts: Iterable[str] = (),
    static: Path = STATIC,
    hub: Hub | None = None,
    rooms: Iterable[APIRouter] = (),
    gate: Gate | None = None,
) -> FastAPI:
    """The application over a floor; ``hosts`` are names it may be called by, besides addresses.

    ``rooms`` are further endpoints of this site; ``gate`` says who may come in (default: on this
    computer everybody, until there is an account).
    """
    gate = gate or Gate(desk)
    hub = hub if hub is not None else make_hub(desk)
    handlers = commands.Commands(desk)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncGenerator[None]:
        unfollow = desk.follow(hub.changed)
        hub.start()
        gate.trail.start()
        await gate.look()
        try:
            yield
        finally:
            unfollow()
            hub.stop()
            gate.trail.close()
            handlers.stoppers.shutdown(wait=False)

    app = FastAPI(
        title="Fabcommons floor",
        version="1",
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(gate.authorise)],
    )
    app.state.hub = hub
    app.state.gate = gate
    problems.install(app)
    for room in (*rooms, metrics_api.router(desk, hub), *_rooms(desk, hub, gate)):
        app.include_router(room)
    app.include_router(commands.router(handlers))
    _serve_page(app, static)
    app.add_middleware(Guards, hosts=tuple(hosts), headers=SECURITY)
    app.add_middleware(Stamped, gate=gate)
    return app


def _rooms(desk: Desk, hub: Hub, gate: Gate) -> tuple[APIRouter, ...]:
    """Endpoints of every floor; those of one machine come before the commands with a free verb."""
    return (
        people_api.router(gate),
        accounts_api.router(gate),
        reads.router(desk, hub, gate),
        machine_api.router(desk),
        materials_api.router(desk),
        timeline_api.router(desk),
        schedule_api.router(desk),
        rounds_api.router(desk),
        record_api.router(desk),
        peers_api.router(desk),
        stations.router(desk),
        routes_api.router(desk),
        drain_api.router(desk),
        energy_api.router(desk),
    )


def _serve_page(app: FastAPI, static: Path) -> None:
    if (static / "index.html").is_file():

        async def page() -> FileResponse:
            return FileResponse(static / "index.html", headers={"cache-control": "no-cache"})

        for path in PAGES:
            app.add_api_route(path, page, include_in_schema=False, response_class=FileResponse)
        app.mount("/", StaticFiles(directory=static, html=True))
        return

    async def not_built() -> HTMLResponse:
        return HTMLResponse(NOT_BUILT, 503)

    app.add_api_route("/", not_built, include_in_schema=False)

"""The page of a replica that does not lead: the floor as the store has it, the rest passed on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from ssl import SSLContext
from typing import Any, NoReturn

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from controller.adapters.clock import Clock
from controller.adapters.store import Tx
from controller.joints.changeovers import House
from controller.telemetry import SinkState
from controller.values import Deposed
from dashboards.desk import Workings
from dashboards.gate import FORWARDED
from dashboards.guards import MAX_PHOTO_BYTES, SAFE_METHODS, TOO_LARGE
from dashboards.problems import problem, response
from dashboards.server import is_loopback

PASS_S = 15.0
LEADERS = ("/oidc/", "/api/firmware", "/firmware/", "/api/enrol", "/commons/")  # any method
HOPS = frozenset(
    ("connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)
NOBODY = "no controller leads this site at this moment; nothing was done, try again"
SILENT = "the leading controller does not answer; whether it was done is not known: ask again"


class StandbyDesk:
    """A ``Desk`` that reads: what changes something never comes here but is passed on."""

    leads = False
    sign = None

    def __init__(
        self, name: str, clock: Clock, read: Callable[[], AbstractContextManager[Tx]], house: House
    ) -> None:
        self.name = name
        self.clock = clock
        self.read = read
        self.house = house

    def follow(self, wake: Callable[[], None]) -> Callable[[], None]:
        """No change is told here: pages look every second."""
        return lambda: None

    def dropped(self) -> int:
        """Nothing passes here that could be dropped."""
        return 0

    def workings(self) -> Workings:
        """Nothing works here."""
        return Workings()

    def influx(self) -> SinkState:
        """The leader copies telemetry."""
        return SinkState("off")

    def submit(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: only the leader writes."""
        raise Deposed(f"this replica of {self.name} does not lead")

    state_needs = clear = control = load = console = resolve = retry = release = stop = submit


class PassOn:
    """ASGI: requests that change something go to the leader at ``leader()`` ("" = nobody leads)."""

    def __init__(self, app: ASGIApp, leader: Callable[[], str], trust: SSLContext | bool) -> None:
        self._app = app
        self._leader = leader
        self._trust = trust
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer reads here, pass on the rest."""
        if scope["type"] != "http" or not _is_leaders(scope):
            await self._app(scope, receive, send)
            return
        answer = await self._pass(Request(scope, receive))
        await answer(scope, receive, send)

    async def _pass(self, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_PHOTO_BYTES:
                return response(413, [problem("size", TOO_LARGE.format(MAX_PHOTO_BYTES))])
        address = await run_in_threadpool(self._leader)
        if not address:
            return response(503, [problem("no-leader", NOBODY)])
        try:
            answer = await self._open().request(
                request.method,
                address + _target(request.scope),
                headers=_headers(request),
                content=body,
            )
        except httpx.HTTPError:
            return response(503, [problem("no-answer", SILENT)])
        passed = Response(answer.content, answer.status_code)
        passed.raw_headers = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.lower().decode("latin-1") not in HOPS and name.lower() != b"content-encoding"
        ]
        passed.headers["content-length"] = str(len(answer.content))
        return passed

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(verify=self._trust, timeout=PASS_S, trust_env=False)
        return self._client


def _is_leaders(scope: Scope) -> bool:
    return scope["method"] not in SAFE_METHODS or scope["path"].startswith(LEADERS)


def _target(scope: Scope) -> str:
    """Path and query as they came, still quoted."""
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _headers(request: Request) -> list[tuple[str, str]]:
    """Headers as they came, with the address we saw in place of any that was claimed."""
    kept = [
        (name, value)
        for name, value in request.headers.items()
        if name not in HOPS and name not in FORWARDED
    ]
    if request.client is not None and not is_loopback(request.client.host):
        kept.append(("x-forwarded-for", request.client.host))
    return kept

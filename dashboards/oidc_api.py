"""Endpoints of log-in by an identity provider: out to it, and back with its word."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from controller.adapters.oidc import Identity, Pending
from controller.people import accounts
from dashboards.gate import Gate, address_of
from dashboards.problems import ERRORS, Problem

LIFE_S = 600.0
MOST = 1_000  # log-ins begun and not ended


class Vouching(Protocol):
    """An identity provider; any may raise ``Refused``."""

    label: str
    role: str

    def begin(self) -> tuple[str, Pending]:
        """Where to send the browser, and what to remember."""
        ...

    def finish(self, pending: Pending, query: str) -> Identity:
        """Who came back."""
        ...


Begin = Callable[[str, Request, Response], object]


class Oidc:
    """Handlers over a gate and a provider; what was begun is kept here, bound to its browser."""

    def __init__(self, gate: Gate, provider: Vouching, begin: Begin) -> None:
        self._gate = gate
        self._provider = provider
        self._begin = begin
        self._lock = threading.Lock()
        self._pending: OrderedDict[str, tuple[Pending, float]] = OrderedDict()
        self._cookie = f"{gate.cookie}-oidc"

    def out(self, request: Request) -> Response:
        """To the provider."""
        gate = self._gate
        if gate.register.empty:
            raise Problem(
                409, "conflict", "make an admin's account first; then others come by this"
            )
        wait_s = gate.knocks.take(address_of(request.scope))
        if wait_s:
            raise Problem(429, "slow-down", f"too many log-ins from here; wait {wait_s:.0f} s")
        url, pending = self._provider.begin()
        browser = secrets.token_urlsafe(24)
        with self._lock:
            self._pending[browser] = (pending, gate.desk.clock.monotonic_s() + LIFE_S)
            if len(self._pending) > MOST:
                self._pending.popitem(last=False)
        answer = RedirectResponse(url, 303)
        # lax: the browser comes back from another site
        answer.set_cookie(
            self._cookie,
            browser,
            max_age=int(LIFE_S),
            httponly=True,
            samesite="lax",
            secure=gate.rules.tls,
        )
        return answer

    def back(self, request: Request) -> Response:
        """From the provider, once, in the browser that went there."""
        gate = self._gate
        with self._lock:
            found = self._pending.pop(request.cookies.get(self._cookie, ""), None)
        if found is None or found[1] < gate.desk.clock.monotonic_s():
            raise Problem(400, "log-in", "this log-in was not begun here, or too long ago: again")
        who = self._provider.finish(found[0], request.url.query)
        now_ms, role = gate.now_ms(), self._provider.role
        account = gate.desk.submit(
            lambda tx: accounts.of_oidc(tx, who.subject, who.name, role, now_ms)
        )
        request.state.tried = account.id
        answer = RedirectResponse("/", 303)
        self._begin(account.id, request, answer)
        answer.delete_cookie(self._cookie, secure=gate.rules.tls, httponly=True)
        return answer


def router(gate: Gate, provider: Vouching, begin: Begin) -> APIRouter:
    """Routes of log-in by a provider."""
    handlers = Oidc(gate, provider, begin)
    routes = APIRouter(responses=ERRORS)
    for path, handler in (("/oidc/log-in", handlers.out), ("/oidc/back", handlers.back)):
        routes.add_api_route(path, handler, response_class=Response, include_in_schema=False)
    return routes

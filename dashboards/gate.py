"""Who may come in: every request is somebody's, and may do what the table says of their role.

An emergency stop reads no database on its way through here, and anybody on the floor's own network
may press it (docs/decisions/0071-who-may-stop.md).
"""

import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controller.adapters.clock import utc_ms
from controller.adapters.passwords import Passwords
from controller.adapters.store import Tx
from controller.people.accounts import TOKEN_MARK
from controller.people.records import AuditLine
from controller.people.register import ANYBODY, HOLDER, LOCAL, Caller, Register
from controller.people.roles import MEANING, STOP, least_role
from dashboards.desk import Desk
from dashboards.guards import SAFE_METHODS
from dashboards.limits import Limit
from dashboards.problems import Problem
from dashboards.rights import OPEN, SELF, needed
from dashboards.trail import Trail

HOUR_MS = 3_600_000
FLOOR_NETWORKS = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "fe80::/10",
    "fc00::/7",
)
WRITES, WRITES_EVERY_S = 300, 0.1  # at once by one person, and one more so often
TRIES, TRIES_EVERY_S = 5, 20.0  # log-ins to one account
KNOCKS, KNOCKS_EVERY_S = 30, 2.0  # log-ins from one address
REFUSALS, REFUSALS_EVERY_S = 60, 10.0  # of strangers, written down by address
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
PEER = "fabcommons.peer"  # of a scope: where the connection came from, whatever a proxy says


@dataclass(frozen=True, slots=True)
class Rules:
    """How a floor is reached: ``loopback`` by this computer alone, ``tls`` here or at a proxy."""

    loopback: bool = True
    tls: bool = False
    session_ms: int = 12 * HOUR_MS
    floor_networks: tuple[str, ...] = FLOOR_NETWORKS
    proxied: bool = False
    set_up_code: str = ""
    oidc: Any = None  # a Vouching of oidc_api.py


class Gate:
    """Knows callers and lets them through; ``look`` reads the store, nothing else here does."""

    def __init__(
        self,
        desk: Desk,
        rules: Rules | None = None,
        passwords: Passwords | None = None,
        now_ms: Callable[[], int] = utc_ms,
    ) -> None:
        self.desk = desk
        self.rules = rules or Rules()
        self.passwords = passwords or Passwords()
        self.now_ms = now_ms
        self.cookie = ("__Host-" if self.rules.tls else "") + f"fabcommons-{name_of(desk)}"
        self.register = Register(self._read, now_ms, self._monotonic_s)
        self.trail = Trail(self._submit)
        monotonic_s = self._monotonic_s
        self.tries = Limit(TRIES, TRIES_EVERY_S, monotonic_s)
        self.knocks = Limit(KNOCKS, KNOCKS_EVERY_S, monotonic_s)
        self._writes = Limit(WRITES, WRITES_EVERY_S, monotonic_s)
        self._refusals = Limit(REFUSALS, REFUSALS_EVERY_S, monotonic_s)
        self.proxy_unnamed = False
        self._networks = [ipaddress.ip_network(text) for text in self.rules.floor_networks]

    def _read(self) -> AbstractContextManager[Tx]:
        return self.desk.read()

    def _submit(self, run: Callable[[Tx], Any]) -> Any:
        return self.desk.submit(run)

    def _monotonic_s(self) -> float:
        return self.desk.clock.monotonic_s()

    @property
    def open(self) -> bool:
        """Whether everybody is the admin: this computer alone comes in, nobody has an account."""
        return self.rules.loopback and self.register.empty

    async def look(self) -> None:
        """See changes of accounts now."""
        await run_in_threadpool(self.register.look)

    async def authorise(self, request: Request) -> None:
        """Let the request through, or raise Problem; ``request.state.caller`` is who asks."""
        right = needed(request.method, getattr(request.scope.get("route"), "path", ""))
        self.proxy_unnamed |= came_unnamed(request.scope, request.headers)
        if right is None:
            raise Problem(403, "undeclared", "nobody said who may do this")
        if right != STOP and self.register.stale():
            await self.look()
        caller = self._stopper(request) if right == STOP else self.caller(request)
        request.state.caller = caller
        if right != OPEN:
            self._admit(request, caller, right)
        if request.method not in SAFE_METHODS:
            self._check_write(request, caller, right)

    def caller(self, request: Request) -> Caller:
        """Who asks, as far as the copy in memory knows; raise Problem for a key that is no more."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip().startswith(TOKEN_MARK):
            found = self.register.by_token(token.strip())
            if found is None:
                raise Problem(401, "token", "is not known, ended or was revoked", "Authorization")
            return found
        text = request.cookies.get(self.cookie, "")
        found = self.register.by_session(text) if text else None
        if found is not None:
            return found
        if self.open and not through_proxy(request.headers):
            return LOCAL
        return HOLDER if scheme.lower() == "bearer" and token.strip() else ANYBODY

    def _stopper(self, request: Request) -> Caller:
        """Who presses a stop; with a token that is no more, nobody, who may be on the floor."""
        try:
            return self.caller(request)
        except Problem:
            return ANYBODY

    def _admit(self, request: Request, caller: Caller, right: str) -> None:
        if right == SELF:
            if not caller.account:
                raise Problem(401, "log-in", "log in first: this is about your own account")
            if caller.how == "token":
                raise Problem(403, "token", "a token cannot change the account it acts for")
            return
        if right in caller.rights or (right == STOP and self.on_floor(request)):
            return
        if caller.account and caller.how == "token":
            raise Problem(403, "scope", f"this token may not {MEANING[right]}")
        if caller.account:
            words = f"a {caller.role} may not {MEANING[right]}; a {least_role(right)} may"
            raise Problem(403, "role", words)
        words = f"log in to {MEANING[right]}"
        if right == STOP and came_unnamed(request.scope, request.headers):
            words += "; you came through a proxy that access.proxies does not name"
        raise Problem(401, "log-in", words)

    def lasts(self, caller: Caller) -> bool:
        """Whether somebody who came in may still be here."""
        return self.open if caller.how == "local" else self.register.lasts(caller)

    def on_floor(self, request: Request) -> bool:
        """Whether a request comes from the floor's own network.

        One that a proxy passed on which nobody named may come from anywhere.
        """
        if came_unnamed(request.scope, request.headers):
            return False
        try:
            address = ipaddress.ip_address(address_of(request.scope))
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._networks)

    def _check_write(self, request: Request, caller: Caller, right: str) -> None:
        if right == STOP or caller.how == "local":
            return
        if caller.how == "session":
            check_origin(request.headers)
        wait_s = self._writes.take(caller.account or address_of(request.scope))
        if wait_s:
            raise Problem(429, "slow-down", f"too many requests; wait {wait_s:.1f} s")

    def stamp(self, scope: Scope, status: int) -> None:
        """Write down what became of a request that may change something."""
        caller: Caller = scope["state"].get("caller", ANYBODY)
        stranger = not caller.account and status in (400, 401, 403, 404, 422, 429)
        if stranger and self._refusals.take(address_of(scope)):
            self.trail.dropped += 1
            return
        what: str = scope["state"].get("did") or f"{scope['method']} {scope['path']}"
        who = scope["state"].get("tried") or caller.who
        self.trail.add(
            AuditLine(
                None, self.now_ms(), who, caller.how, what[:200], address_of(scope), str(status)
            )
        )


class Stamped:
    """ASGI middleware: every answer to a request that may change something is written down."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note the status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        noted = scope["method"] not in SAFE_METHODS or scope["path"] == "/oidc/back"

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                if scope["path"].startswith("/api/"):
                    MutableHeaders(scope=message).setdefault("cache-control", "no-store")
                if noted:
                    self._gate.stamp(scope, message["status"])
            await send(message)

        await self._app(scope, receive, seen)


async def while_in(
    gate: Gate, caller: Caller, stream: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """A stream that ends when the one who reads it may no longer."""
    async for piece in stream:
        if gate.register.stale():
            await gate.look()
        if not gate.lasts(caller):
            return
        yield piece


def check_origin(headers: Headers) -> None:
    """Refuse what another site's page sent with our cookie; raise Problem."""
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin")
    ours = origin is None or origin.partition("://")[2] == headers.get("host", "")
    if site not in ("same-origin", "none") or not ours:
        raise Problem(403, "origin", "this came from another site's page", "Origin")


def address_of(scope: Scope) -> str:
    """Address the request came from; "" when there is none."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def name_of(desk: Any) -> str:
    """The site's name; a description of the interface is made without a desk."""
    return getattr(desk, "name", "")


async def caller_of(request: Request) -> Caller:
    """Who asks, for a handler: ``caller: Who``."""
    return getattr(request.state, "caller", ANYBODY)


Who = Annotated[Caller, Depends(caller_of)]


def through_proxy(headers: Headers) -> bool:
    """Whether a proxy says it passed this request on."""
    return any(name in headers for name in FORWARDED)


def came_unnamed(scope: Scope, headers: Headers) -> bool:
    """Whether a proxy passed this request on of which nobody says that it may be believed."""
    if not through_proxy(headers):
        return False
    client = scope.get("client")
    return scope.get(PEER, client) == client

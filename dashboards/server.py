"""Serves a floor's page and interface from a thread of the controller's process."""

import ipaddress
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import uvicorn
from fastapi import APIRouter
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from dashboards.api import build_app, make_hub
from dashboards.desk import Desk
from dashboards.gate import PEER, Gate, Rules
from dashboards.problems import problem, response

START_S = 10.0
GRACE_S = 2


class CannotServe(Exception):
    """The page's server could not start. Attribute: reason (what to do about it)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Front:
    """How a page is reached: names, further endpoints, who may come in, TLS, proxies before it.

    ``machine_http``: HOST:PORT of a plain listener that answers machines alone. ``wrap``: put
    around the whole application.
    """

    hosts: tuple[str, ...] = ()
    rooms: tuple[APIRouter, ...] = ()
    rules: Rules | None = None
    certificate: tuple[Path, Path] | None = None
    proxies: tuple[str, ...] = ()
    machine_http: str = ""
    wrap: Callable[[ASGIApp], ASGIApp] | None = None


class PageServer:
    """A running server; ``url`` is where people find the page. ``close`` ends every stream."""

    def __init__(
        self, desk: Desk, host: str = "127.0.0.1", port: int = 8000, front: Front | None = None
    ) -> None:
        front = front or Front()
        self._tls = front.certificate is not None
        sockets = [_listen(host, port)]
        bound: tuple[str, int] = sockets[0].getsockname()[:2]
        self.host, self.port = bound
        self._hub = make_hub(desk)
        self.gate = Gate(desk, front.rules or Rules(loopback=is_loopback(host)))
        app: ASGIApp = build_app(
            desk, (host, *front.hosts), hub=self._hub, rooms=front.rooms, gate=self.gate
        )
        if front.wrap is not None:
            app = front.wrap(app)
        self._runs = [_Run(_config(app, front), sockets[0])]
        if front.machine_http:
            place, _, number = front.machine_http.rpartition(":")
            plain = _config(MachinesOnly(app), Front(), lifespan="off")
            self._runs.append(_Run(plain, _listen(place or "0.0.0.0", int(number))))
        for run in self._runs:
            if not run.started():
                self.close()
                raise CannotServe(f"the page's server did not start on {self.url}")

    @property
    def url(self) -> str:
        """Address of the page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def close(self) -> None:
        """Stop serving; open pages are cut off at once, other requests have two seconds."""
        self._hub.stop()
        for run in self._runs:
            run.close()


class _Run:
    """One uvicorn on a thread."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        self._socket = listener
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="page-server"
        )
        self._thread.daemon = True
        self._thread.start()

    def started(self) -> bool:
        pause = threading.Event()
        for _ in range(int(START_S / 0.02)):
            if self._server.started:
                return True
            if not self._thread.is_alive():
                break
            pause.wait(0.02)
        return False

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(START_S)
        self._socket.close()


class MachinesOnly:
    """ASGI: of an application only what machines fetch, so that it may stand on plain HTTP."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is a machine's, answer 404 to the rest."""
        path = scope.get("path", "")
        if path.startswith(("/programs/", "/firmware/")) or path == "/api/enrol":
            await self._app(scope, receive, send)
            return
        found = problem("http", "only machines are answered here; people's page speaks TLS")
        await response(404, [found])(scope, receive, send)


class Believing:
    """ASGI: X-Forwarded-For is believed of the proxies named, and of nobody else.

    The address the connection itself came from is kept beside what the proxy says.
    """

    def __init__(self, app: ASGIApp, proxies: tuple[str, ...]) -> None:
        inner: Any = app
        self._app: Any = ProxyHeadersMiddleware(inner, list(proxies))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        scope[PEER] = scope.get("client")
        await self._app(scope, receive, send)


def _config(app: ASGIApp, front: Front, lifespan: Literal["on", "off"] = "on") -> uvicorn.Config:
    certificate, key = front.certificate or (None, None)
    if front.proxies:
        app = Believing(app, front.proxies)
    return uvicorn.Config(
        app,
        log_config=None,  # the process says where its log goes
        log_level="warning",
        access_log=False,
        lifespan=lifespan,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=30,
        limit_concurrency=400,
        server_header=False,
        proxy_headers=False,  # else anybody could say where they come from
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


def is_loopback(host: str) -> bool:
    """Say whether only this computer can reach a server on this host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        raise CannotServe(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return listener

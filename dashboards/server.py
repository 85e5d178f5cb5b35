"""Serves a floor's page and interface from a thread of the controller's process."""

import ipaddress
import socket
import threading
from collections.abc import Iterable

import uvicorn
from fastapi import APIRouter

from dashboards.api import build_app, make_hub
from dashboards.desk import Desk

START_S = 10.0
GRACE_S = 2


class CannotServe(Exception):
    """The page's server could not start. Attribute: reason (what to do about it)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PageServer:
    """A running server; ``url`` is where people find the page. ``close`` ends every stream."""

    def __init__(
        self,
        desk: Desk,
        host: str = "127.0.0.1",
        port: int = 8000,
        hosts: Iterable[str] = (),
        rooms: Iterable[APIRouter] = (),
    ) -> None:
        self._socket = _listen(host, port)
        bound: tuple[str, int] = self._socket.getsockname()[:2]
        self.host, self.port = bound
        self._hub = make_hub(desk)
        config = uvicorn.Config(
            build_app(desk, (host, *hosts), hub=self._hub, rooms=rooms),
            log_config=None,  # the process says where its log goes
            log_level="warning",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=30,
            limit_concurrency=400,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="page-server"
        )
        self._thread.daemon = True
        self._thread.start()
        self._wait_started()

    @property
    def url(self) -> str:
        """Address of the page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def close(self) -> None:
        """Stop serving; open pages are cut off at once, other requests have two seconds."""
        self._hub.stop()
        self._server.should_exit = True
        self._thread.join(START_S)
        self._socket.close()

    def _wait_started(self) -> None:
        pause = threading.Event()
        for _ in range(int(START_S / 0.02)):
            if self._server.started:
                return
            if not self._thread.is_alive():
                break
            pause.wait(0.02)
        self.close()
        raise CannotServe(f"the page's server did not start on {self.url}")


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

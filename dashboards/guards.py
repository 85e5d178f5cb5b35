"""What is checked of a request before anything reads it: host, origin, size of the body.

A browser on this computer can be made to call a loopback server by any page it visits. So the
Host must be one we serve (against DNS rebinding), and a request that changes something must carry
``X-Fabcommons: 1`` or come from our own origin (against cross-site forms).
"""

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.problems import Problem, response

MAX_BODY_BYTES = 262_144
MAX_PHOTO_BYTES = 4 * 1024 * 1024
TOO_LARGE = "a request may hold at most {} bytes; send less in each"
HEADER = "x-fabcommons"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def host_of(authority: str) -> str:
    """Host name of ``host[:port]``, lower case, without brackets."""
    text = authority.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if text.count(":") == 1 else text


def is_address(host: str) -> bool:
    """Say whether a host is a literal IP address, which no foreign name server can point here."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Guards:
    """ASGI middleware; ``hosts`` are the names this floor is reached by besides its address."""

    def __init__(
        self, app: ASGIApp, hosts: Iterable[str], headers: Iterable[tuple[bytes, bytes]]
    ) -> None:
        self._app = app
        self._headers = tuple(headers)
        self._hosts = frozenset(h.lower() for h in hosts) | {"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass the request on with its body bounded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = self._with_headers(send)
        try:
            most = MAX_PHOTO_BYTES if scope["path"].endswith("/photo") else MAX_BODY_BYTES
            self._check(scope["method"], Headers(scope=scope), most)
            await self._app(scope, _bounded(receive, most), send)
        except Problem as error:
            await response(error.status, error.problems)(scope, receive, send)

    def _with_headers(self, send: Send) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        return with_headers

    def _check(self, method: str, headers: Headers, most: int) -> None:
        host = host_of(headers.get("host", ""))
        if host not in self._hosts and not is_address(host):
            raise Problem(421, "host", f"this floor does not answer to the name {host!r}", "Host")
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise Problem(400, "length", "must be a number of bytes", "Content-Length")
        if int(length) > most:
            raise Problem(413, "size", TOO_LARGE.format(most))
        if method not in SAFE_METHODS and headers.get(HEADER) != "1":
            origin = headers.get("origin", "")
            if origin.partition("://")[2] != headers.get("host", ""):
                raise Problem(403, "origin", "send the header 'X-Fabcommons: 1'", "X-Fabcommons")


def _bounded(receive: Receive, most: int) -> Receive:
    got = 0

    async def bounded() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > most:
            raise HTTPException(413, TOO_LARGE.format(most))
        return message

    return bounded

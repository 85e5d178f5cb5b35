"""Wires of adapters: HTTP and a websocket that raise only what the contract knows."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from controller.adapters.hosts import fields
from controller.adapters.hosts.contract import Garbled, Lost, Refusal

MAX_ANSWER_BYTES = 4_000_000
CLOSE_S = 1.0
BLOCK_BYTES = 65536


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes

    def json(self, what: str) -> Any:
        """Its JSON; raise Garbled."""
        return fields.parse(self.body, what)


class Ask(NamedTuple):
    """An HTTP request; ``file`` is sent as the body, or as field ``file`` of a form with ``form``.

    absent: 404 is an answer, not a refusal.
    """

    method: str
    path: str
    json: Any = None
    file: tuple[str, Path] | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    absent: bool = False


class Http(Protocol):
    """Asks one server; raises Lost for silence and 5xx, Refusal for 4xx."""

    def ask(self, ask: Ask) -> Answer:
        """The answer with a status below 400, or 404 when that is one."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Socket(Protocol):
    """A websocket of text messages; raises Lost."""

    def send(self, message: str) -> None:
        """Send one message."""
        ...

    def receive(self, seconds: float) -> str | None:
        """The next message, None when none came within so many seconds."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Credentials(NamedTuple):
    """How requests are authorised: headers on each, or digest authentication, or neither.

    barred: HTTP statuses that say that the credentials are wrong.
    """

    headers: Mapping[str, str] = {}
    user: str = ""
    password: str = ""
    barred: tuple[int, ...] = (401, 403)


class _Blocks:
    """A file's blocks, from the beginning each time: digest authentication may send it twice."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block


class HttpWire:
    """HTTP by httpx; ``timeout_s`` bounds each wait for bytes, not a whole upload."""

    def __init__(self, url: str, credentials: Credentials, timeout_s: float) -> None:
        self._url = url
        self._credentials = credentials
        self._timeout_s = timeout_s
        self._made: httpx.Client | None = None

    def _client(self) -> httpx.Client:
        if self._made is None:
            known = self._credentials
            auth = httpx.DigestAuth(known.user, known.password) if known.user else None
            self._made = httpx.Client(
                base_url=self._url,
                headers=known.headers,
                auth=auth,
                timeout=self._timeout_s,
                trust_env=False,
            )
        return self._made

    def ask(self, ask: Ask) -> Answer:
        """The answer with a status below 400, or 404 when that is one."""
        try:
            answer = self._send(ask)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise Lost(f"{ask.method} {ask.path}: {_why(error)}") from error
        except OSError as error:
            raise Refusal(f"{ask.path}: {error.strerror or error}") from error
        return judge(ask, answer, self._credentials.barred)

    def _send(self, ask: Ask) -> Answer:
        parts: dict[str, Any] = {"headers": dict(ask.headers or {})}
        if ask.json is not None:
            parts["json"] = ask.json
        if ask.file is None:
            return self._read(ask, parts)
        name, path = ask.file
        if ask.form is None:
            parts["content"] = _Blocks(path)
            parts["headers"]["Content-Length"] = str(path.stat().st_size)
            return self._read(ask, parts)
        with path.open("rb") as file:
            parts["files"] = {"file": (name, file, "application/octet-stream")}
            parts["data"] = dict(ask.form)
            return self._read(ask, parts)

    def _read(self, ask: Ask, parts: dict[str, Any]) -> Answer:
        with self._client().stream(ask.method, ask.path, **parts) as answer:
            body = b""
            for block in answer.iter_bytes():
                body += block
                if len(body) > MAX_ANSWER_BYTES:
                    raise Garbled(f"{ask.path}: answers more than {MAX_ANSWER_BYTES} bytes")
            return Answer(answer.status_code, body)

    def close(self) -> None:
        """Let go of connections; the next request makes new ones."""
        made, self._made = self._made, None
        if made is not None:
            made.close()


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__


def judge(ask: Ask, answer: Answer, barred: tuple[int, ...]) -> Answer:
    """An answer that says yes; raise Lost or Refusal for another."""
    status = answer.status
    if status < 400 or (status == 404 and ask.absent):
        return answer
    said = answer.body[:200].decode("utf-8", "replace")
    words = "".join(c if c.isprintable() else " " for c in said).strip()
    if status in barred:
        raise Refusal(f"the key is wrong or lacks a right (HTTP {status})", barred=True)
    if status >= 500 or status in (408, 429):
        raise Lost(f"{ask.method} {ask.path}: HTTP {status} {words}")
    raise Refusal(f"{ask.method} {ask.path}: HTTP {status} {words}")


class SocketWire:
    """A websocket by ``websockets``."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float) -> None:
        try:
            self._socket: ClientConnection = connect(
                url,
                additional_headers=dict(headers),
                open_timeout=timeout_s,
                close_timeout=CLOSE_S,
                max_size=MAX_ANSWER_BYTES,
                proxy=None,
            )
        except (OSError, WebSocketException, ValueError) as error:
            status = getattr(getattr(error, "response", None), "status_code", 0)
            if status in (401, 403):
                words = f"the key is wrong or lacks a right (HTTP {status})"
                raise Refusal(words, barred=True) from error
            raise Lost(f"{url}: {_why(error)}") from error

    def send(self, message: str) -> None:
        """Send one message."""
        try:
            self._socket.send(message)
        except (OSError, WebSocketException) as error:
            raise Lost(_why(error)) from error

    def receive(self, seconds: float) -> str | None:
        """The next message, None when none came within so many seconds."""
        try:
            message = self._socket.recv(timeout=max(0.0, seconds))
        except TimeoutError:
            return None
        except (OSError, WebSocketException, UnicodeError) as error:
            raise Lost(_why(error)) from error
        return message if isinstance(message, str) else message.decode("utf-8", "replace")

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def socket_url(url: str, path: str) -> str:
    """Address of a websocket beside an HTTP address."""
    return "ws" + url.rstrip("/").removeprefix("http") + path

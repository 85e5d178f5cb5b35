"""InfluxDB: a copy of telemetry, by line protocol, through a spool on disk and one sender thread.

influxdb-client is used as a transport only: its batching writer loses lines at a crash and at
close. A line is sent at least once; the same point again changes nothing. Status by status:

2xx the lines are stored; 400 and 422 some line is bad: halve until it stands alone, then put it
aside in ``rejected.log`` (1.x stores the good ones of a bad batch, 2.x and 3.x none); 413 halve;
429, 5xx and silence: wait and send again; 401, 403, 404 and all else: the settings are wrong,
keep everything and say so.
"""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, cast

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from controller.adapters.spool import Spool
from controller.telemetry import SinkState

MAX_LINES = 5_000
MAX_BODY_BYTES = 4_000_000
MAX_REJECTED_BYTES = 1_000_000
MAX_RETRY_AFTER_S = 60.0
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
Kind = Literal["sent", "refused", "too-big", "later", "misconfigured"]
Word = Literal["ok", "down", "misconfigured"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """A server: api "v1" writes to ``database``, "v2" to ``bucket`` of ``org``.

    ``user`` and ``password``, or ``token``, or neither.
    """

    url: str
    api: Literal["v1", "v2"]
    database: str = ""
    bucket: str = ""
    org: str = ""
    user: str = ""
    password: str = ""
    token: str = ""
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes kept on disk at most; waits between attempts that failed, real seconds."""

    max_bytes: int = 256_000_000
    first_wait_s: float = 0.2
    most_wait_s: float = 10.0


class Answer(NamedTuple):
    """What a server said to some lines."""

    kind: Kind
    text: str = ""
    retry_after_s: float = 0.0


class _Told(NamedTuple):
    """How the server is, and what was said last."""

    word: Word
    error: str


class Transport(Protocol):
    """Carries lines to a server; never raises."""

    def post(self, lines: list[str]) -> Answer:
        """Send lines once."""
        ...


class Client:
    """The transport of influxdb-client, one request a post."""

    def __init__(self, address: Address) -> None:
        self._address = address
        basic = bool(address.user)
        token = f"{address.user}:{address.password}" if basic else address.token or None
        client: Any = cast(Any, InfluxDBClient)(
            address.url,
            token=token,
            org=address.org or "-",
            auth_basic=basic,
            timeout=int(address.timeout_s * 1000),
        )
        self._api: Any = client.api_client
        self._write: Any = client.write_api(write_options=SYNCHRONOUS)

    def post(self, lines: list[str]) -> Answer:
        """Send lines once."""
        body = "\n".join(lines).encode()
        try:
            if self._address.api == "v1":
                self._post_v1(body)
            else:
                self._write.write(self._address.bucket, record=body, write_precision="ms")
        except ApiException as error:
            return _answer(cast(Any, error))
        except (HTTPError, OSError) as error:
            return Answer("later", f"{self._address.url} does not answer: {error}"[:300])
        return Answer("sent")

    def _post_v1(self, body: bytes) -> None:
        self._api.call_api(
            "/write",
            "POST",
            query_params=[("db", self._address.database), ("precision", "ms")],
            body=body,
            header_params=dict(TEXT),
            response_type=None,
        )


def _answer(error: Any) -> Answer:
    status = int(error.status or 0)
    text = f"{status} {error.reason or ''}: {error.body or ''}"[:300].strip()
    if status in (400, 422):
        return Answer("refused", text)
    if status == 413:
        return Answer("too-big", text)
    if status in (0, 408, 429) or status >= 500:
        headers = cast(dict[str, str], error.headers or {})
        after = headers.get("Retry-After", "")
        wait_s = min(float(after), MAX_RETRY_AFTER_S) if after.isdecimal() else 0.0
        return Answer("later", text, wait_s)
    return Answer("misconfigured", text)


class InfluxSink:
    """Takes lines, keeps them on disk, sends them when it can; a ``telemetry.Sink``."""

    def __init__(self, transport: Transport, folder: Path, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._transport = transport
        self._spool = Spool(folder / "spool", self._limits.max_bytes)
        self._rejects = folder / "rejected.log"
        self._batches: list[list[str]] = []
        self._failed = 0
        self._told = _Told("ok", "")  # replaced whole: other threads read it
        self._sent = self._rejected = self._lost = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="influx-sender", daemon=True)
        self._thread.start()

    def write(self, lines: list[str]) -> None:
        """Keep lines on disk to be sent; what cannot be kept is counted, never raised."""
        if not lines:
            return
        try:
            self._spool.append(lines)
        except OSError as error:
            self._lost += len(lines)
            self._told = _Told(self._told.word, f"the spool cannot be written: {error}")
            _log.error(self._told.error)
        self._wake.set()

    def state(self) -> SinkState:
        """How it goes."""
        told = self._told
        return SinkState(
            told.word,
            self._sent,
            self._rejected,
            self._spool.dropped + self._lost,
            self._spool.waiting_bytes(),
            told.error,
        )

    def close(self) -> None:
        """Stop sending; what is on disk is sent after the next start."""
        self._closing.set()
        self._wake.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.clear()
            try:
                wait_s = self._step()
            except Exception as error:  # noqa: BLE001  # top loop: the spool's disk may be away
                self._told = _Told(self._told.word, f"sending failed: {error}")
                _log.exception("sending to InfluxDB failed")
                wait_s = self._limits.most_wait_s
            if wait_s is None:
                self._wake.wait()
            elif wait_s:
                self._closing.wait(wait_s)

    def _step(self) -> float | None:
        """Post one batch; seconds to wait before the next, None until there is more."""
        if not self._batches:
            lines = self._spool.take(MAX_BODY_BYTES)
            self._batches = [
                lines[begin : begin + MAX_LINES] for begin in range(0, len(lines), MAX_LINES)
            ][::-1]
            if not lines:
                self._spool.forget()
                return None
        answer = self._transport.post(self._batches[-1])
        act: dict[Kind, Callable[[Answer], float]] = {
            "sent": self._stored,
            "refused": self._refused,
            "too-big": self._refused,
            "later": self._later,
            "misconfigured": self._misconfigured,
        }
        wait_s = act[answer.kind](answer)
        if not self._batches:
            self._spool.forget()
        return wait_s

    def _stored(self, _answer: Answer) -> float:
        self._sent += len(self._batches.pop())
        return self._reached("")

    def _reached(self, error: str) -> float:
        self._failed = 0
        self._told = _Told("ok", error)
        return 0.0

    def _refused(self, answer: Answer) -> float:
        batch = self._batches.pop()
        if len(batch) > 1:
            middle = len(batch) // 2
            self._batches += [batch[middle:], batch[:middle]]
            return 0.0
        if self._rejects.exists() and self._rejects.stat().st_size > MAX_REJECTED_BYTES:
            self._rejects.replace(self._rejects.with_suffix(".log.1"))
        with self._rejects.open("a", encoding="utf-8") as file:
            file.write(f"{answer.text!r} {batch[0]}\n")
        self._rejected += 1
        return self._reached(answer.text)

    def _later(self, answer: Answer) -> float:
        return max(self._waits("down", answer), answer.retry_after_s)

    def _misconfigured(self, answer: Answer) -> float:
        return self._waits("misconfigured", answer)

    def _waits(self, word: Word, answer: Answer) -> float:
        """Wait longer each time, up to the limit, with some chance in it."""
        if self._told.error != answer.text:
            _log.warning("InfluxDB is %s: %s", word, answer.text)
        self._told = _Told(word, answer.text)
        self._failed += 1
        self._spool.merge(MAX_BODY_BYTES)
        doubled = self._limits.first_wait_s * 2 ** min(self._failed - 1, 16)
        return min(self._limits.most_wait_s, doubled) * (0.5 + random.random() / 2)

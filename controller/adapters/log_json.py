"""Structured logs: one JSON line per event, in the log data model of OpenTelemetry.

Names of fields: https://opentelemetry.io/docs/specs/otel/logs/data-model/ (no trace: there are
none here). What happens on the floor comes from its notices, in floor time; what happens in the
process comes from the logging module.
"""

import json
import logging
import re
import threading
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TextIO

from controller.adapters.store import Tx
from controller.changes import Changes
from controller.values import Json, Notice

NUMBERS = {"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
WARNINGS = ("attention", "dead", "flag", "fault")
OURS = ("controller", "dashboards", "fabcommons")
WAIT_S = 0.5
MAX_STACK = 8_000
HIDDEN = "***"
LEAST_SECRET = 4  # characters; hiding a shorter one would blacken half of every line
# what looks like a secret, whoever wrote it: name=value, a header, a login in an address
_NAMED = re.compile(
    r"(?i)((?:password|passwd|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"
)
_HEADER = re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)[^\"',;\n]+")
_LOGIN = re.compile(r"(?i)([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)")

_TOKEN = re.compile(r"\b(fabt-|fc-)[A-Za-z0-9_-]{16,}")
_COOKIE = re.compile(r"(\bfabcommons-[a-z0-9-]+=)[A-Za-z0-9_-]{16,}")


class Hider:
    """Takes secrets out of text: those known by value, and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= LEAST_SECRET}
        self._known = sorted(known, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without them."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        for pattern in (_HEADER, _NAMED, _LOGIN, _TOKEN, _COOKIE):
            text = pattern.sub(rf"\g<1>{HIDDEN}", text)
        return text

    def hide(self, value: object) -> object:
        """A document without them, in every text it holds."""
        if isinstance(value, str):
            return self(value)
        return value


def document(at_ns: int, severity: str, body: str, attributes: Json) -> Json:
    """One log record; times are texts of ns since 1970, as in OTLP's JSON."""
    return {
        "Timestamp": str(at_ns),
        "SeverityText": severity,
        "SeverityNumber": NUMBERS[severity],
        "Body": body,
        "Attributes": attributes,
    }


def notice_document(tx: Tx, notice: Notice) -> Json:
    """A notice of the floor with the job order, machine, operation and need it speaks of."""
    severity = "WARN" if notice.kind in WARNINGS else "INFO"
    attributes: Json = {"event.name": notice.kind, "seq": notice.seq, "subject": notice.subject}
    attributes.update(about(tx, notice.subject))
    return document(notice.at * 1_000_000, severity, notice.text, attributes)


def about(tx: Tx, subject: str) -> Json:
    """What a subject stands for: an id of an order, a machine, an operation, a need or a lot."""
    machine = tx.machines.get(subject)
    order = tx.orders.get(subject if machine is None else machine.order_id or "")
    operation = tx.operations.get(subject if order is None else order.operation)
    need = tx.needs.get(subject if operation is None else operation.need)
    lot = tx.lots.get(subject)
    found = {
        "job_order": order and order.id,
        "machine": (machine and machine.id) or (order and order.machine),
        "operation": operation and operation.id,
        "need": need and need.id,
        "lot": lot and lot.id,
    }
    return {name: value for name, value in found.items() if value}


def record_document(record: logging.LogRecord) -> Json:
    """A record of the logging module."""
    attributes: Json = {"logger": record.name, "code.lineno": record.lineno}
    attributes["code.function"] = record.funcName
    attributes["thread.name"] = record.threadName
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        attributes["exception.type"] = type(error).__qualname__
        attributes["exception.message"] = str(error)
        stack = "".join(traceback.format_exception(error))
        attributes["exception.stacktrace"] = stack[-MAX_STACK:]
    return document(int(record.created * 1e9), _severity(record.levelno), _body(record), attributes)


def _body(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # its arguments do not fit its text
        return str(record.msg)


def _severity(level: int) -> str:
    for least, name in ((50, "FATAL"), (40, "ERROR"), (30, "WARN"), (20, "INFO")):
        if level >= least:
            return name
    return "DEBUG"


class JsonLines(logging.Handler):
    """Writes log records as JSON lines, without secrets; the only one who writes to its stream."""

    def __init__(self, stream: TextIO, hider: Hider) -> None:
        super().__init__()
        self._stream = stream
        self._hider = hider
        self.failures = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record of the logging module."""
        self.write(record_document(record))

    def write(self, found: Json) -> None:
        """Write one document; a stream that is gone is counted, and ends nothing."""
        hide = self._hider.hide
        attributes = {name: hide(value) for name, value in found["Attributes"].items()}
        found = found | {"Body": hide(found["Body"]), "Attributes": attributes}
        line = json.dumps(found, separators=(",", ":"), ensure_ascii=False, default=str)
        with self._lock():
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                self.failures += 1

    def _lock(self) -> AbstractContextManager[object]:
        assert self.lock is not None  # made by logging.Handler
        return self.lock


def install(lines: JsonLines) -> Callable[[], None]:
    """Make it the one handler: ours from INFO, of others warnings; return what ends that."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = [lines]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(True)

    def end() -> None:
        root.handlers[:] = before
        root.setLevel(level)
        for name in OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)
        logging.captureWarnings(False)

    return end


class NoticeLines:
    """Writes every notice of a floor as a line, from a thread of its own."""

    def __init__(
        self,
        changes: Changes,
        read: Callable[[], AbstractContextManager[Tx]],
        write: Callable[[Json], None],
    ) -> None:
        self._changes, self._read, self._write = changes, read, write
        self._feed = changes.subscribe()
        self._dropped = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notice-lines", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is there, then stop."""
        self._closing.set()
        self._thread.join(10.0)
        self._changes.unsubscribe(self._feed)

    def _run(self) -> None:
        while True:
            last = self._closing.is_set()
            found = [change.notice for change in self._feed.take(0.0 if last else WAIT_S)]
            notices = [notice for notice in found if notice is not None]
            try:
                self._tell(notices)
            except Exception:  # top loop: a store that fails must not end the log
                logging.getLogger(__name__).exception("%d notices were not logged", len(notices))
            if last:
                return

    def _tell(self, notices: list[Notice]) -> None:
        if self._feed.dropped > self._dropped:
            lost = self._feed.dropped - self._dropped
            self._dropped += lost
            logging.getLogger(__name__).warning("%d notices were too many to log", lost)
        if notices:
            with self._read() as tx:
                documents = [notice_document(tx, notice) for notice in notices]
            for one in documents:
                self._write(one)

"""Talks to a running controller over its HTTP API; every failure becomes one CliError."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")
DEFAULT_URL = "http://127.0.0.1:8010"
_TIMEOUT_S = 20.0

# exit codes of the command
OK, FAILED, USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130


class CliError(Exception):
    """What a person at the command line is told, and the exit code. Attribute: exit_code."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Client:
    """A controller's HTTP API at ``url``; ``token`` is a member's, else $FABCOMMONS_API_TOKEN.

    $FABCOMMONS_CA names the certificate of a site's own authority (access/ca.pem), for https.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url.rstrip("/")
        self._token = token or os.environ.get("FABCOMMONS_API_TOKEN", "").strip()
        ca = os.environ.get("FABCOMMONS_CA")
        self._tls = ssl.create_default_context(cafile=ca) if url.startswith("https:") else None

    def get(self, path: str) -> Any:
        """Document at a path; raise CliError."""
        return self._send(urllib.request.Request(self.url + path))

    def post(self, path: str, body: Any, key: str | None = None) -> Any:
        """Answer to a document sent, ``key`` making it safe to repeat; raise CliError."""
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-Fabcommons": "1"},
            method="POST",
        )
        if key is not None:
            request.add_header("Idempotency-Key", key)
        return self._send(request)

    def content(self, path: str) -> bytes:
        """A published file, byte for byte; raise CliError."""
        return self._read(urllib.request.Request(self.url + path), bytes)

    def _send(self, request: urllib.request.Request) -> Any:
        return self._read(request, json.loads)

    def _read(self, request: urllib.request.Request, parse: Callable[[bytes], T]) -> T:
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=self._tls) as answer:
                return parse(answer.read())
        except urllib.error.HTTPError as error:
            raise CliError(_explain(error), USAGE if error.code < 500 else FAILED) from error
        except (OSError, ValueError) as error:
            raise CliError(
                f"no controller answers at {self.url} ({error}).\n"
                "Start one with `fabcommons controller` or `fabcommons demo`, "
                "or name it with --url.",
                UNREACHABLE,
            ) from error


def _explain(error: urllib.error.HTTPError) -> str:
    """Words of an error answer: the problems it lists, else its text."""
    text = error.read(65536).decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return f"HTTP {error.code}: {text.strip()[:400]}"
    return "\n".join(_problems(answer)) or f"HTTP {error.code}: {text[:400]}"


def _problems(answer: Any) -> list[str]:
    """Flatten the error shapes of the API (``detail`` text, list or object) into lines."""
    if isinstance(answer, str):
        return [answer]
    if isinstance(answer, list):
        return [line for item in cast("list[Any]", answer) for line in _problems(item)]
    if not isinstance(answer, dict):
        return []
    record = cast("dict[str, Any]", answer)
    for inner in ("problems", "errors", "detail", "error"):
        if record.get(inner):
            return _problems(record[inner])
    words = record.get("message") or record.get("msg") or record.get("reason")
    field = record.get("field") or ".".join(str(part) for part in record.get("loc", []))
    return [f"{field}: {words}" if field else str(words)] if words else []

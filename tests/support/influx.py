"""A real InfluxDB 1.x of the test's own, and a server that answers what it is told to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.broker import free_port
from support.waiting import until

UNPACKED = Path(__file__).resolve().parents[2] / ".cache" / "influxdb" / "usr" / "bin" / "influxd"


def find_influxd() -> str:
    """The server's program; skip with the reason where it is absent, fail under CI."""
    found = shutil.which("influxd") or (str(UNPACKED) if UNPACKED.exists() else None)
    if found is None:
        reason = "influxd is not here (make servers)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Influxd:
    """One server in a folder; it can be killed and started again."""

    def __init__(self, folder: Path, *, auth: bool = False) -> None:
        self._program = find_influxd()
        self._folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._rpc = free_port()
        self._auth = auth
        self._credentials = ""
        self.start()

    def start(self) -> None:
        """Start and wait until it answers."""
        names = {
            "REPORTING_ENABLED": "false",
            "BIND_ADDRESS": f"127.0.0.1:{self._rpc}",
            "HTTP_BIND_ADDRESS": f"127.0.0.1:{self.port}",
            "META_DIR": str(self._folder / "meta"),
            "DATA_DIR": str(self._folder / "data"),
            "DATA_WAL_DIR": str(self._folder / "wal"),
            "HTTP_AUTH_ENABLED": str(self._auth).lower(),
            "HTTP_LOG_ENABLED": "false",
            "MONITOR_STORE_ENABLED": "false",
            "LOGGING_LEVEL": "error",
        }
        settings = {f"INFLUXDB_{name}": value for name, value in names.items()}
        self._process = subprocess.Popen(
            [self._program, "run", "-config", os.devnull],
            env={**os.environ, **settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers, 60)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=5) as answer:
                return answer.status == 204
        except OSError:
            return False

    def login(self, user: str, password: str) -> None:
        """Make the first user and ask as that one."""
        self.ask(f"CREATE USER {user} WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
        self._credentials = f"&u={user}&p={password}"

    def ask(self, query: str) -> list[list[Any]]:
        """Rows of the first series of an InfluxQL query."""
        found = self.series(query)
        return found[0]["values"] if found else []

    def series(self, query: str, database: str = "fab") -> list[dict[str, Any]]:
        """All series of an InfluxQL query."""
        words = urllib.parse.urlencode({"q": query, "db": database, "epoch": "ms"})
        request = urllib.request.Request(
            f"{self.url}/query?{words}{self._credentials}", method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            result = json.load(answer)["results"][0]
        assert "error" not in result, result
        return result.get("series", [])

    def store(self, database: str, lines: list[str]) -> None:
        """Write line protocol, in milliseconds."""
        request = urllib.request.Request(
            f"{self.url}/write?db={database}&precision=ms", data="\n".join(lines).encode()
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 204

    def count(self, field: str = "nozzle_mc") -> int:
        """Points that carry a field."""
        rows = self.ask(f'SELECT count("{field}") FROM machine')
        return rows[0][1] if rows else 0

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait(10)

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)


class Faults:
    """A server of both write interfaces that answers ``say(lines)``: a status, 0 to hang."""

    def __init__(self) -> None:
        self.say: Any = lambda lines: 204
        self.stored: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.posts = 0
        self.body = b'{"error":"as told"}'
        self._gone = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        faults = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                faults.answer(self, body.decode().splitlines())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def answer(self, handler: BaseHTTPRequestHandler, lines: list[str]) -> None:
        """Answer one write."""
        self.posts += 1
        self.asked.append((handler.path, handler.headers.get("Authorization", "")))
        status = self.say(lines)
        if status == 0:
            self._gone.wait(30)
            return
        if status == 204:
            self.stored += lines
        handler.send_response(status)
        if status == 429:
            handler.send_header("Retry-After", "0")
        body = b"" if status == 204 else self.body
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def close(self) -> None:
        """End it."""
        self._gone.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class Shim:
    """/api/v2/write before a server that has only /write: bucket is database, as 1.8 does it."""

    def __init__(self, url: str) -> None:
        self._url = url
        shim = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                shim.forward(self, body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        """Pass one write on, and its answer back; 503 while the server is away."""
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query)
        precision = {"ns": "n", "us": "u"}.get(asked["precision"][0], asked["precision"][0])
        words = urllib.parse.urlencode({"db": asked["bucket"][0], "precision": precision})
        try:
            request = urllib.request.Request(f"{self._url}/write?{words}", data=body)
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, text = answer.status, b""
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        except OSError:
            status, text = 503, b"{}"
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

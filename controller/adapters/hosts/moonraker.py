"""Klipper through Moonraker: JSON-RPC 2.0 over its websocket, uploads by HTTP.

Follows Moonraker's external API documentation of 0.9/0.10 (introduction, printer, history, file
manager, JSON-RPC notifications). What ran is read from Klipper's ``print_stats`` first and from
Moonraker's history second: the one knows what happens now, the other outlives restarts.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.adapters.hosts import fields
from controller.adapters.hosts.contract import (
    BROKEN,
    ENDED,
    PAUSED,
    RUNNING,
    Garbled,
    Job,
    Kind,
    Lost,
    Reading,
    Refusal,
    Settings,
)
from controller.adapters.hosts.wires import (
    Ask,
    Credentials,
    Http,
    HttpWire,
    Socket,
    SocketWire,
    socket_url,
)

SHOWN = 30  # newest jobs read of the history
_QUERY: dict[str, Any] = {
    "print_stats": ["filename", "state", "message", "print_duration", "filament_used"],
    "virtual_sdcard": ["progress"],
    "extruder": ["temperature", "target"],
    "heater_bed": ["temperature", "target"],
}
# print_stats.state: (job's state, ended well)
_STATES = {
    "printing": (RUNNING, False),
    "paused": (PAUSED, False),
    "complete": (ENDED, True),
    "cancelled": (ENDED, False),
    "error": (ENDED, False),
}
_HISTORY = {
    "completed": (ENDED, True),
    "cancelled": (ENDED, False),
    "error": (ENDED, False),
    "klippy_shutdown": (ENDED, False),
    "klippy_disconnect": (BROKEN, False),
    "interrupted": (BROKEN, False),
    "server_exit": (BROKEN, False),
}
_TELLING = ("notify_klippy", "notify_history_changed")


class Moonraker:
    """One Moonraker; its websocket is opened when first needed."""

    def __init__(
        self, http: Http, open_socket: Callable[[], Socket], key: str, timeout_s: float
    ) -> None:
        self._http = http
        self._open_socket = open_socket
        self._key = key
        self._timeout_s = timeout_s
        self._socket: Socket | None = None
        self._number = 0
        self._state = ""
        self._changed = False

    # reading -----------------------------------------------------------------------------------

    def look(self, name: str) -> Reading:
        """Read back Klipper's state, its print and Moonraker's history."""
        server = self._call("server.info")
        software = "Moonraker " + fields.text(server, "moonraker_version", "?")
        remembers = "history" in fields.items(server, "components")
        rows = self._history() if remembers else []
        mark = fields.text(rows[0], "job_id") if rows else ""
        jobs = history_jobs(rows)
        state = fields.text(server, "klippy_state", "disconnected")
        if state not in ("ready", "shutdown"):
            fault = f"Klipper is not ready: {state}"
            return Reading("fault", jobs, mark=mark, blind=True, fault=fault, software=software)
        klippy = self._call("printer.info")
        status = fields.find(self._call("printer.objects.query", {"objects": _QUERY}), "status")
        seen = reading(status, jobs, open_rows(rows))
        run = f"k{fields.number(klippy, 'process_id'):.0f}" if remembers else ""
        if state == "shutdown":
            why = fields.text(klippy, "state_message") or "Klipper shut down"
            seen = _shut_down(seen, why)
        self._subscribe(seen.state)
        return seen._replace(run=run if run != "k0" else "", mark=mark, software=software)

    def _history(self) -> list[Any]:
        asked = {"limit": SHOWN, "order": "desc"}
        return fields.items(self._call("server.history.list", asked), "jobs")

    def _subscribe(self, state: str) -> None:
        """Be told of changes from now on; once per connection."""
        if self._state == "":
            asked = {"objects": {"print_stats": ["state", "filename"]}}
            self._call("printer.objects.subscribe", asked)
        self._state = state

    # asking ------------------------------------------------------------------------------------

    def put(self, name: str, program: Path) -> None:
        """Upload; Moonraker replaces a file of the same name."""
        form = {"root": "gcodes", "print": "false"}
        self._http.ask(Ask("POST", "/server/files/upload", file=(name, program), form=form))

    def start(self, name: str) -> None:
        """Begin a print."""
        self._call("printer.print.start", {"filename": name})

    def act(self, verb: str, name: str, job: Job) -> None:
        """Pause, resume or cancel the print."""
        self._call(f"printer.print.{verb}")

    def forget(self, name: str) -> None:
        """Delete the file; history keeps what it knows."""
        self._http.ask(Ask("DELETE", f"/server/files/gcodes/{name}", absent=True))

    def stop(self) -> None:
        """Emergency stop: Klipper shuts down and must be restarted at the machine."""
        self._http.ask(Ask("POST", "/printer/emergency_stop"))

    def wait(self, seconds: float) -> bool:
        """Wait for a notification that says that the print or Klipper changed."""
        end = time.monotonic() + seconds
        while not self._changed and (left := end - time.monotonic()) > 0:
            message = self._wire().receive(left)
            if message is not None:
                self._notice(fields.parse(message, "notification"))
        changed, self._changed = self._changed, False
        return changed

    def close(self) -> None:
        """Let go of connections."""
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()
        self._http.close()

    # JSON-RPC ----------------------------------------------------------------------------------

    def _wire(self) -> Socket:
        if self._socket is None:
            self._socket, self._state = self._open_socket(), ""
            who = {"client_name": "fabcommons", "version": "1", "type": "other", "url": "-"}
            asked = {**who, "api_key": self._key} if self._key else who
            self._call("server.connection.identify", asked)
        return self._socket

    def _call(self, method: str, params: Any = None) -> Any:
        """Result of a call; notifications that come meanwhile are noted."""
        wire = self._wire()
        self._number += 1
        asked = {"jsonrpc": "2.0", "method": method, "id": self._number}
        wire.send(json.dumps({**asked, "params": params} if params is not None else asked))
        end = time.monotonic() + self._timeout_s
        while (left := end - time.monotonic()) > 0:
            message = wire.receive(left)
            if message is None:
                break
            document = fields.parse(message, method)
            if not isinstance(document, dict):
                raise Garbled(f"{method}: the answer is no object")
            if fields.find(document, "id") == self._number:
                return _result(method, document)
            self._notice(document)
        raise Lost(f"{method}: no answer within {self._timeout_s:.0f} s")

    def _notice(self, document: Any) -> None:
        method = fields.text(document, "method")
        if method.startswith(_TELLING):
            self._changed = True
        if method == "notify_status_update":
            told = fields.items(document, "params")
            if told and fields.find(told[0], "print_stats") is not None:
                self._changed = True


def _result(method: str, document: Any) -> Any:
    """Result of an answer; raise Refusal, or Lost when the call may have been carried out."""
    error = fields.find(document, "error")
    if error is None:
        return fields.find(document, "result")
    code, said = fields.number(error, "code"), fields.text(error, "message")
    if code == 401 or said in ("Unauthorized", "Invalid API Key"):
        raise Refusal(f"the key is wrong or lacks a right ({said or code:})", barred=True)
    if 400 <= code < 500 or -32602 <= code <= -32600:
        raise Refusal(f"{method}: {said}")
    raise Lost(f"{method}: {said or code}")


def history_jobs(rows: list[Any]) -> dict[str, Job]:
    """Jobs of Moonraker's history that are over, the newest of each file."""
    jobs: dict[str, Job] = {}
    for row in rows:
        name, status = fields.text(row, "filename"), fields.text(row, "status")
        if not name or name in jobs or status not in _HISTORY:
            continue
        state, ok = _HISTORY[status]
        jobs[name] = Job(
            state,
            ok,
            "" if ok else f"{status.replace('_', ' ')} (Moonraker's history)",
            run_ms=fields.ms(fields.number(row, "print_duration")),
            used_um=(fields.um(fields.number(row, "filament_used")),),
            key=fields.text(row, "job_id"),
        )
    return jobs


def open_rows(rows: list[Any]) -> set[str]:
    """Files that history says are printing now."""
    return {
        fields.text(row, "filename") for row in rows if fields.text(row, "status") == "in_progress"
    }


def reading(status: Any, jobs: dict[str, Job], unsettled: set[str]) -> Reading:
    """A reading of Klipper's objects over what history told; ``unsettled`` files run by history."""
    stats = fields.find(status, "print_stats")
    state, name = fields.text(stats, "state", "standby"), fields.text(stats, "filename")
    progress = fields.share_ppm(fields.number(status, "virtual_sdcard.progress"))
    values = _values(status)
    if state in _STATES and name:
        kind, ok = _STATES[state]
        jobs[name] = Job(
            kind,
            ok,
            "" if ok or kind == RUNNING else fields.text(stats, "message") or state,
            1_000_000 if ok else progress,
            fields.ms(fields.number(stats, "print_duration")),
            (fields.um(fields.number(stats, "filament_used")),),
        )
    now = {"printing": "busy", "paused": "paused"}.get(state, "idle")
    if now != "idle":
        values["done_ppm"] = progress
    blind = bool(unsettled - {name}) or (name in unsettled and state == "standby")
    return Reading(now, jobs, blind=blind, values=values)


def _values(status: Any) -> dict[str, int]:
    values: dict[str, int] = {}
    for where, field in (("extruder", "nozzle"), ("heater_bed", "bed")):
        if fields.find(status, where) is not None:
            told = (f"{where}.temperature", f"{where}.target")
            values.update(fields.heater(field, status, *told))
    return values


def _shut_down(seen: Reading, why: str) -> Reading:
    """Klipper stopped everything: what it still calls printing has ended."""
    jobs = dict(seen.jobs)
    for name, job in seen.jobs.items():
        if job.state in (RUNNING, PAUSED):
            jobs[name] = job._replace(state=ENDED, ok=False, why=why)
    return seen._replace(state="fault", fault=why, jobs=jobs)


def open_adapter(settings: Settings) -> Moonraker:
    """An adapter for settings."""
    headers = {"X-Api-Key": settings.key} if settings.key else {}
    http = HttpWire(settings.url, Credentials(headers, barred=(401,)), settings.timeout_s)
    url = socket_url(settings.url, "/websocket")

    def open_socket() -> Socket:
        return SocketWire(url, headers, settings.timeout_s)

    return Moonraker(http, open_socket, settings.key, settings.timeout_s)


KIND = Kind(
    open=open_adapter,
    about="Moonraker",
    verbs=frozenset(("start", "pause", "resume", "cancel", "stop")),
    programs=("marlin",),
    needs=("url",),
    takes=("key_env",),
    example="http://voron.local:7125",
)

"""OctoPrint: REST, and its push socket as a hint to look sooner.

Follows OctoPrint's REST and push API documentation of 1.11. A file is uploaded and selected before
it is started: while it stays selected, operational and without a recorded print, it never began.
Filament is the length OctoPrint's analysis of the file estimates, by share done.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.adapters.hosts import fields
from controller.adapters.hosts.contract import (
    ENDED,
    PAUSED,
    RUNNING,
    WAITING,
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

_BUSY = ("printing", "cancelling", "pausing", "resuming", "finishing")
ANALYSIS_S, POLL_S = 10.0, 0.3  # it analyses at rest only, so not once it prints
_TELLING = ("Print", "Connected", "Disconnected", "Error", "FileSelected")


class OctoPrint:
    """One OctoPrint."""

    def __init__(self, http: Http, open_socket: Callable[[], Socket]) -> None:
        self._http = http
        self._open_socket = open_socket
        self._socket: Socket | None = None
        self._deaf = False
        self._software = ""
        self._listed = False

    def look(self, name: str) -> Reading:
        """Read back the printer, the selected job and what is recorded of a file."""
        if not self._software:
            version = self._http.ask(Ask("GET", "/api/version")).json("version")
            self._software = "OctoPrint " + fields.text(version, "server", "?")
        job = self._http.ask(Ask("GET", "/api/job")).json("job")
        printer = self._printer()
        file = self._file(name) if name else None
        seen = reading(name, job, printer, file)
        return seen._replace(software=self._software, files=self._names())

    def _names(self) -> tuple[str, ...]:
        """Files at the top of its store, once a connection."""
        if self._listed:
            return ()
        told = self._http.ask(Ask("GET", "/api/files/local")).json("files")
        self._listed = True
        return tuple([fields.text(file, "path") for file in fields.items(told, "files")])

    def _printer(self) -> Any:
        """State of the printer, None while none is connected."""
        try:
            return self._http.ask(Ask("GET", "/api/printer?exclude=sd")).json("printer")
        except Refusal as refusal:
            if refusal.barred:
                raise
            return None  # 409: not operational

    def _file(self, name: str) -> Any:
        answer = self._http.ask(Ask("GET", f"/api/files/local/{name}", absent=True))
        return None if answer.status == 404 else answer.json("file")

    def put(self, name: str, program: Path) -> None:
        """Upload, give OctoPrint a while to estimate its filament, and select."""
        form = {"select": "false", "print": "false"}
        self._http.ask(Ask("POST", "/api/files/local", file=(name, program), form=form))
        end = time.monotonic() + ANALYSIS_S
        while recorded_lengths(self._file(name)) is None and time.monotonic() < end:
            fields.rest(POLL_S)
        select = {"command": "select", "print": False}
        self._http.ask(Ask("POST", f"/api/files/local/{name}", json=select))

    def start(self, name: str) -> None:
        """Begin the selected file, after making sure that it is this one."""
        job = self._http.ask(Ask("GET", "/api/job")).json("job")
        if fields.text(job, "job.file.path") != name:
            raise Refusal("another file was selected meanwhile")
        self._http.ask(Ask("POST", "/api/job", json={"command": "start"}))

    def act(self, verb: str, name: str, job: Job) -> None:
        """Pause, resume or cancel the print."""
        command = {"command": "cancel"}
        if verb != "cancel":
            command = {"command": "pause", "action": verb}
        self._http.ask(Ask("POST", "/api/job", json=command))

    def forget(self, name: str) -> None:
        """Delete the file."""
        self._http.ask(Ask("DELETE", f"/api/files/local/{name}", absent=True))

    def stop(self) -> None:
        """Emergency stop by M112, which OctoPrint sends past its queue."""
        self._http.ask(Ask("POST", "/api/printer/command", json={"command": "M112"}))

    def wait(self, seconds: float) -> bool:
        """Wait for an event of the push socket."""
        socket = self._push()
        if socket is None:
            fields.rest(seconds)
            return False
        end = time.monotonic() + seconds
        try:
            while (left := end - time.monotonic()) > 0:
                if tells(socket.receive(left)):
                    return True
        except Lost:
            self._socket = None
            return True
        return False

    def _push(self) -> Socket | None:
        """The push socket, logged in; None when there is none: then it is polled."""
        if self._socket is not None or self._deaf:
            return self._socket
        try:
            login = self._http.ask(Ask("POST", "/api/login", json={"passive": True})).json("login")
            auth = f"{fields.text(login, 'name')}:{fields.text(login, 'session')}"
            socket = self._open_socket()
            socket.send(json.dumps({"throttle": 10}))
            socket.send(json.dumps({"auth": auth}))
            self._socket = socket
        except (Lost, Refusal):
            self._deaf = True
        return self._socket

    def close(self) -> None:
        """Let go of connections."""
        socket, self._socket, self._deaf = self._socket, None, False
        self._listed = False
        if socket is not None:
            socket.close()
        self._http.close()


def tells(message: str | None) -> bool:
    """Whether a pushed message says that a look is worth while."""
    if message is None:
        return False
    kind = fields.find(fields.parse(message, "push"), "event")
    return kind is not None and fields.text(kind, "type").startswith(_TELLING)


def reading(name: str, job: Any, printer: Any, file: Any) -> Reading:
    """A reading of ``/api/job``, ``/api/printer`` (None: not operational) and a file's record."""
    flags = fields.find(printer, "state.flags")
    busy = any([fields.truth(flags, flag) for flag in _BUSY])
    paused = fields.truth(flags, "paused")
    selected = fields.text(job, "job.file.path")
    jobs: dict[str, Job] = {}
    ended = recorded(file)
    if ended is not None:
        jobs[name] = ended
    blind = False
    if busy or paused:
        jobs[selected or "a file of its own"] = _at_work(job, paused=paused and not busy)
    elif selected and selected == name and ended is None:
        blind = fields.number(job, "progress.completion") > 0
        if not blind and printer is not None:
            jobs[name] = Job(WAITING)
    state = "busy" if busy else "paused" if paused else "idle"
    seen = Reading(state, jobs, blind=blind, values=_values(job, printer, busy or paused))
    if printer is None:
        why = fields.text(job, "error") or fields.text(job, "state", "offline")
        return seen._replace(state="fault", fault=f"OctoPrint has no printer: {why}")
    return seen


def recorded(file: Any) -> Job | None:
    """How the last print of a file ended by OctoPrint's record, None when there was none."""
    if fields.find(file, "prints.last") is None:
        return None
    ok = fields.truth(file, "prints.last.success")
    took_ms = fields.ms(fields.number(file, "prints.last.printTime"))
    why = "" if ok else "cancelled or failed (OctoPrint's record)"
    lengths = recorded_lengths(file) if ok else None
    return Job(ENDED, ok, why, 1_000_000 if ok else 0, took_ms, lengths, estimated=True)


def recorded_lengths(file: Any) -> tuple[int, ...] | None:
    """Filament a file takes by OctoPrint's analysis, um by tool; None before it was analysed."""
    return _lengths(fields.find(file, "gcodeAnalysis.filament"))


def _at_work(job: Any, *, paused: bool) -> Job:
    done = fields.share_ppm(fields.number(job, "progress.completion") / 100)
    took_ms = fields.ms(fields.number(job, "progress.printTime"))
    whole = _lengths(fields.find(job, "job.filament"))
    used = tuple(length * done // 1_000_000 for length in whole) if whole else None
    why = "paused at OctoPrint" if paused else ""
    return Job(PAUSED if paused else RUNNING, False, why, done, took_ms, used, estimated=True)


def _lengths(filament: Any) -> tuple[int, ...] | None:
    """Estimated length by tool, um; None before the file was analysed."""
    found: list[int] = []
    while fields.find(filament, f"tool{len(found)}") is not None and len(found) < 16:
        found.append(fields.um(fields.number(filament, f"tool{len(found)}.length")))
    return tuple(found) or None


def _values(job: Any, printer: Any, at_work: bool) -> dict[str, int]:
    values: dict[str, int] = {}
    for where, field in (("tool0", "nozzle"), ("bed", "bed")):
        if fields.find(printer, f"temperature.{where}.actual") is not None:
            told = (f"temperature.{where}.actual", f"temperature.{where}.target")
            values.update(fields.heater(field, printer, *told))
    if at_work:
        done = fields.number(job, "progress.completion") / 100
        values["done_ppm"] = fields.share_ppm(done)
    return values


def open_adapter(settings: Settings) -> OctoPrint:
    """An adapter for settings."""
    headers = {"X-Api-Key": settings.key}
    http = HttpWire(settings.url, Credentials(headers), settings.timeout_s)
    url = socket_url(settings.url, "/sockjs/websocket")
    return OctoPrint(http, lambda: SocketWire(url, headers, settings.timeout_s))


KIND = Kind(
    open=open_adapter,
    about="OctoPrint",
    verbs=frozenset(("start", "pause", "resume", "cancel", "stop")),
    programs=("marlin",),
    needs=("url", "key_env"),
    example="http://octopi.local",
)

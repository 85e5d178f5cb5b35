"""PrusaLink: its REST API v1, by digest authentication or API key.

Follows PrusaLink's OpenAPI description 1.0.0-draft (Prusa-Link-Web). It keeps no history: a job is
told until somebody dismisses it at the machine, and a start whose answer is lost and whose job is
not told stays unknown.
"""

from pathlib import Path
from typing import Any

from controller.adapters.hosts import fields
from controller.adapters.hosts.contract import (
    ENDED,
    PAUSED,
    RUNNING,
    Garbled,
    Job,
    Kind,
    Reading,
    Refusal,
    Settings,
)
from controller.adapters.hosts.wires import Ask, Credentials, Http, HttpWire

# state of the printer: (state of the machine, state of its job, ended well)
_STATES = {
    "IDLE": ("idle", ENDED, True),
    "READY": ("idle", ENDED, True),
    "BUSY": ("busy", RUNNING, False),
    "PRINTING": ("busy", RUNNING, False),
    "PAUSED": ("paused", PAUSED, False),
    "ATTENTION": ("paused", PAUSED, False),
    "FINISHED": ("idle", ENDED, True),
    "STOPPED": ("idle", ENDED, False),
    "ERROR": ("fault", ENDED, False),
}


class PrusaLink:
    """One PrusaLink."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._storage = ""
        self._software = ""

    def look(self, name: str) -> Reading:
        """Read back the printer and the job it tells."""
        if not self._software:
            version = self._http.ask(Ask("GET", "/api/version")).json("version")
            self._software = fields.text(version, "text", "PrusaLink")
        status = self._http.ask(Ask("GET", "/api/v1/status")).json("status")
        answer = self._http.ask(Ask("GET", "/api/v1/job"))
        job = None if answer.status == 204 else answer.json("job")
        return reading(status, job, name)._replace(software=self._software)

    def put(self, name: str, program: Path) -> None:
        """Upload to the first storage that can be written."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Print-After-Upload": "?0",
            "Overwrite": "?1",
        }
        path = f"/api/v1/files/{self._where()}/{name}"
        self._http.ask(Ask("PUT", path, file=(name, program), headers=headers))

    def _where(self) -> str:
        if not self._storage:
            told = self._http.ask(Ask("GET", "/api/v1/storage")).json("storage")
            for item in fields.items(told, "storage_list"):
                usable = fields.find(item, "available") is not False
                if usable and not fields.truth(item, "read_only"):
                    self._storage = fields.text(item, "path").strip("/")
                    break
            else:
                raise Refusal("it has no storage that can be written: is its USB stick in?")
        return self._storage

    def start(self, name: str) -> None:
        """Begin a print."""
        self._http.ask(Ask("POST", f"/api/v1/files/{self._where()}/{name}"))

    def act(self, verb: str, name: str, job: Job) -> None:
        """Pause, resume or cancel a job."""
        method, tail = ("DELETE", "") if verb == "cancel" else ("PUT", f"/{verb}")
        self._http.ask(Ask(method, f"/api/v1/job/{job.key}{tail}"))

    def forget(self, name: str) -> None:
        """Delete the file; refused while it is shown on the machine's screen."""
        self._http.ask(Ask("DELETE", f"/api/v1/files/{self._where()}/{name}", absent=True))

    def stop(self) -> None:
        """The API has no emergency stop."""
        raise Refusal("PrusaLink has no emergency stop: use the machine's switch")

    def wait(self, seconds: float) -> bool:
        """Nothing is pushed."""
        fields.rest(seconds)
        return False

    def close(self) -> None:
        """Let go of connections."""
        self._storage = ""
        self._http.close()


def reading(status: Any, job: Any, name: str) -> Reading:
    """A reading of ``/api/v1/status`` and ``/api/v1/job`` (None: it tells none)."""
    word = fields.text(status, "printer.state")
    if word not in _STATES:
        raise Garbled(f"printer.state: {word!r} is not known")
    state, kind, ok = _STATES[word]
    said = fields.text(status, "printer.status_printer.message")
    jobs: dict[str, Job] = {}
    if job is not None:
        told = fields.text(job, "state", word)
        kind, ok = _STATES.get(told, (state, kind, ok))[1:]
        file = fields.text(job, "file.display_name") or fields.text(job, "file.name")
        names = (file, fields.text(job, "file.name"))
        done = fields.share_ppm(fields.number(job, "progress") / 100)
        jobs[name if name in names else file or "a file of its own"] = Job(
            kind,
            ok,
            "" if ok or kind == RUNNING else said or told.lower(),
            1_000_000 if ok else done,
            fields.ms(fields.number(job, "time_printing")),
            key=f"{fields.number(job, 'id'):.0f}",
        )
    seen = Reading(state, jobs, values=_values(status, job))
    if word == "ERROR":
        seen = seen._replace(fault=said or "the printer reports an error")
    return seen._replace(need=said or "look at its screen") if word == "ATTENTION" else seen


def _values(status: Any, job: Any) -> dict[str, int]:
    values: dict[str, int] = {}
    for where in ("nozzle", "bed"):
        if fields.find(status, f"printer.temp_{where}") is not None:
            told = (f"printer.temp_{where}", f"printer.target_{where}")
            values.update(fields.heater(where, status, *told))
    if job is not None:
        values["done_ppm"] = fields.share_ppm(fields.number(job, "progress") / 100)
    return values


def open_adapter(settings: Settings) -> PrusaLink:
    """An adapter for settings."""
    headers = {"X-Api-Key": settings.key} if settings.key else {}
    credentials = Credentials(headers, settings.user, settings.password)
    return PrusaLink(HttpWire(settings.url, credentials, settings.timeout_s))


KIND = Kind(
    open=open_adapter,
    about="PrusaLink",
    verbs=frozenset(("start", "pause", "resume", "cancel")),
    programs=("marlin",),
    needs=("url",),
    takes=("key_env", "user", "password_env"),
    example="http://mk4.local",
)

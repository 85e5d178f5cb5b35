"""An MTConnect agent: it only reports. With a folder beside it, a person starts what is laid there.

Follows the MTConnect standard's ``/current`` document (streams of 1.3 to 2.x; namespaces are
ignored, types are found by element name). The program's name tells which order runs; how one
ended is only known while it was watched: by EXECUTION and by the count of parts.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from controller.adapters.hosts import fields
from controller.adapters.hosts.contract import (
    BROKEN,
    ENDED,
    NONE,
    PAUSED,
    RUNNING,
    WAITING,
    Garbled,
    Job,
    Kind,
    Reading,
    Refusal,
    Settings,
)
from controller.adapters.hosts.folder import Folder
from controller.adapters.hosts.wires import Ask, Credentials, Http, HttpWire

_RUNS = ("ACTIVE",)
_HOLDS = ("FEED_HOLD", "INTERRUPTED", "OPTIONAL_STOP", "PROGRAM_STOPPED", "WAIT")
_COMPLETED = "PROGRAM_COMPLETED"
_MAX_BYTES = 2_000_000


class Facts(NamedTuple):
    """What a ``/current`` document says of one machine; "" and None for what it does not."""

    instance: str
    available: bool
    execution: str = ""
    program: str = ""
    parts: int | None = None
    estop: bool = False
    alarm: str = ""
    values: Mapping[str, int] = NONE


class MTConnect:
    """One machine of an agent, and the folder its programs are laid into, if any."""

    def __init__(self, http: Http, folder: Folder | None) -> None:
        self._http = http
        self._folder = folder
        self._watched = ""  # program seen running in this life
        self._parts: int | None = None  # parts counted when it was first seen running
        self._ended: dict[str, Job] = {}

    def look(self, name: str) -> Reading:
        """Read back the agent's current document."""
        facts = read(self._http.ask(Ask("GET", "current")).body)
        self._watch(facts)
        jobs = dict(self._ended)
        if facts.execution in (*_RUNS, *_HOLDS) and facts.program:
            paused = facts.execution in _HOLDS
            why = facts.execution.lower().replace("_", " ") if paused else ""
            jobs[facts.program] = Job(PAUSED if paused else RUNNING, why=why)
        elif self._folder is not None and name and name not in jobs:
            laid = self._folder.look(name).jobs
            jobs.update({name: Job(WAITING)} if name in laid else {})
        return self._reading(facts, jobs, name)

    def _reading(self, facts: Facts, jobs: dict[str, Job], name: str) -> Reading:
        state = "idle"
        if facts.execution in _RUNS:
            state = "busy"
        elif facts.execution in _HOLDS:
            state = "paused"
        need = "" if self._folder else "it only reports: no folder to lay programs into"
        if name in jobs and jobs[name].state == WAITING:
            state, need = "paused", f"start {name} at the machine"
        fault = "emergency stop" if facts.estop else facts.alarm
        if not facts.available:
            fault = "the agent hears nothing of its machine"
        values = {**facts.values, "running_n": int(facts.execution in _RUNS)}
        mark = f"{facts.program}@{facts.parts}" if facts.program else ""
        seen = Reading("fault" if fault else state, jobs, need=need, fault=fault, values=values)
        return seen._replace(blind=not facts.available, mark=mark[:100], software="MTConnect agent")

    def _watch(self, facts: Facts) -> None:
        """Remember how a program went that was seen running; the agent keeps only what is now."""
        if not facts.available:
            return
        if facts.execution in (*_RUNS, *_HOLDS):
            if facts.program and facts.program != self._watched:
                self._watched, self._parts = facts.program, facts.parts
                self._ended.pop(facts.program, None)
            return
        if not self._watched:
            return
        name, self._watched = self._watched, ""
        counted = None not in (facts.parts, self._parts) and facts.parts > self._parts  # type: ignore[operator]  # not None
        if facts.execution == _COMPLETED or counted:
            self._ended[name] = Job(ENDED, True, done_ppm=1_000_000)
        else:
            why = f"{facts.execution or 'not running'} after it ran, and no part was counted"
            self._ended[name] = Job(BROKEN, why=why)
        while len(self._ended) > 8:
            self._ended.pop(next(iter(self._ended)))

    def put(self, name: str, program: Path) -> None:
        """Lay a program into the folder."""
        if self._folder is None:
            raise Refusal("it only reports: no folder to lay programs into")
        self._folder.put(name, program)

    def start(self, name: str) -> None:
        """A person starts it; the agent tells."""
        raise Refusal("start it at the machine: the agent tells when it runs")

    def act(self, verb: str, name: str, job: Job) -> None:
        """An agent cannot be asked for anything."""
        raise Refusal(f"{verb} it at the machine: an MTConnect agent only reports")

    def forget(self, name: str) -> None:
        """Remove a program from the folder."""
        self._ended.pop(name, None)
        if self._folder is not None:
            self._folder.forget(name)

    def stop(self) -> None:
        """An agent cannot be asked for anything."""
        raise Refusal("an MTConnect agent only reports: use the machine's switch")

    def wait(self, seconds: float) -> bool:
        """Nothing is pushed."""
        fields.rest(seconds)
        return False

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()


def read(body: bytes) -> Facts:
    """Facts of a ``/current`` document; the first device that tells EXECUTION. Raise Garbled."""
    if len(body) > _MAX_BYTES or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Garbled("current: is too large or declares entities")
    try:
        root = ET.fromstring(body)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Garbled(f"current: is not XML: {error}") from error
    if _tag(root) != "MTConnectStreams":
        raise Garbled(f"current: is {_tag(root)}, must be MTConnectStreams")
    header = next((item for item in root if _tag(item) == "Header"), None)
    instance = header.get("instanceId", "") if header is not None else ""
    devices = [item for item in root.iter() if _tag(item) == "DeviceStream"]
    for device in devices:
        if any(_tag(item) == "Execution" for item in device.iter()):
            return _facts(device, instance)
    raise Garbled("current: no device tells its EXECUTION")


def _facts(device: ET.Element, instance: str) -> Facts:
    said: dict[str, str] = {}
    parts = ""
    alarm = ""
    for item in device.iter():
        tag, text = _tag(item), (item.text or "").strip()
        if tag == "PartCount" and item.get("subType", "ALL") in ("ALL", "GOOD"):
            parts = text
        elif tag == "Fault":
            alarm = text or item.get("nativeCode", "") or item.get("type", "fault")
        else:
            said.setdefault(tag, text)
    program = said.get("Program", "").replace("\\", "/").rpartition("/")[2]
    return Facts(
        instance=instance,
        available=said.get("Availability") == "AVAILABLE" and said["Execution"] != "UNAVAILABLE",
        execution=said["Execution"],
        program="" if program == "UNAVAILABLE" else program[:100],
        parts=int(parts) if parts.isdecimal() and len(parts) < 12 else None,
        estop=said.get("EmergencyStop") == "TRIGGERED",
        alarm=alarm[:150],
        values=_values(said),
    )


def _values(said: dict[str, str]) -> dict[str, int]:
    """Production facts as telemetry; mm/s and rev/min, as the standard has them."""
    values: dict[str, int] = {}
    for tag, field, factor in (
        ("RotaryVelocity", "spindle_rpm", 1),
        ("SpindleSpeed", "spindle_rpm", 1),
        ("PathFeedrate", "feed_um_s", 1000),
        ("PathFeedrateOverride", "feed_pct", 1),
    ):
        try:
            number = float(said.get(tag, ""))
            values[field] = abs(round(number * factor))
        except (ValueError, OverflowError):
            continue
    return values


def _tag(item: ET.Element) -> str:
    return item.tag.rpartition("}")[2]


def open_adapter(settings: Settings) -> MTConnect:
    """An adapter for settings."""
    http = HttpWire(settings.url.rstrip("/") + "/", Credentials(), settings.timeout_s)
    return MTConnect(http, Folder(settings.folder) if settings.folder is not None else None)


KIND = Kind(
    open=open_adapter,
    about="an MTConnect agent",
    verbs=frozenset(),
    programs=("grbl", "marlin"),
    needs=("url",),
    takes=("folder",),
    example="http://agent.local:5000/mill-1",
    suffix=".nc",
)

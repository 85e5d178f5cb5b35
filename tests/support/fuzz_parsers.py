"""Every parser of bytes from outside, what it may raise, and what its fuzzing starts from."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.adapters.feeds import take_file
from controller.adapters.hosts import fields, moonraker, mtconnect, octoprint, prusalink
from controller.adapters.hosts.contract import Lost
from controller.adapters.mesh_check import unsafe
from controller.adapters.site_file import SiteFileError, read_site
from controller.adapters.slicer import SlicerError, read_settings
from controller.allocation.pabulib import PbError, read_pb
from controller.allocation.reading import RoundError, read_inputs
from controller.definition import DesignError
from controller.definition.adhoc import kind_of
from controller.definition.document import read_toml, read_yaml
from controller.definition.licences import read_licence
from controller.definition.meshes import mesh_facts
from controller.definition.okh import read_manifest
from controller.definition.production import read_profile
from controller.definition.profile import profile_from_json
from controller.definition.programs import check
from controller.needs import Line
from controller.rounds_verify.reading import Malformed, read_stated
from controller.scheduling.errors import ReadError
from controller.scheduling.readers import from_text
from controller.scheduling.shifts import read_shift
from controller.values import Refused
from firmware import config, fetch, net
from firmware.journal import Journal
from firmware.memory import Memory
from protocols import gcode, grbl, isa95, manifest, marlin, messages, mqtt, records, telemetry
from protocols.errors import WireError
from protocols.filament import Accountant
from protocols.forbidden import forbidden
from protocols.mqtt_stream import Reader
from protocols.topics import controller_topic, machine_topic, parse_topic
from support import fuzz_seeds as seeds
from support.cutflash import CutFlash
from support.fuzz import Parser

PLATE = Path(__file__).resolve().parents[2] / "designs" / "clamp-plate"
_SHM = Path("/dev/shm")
_FOLDER = tempfile.TemporaryDirectory(dir=_SHM if _SHM.is_dir() else None)
_PLACE = Path(_FOLDER.name)


def _message(data: bytes) -> Any:
    leaf, _, payload = data.partition(b"\n")
    name = leaf.decode("ascii", "replace")
    value = messages.decode(name if name in messages.MESSAGES else "up/ev", payload)
    if name in messages.MESSAGES:
        assert messages.decode(name, messages.encode(name, value)) == value
    return value


def _topic(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    site, machine, leaf = parse_topic(text)
    assert (machine_topic(site, machine, leaf) if machine else controller_topic(site)) == text
    return leaf


def _packet(data: bytes) -> Any:
    return mqtt.decode(data[0] if data else 0, data[1:])


def _stream(data: bytes) -> Any:
    """Packets of a stream that comes in chunks of the size its first byte says."""
    size = (data[0] if data else 0) % 64 + 1
    reader = Reader(2048)
    found: list[Any] = []
    for begin in range(1, len(data), size):
        found += reader.feed(data[begin : begin + size])
    return found


def _marlin(data: bytes) -> Any:
    reply = marlin.parse_reply(data)
    if reply[0] not in ("unknown", "echo", "error", "fatal"):
        marlin.write_reply(reply)
    return reply[0]


def _frame(data: bytes) -> Any:
    return marlin.parse_frame(data)


def _grbl(data: bytes) -> Any:
    return grbl.parse_reply(data)[0]


def _gcode(data: bytes) -> Any:
    """What is allowed to be sent can be read, and is metered without a fault."""
    code = gcode.strip(data)
    name = gcode.command(code)
    reasons = [forbidden(data, dialect) for dialect in ("marlin", "grbl")]
    found = gcode.words(code)
    assert gcode.words(gcode.write_words(found)) == found
    gcode.Modal().feed(found)
    meter = Accountant()
    if reasons[0] is None and name not in gcode.TEXT_COMMANDS:
        meter.feed(code)
    return [reason and reason[:14] for reason in reasons]


def _file(suffix: str, read: Callable[[Path], Any]) -> Callable[[bytes], Any]:
    path = _PLACE / f"input{suffix}"

    def run(data: bytes) -> Any:
        path.write_bytes(data)
        return read(path)

    return run


def _program(path: Path) -> Any:
    facts = [check(path, kind) for kind in ("marlin", "grbl")]
    kind = kind_of(path)
    return kind, [[problem.message[:24] for problem in one.problems[:2]] for one in facts]


def _mesh(path: Path) -> Any:
    return unsafe(path)[:20], [problem.message for problem in mesh_facts(path).problems]


def _json(read: Callable[[Any], Any]) -> Callable[[bytes], Any]:
    """A reader of what a parsed JSON document holds; bytes that are no JSON are not its matter."""

    def run(data: bytes) -> Any:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return None
        return read(value)

    return run


def _journal(data: bytes) -> Any:
    """A journal of one segment as flash gives it back: read or begun anew, and written on."""
    flash = CutFlash({"j-00000001.log": data})
    journal = Journal(flash, Memory(), lambda: "j-new")
    journal.append({"v": 1, "tq": "none", "ty": "load", "ch": 0, "lot": "lot-1"})
    again = Journal(flash.after_cut(), Memory(), lambda: "j-other")
    assert (again.jid, again.hi) == (journal.jid, journal.hi)
    return f"{journal.damaged} {journal.jid == 'j-new'} {journal.memory.order_state} {journal.hi}"


_head = vars(fetch)["_body_bytes"]


def _answer(data: bytes) -> Any:
    return _head(data, 0, 1 << 20) + 0 * _head(data, 65536, 1 << 20)


def _manifest(data: bytes) -> Any:
    return manifest.read(data.splitlines(keepends=True), b"\x01" * 64)


def _drop(path: Path) -> Any:
    def state(requests: Any) -> list[Line]:
        return [Line(number, None, None) for number, _ in enumerate(requests, 1)]

    taken = take_file(path, state)
    return taken.accepted > 0, taken.refused > 0, taken.why.partition(": ")[2][:24]


def _tele(data: bytes) -> Any:
    good, refused = telemetry.split(records.parse(data, 4096))
    if good:
        telemetry.line("site", "machine-1", "printer", 1, good)
    return sorted(good)[:3], bool(refused)


def _host(data: bytes) -> Any:
    """Answers of the programs of machines, parted by lines: which program, then its documents."""
    name, _, rest = data.partition(b"\n")
    first, _, second = rest.partition(b"\n")
    one, two = fields.parse(first, "first"), fields.parse(second or b"null", "second")
    if name == b"octoprint":
        return octoprint.reading("a.gcode", one, two, two).state
    if name == b"prusalink":
        return prusalink.reading(one, two, "a.gcode").state
    rows = fields.items(two, "jobs")
    return moonraker.reading(one, moonraker.history_jobs(rows), moonraker.open_rows(rows)).state


def _okh_toml(data: bytes) -> Any:
    return read_manifest(read_toml(data, "okh.toml"))


def _okh_yaml(data: bytes) -> Any:
    return read_manifest(read_yaml(data, "okh.yml"))


def _production(data: bytes) -> Any:
    return read_profile(read_yaml(data, "p.yml"), PLATE)


def _text(read: Callable[[str], Any]) -> Callable[[bytes], Any]:
    return lambda data: read(data.decode("utf-8", "replace"))


_WIRE = (WireError,)
_DESIGN = (DesignError,)

PARSERS: dict[str, Parser] = {
    "messages": Parser(_message, _WIRE, seeds.MESSAGES, 60),
    "topics": Parser(_topic, _WIRE, seeds.TOPICS, 30),
    "mqtt": Parser(_packet, _WIRE, seeds.PACKETS, 40),
    "mqtt-stream": Parser(_stream, _WIRE, seeds.STREAMS, 30),
    "marlin": Parser(_marlin, (), seeds.MARLIN, 40),
    "marlin-frame": Parser(_frame, _WIRE, seeds.FRAMES, 30),
    "grbl": Parser(_grbl, (), seeds.GRBL, 40),
    "gcode": Parser(_gcode, _WIRE, seeds.GCODE, 60),
    "job-id": Parser(_text(isa95.parse_job_id), (), seeds.JOB_IDS, 10),
    "telemetry": Parser(_tele, _WIRE, seeds.TELEMETRY, 30),
    "config": Parser(config.read, _WIRE, seeds.CONFIGS, 30),
    "journal": Parser(_journal, (), seeds.journals(), 20),
    "fetch": Parser(_answer, (OSError, net.Refused), seeds.ANSWERS, 30),
    "firmware-manifest": Parser(_manifest, _WIRE, seeds.MANIFESTS, 20),
    "host-answers": Parser(_host, (Lost,), seeds.HOSTS, 30),
    "mtconnect": Parser(mtconnect.read, (Lost,), seeds.MTCONNECT, 20),
    "okh-toml": Parser(_okh_toml, _DESIGN, seeds.TOML, 4),
    "okh-yaml": Parser(_okh_yaml, _DESIGN, seeds.YAML, 1),
    "production": Parser(_production, _DESIGN, seeds.PROFILES, 1),
    "profile-json": Parser(profile_from_json, _DESIGN, seeds.STORED, 20),
    "licence": Parser(_text(read_licence), (), seeds.LICENCES, 10),
    "program": Parser(_file(".gcode", _program), _DESIGN, seeds.PROGRAMS, 6),
    "mesh-3mf": Parser(_file(".3mf", _mesh), _DESIGN, seeds.meshes(), 10),
    "mesh-stl": Parser(_file(".stl", _mesh), _DESIGN, seeds.STL, 10),
    "slicer-settings": Parser(_file(".ini", read_settings), (SlicerError,), seeds.INI, 6),
    "site-file": Parser(_file(".yml", read_site), (SiteFileError,), seeds.SITES, 1),
    "need-json": Parser(_file(".json", _drop), (Refused,), seeds.NEED_JSON, 4),
    "need-csv": Parser(_file(".csv", _drop), (Refused,), seeds.NEED_CSV, 4),
    "pabulib": Parser(_text(read_pb), (PbError,), seeds.PB, 10),
    "round": Parser(_json(read_inputs), (RoundError,), seeds.ROUNDS, 6),
    "published-round": Parser(_json(read_stated), (Malformed,), seeds.ROUNDS, 6),
    "shift": Parser(_text(read_shift), (ReadError,), seeds.SHIFTS, 10),
    "schedule": Parser(
        _text(lambda t: from_text(t, "x").jobs and None), (ReadError,), seeds.SCHEDULES, 4
    ),
}

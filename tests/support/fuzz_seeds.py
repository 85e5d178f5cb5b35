"""Good inputs that fuzzing of each parser starts from."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from firmware.journal import Journal
from firmware.memory import Memory
from support.cutflash import CutFlash

ROOT = Path(__file__).resolve().parents[2]
_VECTORS = ROOT / "tests" / "vectors"
_CLAMP = ROOT / "designs" / "toggle-clamp"


def _vectors(name: str) -> list[dict[str, Any]]:
    return json.loads((_VECTORS / f"{name}.json").read_text())


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()


MESSAGES = tuple(
    row["leaf"].encode() + b"\n" + row["bytes"].encode() for row in _vectors("messages")
)
TOPICS = (b"fab/1/site/printer-1/up/ev", b"fab/1/site/_ctl/state", b"fab/1/s/m/dn/want")
_PACKETS = [bytes.fromhex(row["hex"]) for row in _vectors("mqtt")]
PACKETS = tuple(data[:1] + data[2:] for data in _PACKETS)  # one byte of length each
STREAMS = tuple(bytes([n]) + data for n, data in enumerate(_PACKETS))
MARLIN = tuple(row["line"].encode() for row in _vectors("marlin_replies"))
GRBL = tuple(row["line"].encode() for row in _vectors("grbl_replies"))
FRAMES = (b"N12 G1 X1.5 E0.2*99", b"N0 M110 N0*125", b"G28 ; home", b"N-1 M110*15", b"M117 a*b")
GCODE = (
    *(row["raw"].encode() for row in _vectors("gcode_lines")),
    b"N10 G01X1.5Y-.2(comment)F300*71", b"M104 S215 T0", b"/M2", b"$H", b"G10 L2 P1 X0",
    b"M117 made (here) ; no", b"G92 E0", b"g1x1e-3", b"M82", b"G20", b"T1",
)  # fmt: skip
JOB_IDS = (b"order-1.7", b"o.1", b"a-b-c.2147483647")
TELEMETRY = (
    b'{"nozzle_mc":215000,"bed_mc":60000,"done_ppm":5,"other":3}',
    b'{"spindle_rpm":12000,"x_um":-3,"feed_um_s":1}',
)
CONFIGS = (
    _dump(
        {
            "site": "s", "machine": "printer-1",
            "broker": {"host": "h", "port": 8883, "ca": "MIIB"},
            "serial": {"port": "/dev/ttyUSB0", "baud": 115200}, "dialect": "marlin", "flash": "f",
            "auto_ready": True, "heartbeat_s": 15,
            "sensors": [{"name": "door", "kind": "switch", "pin": 4}],
            "update": {"root": "", "key": "ab" * 64, "healthy_s": 60},
        }
    ),
    b'{"site":"s","machine":"m","broker":{"host":"h"},"serial":{"port":"tcp:h:1"},'
    b'"dialect":"grbl","flash":"/f","wifi":{"ssid":"x","password":"y"}}',
)  # fmt: skip
ANSWERS = (
    b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-65535/99999\r\nContent-Length: 65536",
    b"HTTP/1.1 206 OK\r\ncontent-range: bytes 65536-70000/99999\r\ncontent-length: 4465\r\nX: y",
    b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nServer: uvicorn",
    b"HTTP/1.0 404 Not Found\r\n",
    b"HTTP/1.1 503 Busy\r\nRetry-After: 3",
)
_ROW = b'{"path":"firmware/agent.py","size":12,"sha":"%s"}\n' % (b"ab" * 32)
MANIFESTS = (
    b'{"v":1,"version":"1.2.3","files":1}\n' + _ROW + b'{"sig":"%s"}\n' % (b"cd" * 64),
    b'{"v":1,"version":"0.9.0","files":2}\n' + _ROW + _ROW.replace(b"agent", b"zone"),
)
_OCTO = {
    "job": {"file": {"path": "a.gcode", "size": 3}, "filament": {"tool0": {"length": 12.5}}},
    "progress": {"completion": 41.5, "printTime": 60, "printTimeLeft": 90},
    "state": "Printing",
}
_OCTO_2 = {
    "state": {"flags": {"printing": True, "paused": False, "operational": True}},
    "temperature": {"tool0": {"actual": 210.1, "target": 215}, "bed": {"actual": 60, "target": 60}},
    "prints": {"success": 1, "failure": 0, "last": {"date": 3, "success": True, "printTime": 9}},
    "gcodeAnalysis": {"filament": {"tool0": {"length": 810.1}}},
}
_KLIPPER = {
    "print_stats": {"state": "printing", "filename": "a.gcode", "print_duration": 9.5,
                    "filament_used": 812.3, "message": ""},
    "virtual_sdcard": {"progress": 0.41},
    "extruder": {"temperature": 210.0, "target": 215.0},
    "heater_bed": {"temperature": 60.0, "target": 60.0},
}  # fmt: skip
_HISTORY = {
    "jobs": [
        {"filename": "b.gcode", "status": "completed", "print_duration": 9, "filament_used": 1.5,
         "job_id": "000012"},
        {"filename": "a.gcode", "status": "in_progress", "print_duration": 1},
    ]
}  # fmt: skip
_PRUSA = {
    "printer": {"state": "PRINTING", "temp_nozzle": 215.0, "target_nozzle": 215.0, "temp_bed": 60,
                "target_bed": 60, "axis_z": 0.2},
    "job": {"id": 420, "progress": 41.0, "time_printing": 9},
}  # fmt: skip
_PRUSA_2 = {
    "id": 420, "state": "PRINTING", "progress": 41.0, "time_printing": 9,
    "file": {"name": "A~1.GCO", "display_name": "a.gcode"},
}  # fmt: skip
HOSTS = (
    b"octoprint\n" + _dump(_OCTO) + b"\n" + _dump(_OCTO_2),
    b"octoprint\n" + _dump({"state": "Offline", "error": "gone"}) + b"\nnull",
    b"moonraker\n" + _dump(_KLIPPER) + b"\n" + _dump(_HISTORY),
    b"prusalink\n" + _dump(_PRUSA) + b"\n" + _dump(_PRUSA_2),
    b"prusalink\n" + _dump({"printer": {"state": "ATTENTION"}}) + b"\nnull",
)
MTCONNECT = (
    b'<?xml version="1.0"?><MTConnectStreams xmlns="urn:mtconnect.org:MTConnectStreams:1.3">'
    b'<Header instanceId="7" nextSequence="9"/><Streams><DeviceStream name="mill">'
    b'<ComponentStream component="Path"><Events><Availability dataItemId="x">AVAILABLE'
    b'</Availability><Execution dataItemId="x">ACTIVE</Execution><Program dataItemId="x">a.nc'
    b'</Program><PartCount dataItemId="x">4</PartCount><RotaryVelocity dataItemId="x">12000'
    b'</RotaryVelocity></Events><Condition><Fault type="SYSTEM">door</Fault></Condition>'
    b"</ComponentStream></DeviceStream></Streams></MTConnectStreams>",
)
TOML = ((_CLAMP / "okh.toml").read_bytes(), (ROOT / "designs/spool-tag/okh.toml").read_bytes())
YAML = (
    b"title: A jig\nlicense:\n  hardware: CERN-OHL-S-2.0\n  documentation: CC-BY-SA-4.0\n"
    b"licensor:\n  name: North Workshop\n  email: n@example.org\nintended-use: holding\n"
    b"version: 1.2\ndate-updated: 2026-01-02\nparts:\n  - name: jaw\n    mass: 12 g\n",
    b"okhv: OKH-LOSHv1.0\nname: A jig\nrepo: https://example.org/r\nversion: 1\n"
    b"license: CERN-OHL-S-2.0\nlicensor: A <a@example.org>\nfunction: holds\n",
)
PROFILES = (
    (ROOT / "designs/clamp-plate/production.yml").read_bytes(),
    b"profile: 1\npart: a\ntitle: A\nwork_master:\n- {step: a, process: station, duration_s: 9}\n",
)
STORED = (
    _dump(
        {
            "part": "a", "title": "A", "quantity_min": 1, "quantity_max": 5, "rework": [],
            "steps": [
                {"step": "p", "process": "fdm", "after": [], "requires": {"nozzle_um": 400},
                 "materials": [{"material": "petg", "mass_mg": 4}], "duration_s": 3,
                 "program": {"kind": "marlin", "duration_s": 3, "file": "a.gcode"}}
            ],
        }
    ),
)  # fmt: skip
LICENCES = (b"CERN-OHL-S-2.0", b"CC BY-NC 4.0", b"GPL-3.0-or-later WITH x", b"MIT OR Apache-2.0")
_GCODE = (ROOT / "designs/clamp-plate/programs/clamp-plate.gcode").read_bytes()
_SLICED = (ROOT / "designs/cable-clip/programs/cable-clip.gcode").read_bytes()
PROGRAMS = (_GCODE[:1500], _SLICED[:1500], _SLICED[-1500:], b"G2 X1 Y1 I0.5 J0\nG3 R-2 X4\nG4 P1\n")
STL = ((_CLAMP / "meshes" / "clamp-plate.stl").read_bytes()[:400], b"solid x\nfacet normal 0 0 1\n")
INI = ((ROOT / "designs/profiles/petg-0.3mm.ini").read_bytes(),)
SITES = (
    b"site: workshop\nbroker: auto\nhttp: 127.0.0.1:8000\nclock_rate: 1\n"
    b"machines:\n- {id: printer-1, kind: printer, capability: {nozzle_um: 400}}\n"
    b"- {id: cell-1, kind: cell, link: opcua, url: 'opc.tcp://c:4840'}\n"
    b"lots:\n- {id: petg-1, material: petg, kind: spool, ug_per_m: 2982000, mass_mg: 1000000,"
    b" machine: printer-1, ch: 0}\ncommunities:\n- {id: north, name: North, members: 12}\n",
    b"site: x\nplanning: {shifts: ['mon-fri 08:00-17:00'], timezone: Europe/Berlin}\n"
    b"influx: {url: 'http://x:1', api: v1, database: d}\ntelemetry: {raw_days: 3}\n"
    b"access: {proxies: [127.0.0.1], tls: proxy}\nnotify: {places: []}\n"
    b"slicing: {profiles: {petg: a.ini}}\nplaces: [{id: rack, capacity: 4}]\n",
)
_NEED = {"community": "north", "design": "clip", "part": "clip", "quantity": 2, "due_at": 5}
NEED_JSON = (_dump([_NEED, {**_NEED, "key": "k", "note": "n"}]), _dump(_NEED))
NEED_CSV = (b'community,design,part,quantity,note\nnorth,clip,clip,2,"a, b"\nmars,x,x,1,\n',)
PB = (
    b"META\nkey;value\ndescription;PB\ncountry;Poland\nunit;Town\ninstance;2020\nnum_projects;2\n"
    b"num_votes;2\nbudget;2500\nrule;greedy\nvote_type;approval\ndate_begin;16.09.2023\n"
    b'date_end;04.10.2023\nPROJECTS\nproject_id;cost;name\n1;600;School\n2;800.0;"a;b"\nVOTES\n'
    b"voter_id;age;vote\n1;34;1,2\n2;51;2\n",
    b"META\nkey;value\nnum_projects;1\nnum_votes;1\nbudget;9\nvote_type;cumulative\n"
    b"PROJECTS\nproject_id;cost\n1;6\nVOTES\nvoter_id;vote;points\n1;1;3\n",
)
ROUNDS = ((ROOT / "docs/examples/round-inputs.json").read_bytes(),)
SHIFTS = (b"mon-fri 08:00-17:00", b"sun 00:00-24:00", b"sat-mon 22:00-06:00")
SCHEDULES = (
    b"2 2\n2 1 1 5 2 1 3 2 4\n1 2 1 4 2 6\n",
    b"3 2 2\n0 1\n1 2\n1 1 5\n2 1 3 2 4\n1 2 6\n",
    b"1 1\n1 1 1 5\n0\n",
)


def journals() -> tuple[bytes, ...]:
    """Segments as the firmware writes them."""
    flash: Any = CutFlash()
    journal = Journal(flash, Memory(), lambda: "j-1")
    head: dict[str, Any] = {"tq": "none"}
    order = {"order": "o-1", "ep": 3}
    journal.append({**head, "ty": "load", "ch": 0, "lot": "lot-1"})
    journal.append({**head, "ty": "op", "who": "a person", "act": "clear"})
    journal.append({**head, "ty": "claim", **order}, {"term": 2})
    journal.note({"lines": 12})
    journal.append({**head, "ty": "started", **order, "sha": "ab" * 32})
    counter = {"ch": 0, "lot": "lot-1", "cum_mg": 5, "unc_mg": 1}
    journal.append({**head, "ty": "material", **counter, "src": "lines"})
    end = {"lines": 9, "why": "power"}
    whole: dict[str, bytes] = dict(flash.files)
    journal.append({**head, "ty": "interrupted", **order, **end})
    return (*whole.values(), *flash.files.values())


def meshes() -> tuple[bytes, ...]:
    """3MF files: a sound one, one that leaves its folder, one that unpacks without end."""
    found: list[bytes] = []
    for name, content in (
        ("3D/3dmodel.model", b"<model/>"),
        ("../../etc/passwd", b"x"),
        ("3D/3dmodel.model", b"\x00" * 100_000),
    ):
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        found.append(whole.getvalue())
    return tuple(found)

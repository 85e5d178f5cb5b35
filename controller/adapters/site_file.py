"""A site's settings: one YAML file with machines, lots, communities and designs.

Errors name the field by its place (``machines[2].kind``) and the fix.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import msgspec
import yaml

from controller.adapters.broker_login import BrokerLogin
from controller.adapters.broker_login import problems as login_problems
from controller.adapters.hosts.settings import problems as host_problems
from controller.adapters.site_sharing import (
    CommonsEntry,
    SlicingEntry,
    commons_problems,
    slicing_problems,
)
from controller.commons.settings import RoundSettings
from controller.commons.settings import problems as round_problems
from controller.gcode_rules import problems as rule_problems
from controller.links import LINKS
from controller.notify_settings import NotifyEntry
from controller.notify_settings import problems as notify_problems
from controller.people.settings import AccessEntry
from controller.people.settings import problems as access_problems
from controller.replica_settings import ReplicaEntry
from controller.replica_settings import problems as replica_problems
from controller.scheduling.errors import ReadError
from controller.scheduling.shifts import read_shift
from controller.values import LOT_KINDS, MACHINE_KINDS
from protocols.records import is_id

INFLUX_APIS = ("v1", "v2")
POLICIES = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")  # of OPC UA
MODES = ("SignAndEncrypt", "Sign")


class SiteFileError(Exception):
    """A settings file that cannot be used; the message lists every problem found."""


class CommunityEntry(msgspec.Struct, forbid_unknown_fields=True):
    """Who states needs; need_weight is its share, by default its members."""

    id: str
    name: str
    members: int = 1
    need_weight: int | None = None


class SecurityEntry(msgspec.Struct, forbid_unknown_fields=True):
    """How the connection to an OPC UA server is protected; the password is in the environment.

    server_certificate: the one file to accept; else any certificate in the folder ``trust``.
    """

    policy: str = "Basic256Sha256"
    mode: str = "SignAndEncrypt"
    certificate: str = "pki/certificate.der"
    key: str = "pki/key.pem"
    server_certificate: str | None = None
    trust: str = "pki/trusted"
    user: str = ""
    password_env: str = ""


class MachineEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A machine: what it can do, how it is reached.

    url: of an OPC UA server, of Moonraker, OctoPrint, PrusaLink or an MTConnect agent. key_env and
    password_env name environment variables. folder: where programs are laid for a person.
    console: people (accounts) qualified to send it single lines of G-code.
    gcode: commands it takes beyond the common table (allow), never (deny), or alone (only).
    """

    id: str
    kind: str
    link: str = "mqtt"
    name: str = ""
    url: str | None = None
    capability: dict[str, Any] = {}
    security: SecurityEntry | None = None
    console: list[str] = []
    gcode: dict[str, Any] = {}
    key_env: str = ""
    user: str = ""
    password_env: str = ""
    folder: str = ""


class LotEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A spool (mass_mg, ug_per_m) or a stack of plates (pieces, piece_mg), and where it is."""

    id: str
    material: str
    kind: str
    mass_mg: int = 0
    pieces: int = 0
    ug_per_m: int | None = None
    piece_mg: int | None = None
    colour: str = ""
    machine: str | None = None
    ch: int = 0


class PlaceEntry(msgspec.Struct, forbid_unknown_fields=True):
    """Where parts wait between operations: slots, and the processes whose parts it takes."""

    id: str
    capacity: int
    takes: list[str]
    name: str = ""


class InfluxEntry(msgspec.Struct, forbid_unknown_fields=True):
    """An InfluxDB that gets a copy of telemetry; secrets are names of environment variables.

    api v1: database, user, password_env. api v2: bucket, org, token_env. ``five_minutes`` and
    ``hours``: databases or buckets of rollups, empty for none.
    """

    url: str
    api: str = "v2"
    database: str = ""
    bucket: str = ""
    org: str = ""
    user: str = ""
    password_env: str = ""
    token_env: str = ""
    five_minutes: str = "fab_5m"
    hours: str = "fab_1h"
    max_mb: int = 256

    def raw_name(self) -> str:
        """The database or bucket of raw points."""
        return self.database if self.api == "v1" else self.bucket


class TelemetryEntry(msgspec.Struct, forbid_unknown_fields=True):
    """For how many days raw readings and five-minute rollups are kept in the site's own store."""

    raw_days: int = 30
    five_minute_days: int = 366


class PlanningEntry(msgspec.Struct, forbid_unknown_fields=True):
    """How plans are made.

    ``shifts``: when people are there, e.g. 'mon-fri 08:00-17:00' (none = always); change-overs and
    work by hand are planned in them. ``change_over_min``: minutes to load another material; without
    it no plan asks for one. No need waits longer than ``wait_bound_h`` behind one community's.
    ``margin_percent``, ``remnant_g``: a spool holds so much more than needed, and a rest below that
    is of no use. ``search`` false: the dispatch rule alone. ``energy``: a CSV of what a kWh costs
    from when on (money or carbon), read again whenever it changes.
    """

    shifts: list[str] = []
    timezone: str = "UTC"
    change_over_min: int | None = None
    wait_bound_h: int = 24
    margin_percent: int = 5
    remnant_g: int = 20
    search: bool = True
    energy: str = ""


class SiteFile(msgspec.Struct, forbid_unknown_fields=True):
    """Everything a controller starts from; paths are relative to the file.

    ``store`` is a file or ``postgresql://user@host/name`` (the password in PGPASSWORD).
    """

    site: str
    store: str = "site.db"
    broker: str = "auto"
    broker_listen: str = ""
    broker_login: BrokerLogin | None = None
    http: str = "127.0.0.1:8010"
    clock_rate: int = 1
    communities: list[CommunityEntry] = []
    machines: list[MachineEntry] = []
    lots: list[LotEntry] = []
    places: list[PlaceEntry] = []
    designs: list[str] = []
    need_drop: str | None = None
    telemetry: TelemetryEntry = msgspec.field(default_factory=TelemetryEntry)
    influx: InfluxEntry | None = None
    rounds: RoundSettings | None = None
    notify: list[NotifyEntry] = []
    access: AccessEntry = msgspec.field(default_factory=AccessEntry)
    planning: PlanningEntry = msgspec.field(default_factory=PlanningEntry)
    commons: CommonsEntry = msgspec.field(default_factory=CommonsEntry)
    slicing: SlicingEntry = msgspec.field(default_factory=SlicingEntry)
    replica: ReplicaEntry | None = None

    def store_place(self, folder: Path) -> Path | str:
        """Where the store is: a file in ``folder``, or the address of a PostgreSQL database."""
        return self.store if "://" in self.store else folder / self.store


def read_site(path: Path) -> SiteFile:
    """Settings of a YAML file; raise SiteFileError."""
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise SiteFileError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise SiteFileError(f"{path}: is not YAML: {error}") from error
    try:
        found = msgspec.convert(document, SiteFile)
    except msgspec.ValidationError as error:
        raise SiteFileError(f"{path}: {str(error).replace('`$.', '`')}") from error
    problems = _problems(found)
    if problems:
        raise SiteFileError("\n".join(f"{path}: {problem}" for problem in problems))
    return found


def _broker_problems(found: SiteFile) -> list[str]:
    if not found.broker_listen:
        return []
    wrong: list[str] = []
    if not found.broker_listen.rpartition(":")[2].isdigit():
        wrong.append("broker_listen: must be HOST:PORT for TLS, e.g. 0.0.0.0:8883")
    if found.broker not in ("auto", "mosquitto"):
        wrong.append("broker_listen: needs broker: mosquitto, which it starts itself")
    return wrong


def _problems(found: SiteFile) -> list[str]:
    wrong: list[str] = []
    if not is_id(found.site):
        wrong.append("site: must be an id: a-z, 0-9 and '-', at most 32 characters")
    wrong += _broker_problems(found) + login_problems(found.broker_login, found.broker)
    if not 1 <= found.clock_rate <= 10_000:
        wrong.append("clock_rate: must be between 1 and 10000")
    machines = {machine.id for machine in found.machines}
    for place, machine in enumerate(found.machines):
        wrong += [f"machines[{place}].{text}" for text in _machine_problems(machine)]
    for place, lot in enumerate(found.lots):
        wrong += [f"lots[{place}].{text}" for text in _lot_problems(lot, machines)]
    if found.influx is not None:
        wrong += [f"influx.{text}" for text in _influx_problems(found.influx)]
    wrong += [f"telemetry.{text}" for text in _telemetry_problems(found.telemetry)]
    if found.rounds is not None:
        wrong += [f"rounds.{text}" for text in round_problems(found.rounds)]
    wrong += notify_problems(found.notify)
    wrong += access_problems(found.access)
    wrong += [f"planning.{text}" for text in _planning_problems(found.planning)]
    wrong += replica_problems(found.replica, found.store, found.broker)
    wrong += [f"commons.{text}" for text in commons_problems(found.commons, found.site)]
    wrong += [f"slicing.{text}" for text in slicing_problems(found.slicing)]
    for field in ("communities", "machines", "lots"):
        ids = [entry.id for entry in getattr(found, field)]
        wrong += [
            f"{field}: {id_} is there twice" for id_ in sorted({i for i in ids if ids.count(i) > 1})
        ]
    return wrong


def _machine_problems(machine: MachineEntry) -> list[str]:
    wrong: list[str] = []
    if not is_id(machine.id):
        wrong.append(f"id: {machine.id!r} must be an id: a-z, 0-9 and '-'")
    if machine.kind not in MACHINE_KINDS:
        wrong.append(f"kind: must be one of {', '.join(MACHINE_KINDS)}")
    if machine.link not in LINKS:
        wrong.append(f"link: must be one of {', '.join(LINKS)}")
    if machine.link == "opcua" and not machine.url:
        wrong.append("url: is needed with link opcua, e.g. opc.tcp://cell-1.local:4840")
    wrong += host_problems(machine.link, machine)
    if machine.gcode:
        wrong += rule_problems(machine.gcode, machine.kind)
    if machine.security is not None:
        wrong += [f"security.{text}" for text in _security_problems(machine)]
    return wrong


def _security_problems(machine: MachineEntry) -> list[str]:
    wrong: list[str] = []
    entry = machine.security
    assert entry is not None
    if machine.link != "opcua":
        wrong.append("link: security is for link opcua only")
    if entry.policy not in POLICIES:
        wrong.append(f"policy: must be one of {', '.join(POLICIES)}")
    if entry.mode not in MODES:
        wrong.append(f"mode: must be one of {', '.join(MODES)}")
    if entry.user and not entry.password_env:
        wrong.append("password_env: name the environment variable that holds the password")
    return wrong


def _lot_problems(lot: LotEntry, machines: set[str]) -> list[str]:
    wrong: list[str] = []
    if not is_id(lot.id):
        wrong.append(f"id: {lot.id!r} must be an id: a-z, 0-9 and '-'")
    if lot.kind not in LOT_KINDS:
        wrong.append(f"kind: must be one of {', '.join(LOT_KINDS)}")
    if lot.mass_mg < 0 or lot.pieces < 0:
        wrong.append("mass_mg, pieces: must not be negative")
    if lot.kind == "spool" and not lot.ug_per_m:
        wrong.append("ug_per_m: a spool needs the mass of one metre of its filament in micrograms")
    if lot.machine is not None and lot.machine not in machines:
        wrong.append(f"machine: there is no machine {lot.machine} in this file")
    return wrong


def _planning_problems(planning: PlanningEntry) -> list[str]:
    wrong: list[str] = []
    for place, shift in enumerate(planning.shifts):
        try:
            read_shift(shift)
        except ReadError as error:
            wrong.append(f"shifts[{place}]: {error}")
    if planning.timezone not in available_timezones():
        wrong.append(f"timezone: {planning.timezone!r} is not known; write e.g. Europe/Berlin")
    for field, least, most in (
        ("change_over_min", 0, 1440),
        ("wait_bound_h", 1, 10_000),
        ("margin_percent", 0, 100),
        ("remnant_g", 0, 10_000),
    ):
        value = getattr(planning, field)
        if value is not None and not least <= value <= most:
            wrong.append(f"{field}: must be between {least} and {most}")
    return wrong


def _telemetry_problems(keep: TelemetryEntry) -> list[str]:
    days = {"raw_days": keep.raw_days, "five_minute_days": keep.five_minute_days}
    return [
        f"{field}: must be between 1 and 36500" for field, n in days.items() if not 1 <= n <= 36_500
    ]


def _influx_problems(influx: InfluxEntry) -> list[str]:
    wrong: list[str] = []
    if not influx.url.startswith(("http://", "https://")):
        wrong.append("url: must begin with http:// or https://, e.g. http://127.0.0.1:8086")
    if influx.api not in INFLUX_APIS:
        wrong.append(f"api: must be one of {', '.join(INFLUX_APIS)}")
    if influx.api == "v1" and not influx.database:
        wrong.append("database: is needed with api v1")
    if influx.api == "v2" and not (influx.bucket and influx.org):
        wrong.append("bucket, org: are needed with api v2")
    if influx.user and not influx.password_env:
        wrong.append("password_env: name the environment variable that holds the password")
    names = [n for n in (influx.raw_name(), influx.five_minutes, influx.hours) if n]
    if len(set(names)) < len(names):
        wrong.append("five_minutes, hours: must differ from each other and from that of raw points")
    if not 16 <= influx.max_mb <= 100_000:
        wrong.append("max_mb: must be between 16 and 100000")
    return wrong

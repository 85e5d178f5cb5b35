"""``fabcommons doctor --site site.yml``: what is wrong with one site's files, broker and machines.

Reads only: no table is made or upgraded. One message is published, in another machine's name, which
the broker must throw away.
"""

from __future__ import annotations

import datetime
import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from sqlalchemy.exc import SQLAlchemyError

from controller.adapters.authority import server_name
from controller.adapters.releases import Releases
from controller.adapters.site_file import SiteFile, SiteFileError, read_site
from controller.adapters.store import Tx
from controller.adapters.store.dialects import StoreUnreachable, open_engine, store_url
from controller.app import LAST_AT
from controller.commons.joined import joined
from dashboards.server import is_loopback
from fabcommons import doctor_tries, settings_files
from fabcommons.client import CliError
from fabcommons.finding import BAD, GOOD, HINT, Finding
from protocols import mqtt
from protocols.errors import WireError
from protocols.manifest import version_of

NETWORKS = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "glusterfs", "afs")
MOUNTS = Path("/proc/self/mounts")
CERTIFICATE_DAYS, BACKUP_DAYS, SPOOL_MINUTES = 30, 7, 10
AHEAD_MS = 60_000  # a clock that far behind the last commit went back
DAY_MS = 86_400_000
ASK_S = 5.0


def findings(path: Path, now_ms: int, mounts: Path = MOUNTS) -> Iterator[Finding]:
    """Everything looked at of the site whose settings are at ``path``; times in real ms UTC."""
    try:
        settings = read_site(path)
    except SiteFileError as error:
        yield Finding("settings", BAD, str(error), f"correct {path}")
        return
    folder = path.resolve().parent
    yield Finding("settings", GOOD, f"{path}: {len(settings.machines)} machines")
    yield from certificates(settings, folder, now_ms)
    yield bind(settings)
    yield from site_broker(settings, folder)
    yield from doctor_tries.topics(settings, folder)
    yield doctor_tries.clock()
    yield file_system(settings, folder, mounts)
    yield backup(folder, now_ms)
    yield spool(folder, now_ms)
    yield serial_ports(folder)
    yield from database(settings, folder, now_ms)


def certificates(settings: SiteFile, folder: Path, now_ms: int) -> Iterator[Finding]:
    """When the certificates of page, broker and cells end."""
    places = sorted((folder / "access").glob("*.pem")) + sorted((folder / "pki").glob("*.der"))
    if settings.access.certificate:
        places.append(folder / settings.access.certificate)
    for place in places:
        try:
            data = place.read_bytes()
            pem = data.lstrip().startswith(b"-----")
            read = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
            ends = read(data).not_valid_after_utc
        except (OSError, ValueError) as error:
            yield Finding("certificate", BAD, f"{place}: {error}", "name a certificate, PEM or DER")
            continue
        now = datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC)
        days = (ends - now).days
        text = f"{place.name} ends {ends:%Y-%m-%d}, in {days} days"
        fix = "restart the controller: it renews its own; a cell's: fabcommons cell certificates"
        state = BAD if days < 0 else HINT if days < CERTIFICATE_DAYS else GOOD
        yield Finding("certificate", state, text, "" if state == GOOD else fix)


def bind(settings: SiteFile) -> Finding:
    """Who reaches the page, and whether the way there is protected."""
    host = settings.http.rpartition(":")[0]
    access = settings.access
    if access.proxies and access.tls != "proxy":
        text = "access.proxies are named, yet access.tls is not proxy"
        return Finding("access", HINT, text, "set access.tls: proxy, if the proxy does TLS")
    if access.names and not access.proxies and is_loopback(host):
        text = f"the page has names, yet {settings.http} is reached from this computer alone"
        fix = "if a proxy passes people on, name its address in access.proxies; else drop the names"
        return Finding("access", HINT, text, fix)
    if access.tls == "off" and host not in ("127.0.0.1", "localhost", "::1", ""):
        text = f"{settings.http} is reached from other computers without TLS"
        return Finding("access", BAD, text, "set access.tls: auto in the settings")
    return Finding("access", GOOD, f"page at {settings.http}, TLS {access.tls}")


def site_broker(settings: SiteFile, folder: Path) -> Iterator[Finding]:
    """Whether the broker answers, and lets in whoever has no password."""
    tls: ssl.SSLContext | None = None
    if settings.broker_listen:
        host, _, port = settings.broker_listen.rpartition(":")
        ca = folder / "access" / "ca.pem"
        if not ca.exists():
            fix = "fabcommons controller site.yml makes them"
            yield Finding("broker", HINT, "its certificates are not made yet", fix)
            return
        tls = ssl.create_default_context(cafile=str(ca))
        host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host
    elif ":" in settings.broker:
        host, _, port = settings.broker.rpartition(":")
    else:
        yield Finding("broker", GOOD, f"{settings.broker}: the controller starts its own")
        return
    try:
        code = knock(host, int(port), tls, server_name(settings.site))
    except (OSError, WireError) as error:
        text = f"does not answer as a broker at {host}:{port}: {error}"
        yield Finding("broker", BAD, text, "start it, open its port, or correct the address")
        return
    yield Finding("broker", GOOD, f"answers at {host}:{port}" + (", TLS" if tls else ""))
    if code == 0:
        text = "lets in whoever has no password: anybody can speak as any machine"
        fix = "set broker: mosquitto and broker_listen: 0.0.0.0:8883, then enrol the machines"
        yield Finding("topics", BAD if tls else HINT, text, fix)
    else:
        yield Finding("topics", GOOD, "nobody without a password is let in")


def knock(host: str, port: int, tls: ssl.SSLContext | None, name: str) -> int:
    """Connect to a broker without a password: its answer's code; raise OSError, WireError."""
    with socket.create_connection((host, port), timeout=ASK_S) as plain:
        line = tls.wrap_socket(plain, server_hostname=name) if tls else plain
        line.sendall(mqtt.connect("fab-doctor", 30))
        data = b""
        while len(data) < 4:
            part = line.recv(4 - len(data))
            if not part:
                return 5  # put out without a word
            data += part
        return int(mqtt.decode(data[0], data[2:])[2])


def file_system(settings: SiteFile, folder: Path, mounts: Path = MOUNTS) -> Finding:
    """Whether the store lies where SQLite's locks and syncs hold."""
    place = settings.store_place(folder)
    if not isinstance(place, Path):
        return Finding("file system", GOOD, "PostgreSQL keeps the store")
    try:
        rows = [row.split() for row in mounts.read_text().splitlines()]
    except OSError:
        return Finding("file system", HINT, "unknown on this system")
    target = place.resolve()
    at = [(len(row[1]), row[2]) for row in rows if target.is_relative_to(row[1])]
    kind = max(at, default=(0, "unknown"))[1]
    if kind in NETWORKS:
        text = f"{place} is on {kind}: a network file system breaks SQLite's locks"
        return Finding("file system", BAD, text, "move the store to a local disk, or to PostgreSQL")
    return Finding("file system", GOOD, f"{place.name} is on {kind}")


def backup(folder: Path, now_ms: int) -> Finding:
    """How old the newest backup beside the settings is."""
    found = [*folder.glob("*.tar"), *folder.glob("backups/*.tar")]
    fix = "fabcommons store backup site.yml backups/TODAY.tar, every night"
    if not found:
        return Finding("backup", HINT, f"none in {folder} or its backups/", fix)
    newest = max(found, key=lambda path: path.stat().st_mtime)
    days = int((now_ms / 1000 - newest.stat().st_mtime) // 86_400)
    state = GOOD if days < BACKUP_DAYS else HINT
    return Finding("backup", state, f"{newest.name}, {days} days old", fix if state == HINT else "")


def spool(folder: Path, now_ms: int) -> Finding:
    """How long telemetry has been waiting to be copied to InfluxDB."""
    waiting = sorted((folder / "influx").glob("**/*.lp"), key=lambda path: path.stat().st_mtime)
    if not waiting:
        return Finding("spool", GOOD, "no telemetry waits")
    minutes = int((now_ms / 1000 - waiting[0].stat().st_mtime) // 60)
    size = sum(path.stat().st_size for path in waiting)
    text = f"{len(waiting)} files, {size} B of telemetry wait, the oldest for {minutes} min"
    state = GOOD if minutes < SPOOL_MINUTES else HINT
    return Finding("spool", state, text, "" if state == GOOD else "start InfluxDB, or look at it")


def serial_ports(folder: Path) -> Finding:
    """Whether the ports of machines enrolled on this computer are there and may be opened."""
    wrong: list[str] = []
    count = 0
    for path in sorted((folder / "machines").glob("*.json")):
        try:
            port = str(settings_files.read(path)["serial"]["port"])
        except CliError as error:
            wrong.append(str(error))
            continue
        if not port.startswith("/"):
            continue
        count += 1
        if not Path(port).exists():
            wrong.append(f"{path.stem}: there is no {port}: plug it in")
        elif not os.access(port, os.R_OK | os.W_OK):
            wrong.append(f"{path.stem}: {port} may not be opened: usermod -aG dialout USER")
    if wrong:
        return Finding("serial", BAD, "; ".join(wrong), "fabcommons machine detect")
    return Finding("serial", GOOD, f"{count} ports of machines enrolled here")


def database(settings: SiteFile, folder: Path, now_ms: int) -> Iterator[Finding]:
    """Whether the store opens, and what it tells of clock, machines and messages."""
    place = settings.store_place(folder)
    if isinstance(place, Path) and not place.exists():
        yield Finding("store", HINT, f"{place} is not made yet", "fabcommons controller site.yml")
        return
    try:
        engine = open_engine(store_url(place), writes=False)
        try:
            with engine.connect() as conn, conn.begin():
                tx = Tx(conn, now_ms)
                yield Finding("store", GOOD, f"opens, {tx.inbox.count()} reports of machines")
                if settings.clock_rate == 1:
                    yield last_commit(tx)
                yield from machines(tx, folder)
                yield dead_letters(tx)
                yield doctor_tries.outbox(tx)
                yield commons(tx)
        finally:
            engine.dispose()
    except (SQLAlchemyError, StoreUnreachable) as error:
        words = str(error).splitlines()[0]
        fix = "start PostgreSQL, or correct store: in the settings; fabcommons store check"
        yield Finding("store", BAD, f"does not open: {words}", fix)


def last_commit(tx: Tx) -> Finding:
    """Whether this computer's clock is behind what it said before."""
    ahead_ms = tx.site.number(LAST_AT) - tx.now_ms
    if ahead_ms <= AHEAD_MS:
        return Finding("clock", GOOD, "is not behind the last commit")
    text = f"is {ahead_ms // 1000} s behind the site's last commit: it went back"
    return Finding("clock", BAD, text, "timedatectl set-ntp on, then restart the controller")


def machines(tx: Tx, folder: Path) -> Iterator[Finding]:
    """Machines nobody should trust, and machines whose firmware is behind."""
    found = tx.machines.all()
    twins = [m.id for m in found if m.stale_boots > 0 or "two boards" in m.quarantine]
    if twins:
        text = f"two boards speak as {', '.join(twins)}"
        fix = "switch one off, give it its own name: fabcommons machine enrol"
        yield Finding("identity", BAD, text, fix)
    else:
        yield Finding("identity", GOOD, "no two boards under one name")
    held = [f"{m.id}: {m.quarantine}" for m in found if m.quarantine]
    if held:
        fix = "look at each, then release it on its page"
        yield Finding("quarantine", HINT, "; ".join(held), fix)
    newest = next((r.version for r in Releases(folder / "firmware").all()), "")
    behind = [f"{m.id} ({m.fw})" for m in found if newest and _older(m.fw, newest)]
    if behind:
        text = f"{newest} is released; behind: {', '.join(behind)}"
        yield Finding("firmware", HINT, text, "fabcommons machine update MACHINE")
    else:
        yield Finding("firmware", GOOD, newest or "no release here")


def _older(fw: str, newest: str) -> bool:
    try:
        return version_of(fw) < version_of(newest)
    except WireError:
        return False


def dead_letters(tx: Tx) -> Finding:
    """Messages of the last day that could not be understood."""
    recent = [one for one in tx.dead.page(200) if one.received_at > tx.now_ms - DAY_MS]
    if not recent:
        return Finding("letters", GOOD, "no message was refused within a day")
    last = recent[0]
    text = f"{len(recent)} messages refused within a day; the last on {last.topic}: {last.reason}"
    return Finding("letters", HINT, text, "an unknown machine: name it in the settings")


def commons(tx: Tx) -> Finding:
    """Whether the answers of joined commons are their own."""
    known = joined(tx)
    wrong = [one for one in known if one.forged and tx.now_ms - one.forged_at < DAY_MS]
    if wrong:
        words = ", ".join(f"{one.forged} of {one.site}" for one in wrong)
        fix = "fabcommons commons peers says which: update it there, or compare the keys"
        return Finding("commons", BAD, f"answers that were not its own: {words}", fix)
    plain = [one.site for one in known if one.may_be_unsigned and not one.left]
    if plain:
        text = f"answers may be unsigned: {', '.join(plain)}"
        return Finding("commons", HINT, text, "update the software there; it ends by itself")
    return Finding("commons", GOOD, f"{len(known)} joined")


def now_ms() -> int:
    """Real time."""
    return time.time_ns() // 1_000_000

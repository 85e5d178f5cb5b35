"""What ``fabcommons doctor --site`` finds by trying: topics at the broker, clock, what waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from controller.adapters.access import probe_login
from controller.adapters.authority import server_name
from controller.adapters.probe import Place, clock_error_ms, may_publish, trusting
from controller.adapters.site_file import SiteFile
from controller.adapters.store import Tx
from fabcommons import settings_files
from fabcommons.client import CliError
from fabcommons.finding import BAD, GOOD, HINT, Finding

CLOCK_MS = 1000  # machines take the controller's time
OUTBOX_MS = 120_000
DAY_MS = 86_400_000
VICTIM = "_doctor"  # no machine can be called that
Login = tuple[str, str]


def topics(settings: SiteFile, folder: Path) -> Iterator[Finding]:
    """Whether a machine can speak for another, tried as one whose password is here."""
    found = _as_whom(settings, folder)
    if found is None:
        return
    place, login = found
    topic = f"fab/1/{settings.site}/{VICTIM}/up/tele"
    try:
        may = may_publish(place, login, topic)
    except (OSError, ValueError) as error:
        text = f"nobody can tell what {login[0]} may say: {error}"
        yield Finding("acl", HINT, text, "try it on the broker: a machine's topics are its own")
        return
    if may:
        text = f"{login[0]} may speak as another machine: {topic} was taken"
        fix = f"in the broker: pattern write fab/1/{settings.site}/%u/up/#, and nothing wider"
        yield Finding("acl", BAD, text, fix)
    else:
        yield Finding("acl", GOOD, f"{login[0]} was refused when it spoke as another machine")


def _as_whom(settings: SiteFile, folder: Path) -> tuple[Place, Login] | None:
    """A broker that asks for passwords and one we have: of the probe, or of a machine enrolled."""
    if settings.broker_listen:
        host, _, port = settings.broker_listen.rpartition(":")
        login, ca = probe_login(folder / "access"), folder / "access" / "ca.pem"
        if login is None or not ca.exists():
            return None
        name = server_name(settings.site)
        host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host
        return Place(host, int(port), trusting(str(ca), name)), login
    for path in sorted((folder / "machines").glob("*.json")):
        try:
            broker = settings_files.read(path)["broker"]
        except CliError:
            continue
        if broker.get("user") and not broker.get("ca"):
            return Place(broker["host"], broker["port"]), (broker["user"], broker["password"])
    return None


def clock(error_ms: Callable[[], int | None] = clock_error_ms) -> Finding:
    """Whether somebody keeps this computer's clock right, and how far it may be off."""
    try:
        found = error_ms()
    except OSError as error:
        return Finding("time", HINT, f"unknown: {error}", "keep the clock by NTP")
    if found is None:
        text = "nobody sets this computer's clock: machines take their time from it"
        return Finding("time", HINT, text, "timedatectl set-ntp on")
    if found > CLOCK_MS:
        text = f"the clock may be {found} ms off"
        return Finding("time", HINT, text, "look at the time server: timedatectl timesync-status")
    return Finding("time", GOOD, f"kept by NTP, at most {found} ms off")


def outbox(tx: Tx) -> Finding:
    """How long the oldest word to a machine waits: commands of a day, orders offered."""
    waits = [(now, what) for what in _waiting(tx) if (now := tx.now_ms - what[1]) >= 0]
    if not waits:
        return Finding("outbox", GOOD, "no machine owes an answer")
    age_ms, (name, _) = max(waits)
    text = f"{len(waits)} without an answer, the oldest for {age_ms // 1000} s: {name}"
    if age_ms < OUTBOX_MS:
        return Finding("outbox", GOOD, text)
    return Finding("outbox", HINT, text, "is that machine on? Commands end by themselves, ask anew")


def _waiting(tx: Tx) -> Iterator[tuple[str, int]]:
    for order in tx.orders.open():
        if order.state == "OFFERED":
            yield f"{order.machine}, offer of {order.id}", order.offered_at
    for command in tx.commands.unanswered(tx.now_ms - DAY_MS):
        yield f"{command.machine}, {command.do}", command.created_at

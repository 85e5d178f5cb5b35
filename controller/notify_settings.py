"""Who is told what, and when not: the entries of ``notify:`` in a site's settings."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from controller.notifying import EVENTS, Quiet, Rule

KINDS = ("email", "webhook")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_ADDRESS = re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NotifyEntry(msgspec.Struct, forbid_unknown_fields=True):
    """One place messages go to; the password is in the environment, never in the file.

    email: ``host`` (name:port of an SMTP server), ``from``, ``to``, ``user``; STARTTLS is asked
    for unless ``tls`` is false (loopback only), ``ca`` is a file of certificates to trust.
    webhook: ``url``; with ``password_env`` the body is signed by it. ``quiet_hours`` are local.
    """

    kind: str
    url: str = ""
    host: str = ""
    sender: str = msgspec.field(name="from", default="")
    to: list[str] = []
    user: str = ""
    password_env: str = ""
    tls: bool = True
    ca: str = ""
    events: list[str] = msgspec.field(default_factory=lambda: list(EVENTS))
    quiet_hours: str = ""
    timezone: str = "UTC"

    def rule(self) -> Rule:
        """What goes there and when, of an entry that has no problems."""
        return Rule(frozenset(self.events), quiet(self.quiet_hours, self.timezone))

    def smtp(self) -> tuple[str, int]:
        """Name and port of the mail server, of an entry that has no problems."""
        name, _, port = self.host.rpartition(":")
        return name.strip("[]"), int(port)


def quiet(hours: str, timezone: str) -> Quiet | None:
    """Quiet hours as ``22:00-07:00``, or None for none; raise ValueError."""
    if not hours:
        return None
    found = _HOURS.fullmatch(hours)
    if found is None:
        raise ValueError("must be HH:MM-HH:MM, e.g. '22:00-07:00'")
    begin_h, begin, end_h, end = map(int, found.groups())
    if (begin_h, begin) == (end_h, end):
        raise ValueError("must not begin when they end")
    return Quiet(60 * begin_h + begin, 60 * end_h + end, ZoneInfo(timezone))


def problems(entries: list[NotifyEntry]) -> list[str]:
    """What is wrong, each beginning with its field."""
    return [
        f"notify[{place}].{text}" for place, entry in enumerate(entries) for text in _wrong(entry)
    ]


def _wrong(entry: NotifyEntry) -> list[str]:
    if entry.kind not in KINDS:
        return [f"kind: must be one of {', '.join(KINDS)}"]
    wrong = _email(entry) if entry.kind == "email" else _webhook(entry)
    if not entry.events:
        wrong.append(f"events: name at least one of {', '.join(EVENTS)}")
    for place, event in enumerate(entry.events):
        if event not in EVENTS:
            wrong.append(f"events[{place}]: must be one of {', '.join(EVENTS)}")
    if entry.timezone not in available_timezones():
        return [*wrong, f"timezone: {entry.timezone!r} is not known; write e.g. Europe/Berlin"]
    try:
        quiet(entry.quiet_hours, entry.timezone)
    except ValueError as error:
        wrong.append(f"quiet_hours: {error}")
    return wrong


def _webhook(entry: NotifyEntry) -> list[str]:
    wrong = _foreign(entry, ("host", "sender", "to", "user", "ca"))
    try:
        found = urlsplit(entry.url)
        sound = found.scheme in ("http", "https") and bool(found.hostname)
    except ValueError:
        sound = False
    if not sound:
        wrong.append("url: must begin with http:// or https://, e.g. https://example.org/hook")
    elif "@" in entry.url.partition("://")[2].partition("/")[0]:
        wrong.append("url: must not hold a login; sign with password_env instead")
    return wrong


def _email(entry: NotifyEntry) -> list[str]:
    wrong = _foreign(entry, ("url",))
    name, _, port = entry.host.rpartition(":")
    if not name or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        wrong.append("host: must be NAME:PORT of a mail server, e.g. mail.example.org:587")
    wrong += _addresses(entry)
    if entry.user and not entry.password_env:
        wrong.append("password_env: name the environment variable that holds the password")
    if entry.password_env and not entry.user:
        wrong.append("user: is needed with password_env")
    if not entry.tls and (entry.user or name.strip("[]") not in _LOOPBACK):
        wrong.append("tls: may be false only for a server on this computer that asks nobody")
    return wrong


def _addresses(entry: NotifyEntry) -> list[str]:
    wrong: list[str] = []
    if not _ADDRESS.fullmatch(entry.sender):
        wrong.append("from: must be an address, e.g. floor@example.org")
    if not entry.to:
        wrong.append("to: name at least one address")
    for place, address in enumerate(entry.to):
        if not _ADDRESS.fullmatch(address):
            wrong.append(f"to[{place}]: must be an address")
    return wrong


def _foreign(entry: NotifyEntry, fields: tuple[str, ...]) -> list[str]:
    names = {"sender": "from"}
    return [
        f"{names.get(field, field)}: is not for {entry.kind}"
        for field in fields
        if getattr(entry, field)
    ]

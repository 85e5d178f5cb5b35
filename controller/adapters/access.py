"""Who may speak at the site's broker: passwords and topics, as mosquitto's files.

A machine's user is its id, and the topics it may use follow from the user: it can speak only as
itself. Passwords are random, kept as salted hashes; a machine's is known to the machine alone.
One more user, who is no machine, has a machine's rights: the doctor tries as it what is refused.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from controller.values import Refused
from protocols.records import is_id

CONTROLLER, PROBE = "_controller", "_probe"  # no id of a machine can be these
_ITERATIONS = 101  # mosquitto's own; the passwords are random, 144 bits


def password_line(user: str, password: str, salt: bytes) -> str:
    """A line of mosquitto's password file ($7$: PBKDF2 with SHA-512)."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    parts = [base64.b64encode(part).decode() for part in (salt, digest)]
    return f"{user}:$7${_ITERATIONS}${parts[0]}${parts[1]}"


def acl(site: str) -> str:
    """mosquitto's access file for a site: the controller, and every machine as itself."""
    return "\n".join(
        [
            f"user {CONTROLLER}",
            f"topic readwrite fab/1/{site}/#",
            f"pattern write fab/1/{site}/%u/up/#",
            f"pattern read fab/1/{site}/%u/dn/#",
            f"pattern read fab/1/{site}/_ctl/state",
            "",
        ]
    )


def probe_login(folder: Path) -> tuple[str, str] | None:
    """User and password of the one as whom the doctor tries; None before the first start."""
    path = folder / "probe.password"
    return (PROBE, path.read_text()) if path.exists() else None


class Access:
    """Passwords and topics of one site in a folder; ``reload`` makes the broker read them again."""

    def __init__(self, folder: Path, site: str, reload: Callable[[], None] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.passwords = folder / "passwords"
        self.acl = folder / "acl"
        self._own = folder / "controller.password"
        self._probe = folder / "probe.password"
        self.reload = reload
        self.acl.write_text(acl(site))
        if not self._own.exists() or CONTROLLER not in self.users():
            self._secret(self._own, self._give(CONTROLLER))
        if not self._probe.exists() or PROBE not in self.users():
            self._secret(self._probe, self._give(PROBE))

    def login(self) -> tuple[str, str]:
        """The controller's own user and password."""
        return CONTROLLER, self._own.read_text()

    def users(self) -> list[str]:
        """Everybody with a password, sorted."""
        return sorted(self._lines())

    def give(self, machine: str) -> str:
        """Give a machine a new password, the old one being worth nothing now; raise Refused."""
        if not is_id(machine):
            raise Refused("bad-id", "machine", "must be an id: a-z, 0-9 and '-'")
        password = self._give(machine)
        self._reload()
        return password

    def revoke(self, machine: str) -> None:
        """Let a machine in no more, and put it out if it is in; raise Refused."""
        lines = self._lines()
        if machine not in lines or machine in (CONTROLLER, PROBE):
            raise Refused("unknown-machine", "machine", f"{machine} has no credentials here")
        del lines[machine]
        self._write(lines)
        self._reload()

    def _give(self, user: str) -> str:
        password = secrets.token_urlsafe(18)
        lines = self._lines()
        lines[user] = password_line(user, password, secrets.token_bytes(12))
        self._write(lines)
        return password

    def _lines(self) -> dict[str, str]:
        text = self.passwords.read_text() if self.passwords.exists() else ""
        return {line.partition(":")[0]: line for line in text.splitlines() if line}

    def _write(self, lines: dict[str, str]) -> None:
        text = "".join(lines[user] + "\n" for user in sorted(lines))
        self._secret(self.passwords, text)

    @staticmethod
    def _secret(path: Path, text: str) -> None:
        new = path.with_suffix(".new")
        new.touch(0o600)
        new.write_text(text)
        os.replace(new, path)

    def _reload(self) -> None:
        if self.reload is not None:
            self.reload()

"""``broker_login:`` of a site's settings: how the controller comes into somebody else's broker."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import msgspec

from controller.adapters.mqtt import Broker


class BrokerLoginError(Exception):
    """A login that cannot be used; the message names the field and the fix."""


class BrokerLogin(msgspec.Struct, forbid_unknown_fields=True):
    """User and TLS towards a broker that somebody else runs; paths are relative to the file.

    The password is in the environment (``password_env``) or in a file (``password_file``).
    ``ca``: PEM of whom to trust, by default whom this computer trusts. ``certificate`` and ``key``:
    PEM by which the broker knows the controller. Its own certificate must be for ``broker``'s host.
    """

    user: str = ""
    password_env: str = ""
    password_file: str = ""
    tls: bool = False
    ca: str = ""
    certificate: str = ""
    key: str = ""


def problems(login: BrokerLogin | None, broker: str) -> list[str]:
    """What is wrong, each beginning with its field."""
    if login is None:
        return []
    wrong: list[str] = []
    if ":" not in broker:
        wrong.append("broker: broker_login is for one that somebody else runs: write HOST:PORT")
    named = [login.password_env, login.password_file]
    if all(named):
        wrong.append("broker_login.password_env, password_file: name one of them")
    if login.user and not any(named):
        wrong.append("broker_login.password_env: name the variable that holds the password")
    if any(named) and not login.user:
        wrong.append("broker_login.user: is needed with a password")
    if bool(login.certificate) != bool(login.key):
        wrong.append("broker_login.certificate, key: name both PEM files, or neither")
    files = [f for f in ("ca", "certificate") if getattr(login, f)]
    if files and not login.tls:
        wrong.append(f"broker_login.tls: must be true with {', '.join(files)}")
    return wrong


def address(login: BrokerLogin | None, host: str, port: int, base: Path) -> Broker:
    """The broker with user, password and TLS; raise BrokerLoginError."""
    if login is None:
        return Broker(host, port)
    password = _password(login, base) if login.user else None
    tls = _context(login, base) if login.tls else None
    return Broker(host, port, login.user or None, password, tls)


def _password(login: BrokerLogin, base: Path) -> str:
    if login.password_env:
        found = os.environ.get(login.password_env, "")
        if not found:
            text = f"broker_login.password_env: the environment has no {login.password_env}"
            raise BrokerLoginError(text)
        return found
    try:
        return (base / login.password_file).read_text().strip()
    except (OSError, UnicodeError) as error:
        raise _unread("password_file", base / login.password_file, error) from error


def _context(login: BrokerLogin, base: Path) -> ssl.SSLContext:
    ca = base / login.ca if login.ca else None
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ssl.SSLError) as error:
        raise _unread("ca", ca, error) from error
    if login.certificate:
        certificate, key = base / login.certificate, base / login.key
        for field, path in (("certificate", certificate), ("key", key)):
            if not path.is_file():
                raise BrokerLoginError(f"broker_login.{field}: there is no {path}")
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise _unread("certificate, key", certificate, error) from error
    return context


def _unread(field: str, path: Path | None, error: Exception) -> BrokerLoginError:
    words = getattr(error, "strerror", None) or str(error)
    return BrokerLoginError(f"broker_login.{field}: {path}: {words}")

"""Accounts in the store: made, changed, logged in and out; tokens for programs.

Every change raises the revision, by which whoever keeps a copy (register.py) sees that it is old.
Times are real (``now_ms``), for a floor's clock may run faster than people.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from controller.people.records import Account, ApiToken, AuditLine, Session
from controller.people.roles import ACCOUNT_ROLES, MAY
from controller.values import Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx

REVISION = "people_revision"
MIN_PASSWORD, MAX_PASSWORD = 10, 256
MAX_SESSIONS, MAX_TOKENS = 20, 20  # of one account; the oldest session ends
DAY_MS = 86_400_000
MAX_TOKEN_DAYS = 366
TOKEN_MARK = "fabt-"
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,59}")


class Hashing(Protocol):
    """Slow hashes of passwords."""

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        ...


class Token(NamedTuple):
    """A new token, and its text that is shown this one time."""

    kept: ApiToken
    text: str


def hashed(secret: str) -> str:
    """What is kept of a random secret: 192 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add(tx: Tx, name: str, role: str, password: str | None, now_ms: int) -> Account:
    """A new account; ``password`` is a hash or None for one that comes by OIDC. Raise Refused."""
    if not _NAME.fullmatch(name):
        words = "must be 1 to 60 of a-z, 0-9 and . _ @ -, beginning with a letter or a digit"
        raise Refused("bad-name", "name", words)
    _check_role(role)
    if tx.people.get(name) is not None:
        raise Refused("conflict", "name", f"there is an account {name} already")
    made = Account(name, role, password, created_at=now_ms, changed_at=now_ms)
    tx.people.add(made)
    _changed(tx)
    return made


def check_password(password: str, name: str = "") -> str:
    """The password when it may be one; raise Refused. Length counts, not kinds of characters."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        words = f"must have {MIN_PASSWORD} to {MAX_PASSWORD} characters"
        raise Refused("bad-password", "password", words)
    if len(set(password)) < 5 or (name and password.lower().startswith(name.lower())):
        raise Refused("bad-password", "password", "is too easy to guess: take some words at random")
    return password


def known(tx: Tx, name: str) -> Account:
    """An account by name; raise Refused."""
    found = tx.people.get(name)
    if found is None:
        raise Refused("unknown-account", "account", f"there is no account {name}")
    return found


def set_role(tx: Tx, name: str, role: str, now_ms: int) -> Account:
    """Give an account another role; raise Refused when no admin would be left."""
    _check_role(role)
    found = known(tx, name)
    _keep_an_admin(tx, found, replace(found, role=role))
    return _change(tx, name, now_ms, role=role)


def set_disabled(tx: Tx, name: str, disabled: bool, now_ms: int) -> Account:
    """Shut an account out, or let it in again; shut out, its sessions end."""
    found = known(tx, name)
    _keep_an_admin(tx, found, replace(found, disabled=disabled))
    if disabled:
        tx.people.end_sessions(name)
    return _change(tx, name, now_ms, disabled=disabled)


def set_password(tx: Tx, name: str, password: str, now_ms: int) -> Account:
    """A new password (its hash); every session of the account ends."""
    known(tx, name)
    tx.people.end_sessions(name)
    return _change(tx, name, now_ms, password=password)


def of_oidc(tx: Tx, subject: str, name: str, role: str, now_ms: int) -> Account:
    """The account of somebody an identity provider vouches for, made on the first coming.

    A name that is taken by another account is never taken over: the new one gets a number.
    """
    found = tx.people.by_oidc(subject)
    if found is not None:
        return found
    plain = re.sub(r"[^a-z0-9._@-]", "-", name.lower()).strip("-._@")[:50] or "person"
    free = plain
    for number in range(2, 1000):
        if tx.people.get(free) is None:
            break
        free = f"{plain}-{number}"
    add(tx, free, role, None, now_ms)
    return _change(tx, free, now_ms, oidc=subject)


def open_session(tx: Tx, account: str, life_ms: int, now_ms: int, address: str) -> str:
    """Begin a session; the text its cookie holds. Raise Refused when the account is shut out."""
    found = known(tx, account)
    if found.disabled:
        raise Refused("disabled", "account", f"{account} is shut out; ask an admin")
    text = secrets.token_urlsafe(24)
    tx.people.end_expired(now_ms)
    tx.people.keep_newest(account, MAX_SESSIONS - 1)
    tx.people.add_session(Session(hashed(text), account, now_ms, now_ms + life_ms, address))
    _changed(tx)
    return text


def close_session(tx: Tx, sha: str) -> None:
    """End a session; one that is not there has ended."""
    tx.people.end_session(sha)
    _changed(tx)


def give_token(tx: Tx, account: str, name: str, scopes: list[str], ends: tuple[int, int]) -> Token:
    """A token for a program, with ``scopes`` the account's role has; ends = (now ms, days).

    Raise Refused.
    """
    found = known(tx, account)
    now_ms, days = ends
    wrong = sorted(set(scopes) - MAY[found.role])
    if wrong or not scopes:
        may = ", ".join(sorted(MAY[found.role]))
        raise Refused("bad-scopes", "scopes", f"a {found.role} may give of: {may}")
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise Refused("bad-days", "days", f"must be 1 to {MAX_TOKEN_DAYS}")
    if len([t for t in tx.people.tokens_of(account) if t.revoked_at is None]) >= MAX_TOKENS:
        raise Refused("too-many", "account", f"has {MAX_TOKENS} tokens: revoke one")
    text = TOKEN_MARK + secrets.token_urlsafe(24)
    made = ApiToken(
        id=secrets.token_hex(4),
        sha=hashed(text),
        account=account,
        name=name,
        scopes=sorted(set(scopes)),
        created_at=now_ms,
        expires_at=now_ms + days * DAY_MS,
    )
    tx.people.add_token(made)
    _changed(tx)
    return Token(made, text)


def revoke_token(tx: Tx, account: str, token: str, now_ms: int) -> None:
    """End a token of an account; raise Refused."""
    if token not in {one.id for one in tx.people.tokens_of(account)}:
        raise Refused("unknown-token", "token", f"{account} has no token {token}")
    tx.people.revoke_token(token, now_ms)
    _changed(tx)


def bind_member(tx: Tx, account: str, member: str, now_ms: int) -> Account:
    """From now on this account alone votes as this member: the member's token ends. Raise Refused.

    One account is one member, and one member one account.
    """
    found = known(tx, account)
    if found.member is not None:
        raise Refused("conflict", "account", f"{account} is member {found.member} already")
    tx.members.change(member, token_sha="account:" + account)
    return _change(tx, account, now_ms, member=member)


def audit(tx: Tx, line: AuditLine) -> None:
    """Append one line to the audit log."""
    tx.people.append(line)


def _change(tx: Tx, name: str, now_ms: int, **changes: object) -> Account:
    tx.people.change(name, changed_at=now_ms, **changes)
    _changed(tx)
    return known(tx, name)


def _changed(tx: Tx) -> None:
    tx.site.next(REVISION)


def _check_role(role: str) -> None:
    if role not in ACCOUNT_ROLES:
        raise Refused("bad-role", "role", f"must be one of {', '.join(ACCOUNT_ROLES)}")


def _keep_an_admin(tx: Tx, before: Account, after: Account) -> None:
    def counts(one: Account) -> bool:
        return one.role == "admin" and not one.disabled

    others = [one for one in tx.people.all() if one.id != before.id and counts(one)]
    if counts(before) and not counts(after) and not others:
        raise Refused("last-admin", "account", f"{before.id} is the only admin: make another first")

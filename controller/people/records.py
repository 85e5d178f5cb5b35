"""Rows as frozen records: accounts, sessions, tokens, audit lines. Times are real, ms UTC."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """A person; ``password`` is an argon2 hash, None for one who comes by ``oidc`` (subject)."""

    id: str
    role: str
    password: str | None
    member: str | None = None
    oidc: str | None = None
    disabled: bool = False
    created_at: int = 0
    changed_at: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody logged in at a browser; ``sha`` is of what the cookie holds."""

    sha: str
    account: str
    created_at: int
    expires_at: int
    address: str


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A program that acts as an account, within ``scopes``; only the hash of the token is kept."""

    id: str
    sha: str
    account: str
    name: str
    scopes: list[str]
    created_at: int
    expires_at: int
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what: ``how`` they were known, ``outcome`` an HTTP status or a word."""

    id: int | None
    at: int
    who: str
    how: str
    what: str
    address: str
    outcome: str


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who may come in, at one moment."""

    revision: int
    accounts: tuple[Account, ...]
    sessions: tuple[Session, ...]
    tokens: tuple[ApiToken, ...]

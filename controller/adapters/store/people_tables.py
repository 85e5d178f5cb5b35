"""Tables of people: accounts, sessions, tokens for programs, the audit log."""

from sqlalchemy import Boolean, Column, ForeignKey, Table

from controller.adapters.store.tables import INTEGER, TEXT, metadata


def _text(name: str, null: bool = False) -> Column[str]:
    return Column(name, TEXT, nullable=null)


def _int(name: str, null: bool = False) -> Column[int]:
    return Column(name, INTEGER, nullable=null)


def _account() -> Column[str]:
    return Column("account", TEXT, ForeignKey("account.id"), nullable=False, index=True)


account = Table(
    "account",
    metadata,
    Column("id", TEXT, primary_key=True),
    _text("role"),
    _text("password", null=True),
    Column("member", TEXT, ForeignKey("member.id"), nullable=True, unique=True),
    Column("oidc", TEXT, nullable=True, unique=True),
    Column("disabled", Boolean, nullable=False),
    _int("created_at"),
    _int("changed_at"),
)

session = Table(
    "session",
    metadata,
    Column("sha", TEXT, primary_key=True),
    _account(),
    _int("created_at"),
    _int("expires_at"),
    _text("address"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("sha", TEXT, nullable=False, unique=True),
    _account(),
    _text("name"),
    _text("scopes_json"),
    _int("created_at"),
    _int("expires_at"),
    _int("revoked_at", null=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", INTEGER, primary_key=True, autoincrement=True),
    _int("at"),
    Column("who", TEXT, nullable=False, index=True),
    _text("how"),
    _text("what"),
    _text("address"),
    _text("outcome"),
    sqlite_autoincrement=True,
)

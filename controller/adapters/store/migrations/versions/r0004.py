"""Accounts, sessions, tokens for programs, the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("password", TEXT, nullable=True),
        sa.Column("member", TEXT, nullable=True),
        sa.Column("oidc", TEXT, nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("changed_at", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("member"),
        sa.UniqueConstraint("oidc"),
    )


def _keys() -> None:
    op.create_table(
        "session",
        sa.Column("sha", TEXT, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("expires_at", INTEGER, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.PrimaryKeyConstraint("sha"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("sha", TEXT, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("scopes_json", TEXT, nullable=False),
        sa.Column("created_at", INTEGER, nullable=False),
        sa.Column("expires_at", INTEGER, nullable=False),
        sa.Column("revoked_at", INTEGER, nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha"),
    )


def upgrade() -> None:
    """Make them."""
    _account()
    _keys()
    op.create_table(
        "audit",
        sa.Column("id", INTEGER, primary_key=True, autoincrement=True),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("how", TEXT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    for table, column in (("session", "account"), ("api_token", "account"), ("audit", "who")):
        op.create_index(f"ix_{table}_{column}", table, [column], unique=False)

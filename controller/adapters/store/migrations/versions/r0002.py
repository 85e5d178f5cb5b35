"""Needs and operations know their order of arrival by a column of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Number the rows as SQLite did."""
    for table in ("need", "operation"):
        op.add_column(table, sa.Column("seq", sa.Integer(), nullable=False, server_default="0"))
        op.execute(f"UPDATE {table} SET seq = rowid")
        op.create_index(f"ix_{table}_seq", table, ["seq"])

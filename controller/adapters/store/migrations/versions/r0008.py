"""Which commands a program uses, each with its first line."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column; programs read before hold nothing there."""
    op.add_column("program", sa.Column("commands_json", TEXT, nullable=True))

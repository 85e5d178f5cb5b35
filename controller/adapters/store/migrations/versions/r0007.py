"""One-time codes outlive a restart of the controller."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "enrol_code",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("machine", TEXT, nullable=False),
        sa.Column("key_hex", TEXT, nullable=False),
        sa.Column("ends_at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )

"""Who leads a site of several replicas."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the row's table."""
    op.create_table(
        "leader",
        sa.Column("site", TEXT, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("term", INTEGER, nullable=False),
        sa.Column("expires_at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("site"),
        sa.UniqueConstraint("site", "term"),
    )

"""A claim names the boot it was made in."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Orders claimed before have none, and are granted as before."""
    op.add_column("job_order", sa.Column("claim_bn", TEXT, nullable=True))

"""Telemetry keeps hours: raw readings packed, rollups of hours made of those of five minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FOLD = """
    INSERT INTO reading_1h (machine, name, at, min, max, sum, n)
    SELECT machine, name, at - at % 3600000, MIN(min), MAX(max),
           CAST(SUM(sum) AS BIGINT), CAST(SUM(n) AS BIGINT)
    FROM reading_5m GROUP BY machine, name, at - at % 3600000
"""


def upgrade() -> None:
    """Make them; hours there are rollups of are filled."""
    op.create_table(
        "reading_hour",
        sa.Column("machine", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("n", INTEGER, nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("machine", "at"),
    )
    op.create_table(
        "reading_1h",
        sa.Column("machine", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("min", INTEGER, nullable=False),
        sa.Column("max", INTEGER, nullable=False),
        sa.Column("sum", INTEGER, nullable=False),
        sa.Column("n", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("machine", "name", "at"),
        sqlite_with_rowid=False,
    )
    op.execute(FOLD)

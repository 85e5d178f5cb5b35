"""Indices for what is asked again and again: its cost must not grow with the history."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
NEW = (
    ("operation_state", "operation", ["state", "done_at"]),
    ("lot_kind", "lot", ["kind"]),
    ("job_order_state", "job_order", ["state", "settled_at"]),
    ("job_order_on", "job_order", ["machine", "state", "settled_at", "ep"]),
    ("job_order_newest", "job_order", ["machine", "ep"]),
    ("command_newest", "command", ["machine", "created_at"]),
)
OLD = (
    ("ix_operation_state", "operation"),
    ("ix_job_order_machine", "job_order"),
    ("ix_job_order_state", "job_order"),
    ("ix_command_machine", "command"),
)


def upgrade() -> None:
    """Add the new ones; what they serve as well goes."""
    for name, table, columns in NEW:
        op.create_index(name, table, columns)
    held = sa.text("place IS NOT NULL")
    op.create_index(
        "operation_place", "operation", ["place"], sqlite_where=held, postgresql_where=held
    )
    for name, table in OLD:
        op.drop_index(name, table_name=table)

"""Table of the plan's room: what plans moved, and why."""

from sqlalchemy import Column, Integer, Table, Text

from controller.adapters.store.tables import metadata

plan_change = Table(
    "plan_change",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("at", Integer, nullable=False),
    Column("operation", Text, nullable=False),
    Column("need", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("why", Text, nullable=False),
    sqlite_autoincrement=True,
)

"""Table of the plan's room: what plans moved, and why."""

from sqlalchemy import Column, Table

from controller.adapters.store.tables import INTEGER, TEXT, metadata

plan_change = Table(
    "plan_change",
    metadata,
    Column("seq", INTEGER, primary_key=True, autoincrement=True),
    Column("at", INTEGER, nullable=False),
    Column("operation", TEXT, nullable=False),
    Column("need", TEXT, nullable=False),
    Column("text", TEXT, nullable=False),
    Column("why", TEXT, nullable=False),
    sqlite_autoincrement=True,
)

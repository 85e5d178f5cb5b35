"""Who leads a site: one row, taken and renewed by the clock of the database."""

from sqlalchemy import Column, Table, UniqueConstraint

from controller.adapters.store.tables import INTEGER, TEXT, metadata

leader = Table(
    "leader",
    metadata,
    Column("site", TEXT, primary_key=True),
    Column("holder", TEXT, nullable=False),
    Column("address", TEXT, nullable=False),
    Column("term", INTEGER, nullable=False),
    Column("expires_at", INTEGER, nullable=False),
    # makes a change of term lock the row against the fence's FOR KEY SHARE, a renewal not
    UniqueConstraint("site", "term"),
)

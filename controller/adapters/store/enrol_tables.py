"""Table of one-time codes given out and not used yet."""

from sqlalchemy import Column, Table

from controller.adapters.store.tables import INTEGER, TEXT, metadata

enrol_code = Table(
    "enrol_code",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("machine", TEXT, nullable=False),
    Column("key_hex", TEXT, nullable=False),
    Column("ends_at", INTEGER, nullable=False),
)

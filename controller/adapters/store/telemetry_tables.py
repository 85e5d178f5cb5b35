"""Tables of telemetry beside the readings of open hours: packed hours and hourly rollups."""

from sqlalchemy import Column, LargeBinary, Table

from controller.adapters.store.tables import INTEGER, TEXT, metadata

reading_hour = Table(
    "reading_hour",
    metadata,
    Column("machine", TEXT, primary_key=True),
    Column("at", INTEGER, primary_key=True),
    Column("n", INTEGER, nullable=False),
    Column("packed", LargeBinary, nullable=False),
)

reading_1h = Table(
    "reading_1h",
    metadata,
    Column("machine", TEXT, primary_key=True),
    Column("name", TEXT, primary_key=True),
    Column("at", INTEGER, primary_key=True),
    Column("min", INTEGER, nullable=False),
    Column("max", INTEGER, nullable=False),
    Column("sum", INTEGER, nullable=False),
    Column("n", INTEGER, nullable=False),
    sqlite_with_rowid=False,
)

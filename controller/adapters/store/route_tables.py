"""Tables of routes: places, sign-offs, photos, numbered parts; beside ``tables``, same metadata."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from controller.adapters.store.tables import metadata

place = Table(
    "place",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("takes_json", Text, nullable=False),
)

sign_off = Table(
    "sign_off",
    metadata,
    Column("order_id", Text, ForeignKey("job_order.id"), primary_key=True),
    Column("operation", Text, ForeignKey("operation.id"), nullable=False, index=True),
    Column("who", Text, nullable=False),
    Column("at", Integer, nullable=False),
    Column("result", Text, nullable=False),
    Column("checks_json", Text, nullable=False),
    Column("values_json", Text, nullable=False),
    Column("photos_json", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("why", Text, nullable=False),
)

photo = Table(
    "photo",
    metadata,
    Column("sha", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("job_order.id"), primary_key=True, index=True),
    Column("kind", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", Integer, nullable=False),
)

numbered = Table(
    "numbered",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("need", Text, ForeignKey("need.id"), nullable=False, index=True),
    Column("operation", Text, ForeignKey("operation.id"), nullable=False),
    Column("unit", Integer, nullable=False),
    Column("lot", Text, ForeignKey("lot.id"), nullable=False),
    Column("made_at", Integer, nullable=False),
)

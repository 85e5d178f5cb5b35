"""Tables of routes: places, sign-offs, photos, numbered parts; beside ``tables``, same metadata."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table

from controller.adapters.store.tables import INTEGER, TEXT, metadata

place = Table(
    "place",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("capacity", INTEGER, nullable=False),
    Column("takes_json", TEXT, nullable=False),
)

sign_off = Table(
    "sign_off",
    metadata,
    Column("order_id", TEXT, ForeignKey("job_order.id"), primary_key=True),
    Column("operation", TEXT, ForeignKey("operation.id"), nullable=False, index=True),
    Column("who", TEXT, nullable=False),
    Column("at", INTEGER, nullable=False),
    Column("result", TEXT, nullable=False),
    Column("checks_json", TEXT, nullable=False),
    Column("values_json", TEXT, nullable=False),
    Column("photos_json", TEXT, nullable=False),
    Column("note", TEXT, nullable=False),
    Column("why", TEXT, nullable=False),
)

photo = Table(
    "photo",
    metadata,
    Column("sha", TEXT, primary_key=True),
    Column("order_id", TEXT, ForeignKey("job_order.id"), primary_key=True, index=True),
    Column("kind", TEXT, nullable=False),
    Column("size", INTEGER, nullable=False),
    Column("width", INTEGER, nullable=False),
    Column("height", INTEGER, nullable=False),
    Column("who", TEXT, nullable=False),
    Column("at", INTEGER, nullable=False),
)

photo_content = Table(
    "photo_content",
    metadata,
    Column("sha", TEXT, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

numbered = Table(
    "numbered",
    metadata,
    Column("serial", TEXT, primary_key=True),
    Column("need", TEXT, ForeignKey("need.id"), nullable=False, index=True),
    Column("operation", TEXT, ForeignKey("operation.id"), nullable=False),
    Column("unit", INTEGER, nullable=False),
    Column("lot", TEXT, ForeignKey("lot.id"), nullable=False),
    Column("made_at", INTEGER, nullable=False),
)

"""Tables of sharing between sites: who may ask, what is offered, what is made for others."""

from sqlalchemy import Column, ForeignKey, Table

from controller.adapters.store.tables import INTEGER, TEXT, metadata

peer = Table(
    "peer",
    metadata,
    Column("site", TEXT, primary_key=True),
    Column("public_key", TEXT, nullable=False),
    Column("last_seq", INTEGER, nullable=False),
)

shared_need = Table(
    "shared_need",
    metadata,
    Column("need", TEXT, ForeignKey("need.id"), primary_key=True),
    Column("seq", INTEGER, nullable=False, unique=True),
    Column("state", TEXT, nullable=False, index=True),
    Column("holder", TEXT, nullable=False),
    Column("token", INTEGER, nullable=False),
    Column("expires_at", INTEGER, nullable=False),
)

borrowed = Table(
    "borrowed",
    metadata,
    Column("home", TEXT, primary_key=True),
    Column("need", TEXT, primary_key=True),
    Column("state", TEXT, nullable=False, index=True),
    Column("token", INTEGER, nullable=False),
    Column("local", TEXT, nullable=False),
    Column("offer_json", TEXT, nullable=False),
)

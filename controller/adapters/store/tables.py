"""Tables of the store. Integers and text only; documents are JSON text in ``*_json`` columns."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")  # sorted by bytes, as in SQLite
INTEGER = BigInteger().with_variant(Integer, "sqlite")  # 64 bits; rows are numbered in both


def _text(name: str, *args: ForeignKey, null: bool = False) -> Column[str]:
    return Column(name, TEXT, *args, nullable=null)


def _int(name: str, null: bool = False) -> Column[int]:
    return Column(name, INTEGER, nullable=null)


def _only(condition: str) -> dict[str, Any]:
    """An index of some rows only."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _key(name: str = "id") -> Column[str]:
    return Column(name, TEXT, primary_key=True)


def _seq() -> Column[int]:
    return Column("seq", INTEGER, nullable=False, index=True)  # in the order of arrival


site = Table("site", metadata, _key("name"), _text("value"))

community = Table(
    "community", metadata, _key(), _text("name"), _int("members"), _int("need_weight")
)

design = Table(
    "design",
    metadata,
    _key(),
    _text("version"),
    _text("title"),
    _text("license"),
    _text("licensor"),
    _text("manifest_sha"),
    _text("manifest_json"),
    _text("profile_json"),
    _text("folder"),
    _int("imported_at"),
)

program = Table(
    "program",
    metadata,
    _key("sha"),
    _text("design"),
    _text("name"),
    _text("kind"),
    _int("size"),
    _text("path"),
    _int("mass_mg", null=True),
    _int("duration_s", null=True),
    _int("lines", null=True),
    _int("checked_at", null=True),
    _text("commands_json", null=True),
)

need = Table(
    "need",
    metadata,
    _key(),
    Column("key", TEXT, nullable=False, unique=True),
    _text("community", ForeignKey("community.id")),
    _text("design", ForeignKey("design.id")),
    _text("part"),
    _int("quantity"),
    _int("due_at", null=True),
    _text("need_class"),
    _text("note"),
    _text("stated_by"),
    Column("state", TEXT, nullable=False, index=True),
    _text("reason"),
    _int("created_at"),
    _int("accepted_at", null=True),
    _int("delivered_at", null=True),
    _int("rank"),
    _text("accepted_because"),
    _seq(),
)

operation = Table(
    "operation",
    metadata,
    _key(),
    Column("need", TEXT, ForeignKey("need.id"), nullable=False, index=True),
    _int("unit"),
    _text("step"),
    _text("process"),
    _text("requires_json"),
    _text("program_sha", null=True),
    _int("duration_s"),
    _text("materials_json"),
    _text("instructions"),
    _int("pieces"),
    _text("title"),
    _text("work_master"),
    _text("state"),
    _text("machine", ForeignKey("machine.id"), null=True),
    _int("planned_start_at", null=True),
    _int("planned_end_at", null=True),
    _text("reason"),
    _int("attempts"),
    _int("done_at", null=True),
    _seq(),
    _text("work_json"),
    _text("ways_json"),
    _int("way"),
    _int("slots"),
    _text("place", null=True),
    Index("operation_state", "state", "done_at"),
    Index("operation_place", "place", **_only("place IS NOT NULL")),
)

operation_link = Table(
    "operation_link",
    metadata,
    Column("before", TEXT, ForeignKey("operation.id"), primary_key=True),
    Column("after", TEXT, ForeignKey("operation.id"), primary_key=True, index=True),
    _int("pieces"),
)

job_order = Table(
    "job_order",
    metadata,
    _key(),
    Column("operation", TEXT, ForeignKey("operation.id"), nullable=False, index=True),
    _text("machine", ForeignKey("machine.id")),
    Column("ep", INTEGER, nullable=False, unique=True),
    _text("state"),
    _text("program_sha", null=True),
    _text("lots_json"),
    _text("label"),
    _text("claim_jid", null=True),
    _int("claim_s", null=True),
    _text("claim_bn", null=True),
    _int("done_ppm"),
    _int("offered_at"),
    _int("started_at", null=True),
    _int("ended_at", null=True),
    _text("outcome_why"),
    _text("len_um_json", null=True),
    _int("run_ms", null=True),
    _text("result", null=True),
    _text("resolved_by", null=True),
    _text("stop_asked_by", null=True),
    _int("settled_at", null=True),
    # what is asked of a machine or floor must not cost more with every order there ever was
    Index("job_order_state", "state", "settled_at"),
    Index("job_order_on", "machine", "state", "settled_at", "ep"),
    Index("job_order_newest", "machine", "ep"),
)

machine = Table(
    "machine",
    metadata,
    _key(),
    _text("kind"),
    _text("link"),
    _text("name"),
    _text("capability_json"),
    _text("url", null=True),
    _text("jid", null=True),
    _text("bn", null=True),
    _int("acked_s"),
    _text("state"),
    Column("ready", Boolean, nullable=False),
    Column("online", Boolean, nullable=False),
    _text("order_id", null=True),
    _int("ep", null=True),
    _text("need_person"),
    _text("fw"),
    _int("last_seen_at", null=True),
    _int("want_rev"),
    _text("want_json", null=True),
    _text("fault"),
    _text("quarantine"),
    _text("boots_json", null=True),
    _int("stale_boots"),
)

lot = Table(
    "lot",
    metadata,
    _key(),
    _text("material"),
    _text("kind"),
    _int("unit_mg_per_piece", null=True),
    _int("ug_per_m", null=True),
    _text("colour"),
    _text("machine", ForeignKey("machine.id"), null=True),
    _int("ch", null=True),
    _int("created_at"),
    _text("note"),
    Index("lot_place", "machine", "ch", unique=True),
    Index("lot_kind", "kind"),
)

economic_event = Table(
    "economic_event",
    metadata,
    Column("id", INTEGER, primary_key=True, autoincrement=True),
    Column("key", TEXT, nullable=False, unique=True),
    _text("action"),
    _text("provider"),
    _text("receiver"),
    Column("lot", TEXT, ForeignKey("lot.id"), nullable=True, index=True),
    _text("to_lot", ForeignKey("lot.id"), null=True),
    _int("mass_mg"),
    _int("pieces"),
    _int("duration_ms"),
    _int("happened_at"),
    _int("created_at"),
    Column("order_id", TEXT, ForeignKey("job_order.id"), nullable=True, index=True),
    Column("need", TEXT, ForeignKey("need.id"), nullable=True, index=True),
    _text("operation", ForeignKey("operation.id"), null=True),
    _text("measure"),
    Column("corrects", INTEGER, ForeignKey("economic_event.id"), nullable=True),
    _text("note"),
    sqlite_autoincrement=True,
)

balance = Table(
    "balance",
    metadata,
    Column("lot", TEXT, ForeignKey("lot.id"), primary_key=True),
    _int("mass_mg"),
    _int("pieces"),
)

counter = Table(
    "counter",
    metadata,
    Column("machine", TEXT, ForeignKey("machine.id"), primary_key=True),
    _key("jid"),
    Column("ch", INTEGER, primary_key=True),
    _key("lot"),
    _int("cum_mg"),
    _int("unc_mg"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("machine", TEXT, ForeignKey("machine.id"), primary_key=True),
    _key("jid"),
    Column("s", INTEGER, primary_key=True),
    _text("body"),
    _text("sha"),
    _int("received_at"),
    sqlite_with_rowid=False,
)

command = Table(
    "command",
    metadata,
    _key(),
    _text("machine", ForeignKey("machine.id")),
    _text("do"),
    _text("body_json"),
    _text("who"),
    _int("created_at"),
    _int("answered_at", null=True),
    Column("ok", Boolean, nullable=True),
    _text("code"),
    _text("msg"),
    Index("command_newest", "machine", "created_at"),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", INTEGER, primary_key=True, autoincrement=True),
    _text("topic"),
    _text("payload"),
    _text("code"),
    _text("reason"),
    _int("received_at"),
    sqlite_autoincrement=True,
)

notice = Table(
    "notice",
    metadata,
    Column("seq", INTEGER, primary_key=True, autoincrement=True),
    _int("at"),
    _text("kind"),
    _text("subject"),
    _text("text"),
    sqlite_autoincrement=True,
)

reading_last = Table(
    "reading_last",
    metadata,
    _key("machine"),
    _key("name"),
    _int("value"),
    _int("at"),
    sqlite_with_rowid=False,
)

reading = Table(
    "reading",
    metadata,
    Column("id", INTEGER, primary_key=True),
    _text("machine"),
    _int("at"),
    _text("values_json"),
    Index("reading_time", "machine", "at"),
)

reading_5m = Table(
    "reading_5m",
    metadata,
    _key("machine"),
    Column("at", INTEGER, primary_key=True),
    _key("name"),
    _int("min"),
    _int("max"),
    _int("sum"),
    _int("n"),
    sqlite_with_rowid=False,
)

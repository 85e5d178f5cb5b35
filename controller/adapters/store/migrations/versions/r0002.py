"""Order of arrival by a column; routes, plans, upkeep and the commons get their tables."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = {
    "allocation_round": (
        sa.Column("id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("opened_at", INTEGER, nullable=False),
        sa.Column("closes_at", INTEGER, nullable=False),
        sa.Column("settings_json", TEXT, nullable=False),
        sa.Column("closed_at", INTEGER, nullable=True),
        sa.Column("counted_at", INTEGER, nullable=True),
        sa.Column("inputs_sha", TEXT, nullable=True),
        sa.Column("inputs", TEXT, nullable=True),
        sa.Column("released", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    ),
    "borrowed": (
        sa.Column("home", TEXT, nullable=False),
        sa.Column("need", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("token", INTEGER, nullable=False),
        sa.Column("local", TEXT, nullable=False),
        sa.Column("offer_json", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("home", "need"),
    ),
    "carried": (
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("resource", TEXT, nullable=False),
        sa.Column("amount", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("kind", "owner", "resource"),
    ),
    "material_threshold": (
        sa.Column("material", TEXT, nullable=False),
        sa.Column("low_mg", INTEGER, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("material"),
    ),
    "peer": (
        sa.Column("site", TEXT, nullable=False),
        sa.Column("public_key", TEXT, nullable=False),
        sa.Column("last_seq", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("site"),
    ),
    "photo_content": (
        sa.Column("sha", TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha"),
    ),
    "place": (
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("capacity", INTEGER, nullable=False),
        sa.Column("takes_json", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    ),
    "plan_change": (
        sa.Column("seq", INTEGER, autoincrement=True, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("operation", TEXT, nullable=False),
        sa.Column("need", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    ),
    "ballot": (
        sa.Column("round", TEXT, nullable=False),
        sa.Column("voter", TEXT, nullable=False),
        sa.Column("community", TEXT, nullable=False),
        sa.Column("approvals_json", TEXT, nullable=False),
        sa.Column("limits_json", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("sha", TEXT, nullable=False),
        sa.Column("cast_at", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["round"], ["allocation_round.id"]),
        sa.PrimaryKeyConstraint("round", "voter"),
    ),
    "machine_out": (
        sa.Column("machine", TEXT, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("since_at", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["machine"], ["machine.id"]),
        sa.PrimaryKeyConstraint("machine"),
    ),
    "member": (
        sa.Column("id", TEXT, nullable=False),
        sa.Column("community", TEXT, nullable=False),
        sa.Column("token_sha", TEXT, nullable=False),
        sa.Column("steward", sa.Boolean(), nullable=False),
        sa.Column("joined_at", INTEGER, nullable=False),
        sa.Column("left_at", INTEGER, nullable=True),
        sa.ForeignKeyConstraint(["community"], ["community.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_sha"),
    ),
    "round_file": (
        sa.Column("round", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sha", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["round"], ["allocation_round.id"]),
        sa.PrimaryKeyConstraint("round", "name"),
    ),
    "upkeep": (
        sa.Column("id", INTEGER, autoincrement=True, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("machine", TEXT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("run_ms", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["machine"], ["machine.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    ),
    "upkeep_rule": (
        sa.Column("machine", TEXT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("every_ms", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["machine"], ["machine.id"]),
        sa.PrimaryKeyConstraint("machine", "what"),
    ),
    "attestation": (
        sa.Column("need", TEXT, nullable=False),
        sa.Column("member", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["member"], ["member.id"]),
        sa.ForeignKeyConstraint(["need"], ["need.id"]),
        sa.PrimaryKeyConstraint("need", "member"),
    ),
    "round_decision": (
        sa.Column("round", TEXT, nullable=False),
        sa.Column("need", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("place", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["need"], ["need.id"]),
        sa.ForeignKeyConstraint(["round"], ["allocation_round.id"]),
        sa.PrimaryKeyConstraint("round", "need"),
    ),
    "round_need": (
        sa.Column("round", TEXT, nullable=False),
        sa.Column("need", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("demand_json", TEXT, nullable=False),
        sa.Column("waited", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["need"], ["need.id"]),
        sa.ForeignKeyConstraint(["round"], ["allocation_round.id"]),
        sa.PrimaryKeyConstraint("round", "need"),
    ),
    "shared_need": (
        sa.Column("need", TEXT, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("token", INTEGER, nullable=False),
        sa.Column("expires_at", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["need"], ["need.id"]),
        sa.PrimaryKeyConstraint("need"),
        sa.UniqueConstraint("seq"),
    ),
    "numbered": (
        sa.Column("serial", TEXT, nullable=False),
        sa.Column("need", TEXT, nullable=False),
        sa.Column("operation", TEXT, nullable=False),
        sa.Column("unit", INTEGER, nullable=False),
        sa.Column("lot", TEXT, nullable=False),
        sa.Column("made_at", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["lot"], ["lot.id"]),
        sa.ForeignKeyConstraint(["need"], ["need.id"]),
        sa.ForeignKeyConstraint(["operation"], ["operation.id"]),
        sa.PrimaryKeyConstraint("serial"),
    ),
    "order_discrepancy": (
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("lot", TEXT, nullable=True),
        sa.Column("expected_mg", INTEGER, nullable=False),
        sa.Column("found_mg", INTEGER, nullable=False),
        sa.Column("words", TEXT, nullable=False),
        sa.Column("opened_at", INTEGER, nullable=False),
        sa.Column("resolved_at", INTEGER, nullable=True),
        sa.Column("resolved_by", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["job_order.id"]),
        sa.PrimaryKeyConstraint("order_id", "kind"),
    ),
    "photo": (
        sa.Column("sha", TEXT, nullable=False),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("width", INTEGER, nullable=False),
        sa.Column("height", INTEGER, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["job_order.id"]),
        sa.PrimaryKeyConstraint("sha", "order_id"),
    ),
    "sign_off": (
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("operation", TEXT, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("result", TEXT, nullable=False),
        sa.Column("checks_json", TEXT, nullable=False),
        sa.Column("values_json", TEXT, nullable=False),
        sa.Column("photos_json", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["operation"], ["operation.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["job_order.id"]),
        sa.PrimaryKeyConstraint("order_id"),
    ),
}
OPTIONS: dict[str, dict[str, bool]] = {"plan_change": {"sqlite_autoincrement": True}}
INDEXES = (
    ("ix_allocation_round_state", "allocation_round", ["state"], False),
    ("ix_borrowed_state", "borrowed", ["state"], False),
    ("ix_member_community", "member", ["community"], False),
    ("ix_upkeep_machine", "upkeep", ["machine"], False),
    ("ix_round_decision_need", "round_decision", ["need"], False),
    ("ix_shared_need_state", "shared_need", ["state"], False),
    ("ix_numbered_need", "numbered", ["need"], False),
    ("ix_photo_order_id", "photo", ["order_id"], False),
    ("ix_sign_off_operation", "sign_off", ["operation"], False),
    ("ix_need_seq", "need", ["seq"], False),
    ("ix_operation_seq", "operation", ["seq"], False),
)
COLUMNS = (
    ("need", "seq", INTEGER, "0"),
    ("operation", "seq", INTEGER, "0"),
    ("operation", "work_json", TEXT, "{}"),
    ("operation", "ways_json", TEXT, "[]"),
    ("operation", "way", INTEGER, "0"),
    ("operation", "slots", INTEGER, "1"),
    ("operation", "place", TEXT, None),
)


def upgrade() -> None:
    """Make them; the rows there are keep the order they came in."""
    for name, columns in TABLES.items():
        op.create_table(name, *columns, **OPTIONS.get(name, {}))
    for table, column, kind, default in COLUMNS:
        op.add_column(
            table, sa.Column(column, kind, nullable=default is None, server_default=default)
        )
    for table in ("need", "operation"):
        op.execute(f"UPDATE {table} SET seq = rowid")
    for index, table, columns, unique in INDEXES:
        op.create_index(index, table, columns, unique=unique)

"""Tables of the commons: members, rounds, ballots, what is carried, discrepancies of orders."""

from sqlalchemy import Boolean, Column, ForeignKey, Table

from controller.adapters.store.tables import INTEGER, TEXT, metadata


def _key(name: str, *refers: str) -> Column[str]:
    return Column(name, TEXT, *(ForeignKey(at) for at in refers), primary_key=True)


def _text(name: str, null: bool = False) -> Column[str]:
    return Column(name, TEXT, nullable=null)


def _int(name: str, null: bool = False) -> Column[int]:
    return Column(name, INTEGER, nullable=null)


member = Table(
    "member",
    metadata,
    _key("id"),
    Column("community", TEXT, ForeignKey("community.id"), nullable=False, index=True),
    Column("token_sha", TEXT, nullable=False, unique=True),
    Column("steward", Boolean, nullable=False),
    _int("joined_at"),
    _int("left_at", null=True),
)

allocation_round = Table(
    "allocation_round",
    metadata,
    _key("id"),
    Column("state", TEXT, nullable=False, index=True),
    _int("opened_at"),
    _int("closes_at"),
    _text("settings_json"),
    _int("closed_at", null=True),
    _int("counted_at", null=True),
    _text("inputs_sha", null=True),
    _text("inputs", null=True),
    _int("released"),
)

round_need = Table(
    "round_need",
    metadata,
    _key("round", "allocation_round.id"),
    _key("need", "need.id"),
    _text("title"),
    _text("demand_json"),
    _int("waited"),
)

ballot = Table(
    "ballot",
    metadata,
    _key("round", "allocation_round.id"),
    _key("voter"),
    _text("community"),
    _text("approvals_json"),
    _text("limits_json"),
    _int("version"),
    _text("sha"),
    _int("cast_at"),
)

round_file = Table(
    "round_file",
    metadata,
    _key("round", "allocation_round.id"),
    _key("name"),
    _text("sha"),
    _text("body"),
)

round_decision = Table(
    "round_decision",
    metadata,
    _key("round", "allocation_round.id"),
    Column("need", TEXT, ForeignKey("need.id"), primary_key=True, index=True),
    _text("state"),
    _text("stage"),
    _text("reason"),
    _int("place"),
)

attestation = Table(
    "attestation",
    metadata,
    _key("need", "need.id"),
    _key("member", "member.id"),
    _int("at"),
)

carried = Table(
    "carried",
    metadata,
    _key("kind"),
    _key("owner"),
    _key("resource"),
    _int("amount"),
)

order_discrepancy = Table(
    "order_discrepancy",
    metadata,
    _key("order_id", "job_order.id"),
    _key("kind"),
    _text("lot", null=True),
    _int("expected_mg"),
    _int("found_mg"),
    _text("words"),
    _int("opened_at"),
    _int("resolved_at", null=True),
    _text("resolved_by"),
    _text("note"),
)

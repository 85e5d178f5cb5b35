"""Rows as frozen records: members, rounds, ballots, attestations, decisions, discrepancies.

Times end ``_at`` and are integer ms UTC; amounts are integers in the resource's smallest unit.
"""

from dataclasses import dataclass

from controller.values import Json

ROUND_STATES = ("open", "closed", "counted")
SAVING, DEBIT, RESERVE, LIMIT = "saving", "debit", "reserve", "limit"
SITE = "site"  # owner of reserves and limits


@dataclass(frozen=True, slots=True)
class Member:
    """A member under a pseudonym; only the hash of their token is kept."""

    id: str
    community: str
    token_sha: str
    steward: bool = False
    joined_at: int = 0
    left_at: int | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One allocation round; ``inputs`` is the canonical text that ``inputs_sha`` names."""

    id: str
    state: str
    opened_at: int
    closes_at: int
    settings: Json
    closed_at: int | None = None
    counted_at: int | None = None
    inputs_sha: str | None = None
    inputs: str | None = None
    released: int = 0


@dataclass(frozen=True, slots=True)
class RoundNeed:
    """A need on the ballot of a round, with what it takes; waited counts rounds before."""

    round: str
    need: str
    title: str
    demand: Json
    waited: int = 0


@dataclass(frozen=True, slots=True)
class CastBallot:
    """The ballot of a voter (a pseudonym of this round only): the last one counts."""

    round: str
    voter: str
    community: str
    approvals: Json
    limits: Json
    version: int
    sha: str
    cast_at: int


@dataclass(frozen=True, slots=True)
class RoundFile:
    """One published file of a round."""

    round: str
    name: str
    sha: str
    body: str


@dataclass(frozen=True, slots=True)
class Attestation:
    """A steward on duty says that a need is urgent, or that it is basic (floor)."""

    need: str
    member: str
    at: int


@dataclass(frozen=True, slots=True)
class RoundDecision:
    """What a round decided of a need, in one sentence; place is the order of acceptance."""

    round: str
    need: str
    state: str
    stage: str
    reason: str
    place: int = 0


@dataclass(frozen=True, slots=True)
class OrderDiscrepancy:
    """Figures of a job order that a person must look at; open until ``resolved_at``."""

    order_id: str
    kind: str
    expected_mg: int
    found_mg: int
    words: str
    opened_at: int
    lot: str | None = None
    resolved_at: int | None = None
    resolved_by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """A site that may ask here: its Ed25519 key in hex, the highest request number it used."""

    site: str
    public_key: str
    last_seq: int = 0


@dataclass(frozen=True, slots=True)
class SharedNeed:
    """A need offered to other sites: open, leased, begun or done; seq orders the offers."""

    need: str
    seq: int
    state: str
    holder: str = ""
    token: int = 0
    expires_at: int = 0


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A need of another site made here: claimed, begun or done; ``local`` is our need for it."""

    home: str
    need: str
    state: str
    token: int
    local: str
    offer: Json

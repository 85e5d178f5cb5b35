"""JSON of communities, rounds and ballots. Amounts are integers in the resource's unit."""

from typing import Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from dashboards.asks import Ask, Id, Name

Amounts = dict[str, int]


class CommunityView(TypedDict):
    """A community: how many it counts, its part of everything (ppm of the weight), what it owes.

    ``admitted`` are members with a token; ``stewards`` are those on duty for urgent needs.
    """

    id: str
    name: str
    members: int
    need_weight: int
    part_ppm: int
    admitted: int
    stewards: int
    debits: Amounts


class CommunityAsk(Ask):
    """A community to add or change; ``need_weight`` is its members unless another is agreed."""

    id: Id
    name: Name
    members: int = Field(1, ge=1, le=10**9)
    need_weight: int | None = Field(None, ge=0, le=10**9)


class MembersAsk(Ask):
    """Members to admit; stewards may attest urgent and basic needs."""

    count: int = Field(1, ge=1, le=1000)
    steward: bool = False


class AdmittedView(TypedDict):
    """A new member; the token is shown this one time and is what they vote with."""

    id: str
    token: str


class RoundAsk(Ask):
    """A round to open; ``hours`` of floor time the ballot stays open, as settings say if absent."""

    hours: int | None = Field(None, ge=1, le=24 * 366)


class ResourceView(TypedDict):
    """A thing to share: capacity = min(forecast, threshold) - urgent_reserve - committed."""

    id: str
    title: str
    unit: Literal["mg", "ms", "mWh", "pieces"]
    forecast: int
    urgent_reserve: int
    committed: int
    capacity: int
    threshold: NotRequired[int]
    protected: NotRequired[bool]


class RoundNeedView(TypedDict):
    """A need on a ballot: what it takes, how many approve, and what became of it.

    ``state`` is accepted, waiting or refused; ``place`` the order of acceptance.
    """

    need: str
    title: str
    community: str
    need_class: str
    demand: Amounts
    waited: int
    approvals: int
    points: int
    state: NotRequired[str]
    stage: NotRequired[str]
    reason: NotRequired[str]
    place: NotRequired[int]


class RoundLine(TypedDict):
    """A round in a list."""

    id: str
    state: Literal["open", "closed", "counted"]
    opened_at: int
    closes_at: int
    need_count: int
    ballot_count: int
    closed_at: NotRequired[int]
    counted_at: NotRequired[int]
    inputs_sha256: NotRequired[str]
    accepted: NotRequired[int]


class RoundView(RoundLine):
    """A round: sums by need and community only, and the hash of every ballot cast."""

    needs: dict[str, RoundNeedView]
    resources: dict[str, ResourceView]
    ballots: dict[str, int]
    ballot_hashes: list[str]
    ballots_sha256: str
    files: list[str]
    utility: str
    spill: str


class BallotAsk(Ask):
    """A ballot: intensity 1 to 3 approves a need, 0 takes it off; limits of protected resources."""

    approvals: dict[str, int] = Field(default_factory=dict[str, int], max_length=5000)
    limits: dict[str, int] = Field(default_factory=dict[str, int], max_length=100)


class ReceiptView(TypedDict):
    """What a member keeps: the name their ballot is published under, and its hash."""

    round: str
    voter: str
    version: int
    sha256: str


class BallotView(ReceiptView):
    """A member's own ballot as it counts now; version 0 and no ``cast_at`` while none was cast."""

    approvals: Amounts
    limits: Amounts
    cast_at: NotRequired[int]


class AttestedView(TypedDict):
    """What became of a need after a steward attested it."""

    need: str
    state: str
    reason: str


class NeedRoundView(TypedDict):
    """What one round decided of a need."""

    round: str
    state: str
    stage: str
    reason: str

"""Members, rounds, ballots and what is carried between rounds, in the store."""

from collections.abc import Mapping
from typing import TypeVar

from sqlalchemy import Table, delete, func, insert, select, update

from controller.adapters.store import commons_tables as tables
from controller.adapters.store.rows import Room, as_row, to_row
from controller.commons.records import (
    Attestation,
    CastBallot,
    Member,
    Round,
    RoundDecision,
    RoundFile,
    RoundNeed,
)

T = TypeVar("T")
_member = tables.member
_round = tables.allocation_round
_need = tables.round_need
_ballot = tables.ballot
_file = tables.round_file
_decision = tables.round_decision
_attested = tables.attestation
_carried = tables.carried


class MemberRoom(Room):
    """Members of communities, and who of them attested what."""

    def get(self, member: str) -> Member | None:
        """One member, or None."""
        return self._one(Member, select(_member).where(_member.c.id == member))

    def by_token(self, token_sha: str) -> Member | None:
        """The member whose token has this hash and who has not left, or None."""
        query = select(_member).where(_member.c.token_sha == token_sha, _member.c.left_at.is_(None))
        return self._one(Member, query)

    def of(self, community: str) -> list[Member]:
        """Members of a community who have not left, by id."""
        query = select(_member).where(_member.c.community == community, _member.c.left_at.is_(None))
        return self._all(Member, query.order_by(_member.c.id))

    def all(self) -> list[Member]:
        """Every member who has not left, by id."""
        return self._all(Member, select(_member).where(_member.c.left_at.is_(None)).order_by("id"))

    def stewards(self) -> list[Member]:
        """Members on duty as stewards."""
        query = select(_member).where(_member.c.steward, _member.c.left_at.is_(None))
        return self._all(Member, query.order_by(_member.c.id))

    def count(self) -> dict[str, int]:
        """Members by community."""
        query = select(_member.c.community, func.count()).where(_member.c.left_at.is_(None))
        return {row[0]: row[1] for row in self._conn.execute(query.group_by(_member.c.community))}

    def add(self, member: Member) -> None:
        """Store a new member."""
        self._run(insert(_member).values(as_row(_member, member)))

    def change(self, member: str, **changes: object) -> None:
        """Change fields of one member."""
        self._run(update(_member).where(_member.c.id == member).values(to_row(_member, changes)))

    def attest(self, attestation: Attestation) -> bool:
        """Keep an attestation; say whether it is new."""
        query = select(_attested).where(
            _attested.c.need == attestation.need, _attested.c.member == attestation.member
        )
        if self._one(Attestation, query) is not None:
            return False
        self._run(insert(_attested).values(as_row(_attested, attestation)))
        return True

    def attested(self, need: str) -> list[str]:
        """Stewards who attested a need, by id."""
        query = select(_attested.c.member).where(_attested.c.need == need).order_by("member")
        return [row[0] for row in self._conn.execute(query)]


class RoundRoom(Room):
    """Rounds with their needs, ballots, decisions and published files."""

    def get(self, round_id: str) -> Round | None:
        """One round, or None."""
        return self._one(Round, select(_round).where(_round.c.id == round_id))

    def current(self) -> Round | None:
        """The round whose ballot is open, or None."""
        return self._one(Round, select(_round).where(_round.c.state == "open"))

    def in_state(self, state: str) -> list[Round]:
        """Rounds in a state, oldest first."""
        return self._all(Round, select(_round).where(_round.c.state == state).order_by("opened_at"))

    def last_counted(self) -> tuple[str, int, int] | None:
        """Newest counted round: id, when (ms UTC), whether its reserve was released (1)."""
        columns = (_round.c.id, _round.c.counted_at, _round.c.released)
        query = select(*columns).where(_round.c.state == "counted")
        newest = query.order_by(_round.c.counted_at.desc(), _round.c.opened_at.desc()).limit(1)
        row = self._conn.execute(newest).first()
        return None if row is None else (row[0], row[1], row[2])

    def page(self, limit: int) -> list[Round]:
        """The newest rounds, newest first."""
        return self._all(Round, select(_round).order_by(_round.c.opened_at.desc()).limit(limit))

    def add(self, found: Round) -> None:
        """Store a new round."""
        self._run(insert(_round).values(as_row(_round, found)))

    def change(self, round_id: str, **changes: object) -> None:
        """Change fields of one round."""
        self._run(update(_round).where(_round.c.id == round_id).values(to_row(_round, changes)))

    def needs(self, round_id: str) -> list[RoundNeed]:
        """Needs on a round's ballot, by id."""
        return self._of_round(RoundNeed, _need, round_id, "need")

    def add_need(self, need: RoundNeed) -> None:
        """Put a need on a ballot."""
        self._run(insert(_need).values(as_row(_need, need)))

    def drop_need(self, round_id: str, need: str) -> None:
        """Take a need off a ballot."""
        self._run(delete(_need).where(_need.c.round == round_id, _need.c.need == need))

    def tries(self, need: str) -> int:
        """Counted rounds that decided about a need."""
        return self._scalar(select(func.count()).where(_decision.c.need == need))

    def ballot(self, round_id: str, voter: str) -> CastBallot | None:
        """The ballot of a voter, or None."""
        query = select(_ballot).where(_ballot.c.round == round_id, _ballot.c.voter == voter)
        return self._one(CastBallot, query)

    def ballots(self, round_id: str) -> list[CastBallot]:
        """Ballots of a round, by voter."""
        return self._of_round(CastBallot, _ballot, round_id, "voter")

    def put_ballot(self, ballot: CastBallot) -> None:
        """Keep a ballot in place of the voter's earlier one."""
        where = (_ballot.c.round == ballot.round, _ballot.c.voter == ballot.voter)
        self._run(delete(_ballot).where(*where))
        self._run(insert(_ballot).values(as_row(_ballot, ballot)))

    def decisions(self, round_id: str) -> list[RoundDecision]:
        """What a round decided, by need."""
        return self._of_round(RoundDecision, _decision, round_id, "need")

    def decided(self, need: str) -> list[RoundDecision]:
        """What rounds decided of a need, by round."""
        query = select(_decision).where(_decision.c.need == need).order_by("round")
        return self._all(RoundDecision, query)

    def put_decision(self, decision: RoundDecision) -> None:
        """Keep a decision, in place of an earlier one of the same round."""
        where = (_decision.c.round == decision.round, _decision.c.need == decision.need)
        self._run(delete(_decision).where(*where))
        self._run(insert(_decision).values(as_row(_decision, decision)))

    def files(self, round_id: str) -> list[RoundFile]:
        """Published files of a round, by name."""
        return self._of_round(RoundFile, _file, round_id, "name")

    def file(self, round_id: str, name: str) -> RoundFile | None:
        """One published file, or None."""
        query = select(_file).where(_file.c.round == round_id, _file.c.name == name)
        return self._one(RoundFile, query)

    def put_file(self, file: RoundFile) -> None:
        """Publish a file; the same name is replaced."""
        self._run(delete(_file).where(_file.c.round == file.round, _file.c.name == file.name))
        self._run(insert(_file).values(as_row(_file, file)))

    def carried(self, kind: str) -> dict[str, dict[str, int]]:
        """Amounts of a kind by owner and resource."""
        found: dict[str, dict[str, int]] = {}
        query = select(_carried).where(_carried.c.kind == kind).order_by("owner", "resource")
        for row in self._conn.execute(query).mappings():
            found.setdefault(row["owner"], {})[row["resource"]] = row["amount"]
        return found

    def carry(self, kind: str, amounts: Mapping[str, Mapping[str, int]]) -> None:
        """Replace everything carried of a kind; zeros are not kept."""
        self._run(delete(_carried).where(_carried.c.kind == kind))
        rows = [
            {"kind": kind, "owner": owner, "resource": resource, "amount": amount}
            for owner, row in amounts.items()
            for resource, amount in row.items()
            if amount
        ]
        if rows:
            self._conn.execute(insert(_carried), rows)

    def _of_round(self, kind: type[T], table: Table, round_id: str, by: str) -> list[T]:
        query = select(table).where(table.c.round == round_id).order_by(table.c[by])
        return self._all(kind, query)

"""One member, one ballot, changeable until close; sums that fit; nothing to trace members by."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.allocation.ballots import (
    BallotError,
    Box,
    audit,
    ballot_sha256,
    cast,
    close,
    counted,
    pseudonym,
    sums,
)
from controller.allocation.inputs import Ballot

ROLL = {"a1": "north", "a2": "north", "b1": "river"}


@pytest.fixture
def box() -> Box:
    return Box("r1", ROLL, frozenset({"n1", "n2"}))


def test_the_last_ballot_counts(box: Box) -> None:
    box, first = cast(box, "a1", {"n1": 1})
    box, second = cast(box, "a1", {"n1": 0, "n2": 3})
    assert (first.version, second.version) == (1, 2)
    assert counted(close(box)) == (Ballot("a1", "north", {"n2": 3}),)
    assert ballot_sha256(box, "a1") == second.sha256 != first.sha256


@pytest.mark.parametrize(
    ("member", "approvals", "told"),
    [
        ("zz", {"n1": 1}, "member: is not on the roll of this round; ask your community"),
        ("a1", {"n9": 1}, "approvals.n9: is no need of this round; remove it"),
        ("a1", {"n1": 4}, "approvals.n1: is no intensity; give 0 to 3"),
        ("a1", {"n1": True}, "approvals.n1: is no intensity; give 0 to 3"),
        ("a1", {"n1": -1}, "approvals.n1: is no intensity; give 0 to 3"),
    ],
)
def test_what_cannot_be_counted_is_told(
    member: str, approvals: dict[str, int], told: str, box: Box
) -> None:
    with pytest.raises(BallotError) as error:
        cast(box, member, approvals)
    assert str(error.value) == told
    assert not box.ballots


def test_a_closed_round_takes_no_ballot_and_an_open_one_shows_none(box: Box) -> None:
    with pytest.raises(BallotError, match="still open"):
        counted(box)
    with pytest.raises(BallotError, match="r1 is closed"):
        cast(close(box), "a1", {"n1": 1})


def test_an_audit_tells_every_difference(box: Box) -> None:
    box, _ = cast(box, "a1", {"n1": 1})
    box, _ = cast(box, "b1", {"n2": 2})
    box = close(box)
    assert audit(box, counted(box)) == []
    assert audit(box, counted(box)[:1]) == ["b1 is in only one of box and publication"]
    stuffed = (*counted(box), Ballot("zz", "north", {"n1": 1}), Ballot("a2", "north", {"n1": 1}))
    assert audit(box, stuffed) == [
        "zz is not on the roll",
        "a2 is in only one of box and publication",
    ]
    changed = (Ballot("a1", "north", {"n2": 1}), *counted(box)[1:], *counted(box)[1:])
    assert audit(box, changed) == [
        "a member has more than one published ballot",
        "the ballot of a1 was changed after it was cast",
    ]


def test_pseudonyms_differ_by_round_member_and_secret() -> None:
    names = {pseudonym(s, r, m) for s in (b"1", b"2") for r in ("r1", "r2") for m in ("a", "b")}
    assert len(names) == 8
    assert pseudonym(b"1", "r1", "a") == pseudonym(b"1", "r1", "a")


class AnyVoting(RuleBasedStateMachine):
    """Whatever is cast in whatever order, the box holds each one's last ballot and the sums fit."""

    def __init__(self) -> None:
        super().__init__()
        self.box = Box("r1", ROLL, frozenset({"n1", "n2"}))
        self.model: dict[str, dict[str, int]] = {}

    @precondition(lambda self: not self.box.closed)
    @rule(
        member=st.sampled_from(sorted(ROLL)),
        approvals=st.dictionaries(st.sampled_from(["n1", "n2"]), st.integers(0, 3)),
    )
    def vote(self, member: str, approvals: dict[str, int]) -> None:
        self.box, _ = cast(self.box, member, approvals)
        self.model[member] = {need: level for need, level in approvals.items() if level}

    @precondition(lambda self: len(self.model) == 3)
    @rule()
    def end(self) -> None:
        self.box = close(self.box)
        assert {b.member: dict(b.approvals) for b in counted(self.box)} == self.model

    @invariant()
    def fits(self) -> None:
        found = sums(self.box)
        assert sum(found.ballots.values()) == len(self.model)
        for need in ("n1", "n2"):
            assert found.points[need] == sum(row.get(need, 0) for row in self.model.values())
            assert found.approvals[need] == sum(need in row for row in self.model.values())


TestAnyVoting = AnyVoting.TestCase
TestAnyVoting.settings = settings(max_examples=30, deadline=None)

"""Joining other commons: mutual, by key; asked in turn; left without losing what was begun."""

from __future__ import annotations

import pytest

from controller import needs
from controller.adapters.peers import NUMBERS_AHEAD, Numbers
from controller.commons import joined as room
from controller.commons import leases
from controller.commons.borrowing import Forged, Unreachable
from controller.commons.joined import Joined
from controller.commons.leases import Claim
from controller.commons.records import Borrowed
from controller.commons.settings import RoundSettings, configure
from controller.joints.joining import Floor, Joint, peers_document
from controller.joints.lending import SiteWorkshop
from controller.values import Refused

KEY = "a" * 64


def offer(need: str, seq: int = 1, manifest: str = "c" * 64):
    return {
        "need": need, "seq": seq, "community": "valley", "design": "clamp",
        "manifest_sha256": manifest, "part": "clamp", "quantity": 1, "due_at": None,
        "need_class": "normal", "note": "",
    }  # fmt: skip


class FakeHome:
    """A home that grants everything and remembers what it was asked."""

    def __init__(self, offered=()) -> None:
        self.offered, self.asked, self.down = list(offered), [], False
        self.signed, self.forged = 0, None

    def offers(self, after: int):
        self._answer()
        listed = [one for one in self.offered if one["seq"] > after]
        return listed, max([after, *(one["seq"] for one in listed)])

    def ask(self, verb: str, claims: list[Claim]):
        self._answer()
        self.asked.append((verb, [one.need for one in claims]))
        return {one.need: 7 for one in claims}, {}

    def _answer(self) -> None:
        if self.forged:
            raise self.forged
        if self.down:
            raise Unreachable("valley is cut off")
        self.signed += 1


@pytest.fixture
def joint(floor, small_floor):
    """A joint over the small floor, which joined the valley; ``home`` is the valley."""
    home = FakeHome([offer("v1")])
    floor.do(room.join, "valley", "http://valley", KEY)
    parts = Floor(
        floor.do, floor.store.read, SiteWorkshop(small_floor.print_only),
        floor.clock.now_ms, floor.clock.monotonic_s, lambda one, key: home,
    )  # fmt: skip
    made = Joint(parts, 10.0, 20)
    made.home = home
    return made


def borrowed(floor, state: str):
    with floor.store.read() as tx:
        return tx.peers.borrowed("valley", state)


def test_a_joined_commons_is_read_and_its_needs_are_made_here(joint, floor) -> None:
    joint.look()
    (one,) = borrowed(floor, "begun")
    with floor.store.read() as tx:
        assert tx.needs.get(one.local).stated_by == "site valley"
        assert tx.peers.homes([one.local]) == {one.local: "valley"}
        (told,) = peers_document(tx, joint.contact)
    assert (told["making_for_them"], told["why"]) == (1, "")
    assert told["reached_at"] == floor.clock.now_ms()
    joint.look()
    assert [verb for verb, _ in joint.home.asked] == ["claims", "begin"]  # not asked in between
    floor.do(lambda tx: tx.needs.change(one.local, state="delivered"))
    floor.clock.advance_ms(10_000)
    joint.look()
    assert joint.home.asked[-1] == ("completions", ["v1"])


def test_one_that_does_not_answer_is_asked_less_and_less_often(joint, floor) -> None:
    joint.home.down = True
    asked = 0
    for _ in range(4 * 3600):
        before = joint.contact("valley").failures
        joint.look()
        asked += joint.contact("valley").failures - before
        floor.clock.advance_ms(1000)
    assert joint.contact("valley").why == "valley is cut off"
    assert 20 < asked < 40  # every ten minutes in the end
    joint.home.down = False
    floor.clock.advance_ms(600_000)
    joint.look()
    assert len(borrowed(floor, "begun")) == 1


def test_an_answer_that_is_not_its_own_is_counted_and_told_once(joint, floor) -> None:
    joint.home.forged = Forged("the answer of valley is not its own")
    for _ in range(3):
        joint.look()
        floor.clock.advance_ms(600_000)
    with floor.store.read() as tx:
        (told,) = peers_document(tx, joint.contact)
        notices = [one.text for one in tx.notice_room.since(0) if one.kind == "attention"]
    assert (told["forged"], told["answers"]) == (3, "")
    assert "compare `fabcommons commons key`" in told["why"]
    assert len(notices) == 1
    assert "nothing of it was used" in notices[0]
    assert borrowed(floor, "begun") == borrowed(floor, "claimed") == []
    joint.home.forged = None
    joint.look()
    assert len(borrowed(floor, "begun")) == 1
    with floor.store.read() as tx:
        (told,) = peers_document(tx, joint.contact)
    assert (told["forged"], told["answers"], told["why"]) == (3, "signed", "")


def test_a_home_of_an_older_release_is_told_how_to_go_on(joint, floor) -> None:
    joint.home.forged = Forged("the answer of valley is not signed", unsigned=True)
    joint.look()
    assert "update the software there" in joint.contact("valley").why
    floor.do(room.join, "valley", "http://valley", KEY, unsigned=True)
    with floor.store.read() as tx:
        assert room.joined(tx)[0].may_be_unsigned
    floor.do(room.note_signs, "valley")
    with floor.store.read() as tx:
        assert not room.joined(tx)[0].may_be_unsigned
    floor.do(room.join, "valley", "http://valley", KEY, unsigned=True)
    with floor.store.read() as tx:
        assert not room.joined(tx)[0].may_be_unsigned  # it signs: no way back
    floor.do(room.join, "valley", "http://valley", "b" * 64, unsigned=True)
    with floor.store.read() as tx:
        assert room.joined(tx)[0].may_be_unsigned  # another key is another promise


def test_offers_are_read_again_when_a_design_came_in(joint, floor) -> None:
    joint.home.offered = [offer("v1", manifest="d" * 64)]
    joint.look()
    assert borrowed(floor, "begun") == []
    with floor.store.read() as tx:
        design = tx.designs.get("clamp")
    from dataclasses import replace

    floor.do(lambda tx: tx.designs.put(replace(design, manifest_sha="d" * 64)))
    floor.clock.advance_ms(10_000)
    joint.look()
    assert [one.need for one in borrowed(floor, "begun")] == ["v1"]


def test_a_need_that_was_given_back_is_not_taken_again(joint, floor) -> None:
    joint.look()
    (one,) = borrowed(floor, "begun")
    floor.do(lambda tx: tx.needs.change(one.local, state="refused", reason="no petg"))
    joint.home.offered.append(offer("v1", seq=2))
    for _ in range(3):
        floor.clock.advance_ms(10_000)
        joint.look()
    assert [verb for verb, _ in joint.home.asked] == ["claims", "begin", "releases"]


def test_leaving_gives_back_what_is_claimed_and_ends_what_is_begun(joint, floor) -> None:
    joint.look()
    (begun,) = borrowed(floor, "begun")
    floor.do(lambda tx: tx.peers.put_borrowed(Borrowed("valley", "v2", "claimed", 9, "", {})))
    floor.do(room.leave, "valley")
    joint.home.offered.append(offer("v3", seq=5))
    floor.clock.advance_ms(10_000)
    joint.look()
    assert joint.home.asked[-1] == ("releases", ["v2"])
    with floor.store.read() as tx:
        assert tx.peers.get("valley") is not None  # a word is still owed
    floor.do(lambda tx: tx.needs.change(begun.local, state="delivered"))
    floor.clock.advance_ms(10_000)
    joint.look()
    assert joint.home.asked[-1] == ("completions", ["v1"])
    with floor.store.read() as tx:
        assert room.joined(tx) == []
        assert tx.peers.get("valley") is None


def test_who_left_gets_nothing_new_but_may_end_what_it_began(floor, small_floor) -> None:
    floor.do(room.join, "hill", "", KEY)
    names = [floor.do(needs.state, small_floor.request(key), small_floor.print_only).id
             for key in "ab"]  # fmt: skip
    for name in names:
        floor.do(leases.share, name)
    (held, _) = floor.do(leases.claim, "hill", names[:1]).good[0]
    floor.do(leases.begin, "hill", [held])
    floor.do(room.leave, "hill")
    assert floor.do(leases.claim, "hill", names[1:]).refused == {names[1]: "left"}
    assert floor.do(room.forget, "hill") is False
    assert floor.do(leases.complete, "hill", [held]).good == [(held, 0)]
    assert floor.do(room.forget, "hill") is True


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (("Valley!", "", KEY), "site"),
        (("floor", "", KEY), "site"),
        (("hill", "ftp://hill", KEY), "url"),
        (("hill", "", "zz"), "public_key"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_its_field(floor, ask, field) -> None:
    with pytest.raises(Refused) as caught:
        floor.do(room.join, *ask)
    assert caught.value.field == field


def test_joining_again_changes_address_and_key_and_keeps_the_request_number(floor) -> None:
    floor.do(room.join, "hill", "http://a", KEY)
    floor.do(lambda tx: tx.peers.use_seq("hill", 41))
    floor.do(room.join, "hill", "http://b/", "b" * 64)
    with floor.store.read() as tx:
        assert room.joined(tx) == [Joined("hill", "http://b")]
        assert (tx.peers.get("hill").public_key, tx.peers.get("hill").last_seq) == ("b" * 64, 41)


def test_request_numbers_grow_over_restarts_and_clocks_that_go_back(floor) -> None:
    last, writes = 0, 0
    for moved_ms in (0, 5, -(10**9), 3 * NUMBERS_AHEAD, -1, 0):
        floor.clock.advance_ms(moved_ms)

        def submit(run):
            nonlocal writes
            writes += 1
            return floor.do(run)

        numbers = Numbers(submit, floor.clock.now_ms)
        for _ in range(50):
            number = numbers()
            assert number > last
            last = number
    assert writes == 6


def test_a_need_on_the_ballot_is_decided_before_it_is_offered(floor, small_floor) -> None:
    floor.do(configure, RoundSettings())
    name = floor.do(needs.state, small_floor.request("a"), small_floor.print_only).id
    with pytest.raises(Refused, match="on the ballot"):
        floor.do(leases.share, name)


def test_what_another_commons_decided_is_not_put_on_our_ballot(joint, floor) -> None:
    floor.do(configure, RoundSettings())
    joint.look()
    (one,) = borrowed(floor, "begun")
    with floor.store.read() as tx:
        need = tx.needs.get(one.local)
    assert (need.state, need.reason.partition(":")[0]) == ("accepted", "made for valley")

"""Rounds joined to the store: members, ballots, close, count, reasons, carried, urgent needs."""

import json

import pytest

from controller import needs
from controller.commons import members, rounds
from controller.commons.records import DEBIT, SAVING
from controller.commons.settings import RoundSettings, problems
from controller.rounds_verify.verify import verify_file
from controller.values import Refused
from support.rounds_town import PRINT_MG, SHARE, Town


@pytest.fixture
def town(floor, small_floor):
    return Town(floor, small_floor)


def test_a_stated_need_is_put_on_the_ballot_and_says_so(town):
    need = town.state("a")
    assert town.need(need).state == "stated"
    assert "on the ballot of round r1, which closes" in town.need(need).reason
    with town.floor.store.read() as tx:
        (row,) = tx.rounds.needs("r1")
        assert row.demand == {"fdm-time": 540_000, "petg": PRINT_MG}


def test_a_round_accepts_by_equal_shares_and_the_verifier_agrees(town, tmp_path):
    large, small = town.state("a", quantity=8), town.state("b", "hill", quantity=1)
    other = town.state("c", "river", quantity=3)
    town.vote(town.tokens["north"][0], {large: 1})
    town.vote(town.tokens["hill"][0], {small: 3})
    town.vote(town.tokens["river"][0], {other: 2})
    found = town.commons.close("r1")
    assert found.state == "counted"
    assert town.need(small).state == "accepted"
    assert town.need(small).accepted_because == (
        "1 supporter paid for it from their equal shares (round r1)"
    )
    assert town.need(other).state == "accepted"
    assert town.need(large).state == "stated"
    assert town.need(large).reason.startswith("refused: 33.68 g petg asked, 25.26 g left")
    assert town.need(large).reason.endswith("it is on the next round's ballot again")
    round_file = town.publish(tmp_path / "r1")
    assert verify_file(round_file, found.inputs_sha) == []
    document = json.loads(round_file.read_text())
    document["certificate"]["spill"].append(document["certificate"]["spill"][:1])
    round_file.write_text(json.dumps(document))
    assert verify_file(round_file) != []


def test_accepted_needs_are_ranked_in_the_order_of_acceptance(town):
    first, second = town.state("a", quantity=2), town.state("b", "river", quantity=1)
    town.vote(town.tokens["north"][0], {second: 1, first: 1})
    town.vote(town.tokens["river"][0], {second: 1})
    town.commons.close("r1")
    with town.floor.store.read() as tx:
        order = sorted((d for d in tx.rounds.decisions("r1")), key=lambda d: d.place)
        assert [d.need for d in order if d.place] == [
            n.id for n in sorted(tx.needs.open(), key=lambda n: n.rank)
        ]


def test_one_ballot_per_member_changeable_until_close_and_none_after(town):
    need = town.state("a")
    token = town.tokens["north"][0]
    first = town.vote(token, {need: 1})
    again = town.vote(token, {need: 3})
    assert (first.member, first.version, again.version) == (again.member, 1, 2)
    with town.floor.store.read() as tx:
        (kept,) = tx.rounds.ballots("r1")
        assert kept.approvals == {need: 3} and kept.sha == again.sha256
    town.commons.close("r1")
    with pytest.raises(Refused, match="closed") as refused:
        town.vote(token, {need: 1})
    assert refused.value.code == "too-late"


@pytest.mark.parametrize(
    ("approvals", "limits", "words"),
    [
        ({"n99": 1}, {}, "is no need of this round"),
        ({"n1": 4}, {}, "is no intensity"),
        ({}, {"petg": 5}, "no limit is voted on"),
    ],
)
def test_a_ballot_that_cannot_be_counted_is_refused_in_words(town, approvals, limits, words):
    town.state("a")
    with pytest.raises(Refused, match=words):
        town.vote(town.tokens["north"][0], approvals, **limits)


def test_without_a_token_nobody_votes(town):
    town.state("a")
    for token in ("", "fc-wrong"):
        with pytest.raises(Refused, match="not the token of a member"):
            town.vote(token, {})


def test_a_token_ends_when_its_member_leaves(town):
    town.state("a")
    token = town.tokens["hill"][0]
    member = town.floor.do(members.member_of, token)
    town.floor.do(members.leave, member.id)
    with pytest.raises(Refused, match="not the token"):
        town.vote(token, {})


def test_ballots_are_published_under_names_that_are_new_in_every_round(town):
    need = town.state("a")
    token = town.tokens["north"][0]
    first = town.vote(token, {need: 1})
    town.commons.close("r1")
    town.state("b")
    second = town.vote(token, {}, "r2")
    assert first.member != second.member
    assert town.floor.do(members.member_of, token).id not in (first.member, second.member)


def test_members_vote_the_limit_that_protects_nature(floor, small_floor, tmp_path):
    town = Town(floor, small_floor, limits={}, protected=["petg"])
    need = town.state("a", quantity=4)
    for token, limit in zip(
        (*town.tokens["north"], *town.tokens["river"]), (9, 3 * PRINT_MG, 10**9, 10**9), strict=True
    ):
        town.vote(token, {need: 1}, petg=limit)
    town.vote(town.tokens["hill"][0], {}, petg=3 * PRINT_MG)
    found = town.commons.close("r1")
    assert town.need(need).reason.startswith(
        "refused: 16.84 g petg asked, the whole round has 12.63 g within the limit"
    )
    folder = town.publish(tmp_path / "r")
    assert verify_file(folder, found.inputs_sha) == []
    town.state("b")
    with floor.store.read() as tx:
        petg = {r["id"]: r for r in json.loads(tx.rounds.get("r1").inputs)["resources"]}["petg"]
    assert petg["threshold"] == 3 * PRINT_MG


def test_a_changed_ballot_or_limit_is_found_by_the_verifier(floor, small_floor, tmp_path):
    town = Town(floor, small_floor, limits={}, protected=["petg"])
    need = town.state("a")
    town.vote(town.tokens["north"][0], {need: 1}, petg=5 * PRINT_MG)
    town.commons.close("r1")
    round_file = town.publish(tmp_path / "r")
    path = round_file.with_name("ballots.json")
    good = json.loads(path.read_text())
    changed = json.loads(path.read_text())
    changed["ballots"][0]["limits"]["petg"] = 7
    path.write_text(json.dumps(changed))
    assert {f.code for f in verify_file(round_file)} == {"ballots"}
    good["ballots"].clear()
    path.write_text(json.dumps(good))
    assert {f.code for f in verify_file(round_file)} == {"ballots"}


def test_what_a_voter_does_not_spend_is_saved_and_debits_are_carried(town):
    need = town.state("a", "hill", quantity=2)
    town.vote(town.tokens["hill"][0], {need: 1})
    town.vote(town.tokens["north"][0], {})
    town.commons.close("r1")
    saved = town.carried(SAVING)
    member = town.floor.do(members.member_of, town.tokens["north"][0]).id
    assert saved[member]["petg"] == 10 * PRINT_MG * 12 // 21
    assert town.carried(DEBIT)["hill"]["petg"] == 2 * PRINT_MG - 10 * PRINT_MG * 3 // 21
    assert town.need(need).state == "accepted"


def test_a_count_is_applied_once_and_a_crash_before_it_changes_nothing(town):
    need = town.state("a")
    town.vote(town.tokens["north"][0], {need: 1})
    found = town.floor.do(rounds.close_round, "r1")
    counted = rounds.count(found)
    assert town.floor.do(rounds.apply_round, "r1", counted) is True
    rank = town.need(need).rank
    assert town.floor.do(rounds.apply_round, "r1", rounds.count(found)) is False
    assert town.need(need).rank == rank
    assert town.floor.do(rounds.close_round, "r1").state == "counted"


def test_a_round_whose_time_has_come_closes_by_itself(town):
    need = town.state("a")
    town.vote(town.tokens["north"][0], {need: 1})
    town.commons.look()
    assert town.need(need).state == "stated"
    town.floor.clock.advance_ms(10 * 3_600_000)
    town.commons.look()
    assert town.need(need).state == "accepted"


def test_a_need_that_no_round_accepts_is_refused_in_the_end(floor, small_floor):
    town = Town(floor, small_floor, tries=2)
    need = town.state("a", quantity=20)
    for round_id in ("r1", "r2"):
        assert town.need(need).state == "stated"
        town.vote(town.tokens["north"][0], {need: 1}, round_id)
        town.commons.close(round_id)
        floor.do(SHARE)
    assert town.need(need).state == "refused"
    assert "petg asked, the whole round has" in town.need(need).reason
    with floor.store.read() as tx:
        assert [d.round for d in tx.rounds.decided(need)] == ["r1", "r2"]
        assert {op.state for op in tx.operations.of_need(need)} == {"cancelled"}


def test_what_this_floor_can_never_make_is_refused_before_the_ballot(town):
    ask = town.small.request("a", quantity=1)
    impossible = town.small.RoutedNeed(
        (town.small.RoutedOperation(0, "melt", "smelt", {}, None, 60, []),), ()
    )
    need = town.floor.do(needs.state, ask, lambda design, quantity: impossible)
    town.floor.do(SHARE)
    assert town.need(need.id).state == "refused"
    assert "no machine here can do melt" in town.need(need.id).reason


def test_a_withdrawn_need_is_not_counted(town):
    need, other = town.state("a"), town.state("b")
    town.vote(town.tokens["north"][0], {need: 1, other: 1})
    town.floor.do(needs.withdraw, need, "t")
    town.commons.close("r1")
    assert town.need(need).state == "withdrawn"
    assert town.need(other).state == "accepted"


def test_a_site_without_rounds_shares_as_before(floor, small_floor):
    need = floor.do(needs.state, small_floor.request("a"), small_floor.print_only)
    floor.do(SHARE)
    with floor.store.read() as tx:
        assert tx.needs.get(need.id).state == "accepted"
        assert tx.rounds.page(1) == []


def test_nothing_new_asks_for_no_new_plan(town):
    town.state("a")
    with town.floor.store.write() as tx:
        assert SHARE(tx) == 0
        assert tx.effects.replan is False


def test_settings_say_what_is_wrong():
    wrong = problems(RoundSettings(length_h=0, spill="best", power_w={"fdm": -1}))
    assert [text.split(":")[0] for text in wrong] == ["length_h", "spill", "power_w"]


def test_people_and_energy_are_shared_where_a_site_says_how_much_there_is(floor, small_floor):
    town = Town(floor, small_floor, people_h=10, energy_kwh=5, power_w={"fdm": 120})
    town.state("a", quantity=2)
    with floor.store.read() as tx:
        (row,) = tx.rounds.needs("r1")
    assert row.demand["people-time"] == 2 * 180_000
    assert row.demand["energy"] == 2 * 120 * 540 * 1000 // 3600

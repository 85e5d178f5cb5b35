"""Urgent needs and the reserve kept for them, in rounds held on a site's own store."""

import json

import pytest

from controller.commons import urgent
from controller.commons.records import DEBIT, RESERVE, SITE
from controller.rounds_verify.verify import verify_file
from controller.values import Refused
from support.rounds_town import PRINT_MG, SHARE, Town


@pytest.fixture
def town(floor, small_floor):
    return Town(floor, small_floor)


def test_an_urgent_need_waits_for_stewards_then_goes_ahead_and_is_charged(floor, small_floor):
    town = Town(floor, small_floor, urgent_reserve_ppm=100_000)
    need = town.state("a", "hill", need_class="urgent")
    assert town.need(need).reason == ("urgent, waits: 0 of 2 duty stewards have attested it")
    floor.do(urgent.attest, need, town.stewards["hill"])
    assert "1 of 2 duty stewards" in town.need(need).reason
    floor.do(urgent.attest, need, town.stewards["north"])
    assert town.need(need).reason == (
        "urgent, waits: 1 of 2 attesting stewards come from other communities, not most"
    )
    reserve = town.carried(RESERVE)[SITE]["petg"]
    floor.do(urgent.attest, need, town.stewards["river"])
    assert town.need(need).state == "accepted"
    assert town.need(need).accepted_because == (
        "attested as urgent, served from the urgent reserve"
    )
    assert town.carried(DEBIT)["hill"] == {"fdm-time": 540_000, "petg": PRINT_MG}
    assert town.carried(RESERVE)[SITE].get("petg", 0) == reserve - PRINT_MG
    with floor.store.read() as tx:
        assert tx.rounds.needs("r1") == []


def test_marking_everything_urgent_ends_at_the_debt_cap(floor, small_floor):
    town = Town(
        floor, small_floor, urgent_reserve_ppm=1_000_000, debt_cap_ppm=100_000, length_h=100
    )
    states = []
    for number in range(5):
        need = town.state(f"u{number}", "hill", quantity=1, need_class="urgent")
        for name in ("north", "river"):
            if town.need(need).state == "stated":
                floor.do(urgent.attest, need, town.stewards[name])
        states.append(town.need(need).state)
    assert states == ["accepted", "accepted", "accepted", "stated", "stated"]
    assert "would owe more petg than the debt cap allows" in town.need(need).reason


def test_an_urgent_need_displaces_only_what_has_not_begun_when_the_reserve_is_short(town):
    begun, idle = town.state("a", quantity=1), town.state("b", quantity=1)
    town.vote(town.tokens["north"][0], {begun: 1, idle: 1})
    town.commons.close("r1")
    town.floor.do(lambda tx: tx.operations.change(f"{begun}-1", state="running"))
    need = town.state("u", "hill", need_class="urgent")
    for name in ("north", "river"):
        town.floor.do(urgent.attest, need, town.stewards[name])
    assert town.need(need).state == "accepted"
    assert town.need(idle).state == "stated"
    assert f"displaced by urgent {need}" in town.need(idle).reason
    assert town.need(begun).state == "accepted"
    with town.floor.store.read() as tx:
        assert any(notice.subject == idle for notice in tx.notice_room.page(5))


def test_a_floor_need_has_first_claim_only_once_stewards_agreed(town):
    need = town.state("a", need_class="floor")
    with pytest.raises(Refused, match="no steward"):
        town.floor.do(urgent.attest, need, town.tokens["north"][0])
    for name in ("hill", "river"):
        town.floor.do(urgent.attest, need, town.stewards[name])
    town.commons.close("r1")
    assert town.need(need).accepted_because.startswith("a basic need has first claim")


def test_reserve_nobody_needed_halfway_goes_to_who_waits_with_an_addendum(
    floor, small_floor, tmp_path
):
    limits = {"petg": 10 * PRINT_MG}
    town = Town(floor, small_floor, limits=limits, urgent_reserve_ppm=400_000)
    asked = [
        town.state("a", quantity=3),
        town.state("b", "river", quantity=2),
        town.state("c", "hill", quantity=3),
    ]
    town.vote(town.tokens["north"][0], dict.fromkeys(asked[:2], 1))
    town.vote(town.tokens["hill"][0], {asked[2]: 1})
    town.commons.close("r1")
    before = {need: town.need(need).state for need in asked}
    town.commons.look()
    assert {need: town.need(need).state for need in before} == before  # not halfway yet
    reserve = town.carried(RESERVE)[SITE]["petg"]
    floor.clock.advance_ms(5 * 3_600_000)
    town.floor.do(SHARE)  # the next round opens and lists what waits
    town.commons.look()
    more = [need for need in before if town.need(need).state != before[need]]
    assert more
    assert town.need(more[0]).accepted_because == (
        "urgent reserve was not used (round r1, addendum)"
    )
    assert town.carried(RESERVE)[SITE]["petg"] == reserve - reserve // 2
    round_file = town.publish(tmp_path / "r1")
    assert (tmp_path / "r1" / "addendum.json").is_file()
    assert verify_file(round_file) == []
    with floor.store.read() as tx:
        current = tx.rounds.current()
        assert current is None or more[0] not in {n.need for n in tx.rounds.needs(current.id)}
    town.commons.look()
    assert town.carried(RESERVE)[SITE]["petg"] == reserve - reserve // 2  # once only
    lie = json.loads((tmp_path / "r1" / "addendum.json").read_text())
    lie["grants"] = []
    (tmp_path / "r1" / "addendum.json").write_text(json.dumps(lie))
    assert next(finding.code for finding in verify_file(round_file)) == "addendum"


def test_reserve_is_kept_where_the_settings_say_so(floor, small_floor):
    town = Town(floor, small_floor, urgent_reserve_ppm=400_000, release_ppm=0)
    town.state("a", quantity=6)
    town.vote(town.tokens["north"][0], {"n1": 1})
    town.commons.close("r1")
    reserve = town.carried(RESERVE)
    floor.clock.advance_ms(9 * 3_600_000)
    town.commons.look()
    assert town.carried(RESERVE) == reserve

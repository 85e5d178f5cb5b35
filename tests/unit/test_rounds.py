"""Floor, spill, what is carried, and the sentences: worked by hand, and the example of the docs."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings

from controller.allocation.certificate import decide
from controller.allocation.equal_shares import Utility
from controller.allocation.inputs import (
    Ballot,
    Community,
    Inputs,
    Need,
    NeedClass,
    Resource,
    Rules,
    SpillRule,
)
from controller.allocation.reading import RoundError, read_inputs
from controller.allocation.reasons import decisions, say_amounts
from controller.allocation.round import run_round, spill_again, voices
from support.commons import example, rounds


def town(needs: list[Need], ballots: list[Ballot], **rules: Any) -> Inputs:
    """North with 3 members and Hill with 1, sharing 8 kg of PLA."""
    return Inputs(
        "r1", "Valley", "2026-01-01", "2026-01-07",
        (Resource("pla", "PLA", "mg", 8_000_000),),
        (Community("north", "North", 3), Community("hill", "Hill", 1)),
        tuple(needs), tuple(ballots), Rules(**rules),
    )  # fmt: skip


def pla(id: str, community: str, grams: int, **more: Any) -> Need:
    return Need(id, community, id, {"pla": grams * 1000}, **more)


def votes(**approvals: str) -> list[Ballot]:
    """n1="a b" means n1 approves a and b; the first letter names the community."""
    home = {"n": "north", "h": "hill"}
    return [
        Ballot(member, home[member[0]], dict.fromkeys(needs.split(), 1))
        for member, needs in approvals.items()
    ]


def reasons(inputs: Inputs) -> dict[str, str]:
    return {decision.need: decision.reason for decision in decisions(run_round(inputs))}


def test_members_buy_then_the_rest_goes_to_who_has_least() -> None:
    needs = [pla("a", "north", 6000), pla("b", "north", 1500), pla("c", "hill", 2500)]
    ballots = votes(n1="a b", n2="a", n3="a", h1="c")
    outcome = run_round(town(needs, ballots))
    assert [p.need for p in outcome.purchases] == ["a"]
    assert [(g.need, g.before) for g in outcome.grants] == [("b", Fraction(1))]
    assert reasons(town(needs, ballots)) == {
        "a": "accepted: 3 supporters paid for it from their equal shares",
        "b": "accepted: it fitted what was left and North had received least for its size",
        "c": "refused: 2.5 kg PLA asked, 2 kg left after needs with more support",
    }


def test_overshoot_is_a_debit_and_savings_are_kept() -> None:
    needs = [pla("c", "hill", 5000)]
    outcome = run_round(town(needs, votes(n1="", h1="c")))
    assert outcome.accepted() == ["c"]
    assert outcome.carried.debits["hill"] == {"pla": 3_000_000}
    assert outcome.carried.savings == {"n1": {"pla": 6_000_000}, "h1": {}}
    later = run_round(town(needs, votes(n1="", h1="c"), spill=SpillRule.SHARE_AFTER))
    assert later.carried.debits["hill"] == {}


def test_a_debit_withholds_at_most_half_of_what_a_round_gives() -> None:
    inputs = town([pla("c", "hill", 7000)], votes(n1="", h1=""))
    indebted = replace(inputs.communities[1], debits={"pla": 1_200_000})
    outcome = run_round(replace(inputs, communities=(inputs.communities[0], indebted)))
    assert outcome.carried.savings["h1"] == {"pla": 1_000_000}
    assert outcome.carried.debits["hill"] == {"pla": 200_000}


def test_savings_pay_what_no_round_alone_could() -> None:
    inputs = town([pla("c", "hill", 5000, waited=1), pla("a", "north", 6000)],
                  votes(n1="a", n2="a", n3="a", h1="c"))  # fmt: skip
    saved = replace(inputs.ballots[3], savings={"pla": 3_000_000})
    inputs = replace(inputs, ballots=(*inputs.ballots[:3], saved))
    outcome = run_round(inputs)
    assert [(p.need, p.saved) for p in outcome.purchases] == [("c", True)]
    assert outcome.carried.waited == {"a": 1}
    assert reasons(inputs) == {
        "c": "accepted: 1 supporter paid for it from what they had saved",
        "a": "refused: 6 kg PLA asked, 3 kg left after needs with more support",
    }


def test_of_needs_that_only_savings_can_pay_the_longest_waiting_is_first() -> None:
    needs = [pla("c", "hill", 5000, waited=1), pla("d", "hill", 5000, waited=2)]
    (ballot,) = votes(h1="c d")
    rich = replace(ballot, savings={"pla": 9_000_000})
    outcome = run_round(replace(town(needs, []), ballots=(rich,)))
    assert [(p.need, p.saved) for p in outcome.purchases] == [("d", True)]


def test_floor_needs_come_first_within_their_cap() -> None:
    agreed: dict[str, Any] = {"need_class": NeedClass.FLOOR, "attested_by": ("clinic",)}
    needs = [
        pla("x", "north", 800, **agreed),
        pla("y", "north", 700, **agreed),
        pla("z", "hill", 800, **agreed),
    ]
    outcome = run_round(town(needs, votes(n1="", h1="")))
    assert outcome.floor == ["y", "z"]
    assert outcome.shared == {"pla": 6_500_000}
    told = reasons(town(needs, votes(n1="", h1="")))
    assert (
        told["y"] == "accepted: a basic need has first claim, within the part kept for such needs"
    )
    assert told["x"] == "waiting: nobody has supported it yet"


@pytest.mark.parametrize(
    ("rule", "served"),
    [
        (SpillRule.SHARE_BEFORE, ["a", "h"]),
        (SpillRule.SHARE_AFTER, ["a", "b"]),
        (SpillRule.VOTE_ORDER, ["a", "b"]),
    ],
)
def test_spill_rules_differ_as_they_say(rule: SpillRule, served: list[str]) -> None:
    needs = [pla("a", "north", 3000), pla("b", "north", 3000), pla("h", "hill", 5000)]
    ballots = votes(n1="a b", n2="", n3="", h1="h")
    outcome = run_round(town(needs, ballots, spill=rule))
    assert [grant.need for grant in outcome.grants] == served


def test_a_need_beyond_the_limit_set_by_ballot_is_told_so() -> None:
    inputs = town([pla("a", "north", 6000)], votes(n1="a"))
    limited = Resource("pla", "PLA", "mg", 8_000_000, threshold=4_000_000)
    inputs = replace(inputs, resources=(limited,))
    told = "refused: 6 kg PLA asked, the whole round has 4 kg within the limit the communities set"
    assert reasons(inputs) == {"a": told}


def test_needs_of_equal_worth_are_compared_by_support_per_gram() -> None:
    needs = [pla("a", "north", 6000), pla("b", "north", 3000)]
    ballots = votes(n1="a b", n2="a b", n3="a b", h1="")
    assert run_round(town(needs, ballots)).accepted() == ["b"]
    told = reasons(town(needs, ballots, utility=Utility.ONE))
    assert told["a"] == "refused: 6 kg PLA asked, 5 kg left after needs with more support per gram"


def test_reserve_released_in_mid_round_goes_on_by_the_same_rule() -> None:
    outcome = decide(json.dumps(example()).encode()).outcome
    assert spill_again(outcome, {}) == ([], outcome.left)
    grants, left = spill_again(outcome, {"printer": 10 * 3_600_000, "aluminium": 2_500_000})
    assert [grant.need for grant in grants] == ["r2"]
    assert left["printer"] == outcome.left["printer"]
    grants, _ = spill_again(outcome, {"printer": 10 * 3_600_000})
    assert [grant.need for grant in grants] == ["n2"]


def test_intensities_weigh_a_members_own_wishes_only() -> None:
    assert voices(Ballot("m", "c", {"a": 1, "b": 1})) == {"a": 6, "b": 6}
    assert voices(Ballot("m", "c", {"a": 3, "b": 3})) == {"a": 6, "b": 6}
    assert voices(Ballot("m", "c", {"a": 1, "b": 2, "c": 3})) == {"a": 2, "b": 4, "c": 6}
    assert voices(Ballot("m", "c", {"a": 1, "b": 2})) == {"a": 3, "b": 6}


@pytest.mark.parametrize(
    ("unit", "amounts", "said"),
    [
        ("mg", (9_000_000, 4_000_000), ["9 kg", "4 kg"]),
        ("mg", (9_000_000, 8_999_999), ["9 kg", "8.999999 kg"]),
        ("mg", (1_500, 0), ["1.5 g", "0 g"]),
        ("ms", (5_400_000, 60_000), ["1.5 h", "0.017 h"]),
        ("mWh", (2_500_000, 100), ["2.5 kWh", "0.0001 kWh"]),
        ("pieces", (12, 3), ["12 pieces", "3 pieces"]),
        ("mg", (100_000_000, 20_000_000), ["100 kg", "20 kg"]),
    ],
)
def test_amounts_are_said_so_that_different_ones_differ(
    unit: str, amounts: tuple[int, ...], said: list[str]
) -> None:
    assert say_amounts(unit, *amounts) == said


@given(rounds())
@settings(max_examples=60, deadline=None)
def test_every_need_has_one_sentence(inputs: Inputs) -> None:
    found = decisions(run_round(inputs))
    assert [d.need for d in found] == sorted(need.id for need in inputs.needs)
    for decision in found:
        assert decision.reason.startswith(f"{decision.state}: ")
        assert "\n" not in decision.reason
        assert decision.state != "refused" or decision.asked > decision.left >= 0


def test_the_worked_example_ends_as_the_page_says() -> None:
    outcome = decide(json.dumps(example()).encode()).outcome
    assert outcome.floor == ["r0"]
    assert [p.need for p in outcome.purchases] == ["n1", "n4", "r3"]
    assert [g.need for g in outcome.grants] == ["h2", "r1", "n6", "n5"]
    refused = [d.need for d in decisions(outcome) if d.state == "refused"]
    assert refused == ["h1", "n2", "n3", "r2"]


def test_the_worked_example_by_votes_alone_leaves_hill_with_nothing() -> None:
    inputs = read_inputs(example())
    left = inputs.capacity()
    supporters = inputs.supporters()
    served: set[str] = set()
    for need in sorted(inputs.needs, key=lambda n: (-len(supporters[n.id]), n.id)):
        if all(amount <= left[r] for r, amount in need.demand.items()):
            left = {r: amount - need.demand.get(r, 0) for r, amount in left.items()}
            served.add(need.community)
    assert served == {"north", "river"}


def broken(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    document = example()
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("format",), "x", 'format: is not known; write "fabcommons-round/1"'),
        (("opened_on",), "2026-02-30", "opened_on: is not a day; write YYYY-MM-DD"),
        (("closed_on",), "2026-01-01", "closed_on: is before opened_on"),
        (("surprise",), 1, "surprise: is not a field here; remove it"),
        (("resources",), [], "resources: is empty; name at least one resource"),
        (("resources", 0, "unit"), "kg", "resources[0].unit: is 'kg'; write mg or ms or mWh"),
        (("resources", 0, "forecast"), 1.5, "resources[0].forecast: is not a whole number"),
        (("resources", 1, "id"), "printer", "resources[1]: repeats 'printer'; keep one"),
        (("communities", 0, "hours_worked"), 9, "hours_worked: would weigh by labour; weights"),
        (("communities", 0, "members"), -1, "communities[0].members: is not a whole number"),
        (("communities", 0, "members"), 3, "ballots from 3 members of north; one member has one"),
        (("needs", 0, "demand"), {}, "needs[0].demand: asks for nothing; give at least one"),
        (("needs", 0, "demand"), {"gold": 1}, "needs[0].demand.gold: is not known in this round"),
        (("needs", 0, "community"), "moon", "needs[0].community: is not known in this round"),
        (("needs", 0, "class"), "vip", "needs[0].class: is 'vip'; write floor or normal or urgent"),
        (("needs", 6, "attested_by"), [], "needs[6].attested_by: is empty for a floor need"),
        (("ballots", 3, "member"), "hill-000", "repeats 'hill-000'; keep one of the two"),
        (("ballots", 0, "approvals"), {"n1": 4}, "ballots[0].approvals.n1: is not a whole number"),
        (("ballots", 0, "approvals"), {"n99": 1}, "ballots[0].approvals.n99: is not known"),
        (("rules", "spill"), "mine", "rules.spill: is 'mine'; write share_before or share_after"),
        (("needs",), 3, "needs: is not a list; write [ ... ]"),
        (("needs", 0), 3, "needs[0]: is not an object; write { ... }"),
    ],
)
def test_bad_input_names_the_field_and_the_fix(
    path: tuple[str | int, ...], value: Any, told: str
) -> None:
    document = broken(path, value)
    if path == ("ballots", 3, "member"):
        document["ballots"][3]["member"] = document["ballots"][0]["member"]
        told = told.replace("hill-000", document["ballots"][0]["member"])
    with pytest.raises(RoundError) as error:
        read_inputs(document)
    assert told in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_document_is_told_too(content: bytes) -> None:
    with pytest.raises(RoundError):
        decide(content)

"""The quick exact rule against the rule written plainly, and against figures worked by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings

from controller.allocation.equal_shares import Election, Utility, equal_shares, preview
from support.commons import elections, plain_equal_shares, random_election


def check(election: Election) -> None:
    bought = equal_shares(election)
    assert [(p.need, p.rho) for p in bought.purchases] == plain_equal_shares(election)


@given(elections(most_voice=6))
@settings(max_examples=150, deadline=None)
def test_small_elections_are_decided_as_the_plain_rule_decides(election: Election) -> None:
    check(election)


@pytest.mark.parametrize("seed", range(6))
def test_larger_elections_are_decided_as_the_plain_rule_decides(seed: int) -> None:
    check(random_election(seed, 30, 40, list(Utility)[seed % 2]))


@pytest.mark.parametrize("seed", range(6))
def test_a_preview_buys_the_same_when_nothing_is_nearly_equal(seed: int) -> None:
    election = random_election(seed, 60, 100, list(Utility)[seed % 2])
    assert preview(election) == [p.need for p in equal_shares(election).purchases]


def test_a_need_is_paid_equally_by_those_who_can() -> None:
    purses = [[Fraction(1), Fraction(4), Fraction(5)]]
    election = Election([[7]], [10], [[(0, 1), (1, 1), (2, 1)]], purses)
    bought = equal_shares(election)
    (purchase,) = bought.purchases
    assert purchase.prices == {0: Fraction(3)}
    assert purchase.short == {0: {0: Fraction(1)}}
    assert bought.purses == [[Fraction(0), Fraction(1), Fraction(2)]]
    assert bought.left == [3]


def test_who_wishes_twice_as_much_pays_twice_as_much() -> None:
    election = Election([[6]], [10], [[(0, 1), (1, 2)]], [[Fraction(5), Fraction(5)]])
    assert equal_shares(election).purses == [[Fraction(3), Fraction(1)]]


def test_equal_needs_are_taken_in_the_order_given() -> None:
    election = Election([[5], [5]], [9], [[(0, 1)], [(0, 1)]], [[Fraction(9)]])
    assert [p.need for p in equal_shares(election).purchases] == [0]


def test_the_dearest_resource_decides() -> None:
    both = [(0, 1), (1, 1)]
    election = Election(
        [[2, 8], [4, 4]], [10, 10], [both, both], [[Fraction(5)] * 2] * 2, Utility.ONE
    )
    assert [p.need for p in equal_shares(election).purchases] == [1]


def test_savings_beyond_the_capacity_cannot_buy_what_is_not_there() -> None:
    purses = [[Fraction(10), Fraction(10)]]
    election = Election([[6], [6]], [10], [[(0, 1)], [(1, 1)]], purses)
    bought = equal_shares(election, first=[1])
    assert [p.need for p in bought.purchases] == [1]
    assert bought.left == [4]


def test_an_exact_tie_is_not_decided_by_rounding() -> None:
    third = Fraction(1, 3)
    purses = [[third * 30] * 3 + [Fraction(10) - Fraction(1, 10**30)]]
    election = Election(
        [[30], [30]], [60], [[(3, 1), (0, 1), (1, 1)], [(0, 1), (1, 1), (2, 1)]], purses
    )
    assert [p.need for p in equal_shares(election).purchases] == [1]


def test_denominators_stay_small_enough_to_work_with() -> None:
    bought = equal_shares(random_election(1, 80, 300, Utility.COST))
    assert len(bought.purchases) > 10
    assert max(f.denominator.bit_length() for f in bought.purses[0]) < 2000


def test_a_purse_too_small_by_less_than_a_float_shows_pays_only_what_it_holds() -> None:
    tiny = Fraction(1, 10**30)
    election = Election([[6]], [13], [[(0, 1), (1, 1)]], [[Fraction(3) - tiny, Fraction(10)]])
    bought = equal_shares(election)
    assert bought.purchases[0].short == {0: {0: 3 - tiny}}
    assert bought.purchases[0].prices == {0: 3 + tiny}
    assert bought.purses == [[0, 7 - tiny]]


def test_a_tie_priced_before_denominators_grew_is_charged_right() -> None:
    first, second = [(0, 1), (1, 1), (2, 1)], [(3, 1), (4, 1), (5, 1)]
    election = Election([[4], [3]], [60], [first, second], [[Fraction(10)] * 6])
    bought = equal_shares(election)
    assert [p.need for p in bought.purchases] == [0, 1]
    assert bought.purses == [[Fraction(26, 3)] * 3 + [Fraction(9)] * 3]

"""Routing: quantity, plates with several pieces, several pieces in one part."""

from __future__ import annotations

import pytest

from controller.definition import DesignError, Profile, Step, route


def step(name: str, after: tuple[str, ...] = (), yields: int = 1, count: int = 1) -> Step:
    return Step(name, "station", after=after, duration_s=60, yields=yields, count=count)


def profile(*steps: Step) -> Profile:
    return Profile("part", "Part", steps, 1, 100)


def test_each_unit_runs_its_own_chain():
    routing = route(profile(step("print"), step("mill"), step("join", ("print", "mill"))), 2)
    assert [(o.step, o.unit) for o in routing.operations] == [
        ("print", 0), ("print", 1), ("mill", 0), ("mill", 1), ("join", 0), ("join", 1),
    ]  # fmt: skip
    assert routing.links == ((0, 4, 1), (1, 5, 1), (2, 4, 1), (3, 5, 1))


def test_a_plate_of_four_serves_four_units_and_the_last_one_fewer():
    routing = route(profile(step("print", yields=4), step("pack", ("print",))), 6)
    assert [(o.step, o.unit, o.pieces) for o in routing.operations[:2]] == [
        ("print", 0, 4),
        ("print", 4, 2),
    ]
    assert routing.links == ((0, 2, 1), (0, 3, 1), (0, 4, 1), (0, 5, 1), (1, 6, 1), (1, 7, 1))


def test_two_pieces_in_one_part_are_two_runs_or_one_plate():
    two = route(profile(step("jaw", count=2), step("join", ("jaw",))), 2)
    assert two.links == ((0, 4, 1), (1, 4, 1), (2, 5, 1), (3, 5, 1))
    plate = route(profile(step("jaw", count=2, yields=3), step("join", ("jaw",))), 3)
    assert [o.pieces for o in plate.operations[:2]] == [3, 3]
    assert plate.links == ((0, 2, 2), (0, 3, 1), (1, 3, 1), (1, 4, 2))


def test_a_piece_cut_in_two_is_waited_for_by_both_and_handed_to_one():
    routing = route(profile(step("saw"), step("drill", ("saw",), count=2)), 1)
    assert routing.links == ((0, 1, 1), (0, 2, 0))


@pytest.mark.parametrize("quantity", [0, -1, 101])
def test_a_quantity_out_of_bounds_is_refused_with_the_bounds(quantity: int):
    with pytest.raises(DesignError, match="ask for 1 to 100"):
        route(profile(step("print")), quantity)


def test_a_need_of_too_many_operations_is_refused():
    many = Profile("part", "Part", tuple(step(f"s{n}") for n in range(60)), 1, 10_000)
    with pytest.raises(DesignError, match="split the need"):
        route(many, 10_000)

"""Sharing is independent of input order, starves nobody and refuses only the impossible."""

from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from controller.allocation.share import Decision, Demand, Pool, dominant_share, share

RESOURCES = ("fdm", "mill", "petg")


def random_demands(random: Random) -> list[Demand]:
    return [
        Demand(
            f"n{i}",
            random.choice("abc"),
            random.choice(("floor", "normal", "normal", "urgent")),
            random.randint(0, 5),
            {resource: random.randint(1, 50) for resource in random.sample(RESOURCES, 2)},
        )
        for i in range(random.randint(1, 20))
    ]


POOL = Pool({"fdm": 1000, "mill": 300, "petg": 5000}, {"a": {"fdm": 100}}, {"a": 1, "b": 2})


@given(st.integers(0, 10**6))
def test_order_of_input_does_not_matter(seed: int) -> None:
    random = Random(seed)
    demands = random_demands(random)
    shuffled = random.sample(demands, len(demands))
    assert share(demands, POOL) == share(shuffled, POOL)


@given(st.integers(0, 10**6))
def test_all_possible_needs_are_accepted_and_the_smallest_share_is_next(seed: int) -> None:
    demands = random_demands(Random(seed))
    decisions = share(demands, POOL)
    assert all(decision.accepted and decision.reason for decision in decisions)
    by_name = {demand.need: demand for demand in demands}
    waiting = dict(by_name)
    granted = {community: dict(taken) for community, taken in POOL.granted.items()}
    for decision in decisions:
        demand = waiting.pop(decision.need)
        rivals = {d.community for d in waiting.values() if d.need_class == demand.need_class}
        own = dominant_share(granted.get(demand.community, {}), POOL, demand.community)
        for rival in rivals:
            assert own <= dominant_share(granted.get(rival, {}), POOL, rival)
        taken = granted.setdefault(demand.community, {})
        for resource, amount in demand.takes.items():
            taken[resource] = taken.get(resource, 0) + amount


@given(st.integers(0, 10**6))
def test_urgent_before_floor_before_normal(seed: int) -> None:
    demands = {demand.need: demand for demand in random_demands(Random(seed))}
    kinds = [demands[d.need].need_class for d in share(demands.values(), POOL)]
    assert kinds == sorted(kinds, key=["urgent", "floor", "normal"].index)


def test_one_with_many_needs_does_not_delay_the_other() -> None:
    pool = Pool({"fdm": 10**6}, {}, {})
    many = [Demand(f"m{i:02}", "many", "normal", i, {"fdm": 36_000}) for i in range(42)]
    one = Demand("one", "few", "normal", 100, {"fdm": 3600})
    assert [d.need for d in share([*many, one], pool)][:2] == ["m00", "one"]


def test_refused_only_when_impossible() -> None:
    pool = Pool({"fdm": 10, "laser": 0}, {}, {"a": 0})
    demands = [
        Demand("no design", "a", "normal", 0, {}, "Design x is not known here."),
        Demand("no laser", "a", "normal", 1, {"laser": 1}),
        Demand("negative", "a", "normal", 2, {"fdm": -1}),
        Demand("huge", "a", "normal", 3, {"fdm": 10**9}),
    ]
    assert share(demands, pool) == [
        Decision("huge", True, "a is the only community waiting; it holds 0.0 %."),
        Decision("no design", False, "Design x is not known here."),
        Decision("no laser", False, "Nothing on this floor provides laser."),
        Decision("negative", False, "It asks for a negative amount of fdm."),
    ]


def test_weights_divide_the_share() -> None:
    assert dominant_share({"fdm": 100, "petg": 1000}, POOL, "b") == Fraction(1, 10)
    assert dominant_share({"fdm": 100, "petg": 1000}, POOL, "a") == Fraction(1, 5)

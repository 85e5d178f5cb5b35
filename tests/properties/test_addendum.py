"""Reserve released in mid-round goes on with the same rule, and anyone can check what it gave."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.allocation.addendum import addend
from controller.allocation.certificate import publish
from controller.allocation.inputs import Inputs, canonical
from controller.allocation.round import run_round
from controller.rounds_verify.addendum import verify_addendum
from controller.rounds_verify.verify import verify_round
from support.commons import rounds

SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@st.composite
def released(draw: st.DrawFn) -> tuple[Inputs, dict[str, int], set[str]]:
    """A round with a reserve, what is released of it, needs that are gone."""
    inputs = draw(rounds())
    some = st.integers(0, 60)
    kept = {r.id: draw(some) for r in inputs.resources}
    shared = tuple(
        replace(r, forecast=r.forecast + kept[r.id], urgent_reserve=kept[r.id])
        for r in inputs.resources
    )
    inputs = replace(inputs, resources=shared)
    names = sorted(need.id for need in inputs.needs)
    gone = draw(st.sets(st.sampled_from(names), max_size=2)) if names else set[str]()
    return inputs, {r: draw(st.integers(0, most)) for r, most in kept.items()}, gone


def both(inputs: Inputs, freed: dict[str, int], gone: set[str]):
    """The round as published, its outcome and the addendum as JSON."""
    outcome = run_round(inputs)
    files = publish(outcome)
    document = json.loads(canonical(files.pop("round.json")))
    pb = {name: content for name, content in files.items() if isinstance(content, bytes)}
    assert verify_round(document, pb) == []
    more = addend(outcome, freed, gone - set(outcome.accepted()))
    return document, outcome, more, json.loads(canonical(more.document))


@given(released())
@settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
def test_p1_p5_an_addendum_is_feasible_exhaustive_and_correct(case) -> None:
    inputs, freed, gone = case
    document, outcome, more, addendum = both(inputs, freed, gone)
    assert verify_addendum(document, addendum) == []
    given_now = {grant.need for grant in more.grants}
    assert not given_now & (set(outcome.accepted()) | gone)
    for resource in inputs.resources:
        used = sum(n.demand.get(resource.id, 0) for n in inputs.needs if n.id in given_now)
        had = outcome.left[resource.id] + freed.get(resource.id, 0)
        assert 0 <= more.left[resource.id] == had - used
    rest = {n for b in inputs.ballots for n in b.approvals}
    rest -= set(outcome.accepted()) | given_now | gone
    for need in inputs.needs:
        if need.id in rest:
            assert any(amount > more.left[r] for r, amount in need.demand.items())


@given(released())
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
def test_what_is_granted_is_paid_by_savings_or_owed(case) -> None:
    """Under share before grant: what supporters had saved less what they keep, plus new debts."""
    inputs, freed, gone = case
    _, outcome, more, _ = both(inputs, freed, gone)
    if inputs.rules.spill.value != "share_before":
        return
    for resource in (r.id for r in inputs.resources):
        took = sum(
            n.demand.get(resource, 0)
            for n in inputs.needs
            if n.id in {grant.need for grant in more.grants}
        )
        paid = total(outcome.carried.savings, resource) - total(more.carried.savings, resource)
        owed = total(more.carried.debits, resource) - total(outcome.carried.debits, resource)
        # whole units: the last one of a split may stay in purses, never more than one per supporter
        assert 0 <= took - paid - owed <= len(inputs.ballots) * max(1, len(more.grants))


def total(table, resource: str) -> int:
    return sum(row.get(resource, 0) for row in table.values())


def lies(value):
    """Other values of the same kind."""
    if isinstance(value, int):
        return [value + 1, max(0, value - 1) if value else 9]
    if isinstance(value, str) and value.count("/") == 1:
        share = Fraction(value) + 1
        return [f"{share.numerator}/{share.denominator}", "x"]
    return ["zz"]


def places(value, path=()):
    """Every place of a document that holds no further places."""
    if isinstance(value, dict | list) and value:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))
    else:
        yield path, value


def changed(document, path, value):
    """The document with one place changed."""
    result = copy.deepcopy(document)
    at = result
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return result


def test_no_place_of_an_addendum_can_be_changed() -> None:
    from controller.allocation.reading import read_inputs
    from support.commons import example

    source = example()
    for resource in source["resources"]:
        resource["urgent_reserve"] = 12_000_000
        resource["forecast"] += 12_000_000
    inputs = read_inputs(source)
    freed = {r.id: 12_000_000 for r in inputs.resources}
    document, _, more, addendum = both(inputs, freed, set())
    assert more.grants
    for path, value in places(addendum):
        if path[0] in ("gone",):
            continue
        for lie in lies(value):
            assert verify_addendum(document, changed(addendum, path, lie)), (path, lie)
    for key in addendum:
        without = {k: v for k, v in addendum.items() if k != key}
        assert verify_addendum(document, without), key
    greedy = {**addendum, "released": {r: a + 1 for r, a in addendum["released"].items()}}
    assert any("reserve" in finding.message for finding in verify_addendum(document, greedy))
    forgotten = {**addendum, "grants": addendum["grants"][1:]}
    assert verify_addendum(document, forgotten)

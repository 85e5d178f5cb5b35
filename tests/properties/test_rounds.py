"""Any round the allocator decides is found correct by a verifier that shares no code with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.allocation.certificate import publish
from controller.allocation.inputs import Inputs, canonical
from controller.allocation.round import run_round
from controller.rounds_verify.verify import verify_round
from support.commons import rounds


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


FRACTIONS = st.builds(lambda n, d: f"{n}/{d}", st.integers(0, 10**40), st.integers(0, 10**40))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | FRACTIONS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=3,
)


@given(rounds(), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_in_a_document_it_is_verified_without_a_crash(
    inputs: Inputs, data: st.DataObject
) -> None:
    files = publish(run_round(inputs))
    document: dict[str, Any] = json.loads(json.dumps(files.pop("round.json")))
    pb = {name: content for name, content in files.items() if isinstance(content, bytes)}
    found = list(places(document))[1:]
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(found))
        place: Any = document
        for key in way:
            place = place[key] if isinstance(place, dict) and key in place else document
        if isinstance(place, dict) or (isinstance(last, int) and last < len(place)):
            place[last] = data.draw(ANYTHING)
    digest = hashlib.sha256(canonical(document.get("inputs"))).hexdigest()
    for sha256 in (document.get("inputs_sha256"), digest):
        document["inputs_sha256"] = sha256
        assert isinstance(verify_round(document, pb), list)


@given(rounds())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_published_round_is_found_correct(inputs: Inputs) -> None:
    files = publish(run_round(inputs))
    document: dict[str, Any] = json.loads(json.dumps(files.pop("round.json")))
    pb = {name: content for name, content in files.items() if isinstance(content, bytes)}
    assert verify_round(document, pb) == []

"""The stream of patches folds to the snapshot, whatever happened between."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboards.patch import apply, diff

leaves = st.one_of(st.booleans(), st.integers(), st.text("ab", max_size=3), st.lists(st.integers()))
documents = st.recursive(
    st.dictionaries(st.sampled_from("abcdef"), leaves, max_size=4),
    lambda inner: st.dictionaries(st.sampled_from("abcdef"), inner | leaves, max_size=4),
    max_leaves=12,
).filter(lambda d: isinstance(d, dict))


@given(documents, documents)
def test_apply_of_diff_is_after(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert apply(before, diff(before, after)) == after


@given(documents)
def test_nothing_changed_is_no_patch(document: dict[str, Any]) -> None:
    assert diff(document, document) == {}


@given(st.lists(documents, min_size=2, max_size=5))
def test_a_run_of_patches_folds(states: list[dict[str, Any]]) -> None:
    shown: dict[str, Any] = states[0]
    for before, after in itertools.pairwise(states):
        shown = apply(shown, diff(before, after))
    assert shown == states[-1]


def test_examples_of_the_rfc() -> None:
    assert diff({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 5}}) == {
        "b": {"c": 5, "d": None}
    }
    assert apply({"a": [1]}, {"a": {"b": 2}}) == {"a": {"b": 2}}

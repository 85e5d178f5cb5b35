"""Hypothesis strategies made from the tables of protocols.records: one table feeds the fuzzers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from protocols import messages

if TYPE_CHECKING:
    from protocols.records import Record

_ID_FIRST = "abcdefghijklmnopqrstuvwxyz0123456789"
_IDS = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(_ID_FIRST),
    st.text(_ID_FIRST + "-", max_size=31),
)
_NAMES = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=12).filter(
    lambda name: name[0] != "_"
)


def _text(max_bytes: int) -> st.SearchStrategy[str]:
    printable = st.characters(exclude_categories=("Cs", "Cc"))
    return st.text(printable, max_size=max_bytes // 4)


def of_type(kind: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Values that fit one field type."""
    makers = {
        "int": lambda: st.integers(kind[1], kind[2]),
        "bool": st.booleans,
        "text": lambda: _text(kind[1]),
        "id": lambda: _IDS,
        "sha256": lambda: st.text("0123456789abcdef", min_size=64, max_size=64),
        "word": lambda: st.sampled_from(kind[1]),
        "record": lambda: of_fields(kind[1]),
        "list": lambda: st.lists(of_type(kind[1]), max_size=min(kind[2], 4)),
        "map": lambda: st.dictionaries(_NAMES, of_type(kind[1]), max_size=min(kind[2], 4)),
    }
    return makers[kind[0]]()


def of_fields(fields: tuple[Any, ...]) -> st.SearchStrategy[Record]:
    """Records that fit a table."""
    required = {name: of_type(kind) for name, kind, needed, _ in fields if needed}
    optional = {name: of_type(kind) for name, kind, needed, _ in fields if not needed}
    return st.fixed_dictionaries(required, optional=optional)


def of_leaf(leaf: str) -> st.SearchStrategy[Record]:
    """Messages of one leaf; events of every type."""
    if leaf != "up/ev":
        return of_fields(messages.MESSAGES[leaf])

    def of_event(ty: str) -> st.SearchStrategy[Record]:
        body = of_fields(messages.MESSAGES[leaf] + messages.EVENTS[ty])
        return body.map(lambda value: {**value, "ty": ty})

    return st.sampled_from(sorted(messages.EVENTS)).flatmap(of_event)

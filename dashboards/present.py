"""Views without the fields that say nothing: absent means there is none."""

from typing import Any, TypeVar, cast

View = TypeVar("View")


def present(kind: type[View], /, **fields: Any) -> View:
    """A view of its fields; those it does not require are left out when empty."""
    required = cast(Any, kind).__required_keys__
    kept = {n: v for n, v in fields.items() if n in required or v not in (None, "", 0)}
    return cast(View, kept)

"""JSON Merge Patch (RFC 7396) between two documents that hold no nulls.

``apply(before, diff(before, after)) == after``: the stream of patches a page receives folds to
the snapshot, whatever happened between.
"""

from collections.abc import Mapping
from typing import Any, cast

Document = Mapping[str, Any]
Patch = dict[str, Any]


def diff(before: Document, after: Document) -> Patch:
    """Smallest patch turning before into after; empty when they are equal. Lists are values."""
    patch: Patch = {name: None for name in before if name not in after}
    for name, value in after.items():
        old = before.get(name)
        if old == value:
            continue
        if isinstance(old, dict) and isinstance(value, dict):
            patch[name] = diff(cast(Patch, old), cast(Patch, value))
        else:
            patch[name] = value
    return patch


def apply(before: Document, patch: Document) -> Patch:
    """Document after the patch; neither argument is changed."""
    after = dict(before)
    for name, value in patch.items():
        if value is None:
            after.pop(name, None)
        elif isinstance(value, dict):
            old = after.get(name)
            base = cast(Patch, old) if isinstance(old, dict) else {}
            after[name] = apply(base, cast(Patch, value))
        else:
            after[name] = value
    return after

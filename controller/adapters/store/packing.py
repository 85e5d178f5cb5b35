"""An hour of raw readings as a few bytes: columns of differences as JSON, deflated. Pure."""

import json
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

Sample = tuple[int, dict[str, int]]
LEVEL = 6


def pack(samples: Iterable[Sample]) -> bytes:
    """Samples (at, values) by time; of two at one time the later wins field by field."""
    merged: dict[int, dict[str, int]] = {}
    for at, values in samples:
        merged.setdefault(at, {}).update(values)
    times = sorted(merged)
    names = sorted({name for values in merged.values() for name in values})
    columns = {name: _differences([merged[at].get(name) for at in times]) for name in names}
    document = {"at": _differences(times), "m": columns}
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), LEVEL)


def unpack(packed: bytes) -> list[Sample]:
    """What was packed, by time."""
    document: Any = json.loads(zlib.decompress(packed))
    samples: list[Sample] = [(at, {}) for at in _sums(document["at"]) if at is not None]
    for name, column in document["m"].items():
        for (_, values), value in zip(samples, _sums(column), strict=True):
            if value is not None:
                values[name] = value
    return samples


def _differences(values: Sequence[int | None]) -> list[int | None]:
    """Each value less the one before it; None stays None."""
    if None not in values:
        whole = [value for value in values if value is not None]
        return [*whole[:1], *(after - before for before, after in pairwise(whole))]
    before = 0
    out: list[int | None] = []
    for value in values:
        out.append(None if value is None else value - before)
        before = before if value is None else value
    return out


def _sums(differences: Iterable[int | None]) -> list[int | None]:
    total = 0
    out: list[int | None] = []
    for difference in differences:
        total += difference or 0
        out.append(None if difference is None else total)
    return out

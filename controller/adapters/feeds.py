"""File drop: needs laid into a folder as JSON or CSV; bad lines go back with their reason.

A file is taken when its name ends ``.json`` (a list, or one object) or ``.csv`` (a header line).
Needs without a key get one from the file's content and line, so a file that is taken twice (a
crash before it was moved) states nothing twice. Done files move to ``done/``.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

from controller.needs import MAX_BATCH, Line
from controller.values import NeedRequest, Refused

MAX_BYTES = 1_000_000
_NUMBERS = ("quantity", "due_at")
_NAMES = {field.name for field in fields(NeedRequest)}
State = Callable[[Sequence[NeedRequest]], list[Line]]


def take_folder(folder: Path, state: State) -> tuple[int, int]:
    """Take every file waiting; how many lines were accepted and how many refused."""
    accepted = refused = 0
    for path in sorted(folder.glob("*.json")) + sorted(folder.glob("*.csv")):
        good, bad = take_file(path, state)
        accepted, refused = accepted + good, refused + bad
    return accepted, refused


def take_file(path: Path, state: State) -> tuple[int, int]:
    """Take one file, write its refused lines beside it, move it to ``done/``; (good, bad)."""
    data = path.read_bytes()
    rejected: list[dict[str, Any]] = []
    requests: list[NeedRequest] = []
    places: list[int] = []
    digest = hashlib.sha256(data).hexdigest()[:16]
    try:
        for number, row in enumerate(_rows(path, data), 1):
            try:
                requests.append(_request(row, f"{path.name[:60]}-{digest}-{number}"))
                places.append(number)
            except Refused as error:
                rejected.append({"line": number, "reason": str(error)})
    except Refused as error:
        rejected.append({"line": 0, "reason": str(error)})
    good = 0
    for begin in range(0, len(requests), MAX_BATCH):
        for line in state(requests[begin : begin + MAX_BATCH]):
            if line.refused is None:
                good += 1
            else:
                place = places[begin + line.line - 1]
                rejected.append({"line": place, "reason": str(line.refused)})
    _finish(path, rejected)
    return good, len(rejected)


def _finish(path: Path, rejected: list[dict[str, Any]]) -> None:
    if rejected:
        beside = path.with_name(path.name + ".rejected")
        beside.write_text("".join(json.dumps(row) + "\n" for row in rejected), "utf-8")
    done = path.parent / "done"
    done.mkdir(exist_ok=True)
    path.replace(done / path.name)


def _rows(path: Path, data: bytes) -> list[dict[str, Any]]:
    if len(data) > MAX_BYTES:
        raise Refused("too-big", "", f"is {len(data)} bytes, at most {MAX_BYTES} allowed: split it")
    try:
        text = data.decode("utf-8-sig")
        found: Any = json.loads(text) if path.suffix == ".json" else _csv(text)
    except (ValueError, RecursionError, csv.Error) as error:
        raise Refused("unreadable", "", f"cannot be read: {error}") from error
    return cast(list[dict[str, Any]], found) if isinstance(found, list) else [found]


def _csv(text: str) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if value}
        for row in csv.DictReader(io.StringIO(text))
    ]


def _request(row: Any, key: str) -> NeedRequest:
    if not isinstance(row, dict):
        raise Refused("type", "", "must be an object with community, design, part, quantity")
    values: dict[str, Any] = {"key": key, **row}
    unknown = sorted(str(name) for name in values if name not in _NAMES)
    if unknown:
        raise Refused("unknown-field", unknown[0], f"is not one of {', '.join(sorted(_NAMES))}")
    for name in ("community", "design", "part", "quantity"):
        if name not in values:
            raise Refused("missing", name, "is required")
    return NeedRequest(**{name: _value(name, value) for name, value in values.items()})


def _value(name: str, value: Any) -> Any:
    if name not in _NUMBERS:
        if not isinstance(value, str):
            raise Refused("type", name, "must be text")
        return value
    if value is None and name == "due_at":
        return None
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused("type", name, "must be a whole number")
    return value

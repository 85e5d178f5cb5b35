"""File drop: needs laid into a folder as JSON or CSV; bad lines go back with their reason.

A file is taken when its name ends ``.json`` (a list, or one object) or ``.csv`` (a header line).
Needs without a key get one from the file's content and line, so a file that is taken twice (a
crash before it was moved) states nothing twice. Done files move to ``done/``. A file is taken once
it looked the same twice, so that one still being copied is left alone.
"""

import csv
import hashlib
import io
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple, cast

from controller.needs import MAX_BATCH, Line
from controller.values import NeedRequest, Refused

MAX_BYTES = 1_000_000
_NUMBERS = ("quantity", "due_at")
_NAMES = {field.name for field in fields(NeedRequest)}
_MAX_DIGITS = 18
_log = logging.getLogger(__name__)
State = Callable[[Sequence[NeedRequest]], list[Line]]
Look = tuple[int, int]


class Taken(NamedTuple):
    """What became of one file: lines accepted, lines refused, and why the first was."""

    path: Path
    accepted: int
    refused: int
    why: str


class Drop:
    """A folder watched for needs; ``told`` hears of every file that was taken."""

    def __init__(self, folder: Path, state: State, told: Callable[[Taken], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._state = state
        self._told = told
        self._seen: dict[Path, Look] = {}
        self._failed: dict[Path, Look] = {}

    def look(self) -> None:
        """Take the files that did not change since the last look; one that fails stays."""
        before, self._seen = self._seen, {}
        for path in waiting(self._folder):
            try:
                found = path.stat()
                self._seen[path] = now = (found.st_size, found.st_mtime_ns)
                if before.get(path) == now:
                    self._told(take_file(path, self._state))
                    self._failed.pop(path, None)
            except Exception as error:  # noqa: BLE001  # one file must not hold up the others
                self._complain(path, error)

    def _complain(self, path: Path, error: Exception) -> None:
        look = self._seen.get(path, (0, 0))
        if self._failed.get(path) != look:
            self._failed[path] = look
            _log.error("%s stays in the drop folder and is tried again: %s", path, error)


def waiting(folder: Path) -> list[Path]:
    """Files that wait, JSON first, by name."""
    found = sorted(folder.glob("*.json")) + sorted(folder.glob("*.csv"))
    return [path for path in found if path.is_file()]


def take_folder(folder: Path, state: State) -> tuple[int, int]:
    """Take every file waiting; how many lines were accepted and how many refused."""
    taken = [take_file(path, state) for path in waiting(folder)]
    return sum(file.accepted for file in taken), sum(file.refused for file in taken)


def take_file(path: Path, state: State) -> Taken:
    """Take one file, write its refused lines beside it, move it to ``done/``; raise OSError."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
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
    rejected.sort(key=lambda row: row["line"])
    _finish(path, rejected)
    why = f"line {rejected[0]['line']}: {rejected[0]['reason']}" if rejected else ""
    return Taken(path, good, len(rejected), why)


def _finish(path: Path, rejected: list[dict[str, Any]]) -> None:
    beside = path.with_name(path.name + ".rejected")
    if rejected:
        beside.write_text("".join(json.dumps(row) + "\n" for row in rejected), "utf-8")
    else:
        beside.unlink(missing_ok=True)
    done = path.parent / "done"
    done.mkdir(exist_ok=True)
    path.replace(done / path.name)


def _rows(path: Path, data: bytes) -> list[dict[str, Any]]:
    if len(data) > MAX_BYTES:
        raise Refused("too-big", "", f"is more than {MAX_BYTES} bytes: split it")
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
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Refused("type", name, "must be text; this is half a character")
        return value
    if value is None and name == "due_at":
        return None
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and value.strip().isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused("type", name, "must be a whole number")
    return value

"""Tables of fields: one table feeds the reader, its problems and the documentation.

A field is ``Field(name, type, required, meaning)``. Types are tuples:

    ("int", low, high)   ("text", max_characters)   ("id",)   ("sha256",)   ("path",)
    ("word", (a, b))     ("record", fields)         ("list", type, min, max)   ("bool",)
"""

import difflib
import re
from typing import Any, NamedTuple, cast

from controller.definition.document import Document
from controller.definition.problems import Problem

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Field(NamedTuple):
    """A field a document may hold: name, type, whether required, meaning in words."""

    name: str
    type: tuple[Any, ...]
    required: bool
    meaning: str


Fields = tuple[Field, ...]


def read_fields(fields: Fields, document: Document) -> tuple[dict[str, Any], list[Problem]]:
    """Fields of a document that are right, and every problem with the others."""
    problems: list[Problem] = []
    reader = _Reader(document, problems)
    return reader.record(fields, document.values, ""), problems


class _Reader:
    """Walks values along a table, gathering problems."""

    def __init__(self, document: Document, problems: list[Problem]) -> None:
        self._document = document
        self._problems = problems

    def _wrong(self, path: str, message: str, fix: str) -> None:
        self._problems.append(self._document.problem(path, message, fix))

    def record(self, fields: Fields, values: dict[str, Any], path: str) -> dict[str, Any]:
        out: dict[str, Any] = {}
        known = {f.name: f for f in fields}
        dot = path + "." if path else ""
        for name in values:
            if name not in known:
                self._unknown(dot + name, name, list(known))
        for field in fields:
            if values.get(field.name) is not None:
                value = self.value(field.type, values[field.name], dot + field.name)
                if value is not None:
                    out[field.name] = value
            elif field.required:
                self._wrong(dot + field.name, "is missing", f"add it: {field.meaning}")
        return out

    def _unknown(self, path: str, name: str, known: list[str]) -> None:
        close = difflib.get_close_matches(name, known, 1)
        fix = f"did you mean {close[0]}?" if close else "known here: " + ", ".join(known)
        self._wrong(path, "is not a field of this format", fix)

    def value(self, kind: tuple[Any, ...], value: Any, path: str) -> Any:
        """Value when right, else None and a problem."""
        if kind[0] == "record":
            return self._record(kind, value, path)
        if kind[0] == "list":
            return self._list(kind, value, path)
        message = _scalar_problem(kind, value)
        if message:
            self._wrong(path, message, describe(kind))
            return None
        return value

    def _record(self, kind: tuple[Any, ...], value: Any, path: str) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            self._wrong(path, "must hold fields", "write one `field: value` per line below it")
            return None
        return self.record(kind[1], cast("dict[str, Any]", value), path)

    def _list(self, kind: tuple[Any, ...], value: Any, path: str) -> list[Any] | None:
        if not isinstance(value, list):
            self._wrong(path, "must be a list", describe(kind))
            return None
        items = cast("list[Any]", value)
        if not kind[2] <= len(items) <= kind[3]:
            self._wrong(path, f"has {len(items)} items", describe(kind))
            return None
        return [self.value(kind[1], item, f"{path}[{i}]") for i, item in enumerate(items)]


def _scalar_problem(kind: tuple[Any, ...], value: Any) -> str:
    tag = kind[0]
    if tag == "int":
        return _int_problem(kind, value)
    if tag == "bool":
        return "" if isinstance(value, bool) else f"must be true or false, not {_shown(value)}"
    if not isinstance(value, str):
        return f"must be text, not {_shown(value)}"
    if tag == "text":
        return "" if 0 < len(value) <= kind[1] else f"has {len(value)} characters"
    if tag == "word":
        return "" if value in kind[1] else f"{_shown(value)} is not known"
    if tag == "path":
        return _path_problem(value)
    pattern = _ID if tag == "id" else _SHA256
    return "" if pattern.fullmatch(value) else f"{_shown(value)} has the wrong form"


def _int_problem(kind: tuple[Any, ...], value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return f"must be a whole number, not {_shown(value)}"
    if value < 0 <= kind[1]:
        return f"{value} is negative"
    return "" if kind[1] <= value <= kind[2] else f"{_shown(value)} is out of bounds"


def _path_problem(value: str) -> str:
    parts = value.split("/")
    bad = value.startswith(("/", "\\")) or ".." in parts or "\\" in value or "\0" in value
    return f"{_shown(value)} leads out of the design's folder" if bad or not value else ""


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        return "this number"
    return text if len(text) <= 60 else text[:57] + "..."


def describe(kind: tuple[Any, ...]) -> str:
    """What a type admits, in words."""
    tag = kind[0]
    if tag == "int":
        return f"whole number from {kind[1]} to {kind[2]}"
    if tag == "word":
        return "one of " + ", ".join(kind[1])
    if tag == "list":
        return f"list of {kind[2]} to {kind[3]}: {describe(kind[1])}"
    return {
        "text": "text of 1 to {} characters".format(*kind[1:2] or (0,)),
        "id": "a-z, 0-9 and '-', at most 32 characters",
        "sha256": "64 lower-case hexadecimal digits",
        "path": "path below the design's folder, with /",
        "record": "fields",
        "bool": "true or false",
    }[tag]

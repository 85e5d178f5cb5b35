"""TOML and YAML text as plain values that remember the line of every field.

Values are dict, list, str, int, float, bool, None (a TOML date becomes its ISO text). Paths look
like ``work_master[1].program.file``. Text is bounded, and YAML anchors are refused: a few lines
of them can stand for gigabytes.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, cast

import yaml

from controller.definition.problems import DesignError, Problem, fail

MAX_BYTES = 128 * 1024
MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Document:
    """Fields of a file, and the line each stands on."""

    source: str
    values: dict[str, Any]
    lines: dict[str, int]

    def line(self, path: str) -> int:
        """Line of a field, or of what holds it; 0 when not known."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 0)

    def problem(self, path: str, message: str, fix: str = "") -> Problem:
        """Problem with a field of this document."""
        return Problem(path, self.line(path), message, fix)


def read_file(path: Path) -> Document:
    """Read ``.toml``, ``.yml`` or ``.yaml``; raise DesignError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise fail(path.name, "", f"cannot be read: {error.strerror}", "check the path") from None
    return read_toml(data, path.name) if path.suffix == ".toml" else read_yaml(data, path.name)


def _text(data: bytes, source: str) -> str:
    if len(data) > MAX_BYTES:
        raise fail(
            source, "", f"is longer than {MAX_BYTES} bytes", "keep large data in files beside it"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problem = Problem("", line, "is not text in UTF-8", "save the file as UTF-8")
        raise DesignError(source, [problem]) from None


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level and deepest <= MAX_DEPTH:
        deepest += 1
        level = [item for held in level for item in _held(held)]
    return deepest


def _held(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).values())
    return cast("list[Any]", value) if isinstance(value, list) else []


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(v) for v in cast("list[Any]", value)]
    return value.isoformat() if isinstance(value, datetime | date | time) else value


# TOML ------------------------------------------------------------------------------------------
_AT_LINE = re.compile(r"\(at line (\d+)")
_DOTTED = re.compile(r"^[^=\n\"']*(?:\.[^=.\n\"']*){50}", re.MULTILINE)
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=""")


def read_toml(data: bytes, source: str) -> Document:
    """Read TOML; raise DesignError."""
    text = _text(data, source)
    if _DOTTED.search(text):  # a key of thousands of dots takes tomllib minutes
        raise fail(source, "", "is nested too deep", "flatten it")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        line = int(found[1]) if found else 0
        message = "is not valid TOML: " + str(error).split(" (at ")[0]
        raise DesignError(source, [Problem("", line, message, "correct this line")]) from None
    except (RecursionError, ValueError, OverflowError):
        raise fail(source, "", "is not valid TOML", "flatten it") from None
    if _depth(values) > MAX_DEPTH:
        raise fail(source, "", "is nested too deep", "flatten it")
    return Document(source, _plain(values), _toml_lines(text))


def _toml_lines(text: str) -> dict[str, int]:
    """Line of every key that begins a line; inside long strings it may see too many."""
    lines: dict[str, int] = {}
    seen: dict[str, int] = {}
    table = ""
    for number, row in enumerate(text.splitlines(), 1):
        header = _HEADER.match(row)
        key = None if header else _KEY.match(row)
        if header:
            name = re.sub(r"\s*\.\s*", ".", header[2]).replace('"', "").replace("'", "")
            table = _toml_table(name, header[1] == "[[", seen)
            lines.setdefault(table, number)
        elif key:
            name = re.sub(r"\s*\.\s*", ".", key[1]).replace('"', "").replace("'", "")
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def _toml_table(name: str, array: bool, seen: dict[str, int]) -> str:
    if array:
        seen[name] = seen.get(name, -1) + 1
        return f"{name}[{seen[name]}]"
    head, _, rest = name.partition(".")
    return f"{head}[{seen[head]}].{rest}" if rest and head in seen else name


# YAML ------------------------------------------------------------------------------------------
def read_yaml(data: bytes, source: str) -> Document:
    """Read YAML (safe subset, no anchors); raise DesignError."""
    text = _text(data, source)
    try:
        return _compose(text, source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        message = f"is not valid YAML: {error.problem or error.context}"
        line = mark.line + 1 if mark else 0
        raise DesignError(source, [Problem("", line, message, "correct this line")]) from None
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError, TypeError):
        raise fail(source, "", "is not valid YAML", "correct it") from None


def _compose(text: str, source: str) -> Document:
    loader: Any = yaml.SafeLoader(text)
    node = loader.get_single_node()
    lines: dict[str, int] = {}
    _yaml_lines(node, "", lines, {})
    values: Any = loader.construct_document(node) if node is not None else None
    if not isinstance(values, dict):
        raise fail(source, "", "must be a mapping of fields", "write `field: value` lines")
    return Document(source, _plain(_text_keys(values)), lines)


def _text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _text_keys(v) for k, v in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list):
        return [_text_keys(v) for v in cast("list[Any]", value)]
    return value if isinstance(value, str | int | float | bool | date | time | None) else str(value)


def _yaml_lines(node: Any, path: str, lines: dict[str, int], seen: dict[int, bool]) -> None:
    if node is None:
        return
    if id(node) in seen or path.count(".") + path.count("[") > MAX_DEPTH:
        raise yaml.MarkedYAMLError(
            None, None, "anchors and deep nesting are not read here", node.start_mark
        )
    seen[id(node)] = True
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            below = f"{path}.{name}" if path else name
            lines.setdefault(below, key.start_mark.line + 1)
            _yaml_lines(value, below, lines, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines.setdefault(f"{path}[{index}]", value.start_mark.line + 1)
            _yaml_lines(value, f"{path}[{index}]", lines, seen)

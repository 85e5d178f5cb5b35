"""Records: one table of fields feeds encode, decode, the documentation and the fuzzers.

A field is ``(name, type, required, meaning)``. A type is a tuple whose first item names it:

    ("int", low, high)      integer within bounds, both included
    ("bool",)               true or false
    ("text", max_bytes)     UTF-8 text without control characters
    ("id",)                 lower-case id: a-z 0-9 and "-", 1 to 32 characters
    ("sha256",)             64 lower-case hexadecimal digits
    ("word", (a, b, ...))   one of the words listed
    ("record", fields)      nested record
    ("list", type, max)     at most max items
    ("map", type, max)      at most max entries, keys are snake_case names

Encoded records are JSON in UTF-8 with keys in table order and no white space, so the same value
gives the same bytes on CPython and on MicroPython. Fields not in the table are dropped on decode
(a newer peer may send more); absent optional fields are absent in the dict.
"""

import json

from protocols.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Record = dict[str, Any]
    Field = tuple[str, tuple[Any, ...], bool, str]
    Fields = tuple[Field, ...]

MAX_INT = 2**53 - 1  # exact in JSON
_ID_FIRST = "abcdefghijklmnopqrstuvwxyz0123456789"
_ID_REST = _ID_FIRST + "-"
_NAME_REST = _ID_FIRST + "_"
_HEX = "0123456789abcdef"


def is_id(text: str) -> bool:
    """Say whether text is an id: ``[a-z0-9][a-z0-9-]{0,31}``."""
    return 0 < len(text) <= 32 and text[0] in _ID_FIRST and not text.strip(_ID_REST)


def _is_name(text: str) -> bool:
    return 0 < len(text) <= 32 and text[0] in _ID_FIRST and not text.strip(_NAME_REST)


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and not text.strip(_HEX)


def cut(text: str, max_bytes: int) -> str:
    """Text from outside, fit for a message: printable ASCII, at most max_bytes long."""
    return "".join([c if " " <= c <= "~" else "?" for c in text[:max_bytes]])


def quote(text: str) -> str:
    """Write text as a JSON string; the same characters on every interpreter."""
    out = ['"']
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif ord(c) < 32:
            out.append("\\u{:04x}".format(ord(c)))
        else:
            out.append(c)
    out.append('"')
    return "".join(out)


def _fail(code: str, path: str, message: str) -> "Any":
    raise WireError(code, path, message)


def _is_object(value: "Any") -> bool:
    return isinstance(value, dict)


def _is_list(value: "Any") -> bool:
    return isinstance(value, (list, tuple))


def _check_int(kind: "tuple[Any, ...]", value: "Any", path: str) -> "Any":
    if not isinstance(value, int) or isinstance(value, bool):
        return _fail("type", path, "must be an integer")
    high = kind[2] if kind[2:] else MAX_INT  # the tables of a board leave it out
    if not kind[1] <= value <= high:
        return _fail("range", path, "must be between {} and {}".format(kind[1], high))
    return value


def _check_bool(kind: "tuple[Any, ...]", value: "Any", path: str) -> "Any":
    return value if isinstance(value, bool) else _fail("type", path, "must be true or false")


def _check_text(kind: "tuple[Any, ...]", value: "Any", path: str) -> "Any":
    if not isinstance(value, str):
        return _fail("type", path, "must be text")
    try:
        size = len(value.encode())
    except UnicodeError:
        return _fail("text", path, "must be valid Unicode")
    if size > kind[1]:
        return _fail("range", path, "must be at most {} bytes".format(kind[1]))
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        return _fail("text", path, "must not hold control characters")
    return value


def _check_id(kind: "tuple[Any, ...]", value: "Any", path: str) -> "Any":
    if isinstance(value, str) and is_id(value):
        return value
    return _fail("type", path, "must be an id: a-z, 0-9 and '-', at most 32 characters")


def _check_sha256(kind: "tuple[Any, ...]", value: "Any", path: str) -> "Any":
    if isinstance(value, str) and _is_sha256(value):
        return value
    return _fail("type", path, "must be 64 lower-case hexadecimal digits")


def _check_word(kind: "tuple[Any, ...]", value: "Any", path: str) -> "Any":
    if isinstance(value, str) and value in kind[1]:
        return value
    return _fail("range", path, "must be one of " + ", ".join(kind[1]))


def _check_record(kind: "tuple[Any, ...]", value: "Any", path: str) -> "Any":
    if not _is_object(value):
        return _fail("type", path, "must be an object")
    return check(kind[1], value, path + ".")


def _check_list(kind: "tuple[Any, ...]", value: "Any", path: str) -> "Any":
    if not _is_list(value):
        return _fail("type", path, "must be a list")
    if len(value) > kind[2]:
        return _fail("range", path, "must have at most {} items".format(kind[2]))
    return [_check(kind[1], v, "{}[{}]".format(path, i)) for i, v in enumerate(value)]


def _check_map(kind: "tuple[Any, ...]", value: "Any", path: str) -> "Any":
    if not _is_object(value):
        return _fail("type", path, "must be an object")
    if len(value) > kind[2]:
        return _fail("range", path, "must have at most {} entries".format(kind[2]))
    out: "dict[str, Any]" = {}
    for name in value:
        if not isinstance(name, str) or not _is_name(name):
            return _fail("type", path, "keys must be snake_case names of at most 32 characters")
        out[name] = _check(kind[1], value[name], path + "." + name)
    return out


_CHECKS = {
    "int": _check_int,
    "bool": _check_bool,
    "text": _check_text,
    "id": _check_id,
    "sha256": _check_sha256,
    "word": _check_word,
    "record": _check_record,
    "list": _check_list,
    "map": _check_map,
}


def _check(kind: "tuple[Any, ...]", value: "Any", path: str) -> "Any":
    return _CHECKS[kind[0]](kind, value, path)


def unpack(fields: "Fields") -> "Fields":
    """A table to check or write by; in the image of a board it is JSON text until here."""
    return fields


def check(fields: "Fields", value: "Record", path: str = "") -> "Record":
    """Return the fields of value that the table knows; raise WireError naming the first bad one."""
    out: "Record" = {}
    for field in fields:  # the tables of a board have no meanings
        name = field[0]
        item = value.get(name)
        if item is not None:
            out[name] = _check(field[1], item, path + name)
        elif field[2]:
            raise WireError("missing", path + name, "is required")
    return out


def _write(kind: "tuple[Any, ...]", value: "Any") -> str:
    tag = kind[0]
    if tag == "int":
        return str(value)
    if tag == "bool":
        return "true" if value else "false"
    if tag == "record":
        return write(kind[1], value)
    if tag == "list":
        return "[" + ",".join([_write(kind[1], v) for v in value]) + "]"
    if tag == "map":
        return (
            "{"
            + ",".join(['"' + k + '":' + _write(kind[1], value[k]) for k in sorted(value)])
            + "}"
        )
    return quote(value) if tag == "text" else '"' + value + '"'


def write(fields: "Fields", value: "Record") -> str:
    """Write a checked record as JSON text, keys in table order."""
    parts = ['"' + f[0] + '":' + _write(f[1], value[f[0]]) for f in fields if f[0] in value]
    return "{" + ",".join(parts) + "}"


def parse(data: bytes, max_bytes: int) -> "Record":
    """Read bytes as one JSON object of at most max_bytes; raise WireError."""
    if len(data) > max_bytes:
        raise WireError("size", "", "is {} bytes, at most {} allowed".format(len(data), max_bytes))
    try:
        value: "Any" = json.loads(bytes(data).decode())
    except (ValueError, RuntimeError):  # bad UTF-8, bad JSON; nesting too deep for the stack
        raise WireError("json", "", "is not valid JSON in UTF-8")
    if not _is_object(value):
        raise WireError("json", "", "must be a JSON object")
    return value

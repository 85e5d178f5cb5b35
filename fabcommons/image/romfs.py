"""ROMFS: files an interpreter runs in place. Source: MicroPython ``docs/reference/romfs.rst``.

A record is kind, length, payload; kinds and lengths are numbers of seven bits a byte, most
significant first. The whole is one record of the kind that spells the magic, of even length.
"""

from __future__ import annotations

_MAGIC = b"\xd2\xcd\x31"
_DATA, _FOLDER, _FILE = 2, 4, 5


def romfs(files: dict[str, bytes]) -> bytes:
    """Image of files by path; folders are made as needed."""
    body = _entries(files)
    size = _number(len(body))
    if (len(_MAGIC) + len(size) + len(body)) % 2:
        size = b"\x80" + size
    return _MAGIC + size + body


def _entries(files: dict[str, bytes]) -> bytes:
    out = b""
    for name in sorted({path.split("/")[0] for path in files}):
        head = _number(len(name)) + name.encode()
        if name in files:
            out += _record(_FILE, head + _record(_DATA, files[name]))
        else:
            below = {p[len(name) + 1 :]: d for p, d in files.items() if p.startswith(name + "/")}
            out += _record(_FOLDER, head + _entries(below))
    return out


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def _number(value: int) -> bytes:
    digits = [value & 127]
    while value := value >> 7:
        digits.insert(0, value & 127 | 128)
    return bytes(digits)

"""Manifest of a firmware release: what its files are, signed.

One canonical record a line (keys in table order, no white space, see ``records``), so that a board
reads it line by line and never holds it whole:

    {"v":1,"version":"0.2.0","files":2}
    {"path":"firmware/agent.py","size":11893,"sha":"..."}     sorted by path, none twice
    {"path":"protocols/errors.py","size":511,"sha":"..."}
    {"sig":"..."}                                             ECDSA P-256 over all lines before it
"""

import hashlib
from binascii import hexlify, unhexlify

from protocols.errors import WireError
from protocols.p256 import verify
from protocols.records import check, parse, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable

    from protocols.records import Fields, Record

MAX_FILES = 200
MAX_FILE_BYTES = 65536
MAX_LINE_BYTES = 512
MAX_BYTES = MAX_LINE_BYTES * (MAX_FILES + 2)
NAME = "manifest"

HEAD = (
    ("v", ("int", 1, 1), True, "version of this format"),
    ("version", ("text", 20), True, "of the firmware, as 1.2.3"),
    ("files", ("int", 1, MAX_FILES), True, "lines of files that follow"),
)
FILE = (
    ("path", ("text", 80), True, "below the slot's folder"),
    ("size", ("int", 0, MAX_FILE_BYTES), True, "bytes"),
    ("sha", ("sha256",), True, "SHA-256 of the file"),
)
SIGNATURE = (("sig", ("text", 128), True, "r and s, 64 hexadecimal digits each"),)
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"


def version_of(text: str) -> "tuple[int, int, int]":
    """Version as three numbers to compare; raise WireError."""
    parts = text.split(".")
    if len(parts) != 3 or not all([0 < len(p) < 6 for p in parts]):
        raise WireError("manifest", "version", "must be three numbers, as 1.2.3")
    if not all([c in "0123456789" for c in "".join(parts)]):
        raise WireError("manifest", "version", "must be three numbers, as 1.2.3")
    return int(parts[0]), int(parts[1]), int(parts[2])


def is_safe_path(path: str) -> bool:
    """Say whether a path stays in its slot and is a module: firmware/... or protocols/..."""
    folders, _, name = path.rpartition("/")
    stem, _, kind = name.rpartition(".")
    parts = folders.split("/")
    return (
        parts[0] in ("firmware", "protocols")
        and kind in ("py", "mpy")
        and all([part and all([c in _LETTERS for c in part]) for part in parts + [stem]])
    )


# write -------------------------------------------------------------------------------------------
def body(version: str, files: "list[Record]") -> bytes:
    """Lines to be signed of {path, size, sha} records; raise WireError."""
    version_of(version)
    files = sorted(files, key=lambda file: file["path"])
    head: "Record" = {"v": 1, "version": version, "files": len(files)}
    lines = [write(HEAD, check(HEAD, head))]
    lines += [write(FILE, check(FILE, file)) for file in files]
    return "".join([line + "\n" for line in lines]).encode()


def signed(text: bytes, signature: bytes) -> bytes:
    """The manifest: a body and its signature (r, s: 64 bytes)."""
    value = {"sig": hexlify(signature).decode()}
    return text + write(SIGNATURE, value).encode() + b"\n"


# read --------------------------------------------------------------------------------------------
def _line(fields: "Fields", line: bytes) -> "Record":
    """Record of one line, which must be in the one form there is; raise WireError."""
    if len(line) > MAX_LINE_BYTES:
        raise WireError("manifest", "", "has a line that is too long")
    value = check(fields, parse(bytes(line), MAX_LINE_BYTES))
    if write(fields, value).encode() + b"\n" != line:
        raise WireError("manifest", "", "is not in its canonical form")
    return value


def file_of(line: bytes) -> "Record":
    """{path, size, sha} of the line of a file; raise WireError."""
    file = _line(FILE, line)
    if not is_safe_path(file["path"]):
        raise WireError("manifest", "path", "is not a module below the slot: " + file["path"])
    return file


def _signature(line: bytes) -> bytes:
    try:
        return unhexlify(_line(SIGNATURE, line)["sig"])
    except ValueError:
        raise WireError("manifest", "sig", "is not hexadecimal")


def read(lines: "Iterable[bytes]", key: bytes) -> "Record":
    """Head of a manifest whose every line is sound and whose signature is by the key.

    Takes the lines with their ends, as a binary file gives them. Raise WireError.
    """
    total = hashlib.sha256()
    head: "Record" = {}
    last = ""
    found_n = 0
    signature = b""
    for line in lines:
        if signature:
            raise WireError("manifest", "", "goes on after its signature")
        if head and found_n == head["files"]:
            signature = _signature(line)
            continue
        total.update(line)
        if not head:
            head = _line(HEAD, line)
            version_of(head["version"])
            continue
        path = file_of(line)["path"]
        if path <= last:
            raise WireError("manifest", "path", "is not in order: " + path)
        last = path
        found_n += 1
    if not signature:
        raise WireError("manifest", "", "ends early")
    if not verify(key, total.digest(), signature):
        raise WireError("manifest", "sig", "is not by the key this machine trusts")
    return head

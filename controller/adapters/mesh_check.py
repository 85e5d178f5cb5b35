"""Looks at a mesh before anything heavy opens it: size, and what a 3MF (a zip) would unpack to."""

from __future__ import annotations

import zipfile
from pathlib import Path

from controller.definition.meshes import packed_files

MAX_MESH_BYTES = 200_000_000
MAX_UNPACKED_BYTES = 600_000_000
MAX_RATIO = 200  # deflate can do 1,032:1; the XML of a mesh is 5 to 20:1
MAX_ENTRIES = 2_000


def unsafe(path: Path) -> str:
    """Why a mesh is refused, "" when it is not; raise OSError when it cannot be read."""
    size = path.stat().st_size
    if size > MAX_MESH_BYTES:
        return f"has {size // 1_000_000} MB, at most {MAX_MESH_BYTES // 1_000_000} are taken"
    if path.suffix.lower() != ".3mf":
        return ""
    entries = packed_files(path)
    if entries is None:
        return "is no 3MF: its zip cannot be read"
    return _unsafe_entries(entries, size)


def _unsafe_entries(entries: list[zipfile.ZipInfo], size: int) -> str:
    if len(entries) > MAX_ENTRIES:
        return f"holds {len(entries)} files, at most {MAX_ENTRIES} are taken"
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in parts[0]:
            return f"holds a file that would leave its folder: {entry.filename[:80]!r}"
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > MAX_RATIO * max(size, 1):
        return f"would unpack from {size} to {unpacked} bytes: not a mesh somebody drew"
    return ""

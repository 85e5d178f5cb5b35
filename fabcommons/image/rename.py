"""Gives names short ones, the same few everywhere: a board keeps each different name in RAM.

Three kinds, each with the same short names again: what a module defines or imports (importers take
it by its new name), parameters that no call names, and attributes that classes of ours define. Two
attributes share a short name unless some class has both. An attribute keeps its name when objects
that are not ours have one so called, or when a text in the sources spells it.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import hashlib
import io
import socket
from collections import Counter
from collections.abc import Iterator
from keyword import kwlist as KEYWORDS
from string import ascii_letters

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_STRANGERS = (str, bytes, bytearray, memoryview, dict, list, set, tuple, int, OSError, io.FileIO)
_STREAMS = (asyncio.Task, asyncio.Event, asyncio.StreamReader, asyncio.StreamWriter, socket.socket)
_MICROPYTHON = {"s", "readinto", "ioctl", "any", "init", "deinit", "wait_closed", "feed", "irq"}
# modules that handle what a board or an operating system gives: every attribute there may be theirs
_BORDERS = ("firmware.board", "firmware.wifi", "firmware.unix", "firmware.flash", "firmware.net")


def shorten(trees: dict[str, ast.Module], roots: tuple[str, ...] = ()) -> None:
    """Rename in place; what modules that are roots define keeps its name."""
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    named = {n.arg for n in nodes if isinstance(n, ast.keyword) and n.arg}
    _shorten_attributes(trees, nodes)
    for tree in trees.values():
        for function in _functions(tree):
            _Parameters(function, named).visit(function)
    new = {m: _module_names(t, m in roots, named, trees) for m, t in trees.items()}
    for module, tree in trees.items():
        _Names(new, module, trees).visit(tree)


# attributes ------------------------------------------------------------------------------------
def _shorten_attributes(trees: dict[str, ast.Module], nodes: list[ast.AST]) -> None:
    kept = _foreign(trees) | _spelled(nodes)
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    families = [set[str]().union(*map(_defined, family)) - kept for family in _families(classes)]
    uses = Counter(n.attr for n in nodes if isinstance(n, ast.Attribute))
    new: dict[str, str] = {}
    for name in sorted(set[str]().union(*families), key=lambda n: (-uses[n], n)):
        taken = {new[n] for family in families if name in family for n in family if n in new}
        new[name] = next(short for short in _short_names(kept) if short not in taken)
    for tree in trees.values():
        _Attributes(new, _module_aliases(tree, trees)).visit(tree)


def _foreign(trees: dict[str, ast.Module]) -> set[str]:
    """Attributes of objects that are not ours."""
    found = {name for kind in (*_STRANGERS, *_STREAMS) for name in dir(kind)}
    found |= set(dir(hashlib.sha256())) | _MICROPYTHON
    border = [t for m, t in trees.items() if m.startswith(_BORDERS)]
    return found | {n.attr for t in border for n in ast.walk(t) if isinstance(n, ast.Attribute)}


def _spelled(nodes: list[ast.AST]) -> set[str]:
    """Texts that could be names: a board keeps them anyway."""
    texts = [n.value for n in nodes if isinstance(n, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and text.isidentifier()}


def _families(classes: list[ast.ClassDef]) -> list[list[ast.ClassDef]]:
    """Classes apart, but all that inherit or are inherited from together: they share ``self``."""
    bases = {b.id for c in classes for b in c.bases if isinstance(b, ast.Name)}
    related = [c for c in classes if c.bases or c.name in bases]
    return [related, *([c] for c in classes if c not in related)]


def _defined(owner: ast.ClassDef) -> set[str]:
    """Methods of a class and attributes its methods take of ``self``."""
    found = {n.attr for n in ast.walk(owner) if isinstance(n, ast.Attribute) and _is_own(n)}
    found |= {n.name for n in owner.body if isinstance(n, _Function)}
    return {name for name in found if name[:2] != "__"}


def _is_own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


class _Attributes(ast.NodeTransformer):
    """Attributes and methods of one module; what is taken of a module is none."""

    def __init__(self, new: dict[str, str], aliases: dict[str, str]) -> None:
        self._new = new
        self._aliases = aliases

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        for inner in node.body:
            if isinstance(inner, _Function):
                inner.name = self._new.get(inner.name, inner.name)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if not (isinstance(node.value, ast.Name) and node.value.id in self._aliases):
            node.attr = self._new.get(node.attr, node.attr)
        return node


# parameters ------------------------------------------------------------------------------------
def _functions(tree: ast.Module) -> Iterator[ast.stmt]:
    """Functions of a module and methods of its classes; those inside functions belong to them."""
    for node in tree.body:
        for inner in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(inner, _Function):
                yield inner


class _Parameters(ast.NodeTransformer):
    """Parameters of one function and of those inside it."""

    def __init__(self, function: ast.stmt, named: set[str]) -> None:
        found = {n.arg for n in ast.walk(function) if isinstance(n, ast.arg)}
        found = {name for name in found if name not in named and name != "self"}
        taken = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} | set(KEYWORDS)
        self._new = dict(zip(sorted(found), _short_names(taken, ""), strict=False))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._new.get(node.arg, node.arg)
        return node


# names of modules ------------------------------------------------------------------------------
def _short_names(kept: set[str], head: str = "_") -> Iterator[str]:
    for first in ("", *ascii_letters):
        for last in ascii_letters:
            if head + first + last not in kept:
                yield head + first + last


def _module_names(
    tree: ast.Module, is_root: bool, named: set[str], trees: dict[str, ast.Module]
) -> dict[str, str]:
    """New name of each name a module defines or imports from others of ours."""
    defined: set[str] = set() if is_root else {n for node in tree.body for n in _names_of(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "") in trees:
            defined |= {alias.asname or alias.name for alias in node.names}
    old = {n for n in defined if n[:2] != "__" and n not in named and not hasattr(builtins, n)}
    taken = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {"_"}
    uses = Counter(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
    ordered = sorted(old, key=lambda n: (-uses[n], n))
    return dict(zip(ordered, _short_names(taken), strict=False))


def _names_of(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, _Function | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        for inner in [n for target in node.targets for n in ast.walk(target)]:
            if isinstance(inner, ast.Name):
                yield inner.id


def _module_aliases(tree: ast.Module, trees: dict[str, ast.Module]) -> dict[str, str]:
    """Modules a module knows by a name; foreign ones as ""."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({a.asname or a.name.split(".")[0]: "" for a in node.names})
            found.update({a.asname: a.name for a in node.names if a.asname and a.name in trees})
        elif isinstance(node, ast.ImportFrom):
            full = {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
            found.update({name: module for name, module in full.items() if module in trees})
    return found


class _Names(ast.NodeTransformer):
    """Names one module defines or imports, wherever it says them."""

    def __init__(
        self, new: dict[str, dict[str, str]], module: str, trees: dict[str, ast.Module]
    ) -> None:
        self._all = new
        self._new = new[module]
        self._aliases = _module_aliases(trees[module], trees)
        for node in trees[module].body:
            if isinstance(node, _Function | ast.ClassDef):
                node.name = self._new.get(node.name, node.name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._new.get(node.arg, node.arg)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name):
            module = self._aliases.get(node.value.id, "")
            node.attr = self._all.get(module, {}).get(node.attr, node.attr)
        self.generic_visit(node)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        theirs = self._all.get(node.module or "", {})
        for alias in node.names:
            mine = alias.asname or alias.name
            alias.name = theirs.get(alias.name, alias.name)
            alias.asname = self._new.get(mine, mine)
            if alias.asname == alias.name:
                alias.asname = None
        return node

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
from itertools import islice
from keyword import kwlist as KEYWORDS

from fabcommons.image.link import WHOLE
from fabcommons.image.names import STATIC, cheap_names, own_names, short_names

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_STRANGERS = (str, bytes, bytearray, memoryview, dict, list, set, tuple, int, OSError, io.FileIO)
_STREAMS = (asyncio.Task, asyncio.Event, asyncio.StreamReader, asyncio.StreamWriter, socket.socket)
_MICROPYTHON = {"s", "readinto", "ioctl", "any", "init", "deinit", "wait_closed", "feed", "irq"}
# modules that handle what a board or an operating system gives: every attribute there may be theirs
_BORDERS = ("firmware.board", "firmware.wifi", "firmware.unix", "firmware.flash", "firmware.net")


def shorten(
    trees: dict[str, ast.Module], roots: tuple[str, ...] = (), foreign: set[str] | None = None
) -> None:
    """Rename in place; what modules that are roots define keeps its name.

    foreign: attributes of objects that are not ours, told before the modules were joined.
    """
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    named = {n.arg for n in nodes if isinstance(n, ast.keyword) and n.arg}
    _shorten_attributes(trees, nodes, foreign_attributes(trees) | (foreign or set()))
    for tree in trees.values():
        shared = {name for node in tree.body for name in _names_of(node)}
        for function in _functions(tree):
            _Locals(function, named | shared).visit(function)
    new: dict[str, dict[str, str]] = {}
    for module in sorted(trees, key=lambda m: m != WHOLE):  # the others go by its names
        new[module] = _module_names(module, module in roots, named, trees, new)
    for module, tree in trees.items():
        _Names(new, module, trees).visit(tree)


# attributes ------------------------------------------------------------------------------------
def _shorten_attributes(
    trees: dict[str, ast.Module], nodes: list[ast.AST], foreign: set[str]
) -> None:
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    spelled = spelled_texts(nodes)
    assigned = {name for c in classes for node in c.body for name in _names_of(node)}
    methods = {node.name for c in classes for node in c.body if isinstance(node, _Function)}
    kept = foreign | spelled | (assigned - methods)
    families = [set[str]().union(*map(_defined, family)) for family in _families(classes)]
    pool = [n for n in (*STATIC, *islice(short_names(kept, "_"), 500)) if n not in spelled]
    uses = Counter(n.attr for n in nodes if isinstance(n, ast.Attribute))
    new: dict[str, str] = {}
    for name in sorted(set[str]().union(*families) - kept, key=lambda n: (-uses[n], n)):
        taken = {new.get(n, n) for family in families if name in family for n in family}
        new[name] = next(short for short in pool if short not in taken)
    for tree in trees.values():
        _Attributes(new, _module_aliases(tree, trees)).visit(tree)


def foreign_attributes(trees: dict[str, ast.Module]) -> set[str]:
    """Attributes of objects that are not ours."""
    found = {name for kind in (*_STRANGERS, *_STREAMS) for name in dir(kind)}
    found |= set(dir(hashlib.sha256())) | _MICROPYTHON
    border = [t for m, t in trees.items() if m.startswith(_BORDERS)]
    theirs = {n.attr for t in border for n in ast.walk(t) if isinstance(n, ast.Attribute)}
    return found | {name for name in theirs if name[:1] != "_"}


def spelled_texts(nodes: list[ast.AST]) -> set[str]:
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


# locals ----------------------------------------------------------------------------------------
def _functions(tree: ast.Module) -> Iterator[ast.stmt]:
    """Functions of a module and methods of its classes; those inside functions belong to them."""
    for node in tree.body:
        for inner in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(inner, _Function):
                yield inner


class _Locals(ast.NodeTransformer):
    """Parameters and local names of one function and of those inside it."""

    def __init__(self, function: ast.stmt, kept: set[str]) -> None:
        own = own_names(function) - kept - _imported(function) - {"self"}
        parameters = [n.arg for n in ast.walk(function) if isinstance(n, ast.arg) and n.arg in own]
        ordered = [*dict.fromkeys(parameters), *sorted(own.difference(parameters))]
        taken = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} - own
        self._is_inner = False
        self._new = dict(zip(ordered, short_names(taken | set(KEYWORDS)), strict=False))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._new.get(node.arg, node.arg)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = self._new.get(node.name or "", node.name)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._inner(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._inner(node)

    def _inner(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if self._is_inner:
            node.name = self._new.get(node.name, node.name)
        outside, self._is_inner = self._is_inner, True
        self.generic_visit(node)
        self._is_inner = outside
        return node


def _imported(tree: ast.AST) -> set[str]:
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name for node in nodes for alias in node.names}


# names of modules ------------------------------------------------------------------------------
def _module_names(
    module: str,
    is_root: bool,
    named: set[str],
    trees: dict[str, ast.Module],
    new: dict[str, dict[str, str]],
) -> dict[str, str]:
    """New name of each name a module defines or imports from others of ours."""
    tree = trees[module]
    defined: set[str] = set() if is_root else {n for node in tree.body for n in _names_of(node)}
    wished: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "") in trees:
            theirs = new.get(node.module or "", {})
            defined |= {alias.asname or alias.name for alias in node.names}
            wished |= {a.asname or a.name: theirs[a.name] for a in node.names if a.name in theirs}
    old = {n for n in defined if n[:2] != "__" and n not in named and not hasattr(builtins, n)}
    uses = Counter(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
    nodes = list(ast.walk(tree))
    taken = {*uses, *_imported(tree), *(n.arg for n in nodes if isinstance(n, ast.arg))} - old
    taken |= {n.name for n in nodes if isinstance(n, ast.ExceptHandler) and n.name}
    wished = {mine: name for mine, name in wished.items() if mine in old and name not in taken}
    ordered = sorted(old.difference(wished), key=lambda n: (-uses[n], n))
    cheap = cheap_names(tree, taken | old | set(wished.values()))
    return wished | dict(zip(ordered, cheap, strict=False))


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

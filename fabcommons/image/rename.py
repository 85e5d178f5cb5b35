"""Gives private names short ones, the same few everywhere: a board keeps each name in RAM.

Private is what begins with one underscore (names of a module, and attributes a class uses of
``self``) and every parameter that no call names. A private attribute that any code takes from
something else keeps its name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from keyword import kwlist as KEYWORDS
from string import ascii_letters


def shorten(trees: dict[str, ast.Module]) -> None:
    """Rename in place."""
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    kept = {n.attr for n in nodes if isinstance(n, ast.Attribute) and not _is_own(n)}
    kept |= {a.name for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names}
    named = {n.arg for n in nodes if isinstance(n, ast.keyword)}
    for family in _families([node for node in nodes if isinstance(node, ast.ClassDef)]):
        new = _new_names(set[str]().union(*map(_attributes, family)), kept)
        for owner in family:
            _Attributes(owner, new).visit(owner)
    for tree in trees.values():
        for function in _functions(tree):
            _Parameters(function, named).visit(function)
        _Names(tree, kept).visit(tree)


def _families(classes: list[ast.ClassDef]) -> list[list[ast.ClassDef]]:
    """Classes apart, but all that inherit or are inherited from together: they share ``self``."""
    bases = {b.id for c in classes for b in c.bases if isinstance(b, ast.Name)}
    related = [c for c in classes if c.bases or c.name in bases]
    return [related, *([c] for c in classes if c not in related)]


def _attributes(owner: ast.ClassDef) -> set[str]:
    """Attributes a class uses and methods it has."""
    found = {n.attr for n in ast.walk(owner) if isinstance(n, ast.Attribute)}
    methods = [n for n in owner.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return found | {method.name for method in methods}


def _is_private(name: str) -> bool:
    return len(name) > 1 and name[0] == "_" and name[:2] != "__"


def _is_own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _short_names(kept: set[str], head: str = "_") -> Iterator[str]:
    for first in ("", *ascii_letters):
        for last in ascii_letters:
            if head + first + last not in kept:
                yield head + first + last


def _functions(tree: ast.Module) -> Iterator[ast.stmt]:
    """Functions of a module and methods of its classes; those inside functions belong to them."""
    for node in tree.body:
        for inner in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                yield inner


def _new_names(old: set[str], kept: set[str]) -> dict[str, str]:
    private = sorted(name for name in old - kept if _is_private(name))
    return dict(zip(private, _short_names(kept | old), strict=False))


class _Parameters(ast.NodeTransformer):
    """Parameters of one function and of those inside it."""

    def __init__(self, function: ast.stmt, named: set[str | None]) -> None:
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


class _Attributes(ast.NodeTransformer):
    """Attributes of one class."""

    def __init__(self, owner: ast.ClassDef, new: dict[str, str]) -> None:
        self._new = new
        for node in owner.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                node.name = self._new.get(node.name, node.name)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if _is_own(node):
            node.attr = self._new.get(node.attr, node.attr)
        return node


class _Names(ast.NodeTransformer):
    """Names of one module."""

    def __init__(self, tree: ast.Module, kept: set[str]) -> None:
        found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        found |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
        found |= {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        self._new = _new_names(found, kept)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                node.name = self._new.get(node.name, node.name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._new.get(node.arg, node.arg)
        return node

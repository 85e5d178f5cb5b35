"""Puts a function that is one expression where it is called: it costs a board 30 B of RAM or more.

A method counts when one class alone has a method so called and every use is a call, a property when
it is only read. An expression goes where it can be seen that nothing is worked out more often, less
often or in another order: what is given must be names and constants, or one other thing that the
expression takes first and once. What is called at several places must be short.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from fabcommons.image.names import own_names
from fabcommons.image.unroll import Replacing, in_order

SHORT = 7  # parts of an expression that takes no more bytes than a call
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Owner = ast.Module | ast.ClassDef
_MAKES = (ast.Lambda, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp, ast.NamedExpr)
_NEVER = (*_MAKES, ast.Await, ast.Yield, ast.YieldFrom)


@dataclass
class _Short:
    """A function that is one expression; ``owner`` holds it."""

    node: ast.FunctionDef
    value: ast.expr
    owner: _Owner
    is_property: bool


def embed(tree: ast.Module, others: list[ast.Module], kept: set[str]) -> None:
    """Embed in one module until nothing more can be; ``kept`` are names that may mean others."""
    out = kept | {name for other in others for name in _said(other)}
    while _Round(tree).embed(_shorts(tree, out)):
        pass


def _shorts(tree: ast.Module, out: set[str]) -> list[_Short]:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    defined = Counter(n.name for c in classes for n in c.body if isinstance(n, _Function))
    found: list[_Short] = []
    for owner in (tree, *classes):
        for node in owner.body:
            if isinstance(node, ast.FunctionDef) and node.name not in out and node.name[:2] != "__":
                short = _short(node, owner)
                if short is not None and (owner is tree or defined[node.name] == 1):
                    found.append(short)
    return found


def _said(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def _short(node: ast.FunctionDef, owner: _Owner) -> _Short | None:
    body, given = node.body[0], node.args
    value = body.value if isinstance(body, ast.Return) and len(node.body) == 1 else None
    is_property = [ast.unparse(n) for n in node.decorator_list] == ["property"]
    if value is None or (node.decorator_list and not is_property):
        return None
    if given.vararg or given.kwarg or given.kwonlyargs or given.defaults:
        return None
    nodes = list(ast.walk(value))
    if any(
        isinstance(n, _NEVER) or {*_name_of(n)} & {"super", node.name, "." + node.name}
        for n in nodes
    ):
        return None
    return _Short(node, value, owner, is_property)


class _Round:
    """Who says which name where, as it was when the round began; what changed since waits."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._named = Counter(name for node in ast.walk(tree) for name in _name_of(node))
        self._places: dict[str, list[tuple[ast.stmt, ast.expr]]] = {}
        self._own: dict[ast.stmt, set[str]] = {}
        self._changed: set[ast.stmt] = set()
        for owner in (tree, *[node for node in tree.body if isinstance(node, ast.ClassDef)]):
            for function in [node for node in owner.body if isinstance(node, _Function)]:
                self._own[function] = own_names(function)
                for node in ast.walk(function):
                    called = node.func if isinstance(node, ast.Call) else node
                    for name in _name_of(called):
                        self._places.setdefault(name, []).append((function, node))  # type: ignore[arg-type]  # named: an expression

    def embed(self, shorts: list[_Short]) -> bool:
        """Embed what can be; say whether anything was."""
        for short in shorts:
            self._embed(short)
        ast.fix_missing_locations(self._tree)
        return bool(self._changed)

    def _embed(self, short: _Short) -> None:
        """Embed a function if that can be done at every place that names it."""
        name = ("." if isinstance(short.owner, ast.ClassDef) else "") + short.node.name
        free = {n.id for n in ast.walk(short.value) if isinstance(n, ast.Name)}
        free -= {a.arg for a in short.node.args.args}
        uses: list[tuple[ast.stmt, ast.expr, ast.expr]] = []  # around, what goes, what comes
        for function, node in self._places.get(name, ()):
            given = _given(node, short)
            value = _filled(short, given) if given is not None else None
            if value is not None and not free & self._own[function]:
                uses.append((function, node, value))
        around = {short.node, *(function for function, _, _ in uses)}
        if not uses or len(uses) != self._named[name] or around & self._changed:
            return
        if len(uses) > 1 and not _is_brief(short.value):
            return
        for function, old, new in uses:
            Replacing(old, new).visit(function)
        self._changed |= around
        short.owner.body.remove(short.node)
        short.owner.body += [] if short.owner.body else [ast.Pass()]


def _name_of(node: ast.AST) -> tuple[str, ...]:
    """Name that a node says, with a point before that of an attribute."""
    if isinstance(node, ast.Attribute):
        return ("." + node.attr,)
    return (node.id,) if isinstance(node, ast.Name) else ()


def _is_brief(value: ast.expr) -> bool:
    return sum(not isinstance(n, ast.expr_context) for n in ast.walk(value)) <= SHORT


def _is_named(node: ast.AST, short: _Short) -> bool:
    if isinstance(short.owner, ast.ClassDef):
        return isinstance(node, ast.Attribute) and node.attr == short.node.name
    return isinstance(node, ast.Name) and node.id == short.node.name


def _given(node: ast.expr, short: _Short) -> list[ast.expr] | None:
    """What a function is given where an expression is a call of it; None when it is none."""
    if short.is_property:
        if isinstance(node, ast.Attribute) and _is_named(node, short):
            return [node.value] if isinstance(node.ctx, ast.Load) else None
        return None
    if not isinstance(node, ast.Call) or not _is_named(node.func, short):
        return None
    given = [*([node.func.value] if isinstance(node.func, ast.Attribute) else []), *node.args]
    known = len(given) == len(short.node.args.args) and not node.keywords
    return given if known and not any(isinstance(n, ast.Starred) for n in given) else None


def _filled(short: _Short, given: list[ast.expr]) -> ast.expr | None:
    """The expression with what is given in it; None when that could change what happens."""
    names = [a.arg for a in short.node.args.args]
    new = dict(zip(names, given, strict=True))
    acting = [n for n, g in new.items() if not isinstance(g, ast.Constant | ast.Name)]
    if len(acting) > 1 or (acting and not _takes_first(short.value, acting[0])):
        return None
    return _Filling(new).visit(copy.deepcopy(short.value))


def _takes_first(value: ast.expr, name: str) -> bool:
    """Say whether an expression takes a name once and before anything that could matter to it."""
    if sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value)) != 1:
        return False
    for part in in_order(value):
        if isinstance(part, ast.Name) and part.id == name:
            return True
        if not isinstance(part, ast.Name | ast.Constant):
            return False
    return False


class _Filling(ast.NodeTransformer):
    def __init__(self, new: dict[str, ast.expr]) -> None:
        self._new = new

    def visit_Name(self, node: ast.Name) -> ast.AST:
        given = self._new.get(node.id, node)
        simple = isinstance(given, ast.Name | ast.Constant)
        return copy.copy(given) if simple else given  # the one other is there once

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
    while True:
        shorts = _shorts(tree, others, kept)
        for short in shorts:
            if _embedded(tree, short):
                break
        else:
            return


def _shorts(tree: ast.Module, others: list[ast.Module], kept: set[str]) -> list[_Short]:
    out = kept | {name for other in others for name in _said(other)}
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
    if any(isinstance(n, _NEVER) or ast.unparse(n) in ("super", node.name) for n in nodes):
        return None
    return _Short(node, value, owner, is_property)


def _embedded(tree: ast.Module, short: _Short) -> bool:
    """Embed a function if that can be done at every place that names it; say whether."""
    free = {n.id for n in ast.walk(short.value) if isinstance(n, ast.Name)}
    free -= {a.arg for a in short.node.args.args}
    uses: list[tuple[ast.AST, ast.expr, ast.expr]] = []  # function around, what goes, what comes
    for function in _outermost(tree):
        if function is short.node or free & own_names(function):
            continue
        for node in ast.walk(function):
            given = _given(node, short) if isinstance(node, ast.expr) else None
            value = _filled(short, given) if given is not None else None
            if isinstance(node, ast.expr) and value is not None:
                uses.append((function, node, value))
    named = sum(_is_named(node, short) for node in ast.walk(tree))
    if not uses or len(uses) != named or (len(uses) > 1 and not _is_brief(short.value)):
        return False
    for function, old, new in uses:
        Replacing(old, new).visit(function)
    short.owner.body.remove(short.node)
    short.owner.body += [] if short.owner.body else [ast.Pass()]
    ast.fix_missing_locations(tree)
    return True


def _outermost(tree: ast.Module) -> Iterator[ast.stmt]:
    for owner in (tree, *[node for node in tree.body if isinstance(node, ast.ClassDef)]):
        yield from (node for node in owner.body if isinstance(node, _Function))


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

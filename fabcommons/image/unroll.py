"""Turns comprehensions into loops: to MicroPython each is a function, 64 B of a board's RAM.

A comprehension is then made before the statement that holds it. So one is turned only when nothing
that could matter to it, or that it could matter to, is worked out before it; all others stay.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Made = ast.ListComp | ast.DictComp
_BODIES = ("body", "orelse", "finalbody")
_HEADS: dict[type[ast.stmt], str] = {
    ast.Expr: "value",
    ast.Return: "value",
    ast.Assign: "value",
    ast.AugAssign: "value",
    ast.If: "test",
    ast.For: "iter",
}
_ACTS = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)
_LATER = (ast.Lambda, ast.GeneratorExp, ast.SetComp)  # functions that stay functions


def unroll(tree: ast.Module) -> None:
    """Turn what can be turned in the functions of a module."""
    unrolling = _Unrolling()
    for node in list(ast.walk(tree)):
        if isinstance(node, _Function):
            unrolling.block(node.body)
    ast.fix_missing_locations(tree)


class _Unrolling:
    def __init__(self) -> None:
        self._number = 0

    def block(self, body: list[ast.stmt]) -> None:
        """Turn what can be turned in statements; functions inside them are met by themselves."""
        place = 0
        while place < len(body):
            node = body[place]
            turned = self._turned(node)
            if turned is not None:
                body[place : place + 1] = turned
                continue
            place += 1
            if isinstance(node, _Function | ast.ClassDef):
                continue
            for name in _BODIES:
                self.block(getattr(node, name, []))
            for handler in getattr(node, "handlers", ()):
                self.block(handler.body)

    def _turned(self, node: ast.stmt) -> list[ast.stmt] | None:
        """What a statement becomes, None when it stays."""
        head = _HEADS.get(type(node), "")
        expression: ast.expr | None = getattr(node, head, None)
        found = _first_made(node, expression) if expression is not None else None
        if found is None:
            return None
        self._number += 1
        name = f"made__{self._number}"
        if found is expression and isinstance(node, ast.Assign) and _is_new_name(node, found):
            node.value = ast.Dict([], []) if isinstance(found, ast.DictComp) else ast.List([])
            return [node, self._loop(found, node.targets[0].id)]  # type: ignore[attr-defined]  # a name
        empty = ast.Dict([], []) if isinstance(found, ast.DictComp) else ast.List([])
        before = ast.Assign([ast.Name(name, ast.Store())], empty)
        Replacing(found, ast.Name(name, ast.Load())).visit(node)
        return [before, self._loop(found, name), node]

    def _loop(self, made: _Made, name: str) -> ast.stmt:
        """Loop that fills what is made; its variables get names of their own."""
        made = copy.deepcopy(made)
        start = made.generators[0].iter
        made.generators[0].iter = ast.Constant(None)
        targets = [n for each in made.generators for n in ast.walk(each.target)]
        own = {n.id for n in targets if isinstance(n, ast.Name)}
        _Renaming({n: f"{n}__{self._number}" for n in own}).visit(made)
        made.generators[0].iter = start
        target = ast.Name(name, ast.Load())
        if isinstance(made, ast.DictComp):
            place = ast.Subscript(target, made.key, ast.Store())
            last: ast.stmt = ast.Assign([place], made.value)
        else:
            last = ast.Expr(ast.Call(ast.Attribute(target, "append", ast.Load()), [made.elt], []))
        for each in reversed(made.generators):
            for test in reversed(each.ifs):
                last = ast.If(test, [last], [])
            last = ast.For(each.target, each.iter, [last], [])
        return last


def _is_new_name(node: ast.Assign, made: _Made) -> bool:
    """Say whether an assignment gives one local name something that does not use that name."""
    target = node.targets[0]
    if len(node.targets) > 1 or not isinstance(target, ast.Name):
        return False
    return all(n.id != target.id for n in ast.walk(made) if isinstance(n, ast.Name))


def _first_made(node: ast.stmt, expression: ast.expr) -> _Made | None:
    """The first comprehension of a statement that may be made before it."""
    looked_up = isinstance(node, ast.AugAssign) and not isinstance(node.target, ast.Name)
    for inner in in_order(expression):
        if isinstance(inner, _Made):
            return inner if _may_go_first(inner, looked_up) else None
        if inner is None or isinstance(inner, (*_ACTS, *_LATER)):
            return None
        looked_up = looked_up or isinstance(inner, ast.Attribute | ast.Subscript)
    return None


def _may_go_first(made: _Made, looked_up: bool) -> bool:
    nodes = list(ast.walk(made))
    if any(each.is_async for each in made.generators) or any(isinstance(n, _LATER) for n in nodes):
        return False
    return not (looked_up and any(isinstance(n, _ACTS) for n in nodes))


def in_order(node: ast.expr) -> Iterator[ast.expr | None]:
    """Parts of an expression as they are worked out; None where it depends what comes next."""
    if isinstance(node, (ast.ListComp, ast.DictComp, *_LATER)):
        yield node
        return
    if isinstance(node, ast.BoolOp | ast.IfExp):
        yield from in_order(node.test if isinstance(node, ast.IfExp) else node.values[0])
        yield None
    elif isinstance(node, ast.Call):
        looked_up = isinstance(node.func, ast.Attribute) and node.func.value  # of a method: no act
        yield from in_order(looked_up or node.func)
        for part in (*node.args, *(keyword.value for keyword in node.keywords)):
            yield from in_order(part)
    elif isinstance(node, ast.Compare) and len(node.ops) > 1:
        yield from in_order(node.left)
        yield None
    else:
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.expr):
                yield from in_order(inner)
    yield node


class Replacing(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """The new one for the old one."""
        return self._new if node is self._old else super().visit(node)


class _Renaming(ast.NodeTransformer):
    def __init__(self, new: dict[str, str]) -> None:
        self._new = new

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._new.get(node.id, node.id), node.ctx)

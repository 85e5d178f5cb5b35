"""Puts a function that is called at one place only there: each costs a board some 75 B of RAM.

A statement that calls it becomes its body, with names of its own. It is left alone where that could
change what happens: a name would mean something else, an argument would be worked out at another
time, a ``return`` would leave too much, or it is used as a value.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fabcommons.image.names import is_stored

Function = ast.FunctionDef | ast.AsyncFunctionDef
_NEVER = (ast.Yield, ast.YieldFrom, ast.Lambda, ast.Global, ast.Nonlocal, ast.ClassDef)
_BODIES = ("body", "orelse", "finalbody")


@dataclass
class _Callee:
    """A function named once; owner is the body that holds it."""

    node: Function
    owner: list[ast.stmt]
    in_class: bool


def paste(trees: dict[str, ast.Module], roots: tuple[str, ...]) -> None:
    """Paste until nothing more can be."""
    named = {module: Counter(_names(tree)) for module, tree in trees.items()}
    uses = sum(named.values(), Counter[str]())
    bases = {b.id for t in trees.values() for n in ast.walk(t) if isinstance(n, ast.ClassDef)
             for b in n.bases if isinstance(b, ast.Name)}  # fmt: skip
    number, before = 0, -1
    while before != number:
        before = number
        for module, tree in trees.items():
            if module in roots:
                continue
            pasted = _Paster(_callees(tree, uses, bases), number).run(tree)
            if pasted != number:
                number = pasted
                uses.subtract(named[module])
                named[module] = Counter(_names(tree))
                uses.update(named[module])


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name


def _callees(tree: ast.Module, uses: Counter[str], bases: set[str]) -> dict[str, _Callee]:
    found: dict[str, _Callee] = {}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    alone = [c for c in classes if not c.bases and c.name not in bases]
    for owner in (tree, *alone):
        for node in owner.body:
            if isinstance(node, Function) and uses[node.name] == 1 and _may_move(node):
                found[node.name] = _Callee(node, owner.body, isinstance(owner, ast.ClassDef))
    return found


def _may_move(node: Function) -> bool:
    if node.decorator_list or node.args.vararg or node.args.kwarg or node.args.kwonlyargs:
        return False
    inner = [n for statement in node.body for n in ast.walk(statement)]
    return node.name[:2] != "__" and not any(isinstance(n, (*_NEVER, Function)) for n in inner)


class _Paster:
    """Pastes the callees of one module."""

    def __init__(self, callees: dict[str, _Callee], number: int) -> None:
        self._callees = callees
        self._number = number

    def run(self, tree: ast.Module) -> int:
        """Go through all functions; return the number of the last paste."""
        for owner in (tree, *[n for n in tree.body if isinstance(n, ast.ClassDef)]):
            for caller in [n for n in owner.body if isinstance(n, Function)]:
                if caller in owner.body:  # not pasted meanwhile
                    self._caller, self._owner = caller, owner
                    self._block(caller.body, True)
        return self._number

    def _block(self, body: list[ast.stmt], is_tail: bool) -> None:
        place = 0
        while place < len(body):
            node = body[place]
            last = is_tail and place == len(body) - 1
            new = self._statement(node, last)
            if new is not None:
                body[place : place + 1] = new or [ast.Pass()]
                continue
            self._inside(node, last)
            place += 1

    def _inside(self, node: ast.stmt, is_tail: bool) -> None:
        ends = is_tail and isinstance(node, ast.If)
        for name in _BODIES:
            inner: list[ast.stmt] = getattr(node, name, [])
            if not isinstance(node, Function | ast.ClassDef):
                self._block(inner, ends)
        for handler in getattr(node, "handlers", ()):
            self._block(handler.body, False)

    def _statement(self, node: ast.stmt, is_tail: bool) -> list[ast.stmt] | None:
        """What a statement becomes, None when it stays."""
        expression = _expression(node)
        if expression is None:
            return None
        call, callee = self._first_call(expression)
        if call is None or callee is None:
            return None
        pasted = _Body(callee.node, _call_of(call), self._number + 1, self._caller)
        if not pasted.fits:
            return None
        new = _joined(node, expression, call, pasted, is_tail)
        if new is not None:
            self._number += 1
            callee.owner.remove(callee.node)
            del self._callees[callee.node.name]
            for statement in new:
                ast.fix_missing_locations(statement)
        return new

    def _first_call(self, node: ast.expr) -> tuple[ast.expr | None, _Callee | None]:
        """The call of a callee that is worked out before all else of an expression."""
        while True:
            callee = self._callee_of(node)
            if callee is not None:
                return node, callee
            inner = _first(node)
            if inner is None:
                return None, None
            node = inner

    def _callee_of(self, node: ast.expr) -> _Callee | None:
        waits = isinstance(node, ast.Await)
        call = node.value if isinstance(node, ast.Await) else node
        if not isinstance(call, ast.Call) or any(isinstance(a, ast.Starred) for a in call.args):
            return None
        name = call.func
        own = isinstance(name, ast.Attribute) and _is_self(name.value)
        text = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
        callee = self._callees.get(text)
        if callee is None or callee.in_class != own or callee.node is self._caller:
            return None
        if not own and not isinstance(name, ast.Name):
            return None
        if own and callee.owner is not self._owner.body:
            return None
        return callee if waits == isinstance(callee.node, ast.AsyncFunctionDef) else None


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _call_of(node: ast.expr) -> ast.Call:
    return node.value if isinstance(node, ast.Await) else node  # type: ignore[return-value]  # checked by the caller


def _expression(node: ast.stmt) -> ast.expr | None:
    """What a statement works out first."""
    if isinstance(node, ast.Expr | ast.Return | ast.Assign):
        return node.value
    if isinstance(node, ast.If):
        return node.test
    if isinstance(node, ast.For):
        return node.iter
    return None


_FIRSTS: tuple[tuple[tuple[type[ast.expr], ...], str], ...] = (
    ((ast.UnaryOp,), "operand"),
    ((ast.Compare, ast.BinOp), "left"),
    ((ast.IfExp,), "test"),
    ((ast.Attribute, ast.Subscript, ast.Await), "value"),
)


def _first(node: ast.expr) -> ast.expr | None:
    """The part of an expression that is worked out first."""
    for kinds, name in _FIRSTS:
        if isinstance(node, kinds):
            return getattr(node, name)
    if isinstance(node, ast.BoolOp):
        return node.values[0]
    if isinstance(node, ast.Tuple) and node.elts:
        return node.elts[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        return node.args[0]
    return None


def _returns(body: Sequence[ast.stmt]) -> list[ast.Return]:
    return [n for node in body for n in ast.walk(node) if isinstance(n, ast.Return)]


def _joined(
    node: ast.stmt, expression: ast.expr, call: ast.expr, pasted: _Body, is_tail: bool
) -> list[ast.stmt] | None:
    """The callee's body in the place of its call in a statement; None when it cannot be."""
    body = pasted.body
    returns = _returns(body)
    if isinstance(node, ast.Return) and call is expression:
        ends = isinstance(body[-1], ast.Return | ast.Raise)
        return pasted.before + body + ([] if ends else [ast.Return(None)])
    if isinstance(node, ast.Expr) and call is expression:
        return _as_statement(pasted, returns, is_tail)
    if len(returns) != 1 or body[-1] is not returns[0] or returns[0].value is None:
        return None
    _replace(node, call, returns[0].value)
    return [*pasted.before, *body[:-1], node]


def _as_statement(pasted: _Body, returns: list[ast.Return], is_tail: bool) -> list[ast.stmt] | None:
    body = pasted.body
    if len(returns) == 1 and body[-1] is returns[0]:
        value = returns[0].value
        body = [*body[:-1], *([ast.Expr(value)] if value is not None else [])]
    elif returns and (not is_tail or any(r.value is not None for r in returns)):
        return None
    return pasted.before + body


def _replace(node: ast.stmt, call: ast.expr, value: ast.expr) -> None:
    class Replacing(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return value if node is call else super().visit(node)

    Replacing().visit(node)


class _Body:
    """A callee's body as it would stand at a call; before = arguments worked out first."""

    def __init__(self, callee: Function, call: ast.Call, number: int, caller: Function) -> None:
        self.before: list[ast.stmt] = []
        self.body: list[ast.stmt] = []
        stored = _stored(callee)
        loads = {n.id for n in ast.walk(callee) if isinstance(n, ast.Name)}
        self.fits = not (loads - stored) & (_stored(caller) - {"self"})
        arguments = _arguments(callee, call) if self.fits else None
        if arguments is None:
            self.fits = False
            return
        mine = {n: f"{n}_{number}" for n in stored if n != "self"}
        new: dict[str, ast.expr] = {n: ast.Name(mine[n], ast.Load()) for n in mine}
        assigned = _stored(callee, False)
        for name, value in arguments:
            if isinstance(value, ast.Constant | ast.Name) and name not in assigned:
                new[name] = value
            else:
                self.before.append(ast.Assign([ast.Name(mine[name], ast.Store())], value))
        body = copy.deepcopy(callee.body)
        self.body = [_Rename(new).visit(node) for node in body]


def _stored(function: Function, with_parameters: bool = True) -> set[str]:
    """Names that are a function's own."""
    found = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and is_stored(n)}
    found |= {n.name for n in ast.walk(function) if isinstance(n, ast.ExceptHandler) and n.name}
    found |= {a.asname or a.name for n in ast.walk(function)
              if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}  # fmt: skip
    if with_parameters:
        found |= {n.arg for n in ast.walk(function) if isinstance(n, ast.arg)}
    return found


def _arguments(callee: Function, call: ast.Call) -> list[tuple[str, ast.expr]] | None:
    """Parameter and argument in the order the call works them out; None when they do not match."""
    names = [a.arg for a in callee.args.args if a.arg != "self"]
    found = list(zip(names, call.args, strict=False))
    found += [(k.arg, k.value) for k in call.keywords if k.arg in names]
    defaults = dict(zip(reversed(names), reversed(callee.args.defaults), strict=False))
    given = {name for name, _ in found}
    missing = [name for name in names if name not in given]
    if len(found) != len(call.args) + len(call.keywords) or len(given) != len(found):
        return None
    if any(not isinstance(defaults.get(name), ast.Constant) for name in missing):
        return None
    return found + [(name, defaults[name]) for name in missing]


class _Rename(ast.NodeTransformer):
    """Own names of a pasted body, and arguments in the place of parameters."""

    def __init__(self, new: dict[str, ast.expr]) -> None:
        self._new = new

    def visit_Name(self, node: ast.Name) -> ast.AST:
        value = self._new.get(node.id)
        if isinstance(value, ast.Name):
            return ast.Name(value.id, node.ctx)
        return copy.copy(value) if value is not None else node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        value = self._new.get(node.name or "")
        node.name = value.id if isinstance(value, ast.Name) else node.name
        self.generic_visit(node)
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        return self._aliased(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return self._aliased(node)

    def _aliased(self, node: ast.Import | ast.ImportFrom) -> ast.AST:
        for alias in node.names:
            value = self._new.get(alias.asname or alias.name)
            if isinstance(value, ast.Name):
                alias.asname = value.id
        return node

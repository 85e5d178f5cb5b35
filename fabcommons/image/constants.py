"""Puts whole numbers of other modules where they are used, and tables of fields into texts.

A table of fields is hundreds of small tuples in RAM; as JSON text it stays on flash and is read
when a message is written or checked (``protocols.records.unpack``).
"""

from __future__ import annotations

import ast
import copy
import importlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from fabcommons.image.names import is_stored
from fabcommons.image.source import constant_of, target
from protocols.records import MAX_INT

DESCRIBED = {
    "protocols.topics": ("LEAVES",)
}  # tables of tuples whose last part says what they mean
TABLES = {"protocols.messages": ("MESSAGES", "EVENTS"), "firmware.config": ("FIELDS",)}
_READER = ("protocols.records", "unpack")


def inline(trees: dict[str, ast.Module]) -> None:
    """Replace names of whole numbers by the numbers, and drop those names."""
    known = {
        f"{module}.{target(node)}": value
        for module, tree in trees.items()
        for node in tree.body
        if target(node) and (value := constant_of(node)) is not None
    }
    for module, tree in trees.items():
        taken = {target(node): f"{module}.{target(node)}" for node in tree.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                taken.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
        tree.body = [node for node in tree.body if constant_of(node) is None]
        _Inline(taken, known).visit(tree)
        for node in [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]:
            node.names = [a for a in node.names if f"{node.module}.{a.name}" not in known]
        tree.body = [n for n in tree.body if not isinstance(n, ast.ImportFrom) or _is_of_use(n)]


def _is_of_use(node: ast.ImportFrom) -> bool:
    return bool(node.names) and node.module != "micropython"


def settle(tree: ast.Module, kept: set[str]) -> None:
    """Put texts and other values that cannot change where a module uses them, but those kept.

    The compiler holds equal ones once; a name of the module would take 8 B of RAM more.
    """
    stored = Counter(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and is_stored(n))
    given = {target(n): n for n in tree.body if isinstance(n, ast.Assign) and _is_fixed(n.value)}
    fixed = {n: node.value for n, node in given.items() if stored[n] == 1 and n not in kept}
    tree.body = [n for n in tree.body if target(n) not in fixed or n is not given[target(n)]]
    _Settle(fixed).visit(tree)


def _is_fixed(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple):
        return all(map(_is_fixed, node.elts))
    return isinstance(node, ast.Constant)


class _Settle(ast.NodeTransformer):
    def __init__(self, fixed: dict[str, ast.expr]) -> None:
        self._fixed = fixed

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self._fixed.get(node.id, node))

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if not isinstance(node.test, ast.Constant):
            return node
        return (node.body if node.test.value else node.orelse) or ast.Pass()

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.test, ast.Constant):
            return node
        return node.body if node.test.value else node.orelse

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        first, *rest = node.values
        if not isinstance(first, ast.Constant):
            return node
        if bool(first.value) != isinstance(node.op, ast.And):
            return first
        return ast.BoolOp(node.op, rest) if rest[1:] else rest[0]

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant):
            return ast.Constant(not node.operand.value)
        return node


class _Inline(ast.NodeTransformer):
    def __init__(self, taken: dict[str, str], known: dict[str, int]) -> None:
        self._taken = taken
        self._known = known

    def _value(self, full: str, node: ast.AST) -> ast.AST:
        value = self._known.get(full)
        if value is None:
            return node
        number = ast.Constant(abs(value))
        return ast.UnaryOp(ast.USub(), number) if value < 0 else number

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._value(self._taken.get(node.id, ""), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self._taken:
            return self._value(f"{self._taken[node.value.id]}.{node.attr}", node)
        self.generic_visit(node)
        return node


def pack(trees: dict[str, ast.Module]) -> None:
    """Turn the tables of fields into texts; take descriptions out of others."""
    for node in _tables(trees, DESCRIBED):
        for row in [n for n in ast.walk(node.value) if isinstance(n, ast.Tuple)]:
            row.elts.pop()
    for module, names in TABLES.items():
        source = importlib.import_module(module)
        for node in _tables(trees, {module: names}):
            node.value = _packed(getattr(source, target(node)))
    reader = trees[_READER[0]]
    for node in reader.body:
        if isinstance(node, ast.FunctionDef) and node.name == _READER[1]:
            node.body = ast.parse(f"return json.loads({node.args.args[0].arg})").body


def _tables(
    trees: dict[str, ast.Module], names: dict[str, tuple[str, ...]]
) -> Iterator[ast.Assign]:
    for module in names.keys() & trees.keys():
        for node in trees[module].body:
            if isinstance(node, ast.Assign) and target(node) in names[module]:
                yield node


def _packed(table: Any) -> ast.expr:
    if isinstance(table, dict):
        texts = cast("dict[str, Any]", table)
        items = [(name, _text(fields)) for name, fields in texts.items()]
        return ast.Dict([ast.Constant(n) for n, _ in items], [ast.Constant(t) for _, t in items])
    return ast.Constant(_text(table))


def _text(fields: Any) -> str:
    return json.dumps(_bare(fields), separators=(",", ":"))


def _bare(value: Any) -> Any:
    """Table without meanings and largest numbers; true and false are 1 and 0."""
    if not isinstance(value, tuple):
        return value
    items: list[Any] = [*cast("tuple[Any, ...]", value)]
    if len(items) == 4 and isinstance(items[2], bool) and isinstance(items[3], str):
        items = [*items[:2], int(items[2])]
    elif items[:1] == ["int"] and items[-1] == MAX_INT:
        items = items[:-1]
    return [_bare(item) for item in items]

"""Puts whole numbers of other modules where they are used, and tables of fields into texts.

A table of fields is hundreds of small tuples in RAM; as JSON text it stays on flash and is read
when a message is written or checked (``protocols.records.unpack``).
"""

from __future__ import annotations

import ast
import importlib
import json
from typing import Any, cast

from fabcommons.image.source import constant_of, target

TABLES = {"protocols.messages": ("MESSAGES", "EVENTS"), "firmware.config": ("FIELDS",)}
_READER = ("protocols.records", "unpack")


def inline(trees: dict[str, ast.Module]) -> None:
    """Replace names of imported whole numbers by the numbers."""
    known = {
        f"{module}.{target(node)}": value
        for module, tree in trees.items()
        for node in tree.body
        if target(node) and (value := constant_of(node)) is not None
    }
    for tree in trees.values():
        taken: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                taken.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
        _Inline(taken, known).visit(tree)


class _Inline(ast.NodeTransformer):
    def __init__(self, taken: dict[str, str], known: dict[str, int]) -> None:
        self._taken = taken
        self._known = known

    def _value(self, full: str, node: ast.AST) -> ast.AST:
        return ast.Constant(self._known[full]) if full in self._known else node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._value(self._taken.get(node.id, ""), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self._taken:
            return self._value(f"{self._taken[node.value.id]}.{node.attr}", node)
        self.generic_visit(node)
        return node


def pack(trees: dict[str, ast.Module]) -> None:
    """Turn the tables of fields into texts."""
    for module, names in TABLES.items():
        source = importlib.import_module(module)
        for node in trees[module].body if module in trees else ():
            if isinstance(node, ast.Assign) and target(node) in names:
                node.value = _packed(getattr(source, target(node)))
    reader = trees[_READER[0]]
    for node in reader.body:
        if isinstance(node, ast.FunctionDef) and node.name == _READER[1]:
            node.body = ast.parse(f"return json.loads({node.args.args[0].arg})").body


def _packed(table: Any) -> ast.expr:
    if isinstance(table, dict):
        texts = cast("dict[str, Any]", table)
        items = [(name, _text(fields)) for name, fields in texts.items()]
        return ast.Dict([ast.Constant(n) for n, _ in items], [ast.Constant(t) for _, t in items])
    return ast.Constant(_text(table))


def _text(fields: Any) -> str:
    return json.dumps(_bare(fields), separators=(",", ":"))


def _bare(value: Any) -> Any:
    """Table without meanings."""
    if not isinstance(value, tuple):
        return value
    items: list[Any] = [*cast("tuple[Any, ...]", value)]
    if len(items) == 4 and isinstance(items[2], bool) and isinstance(items[3], str):
        items = [*items[:3], ""]
    return [_bare(item) for item in items]

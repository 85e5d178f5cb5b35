"""Source of a module without what a board has no use for: documentation, types, meanings."""

from __future__ import annotations

import ast
from typing import Any


def strip(source: str) -> ast.Module:
    """Tree of a source, stripped; whole numbers in capital letters become constants."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if not _is_typing(node)]
    stripped: ast.Module = _Strip().visit(tree)
    stripped.body = [_constant(one) for node in stripped.body for one in _apart(node)]
    if any(map(_is_const, stripped.body)):
        stripped.body.insert(0, ast.ImportFrom("micropython", [ast.alias("const")], 0))
    return ast.fix_missing_locations(stripped)


_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


_ON_BOARD = "sys.implementation.name == 'micropython'"


class _Strip(ast.NodeTransformer):
    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, _Documented) and node.body and _is_text(node.body[0]):
            node.body = node.body[1:] or ([] if isinstance(node, ast.Module) else [ast.Pass()])
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        return None if node.value is None else ast.Assign([node.target], node.value)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """``sys.implementation.name == "micropython"`` is so."""
        return ast.Constant(True) if ast.unparse(node) == _ON_BOARD else node

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        """A field ``(name, type, required, meaning)`` keeps its first three."""
        self.generic_visit(node)
        if len(node.elts) == 4 and _is_a(node.elts[2], bool) and _is_a(node.elts[3], str):
            node.elts[3] = ast.Constant("")
        return node


def target(node: ast.stmt) -> str:
    """Name that a plain assignment of one name gives; "" for anything else."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        name = node.targets[0]
        return name.id if isinstance(name, ast.Name) else ""
    return ""


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and _is_a(node.value, str)


def _is_a(node: Any, kind: type) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is kind


def _is_typing(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return target(node) == "TYPE_CHECKING"


def _apart(node: ast.stmt) -> list[ast.stmt]:
    """``A, B = 1, 2`` as two assignments."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return [node]
    names, values = node.targets[0], node.value
    if not isinstance(names, ast.Tuple) or not isinstance(values, ast.Tuple):
        return [node]
    return [ast.Assign([n], v) for n, v in zip(names.elts, values.elts, strict=True)]


def _number(node: ast.AST) -> int | None:
    """Value of an expression of nothing but whole numbers."""
    allowed = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
    if not all(isinstance(inner, allowed) for inner in ast.walk(node)):
        return None
    if not all(_is_a(n, int) for n in ast.walk(node) if isinstance(n, ast.Constant)):
        return None
    value = eval(compile(ast.Expression(node), "", "eval"), {})  # type: ignore[arg-type]
    return value if isinstance(value, int) else None


def constant_of(node: ast.stmt) -> int | None:
    """Whole number that a statement makes a constant of."""
    if _is_const(node) and isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        return _number(node.value.args[0])
    return None


def _constant(node: ast.stmt) -> ast.stmt:
    if target(node).isupper() and isinstance(node, ast.Assign):
        value = _number(node.value)
        if value is not None:
            node.value = ast.Call(ast.Name("const"), [ast.Constant(value)], [])
    return node


def _is_const(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Assign) else None
    name = call.func if isinstance(call, ast.Call) else None
    return isinstance(name, ast.Name) and name.id == "const"

"""Gathers texts of one module into a single one: to a board each is an object of 20 B in RAM.

Most of what a firmware can say it never says. When it does, it cuts the words out of the whole.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable

from fabcommons.image.names import INTERNED

CUT = "cut__text"
_BITS = 7  # of a length


def gather(tree: ast.Module) -> None:
    """Let the functions of a module cut their longer texts out of one that holds them all."""
    uses: Counter[str] = Counter()

    def count(text: str) -> ast.expr:
        uses[text] += 1
        return ast.Constant(text)

    _Texts(count).visit(tree)
    places: dict[str, int] = {}
    whole = ""
    for text in sorted(uses, key=lambda t: (-uses[t], t)):  # small numbers are shorter
        places[text] = len(whole) << _BITS | len(text)
        whole += text

    def cut(text: str) -> ast.expr:
        return ast.Call(ast.Name(CUT, ast.Load()), [ast.Constant(places[text])], [])

    _Texts(cut).visit(tree)
    if whole:
        end = f"(n >> {_BITS}) + (n & {(1 << _BITS) - 1})"
        tree.body += ast.parse(f"def {CUT}(n):\n    return {whole!r}[n >> {_BITS}:{end}]").body
    ast.fix_missing_locations(tree)


class _Texts(ast.NodeTransformer):
    """Longer texts of functions; a tuple of constants to look in stays, it is one object."""

    def __init__(self, new: Callable[[str], ast.expr]) -> None:
        self._new = new
        self._is_inside = self._is_given = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        outside, self._is_inside = self._is_inside, True
        node.body = [self.visit(statement) for statement in node.body]
        self._is_inside = outside
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """What a call is given may be a tuple with a text: made then, it takes no RAM before."""
        outside, self._is_given = self._is_given, True
        self.generic_visit(node)
        self._is_given = outside
        return node

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        fixed = all(isinstance(part, ast.Constant | ast.Tuple) for part in node.elts)
        return node if fixed and not self._is_given else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        text = node.value
        if not self._is_inside or not isinstance(text, str) or not text.isascii():
            return node
        return self._new(text) if INTERNED < len(text) < 1 << _BITS else node

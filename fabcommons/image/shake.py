"""Drops from a set of modules every definition that nothing in it names.

A definition counts as used when its own module names it or another takes it from there; a method
when any module names an attribute so. What is dropped is surely unused; what is kept may be unused
all the same.
"""

from __future__ import annotations

import ast
from collections import Counter

from fabcommons.image.source import target

_Body = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.If
_Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def shake(trees: dict[str, ast.Module], roots: tuple[str, ...]) -> None:
    """Drop unused definitions, imports and modules, again and again until none is left."""
    before = -1
    while True:
        own = {module: _names(tree) for module, tree in trees.items()}
        used = sum(own.values(), Counter[str]())
        if used.total() == before:
            return
        before = used.total()
        asked = _asked(trees)
        for module, tree in trees.items():
            here = own[module] + asked.get(module, Counter[str]())
            tree.body = [_Methods(used).visit(node) for node in tree.body]
            tree.body = [node for node in tree.body if _is_used(node, here)]
            _drop_imports(tree)
        _drop_modules(trees, roots)


def _asked(trees: dict[str, ast.Module]) -> dict[str, Counter[str]]:
    """Names that others take from each module, by import or as its attributes."""
    asked = {module: Counter[str]() for module in trees}
    for tree in trees.values():
        aliases: dict[str, str] = {}
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                    asked.get(str(node.module), Counter[str]())[alias.name] += 1
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module = aliases.get(node.value.id, "")
                asked.get(module, Counter[str]())[node.attr] += 1
    return asked


def _names(tree: ast.AST) -> Counter[str]:
    """How often each name stands somewhere, not counting the definition itself."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found[node.id] += 1
        elif isinstance(node, ast.Attribute):
            found[node.attr] += 1
        elif isinstance(node, ast.keyword) and node.arg:
            found[node.arg] += 1
    return found


def _own(node: ast.stmt) -> str:
    """Name a statement defines; "" when it does more than that."""
    return node.name if isinstance(node, _Named) else target(node)


def _is_used(node: ast.stmt, used: Counter[str]) -> bool:
    name = _own(node)
    if not name or name.startswith("__"):
        return True
    return used[name] > _names(node)[name]


class _Methods(ast.NodeTransformer):
    """Drops methods nobody names."""

    def __init__(self, used: Counter[str]) -> None:
        self._used = used

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [n for n in node.body if _is_used(n, self._used)] or [ast.Pass()]
        return node


def _drop_imports(tree: ast.Module) -> None:
    """Drop imported names that the module itself does not use."""
    loaded = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    for body in [n.body for n in ast.walk(tree) if isinstance(n, _Body)]:
        for node in [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]:
            node.names = [a for a in node.names if (a.asname or a.name).split(".")[0] in loaded]
            if not node.names:
                body.remove(node)


def _drop_modules(trees: dict[str, ast.Module], roots: tuple[str, ...]) -> None:
    """Drop modules nobody imports."""
    wanted = set(roots)
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                wanted.add(str(node.module))
                wanted |= {f"{node.module}.{alias.name}" for alias in node.names}
    for module in list(trees):
        if module not in wanted and not any(w.startswith(module + ".") for w in wanted):
            del trees[module]

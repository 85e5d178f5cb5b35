"""Joins the modules that are loaded at the start and stay into one: a module costs names and RAM.

The bodies follow each other in the order of their imports. What a module defines gets a name of
its own (``protocols_records__check``), which stands wherever it is named: in place of imported
names, of ``module.name``, and of what a function imports. Modules loaded now and then stay files
of their own and take what they need from the joined one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fabcommons.image.names import is_stored, own_names

WHOLE = "firmware.whole"
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_Import = ast.Import | ast.ImportFrom


class LinkError(ValueError):
    """Sources say something that is not the same once modules are joined."""


@dataclass(frozen=True)
class _Module:
    """What a name stands for that names a joined module."""

    name: str


_Meaning = str | _Module


def link(trees: dict[str, ast.Module], starts: Sequence[str]) -> None:
    """Join the starts and all that is imported at their start into the module WHOLE."""
    program = _Program(trees, _order(trees, starts))
    body: list[ast.stmt] = []
    for module in program.order:
        body += program.rewritten(module)[0]
    for module in [m for m in trees if m not in program.joined]:
        rest, used = program.rewritten(module)
        taken = [ast.ImportFrom(WHOLE, [ast.alias(name) for name in sorted(used)], 0)]
        trees[module].body = [*(taken if used else []), *rest]
        ast.fix_missing_locations(trees[module])
    for module in program.order:
        del trees[module]
    whole = ast.Module([*program.foreign.values(), *body], [])
    trees[WHOLE] = ast.fix_missing_locations(whole)


def _order(trees: dict[str, ast.Module], starts: Sequence[str]) -> list[str]:
    """Modules that load when the starts do, each after those it needs."""
    found: list[str] = []
    under_way: list[str] = []

    def load(module: str) -> None:
        if module in under_way:
            raise LinkError(f"modules import each other: {' '.join(under_way)} {module}")
        if module in found or module not in trees:
            return
        under_way.append(module)
        for node in trees[module].body:
            if isinstance(node, ast.ImportFrom):
                for name in (str(node.module), *(f"{node.module}.{a.name}" for a in node.names)):
                    load(name)
        found.append(under_way.pop())

    for start in starts:
        load(start)
    return found


@dataclass
class _Program:
    """All modules, those to be joined in their order, and what these import of others."""

    trees: dict[str, ast.Module]
    order: list[str]
    foreign: dict[str, ast.stmt] = field(default_factory=dict[str, ast.stmt])
    number: int = 0

    def __post_init__(self) -> None:
        self.known = set(self.trees)
        self.joined = set(self.order)
        functions = [
            n for m in self.order for n in ast.walk(self.trees[m]) if isinstance(n, _Function)
        ]
        self.locals = {name for function in functions for name in own_names(function)}
        self.meanings: dict[str, dict[str, _Meaning]] = {}
        for module in self.order:
            self.meanings[module] = self._meanings(module)

    def _meanings(self, module: str) -> dict[str, _Meaning]:
        """What the names of a joined module stand for; those it needs come before it."""
        body = self.trees[module].body
        found: dict[str, _Meaning] = {}
        for name in _bound(body):
            found[name] = module.replace(".", "_") + "__" + name
        for node in _imports(body):
            for alias in node.names:
                ours = self.imported(node, alias) if isinstance(node, ast.ImportFrom) else None
                found[alias.asname or alias.name] = ours or self._strange(node, alias)
        return found

    def rewritten(self, module: str) -> tuple[list[ast.stmt], set[str]]:
        """Body of a module as it reads when modules are joined, and what it names of WHOLE."""
        rewriting = _Rewriting(self, module)
        body: list[ast.stmt] = []
        for node in self.trees[module].body:
            new = rewriting.visit(node)
            body += [] if isinstance(new, ast.Pass) else [new]
        return body, rewriting.used

    def imported(self, node: ast.ImportFrom, alias: ast.alias) -> _Meaning | None:
        """What a from-import takes of the joined modules; None when it takes of others."""
        full = f"{node.module}.{alias.name}"
        if full in self.joined:
            return _Module(full)
        if node.module not in self.joined or full in self.trees:
            return None
        found = self.meanings[node.module].get(alias.name)
        if found is None:
            raise LinkError(f"{node.module} has no {alias.name}")
        return found

    def lacks(self, node: _Import) -> bool:
        """Say whether an import is of a module of ours that is left out."""
        package = {m.partition(".")[0] for m in self.known}
        name = str(node.module) if isinstance(node, ast.ImportFrom) else node.names[0].name
        return name.partition(".")[0] in package and name not in self.known

    def _strange(self, node: _Import, alias: ast.alias) -> str:
        """Name in WHOLE of something that is not ours; it is imported once."""
        if isinstance(node, ast.Import):
            if "." in alias.name:
                raise LinkError(f"import {alias.name}: take it from its package")
            name = self._apart(alias.name)
            made: _Import = ast.Import([ast.alias(alias.name, name)])
        else:
            name = self._apart(alias.name)
            made = ast.ImportFrom(node.module, [ast.alias(alias.name, name)], 0)
        made.names[0].asname = None if name == alias.name else name
        known = self.foreign.setdefault(name, made)
        if ast.dump(known) != ast.dump(made):
            raise LinkError(f"two things are called {alias.name}")
        return name

    def _apart(self, name: str) -> str:
        return "import__" + name if name in self.locals else name

    def fresh(self, name: str) -> str:
        """A name for what a function imports; no other function knows it."""
        self.number += 1
        return f"{name}__{self.number}"


def _bound(body: Sequence[ast.AST]) -> set[str]:
    """Names that statements give a meaning in their own scope."""
    return {name for node in body for name in _bindings(node)}


def _bindings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Global | ast.Nonlocal):
        raise LinkError(f"global or nonlocal {node.names[0]}")
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    if isinstance(node, _Comprehension | ast.Lambda):
        return
    if isinstance(node, ast.Name) and is_stored(node):
        yield node.id
    elif isinstance(node, _Import):
        yield from (a.asname or a.name for a in node.names)
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name
    for inner in ast.iter_child_nodes(node):
        yield from _bindings(inner)


def _context(node: ast.Name | ast.Attribute) -> ast.expr_context:
    return getattr(node, "ctx", ast.Load())  # names that passes made may lack it


def _imports(body: Sequence[ast.AST]) -> Iterator[_Import]:
    """Imports of one scope."""
    for node in body:
        if isinstance(node, _Import):
            yield node
        elif not isinstance(node, _Function | ast.ClassDef):
            yield from _imports(list(ast.iter_child_nodes(node)))


class _Rewriting(ast.NodeTransformer):
    """One module; ``scopes`` holds what names stand for, the innermost last."""

    def __init__(self, program: _Program, module: str) -> None:
        self._program = program
        self._is_joined = module in program.joined
        self.used: set[str] = set()
        self._fresh: set[_Meaning] = set()  # names for what functions import of others
        body = program.trees[module].body
        self._scopes = [program.meanings.get(module) or self._of_imports(body, is_local=False)]
        self._class: dict[str, _Meaning] = {}  # names of the class body we are in

    def _of_imports(self, body: Sequence[ast.AST], is_local: bool = True) -> dict[str, _Meaning]:
        """What the imports of a scope mean; those of others get names no function shares."""
        found: dict[str, _Meaning] = {}
        for node in [n for n in _imports(body) if not self._program.lacks(n)]:
            for alias in node.names:
                mine = alias.asname or alias.name
                taken = (
                    self._program.imported(node, alias)
                    if isinstance(node, ast.ImportFrom)
                    else None
                )
                if taken is not None:
                    found[mine] = taken
                elif is_local:
                    found[mine] = self._program.fresh(mine)
                    self._fresh.add(found[mine])
        return found

    def _meaning(self, name: str) -> _Meaning:
        for scope in (self._class, *reversed(self._scopes)):
            if name in scope:
                return scope[name]
        return name

    def _name(self, name: str) -> str:
        found = self._meaning(name)
        if isinstance(found, _Module):
            raise LinkError(f"{name} is a joined module; it has no value")
        return found

    def visit_Name(self, node: ast.Name) -> ast.AST:
        new = self._name(node.id)
        if new != node.id and self._meaning(node.id) not in self._fresh:
            self.used.add(new)
        return ast.Name(new, _context(node))

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        found = self._meaning(node.value.id) if isinstance(node.value, ast.Name) else None
        if not isinstance(found, _Module):
            return self.generic_visit(node)
        new = self._program.meanings[found.name].get(node.attr)
        if not isinstance(new, str):
            raise LinkError(f"{found.name} has no {node.attr}")
        self.used.add(new)
        return ast.Name(new, _context(node))

    # scopes --------------------------------------------------------------------------------------
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._function(node)

    def _function(self, node: _Function) -> ast.AST:
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        if not isinstance(node, ast.Lambda):
            if not self._class:
                node.name = self._name(node.name)
            node.decorator_list = [self.visit(n) for n in node.decorator_list]
        node.args.defaults = [self.visit(n) for n in node.args.defaults]
        node.args.kw_defaults = [n and self.visit(n) for n in node.args.kw_defaults]
        own = {n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)} | _bound(body)
        outside, self._class = self._class, {}
        self._scopes.append({n: n for n in own} | self._of_imports(body))
        if isinstance(node, ast.Lambda):
            node.body = self.visit(node.body)
        else:
            node.body = [self.visit(n) for n in node.body]
        self._scopes.pop()
        self._class = outside
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._name(node.name)
        node.bases = [self.visit(n) for n in node.bases]
        node.decorator_list = [self.visit(n) for n in node.decorator_list]
        self._class = {n: n for n in _bound(node.body)}
        node.body = [self.visit(n) for n in node.body]
        self._class = {}
        return node

    def _comprehension(self, node: _Comprehension) -> ast.AST:
        node.generators[0].iter = self.visit(node.generators[0].iter)
        own = {n for each in node.generators for n in _bound([each.target])}
        self._scopes.append({n: n for n in own})
        self.generic_visit(node)
        self._scopes.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = node.name and self._name(node.name)
        return self.generic_visit(node)

    # imports -------------------------------------------------------------------------------------
    def visit_Import(self, node: ast.Import) -> ast.AST:
        if any(alias.name in self._program.joined for alias in node.names):
            raise LinkError(f"import {node.names[0].name}: take it from its package")
        return self._import(node, node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return self._import(node, [a for a in node.names if not self._program.imported(node, a)])

    def _import(self, node: _Import, others: list[ast.alias]) -> ast.AST:
        """The import of what is not joined, by the names it has now."""
        at_start = self._is_joined and len(self._scopes) == 1
        if at_start or not others:
            return ast.Pass()  # ``foreign`` holds what the joined modules import at their start
        if self._program.lacks(node):
            return ast.Raise(ast.Name("ImportError", ast.Load()), None)
        for alias in others:
            mine = alias.asname or alias.name
            new = self._name(mine)
            alias.asname = new if new != alias.name else None
        node.names = others
        return node

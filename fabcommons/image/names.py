"""Which names cost least: those a module spells anyway, then those every interpreter has in ROM.

A name that no table holds yet costs a file its text and a board 7 B of RAM. A module's first 128
names take one byte wherever the bytecode says them, the others two.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator
from keyword import kwlist as KEYWORDS
from string import ascii_letters

# static_qstr_list of MicroPython py/makeqstrdata.py: fixed by the version of .mpy; those that
# exceptions have as attributes are left out
STATIC = tuple(
    """abs all any append bool builtins bytearray bytecode bytes callable chr classmethod clear
close const copy count dict dir divmod end endswith eval exec extend find format
from_bytes get getattr globals hasattr hash id index insert int isalpha isdigit isinstance
islower isspace issubclass isupper items iter join key keys len list little locals lower
lstrip main map micropython next object open ord pop popitem pow print range read readinto
readline remove replace repr reverse rfind rindex round rsplit rstrip self send sep set
setattr setdefault sort sorted split start startswith staticmethod step stop str strip sum
super throw to_bytes tuple type update upper values write zip""".split()  # noqa: SIM905  (a line a name is no help)
)
INTERNED = 10  # longest text the compiler makes a name of
ONE_BYTE = 127  # and the name of the source
_RESERVED = {*KEYWORDS, *dir(builtins), "const", "self"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Scope = _Function | ast.Lambda


def short_names(kept: set[str], head: str = "") -> Iterator[str]:
    """Short names that are not kept."""
    for first in ("", *ascii_letters):
        for last in ascii_letters:
            if head + first + last not in kept:
                yield head + first + last


def cheap_names(tree: ast.Module, taken: set[str]) -> Iterator[str]:
    """Names for what a module defines, cheapest first."""
    here = [name for name, _ in spelled(tree).most_common() if name.isidentifier()]
    out = taken | _RESERVED
    seen: set[str] = set()
    for name in (*here, *STATIC, *short_names(out)):
        if name not in out and name not in seen and name[:2] != "__":
            seen.add(name)
            yield name


def spelled(tree: ast.AST) -> Counter[str]:
    """How often a module's bytecode says each name that is no local one."""
    inner = {
        name for node in ast.walk(tree) if isinstance(node, _Scope) for name in own_names(node)
    }
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        found.update(
            name for name in _said(node) if not isinstance(node, ast.Name) or name not in inner
        )
    return found


def _said(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, _Function | ast.ClassDef):
        yield from (node.name, node.name)
    elif isinstance(node, ast.arg | ast.keyword) and node.arg:
        yield node.arg
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from [node.value] if len(node.value) <= INTERNED else []
    elif isinstance(node, ast.alias):
        yield node.name
    elif isinstance(node, ast.ImportFrom):
        yield str(node.module)


def is_stored(node: ast.Name) -> bool:
    """Say whether a name is given a meaning here; names that passes made may not tell."""
    return isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)


def own_names(function: ast.AST) -> set[str]:
    """Parameters and local names of a function and of those inside it."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(
            getattr(node, "ctx", None), ast.Store | ast.Del
        ):
            found.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {a.asname or a.name for a in node.names}
        elif isinstance(node, _Function) and node is not function:
            found.add(node.name)
    return found


def order_names(tree: ast.Module) -> None:
    """Let a module say its most used names first, in a place that is never reached.

    The compiler numbers names as it meets them; attributes count even where no code comes of them.
    """
    often = [n for n, _ in spelled(tree).most_common() if n.isidentifier() and n not in KEYWORDS]
    if len(often) <= ONE_BYTE:
        return
    chain = ".".join([often[0], *often[: ONE_BYTE - 1]])
    tree.body = [*ast.parse(f"while True:\n    break\n    {chain}").body, *tree.body]

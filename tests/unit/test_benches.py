"""Benches run rarely: what they take from tests/support must be there all the same."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
BENCHES = sorted(path.name for path in (TESTS / "bench").glob("*.py"))


def _names(module: str) -> set[str]:
    """Names a module of tests/support has at its top."""
    tree = ast.parse((TESTS / "support" / f"{module}.py").read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in tree.body:
        for inner in ast.walk(node) if isinstance(node, ast.If | ast.Try) else [node]:
            match inner:
                case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                    found.add(inner.name)
                case ast.Import() | ast.ImportFrom():
                    found |= {(alias.asname or alias.name).split(".")[0] for alias in inner.names}
                case ast.Assign() | ast.AnnAssign():
                    targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
                    found |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
                case _:
                    pass
    return found


def missing(text: str) -> list[str]:
    """What a bench takes from tests/support that is not there."""
    tree = ast.parse(text)
    taken: list[tuple[str, str]] = []
    whole: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "support":
            whole |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("support."):
            module = (node.module or "").removeprefix("support.")
            taken += [(module, alias.name) for alias in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            taken += [(node.value.id, node.attr)] if node.value.id in whole else []
    return [f"support.{module}: {name}" for module, name in taken if name not in _names(module)]


@pytest.mark.parametrize("bench", BENCHES)
def test_what_a_bench_takes_is_there(bench: str) -> None:
    assert missing((TESTS / "bench" / bench).read_text(encoding="utf-8")) == []


def test_what_is_not_there_is_named() -> None:
    text = (
        "from support import waiting\nfrom support.waiting import until, wait_until\nwaiting.gone()"
    )
    assert missing(text) == ["support.waiting: wait_until", "support.waiting: gone"]

"""Modules know each other in one direction; what a board forgets, nothing else holds on to."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("protocols", "firmware", "controller", "dashboards", "fabcommons")


def modules(root, packages):
    """Every module's tree, by its name; a package is its ``__init__``."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text())
    return found


def imports(nodes, known):
    """Modules of ours that are imported there, in functions and for types too."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found |= inside or {node.module}
    return found & known


def circle(trees):
    """Modules of a circle in their order, the first again at the end; [] = none."""
    known = set(trees)
    graph = {name: imports(ast.walk(tree), known) - {name} for name, tree in trees.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1][::-1]
    return []


def test_no_module_knows_itself_by_way_of_others():
    assert not circle(modules(ROOT, PACKAGES))


@pytest.mark.parametrize(
    "text",
    [
        "from pkg import b",
        "from pkg.b import x",
        "def f():\n    import pkg.b",
        "if TYPE_CHECKING:\n    from pkg.b import X",
    ],
)
def test_a_circle_is_found_and_named(tmp_path, text):
    (tmp_path / "pkg").mkdir()
    for name, source in {"a": text, "b": "from pkg.c import y", "c": "import pkg.a"}.items():
        (tmp_path / "pkg" / f"{name}.py").write_text(source)
    found = circle(modules(tmp_path, ["pkg"]))
    assert found[0] == found[-1]
    assert sorted(found[1:]) == ["pkg.a", "pkg.b", "pkg.c"]


def forgotten(trees):
    """Modules that the firmware forgets after use: what ``forget`` is called with."""
    texts = {
        node.value
        for name, tree in trees.items()
        if name.startswith("firmware.")
        for top in tree.body
        for node in ast.walk(top)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return texts & set(trees)


def test_what_stays_on_a_board_takes_nothing_from_what_is_forgotten():
    """When it comes back its classes are others: an exception of it would be caught nowhere."""
    trees = modules(ROOT, ("protocols", "firmware"))
    gone = forgotten(trees)
    assert {"firmware.fetch", "firmware.ring", "protocols.forbidden"} <= gone
    now_and_then = gone | {"protocols.console"}  # loads what it needs when a person asks
    for name, tree in trees.items():
        if name not in now_and_then:
            assert not imports(tree.body, set(trees)) & gone, name

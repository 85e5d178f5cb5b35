"""Modules joined into one do what they did apart."""

import ast
import subprocess

import pytest

from fabcommons.image.constants import inline
from fabcommons.image.link import WHOLE, LinkError, link
from fabcommons.image.names import ONE_BYTE, order_names
from fabcommons.image.paste import paste
from fabcommons.image.rename import shorten
from fabcommons.image.source import strip
from support import bench_floor

BASE = """
import math
from binascii import hexlify
LIMITS = (3, 4)
TOLD = []
class Base:
    limit = LIMITS[0]
    sizes = [limit + n for n in range(2)] if False else [limit]
    def __init__(self, start):
        self.total = start
        TOLD.append("base")
    def grow(self, amount):
        self.total += amount * self.limit
def _check(value):
    return "base " + hexlify(value).decode() + str(math.floor(2.5))
def said(value):
    return _check(value)
"""
MORE = """
from binascii import hexlify as math
from pkg import base
from pkg.base import Base, LIMITS as ENDS, said
LIMITS = base.LIMITS[1] + ENDS[0]
class More(Base):
    def __init__(self):
        super().__init__(LIMITS)
        self.grow(2)
def _check(value, said=said):
    base = [LIMITS for LIMITS in range(value)]
    total = lambda Base: Base + len(base)
    return "more " + str(total(1)) + said(b"x")
def late(value):
    from pkg import lazy
    from pkg.base import said as tell
    from pkg.more import _check as own
    return lazy.answer(value) + tell(b"y") + own(1)
def later():
    from pkg.lazy import answer
    return answer(5)
def _never():
    from pkg.absent import nothing
    return nothing()
def missing():
    try:
        return _never()
    except ImportError as base:
        return "no " + type(base).__name__
"""
LAZY = """
from pkg import base, more
from pkg.base import TOLD
LIMITS = 9
def answer(value):
    from pkg.more import More as base_of
    made = base_of()
    return repr([made.total, value, LIMITS, more.LIMITS, base.said(b"z"), TOLD[-1]])
"""
MAIN = """
import sys
from pkg import more
def main():
    import math as more_than
    print(more.late(2), more.later(), more._check(3), more.More().total, more_than.floor(1.5))
    print(more.missing())
if __name__ == "__main__":
    sys.exit(main())
"""
SOURCES = {"pkg.base": BASE, "pkg.more": MORE, "pkg.lazy": LAZY, "pkg.main": MAIN}
STARTS = ("pkg.more",)


def trees_of(sources):
    trees = {module: strip(source) for module, source in sources.items()}
    return {"pkg": ast.Module([], [])} | trees


def joined(sources, starts=STARTS):
    trees = trees_of(sources)
    inline(trees)
    link(trees, starts)
    return trees


def run(folder, trees):
    """What the modules say, started as a board starts them."""
    for module, tree in trees.items():
        path = folder / (module.replace(".", "/") + ".py")
        if tree.body:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(ast.unparse(ast.fix_missing_locations(tree)))
    script = "import sys; sys.path.insert(0, '.'); import pkg.main; pkg.main.main()"
    command = [bench_floor.MICROPYTHON, "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done
    return done.stdout.decode()


def test_joined_modules_do_what_they_did_apart(tmp_path):
    apart = run(tmp_path / "apart", trees_of(SOURCES))
    trees = joined(SOURCES)
    assert sorted(trees) == [WHOLE, "pkg.lazy", "pkg.main"]
    assert run(tmp_path / "joined", trees) == apart
    paste(trees, ("pkg.main",))
    shorten(trees, ("pkg.main",))
    order_names(trees[WHOLE])
    assert run(tmp_path / "short", trees) == apart
    assert apart.startswith("[") and apart.endswith("no ImportError\n")


def test_a_module_comes_after_those_it_needs_and_collisions_get_names_of_their_own():
    text = ast.unparse(joined(SOURCES)[WHOLE])
    places = [text.index(f"def {name}(") for name in ("pkg_base___check", "pkg_more___check")]
    assert places == sorted(places)
    assert "pkg_more__LIMITS = pkg_base__LIMITS[1] + pkg_base__LIMITS[0]" in text
    assert "import math as" not in text.replace("import__", "")


def test_what_others_take_of_joined_modules_is_one_import():
    lazy = ast.unparse(joined(SOURCES)["pkg.lazy"])
    assert lazy.count("import") == 1 and f"from {WHOLE} import " in lazy


@pytest.mark.parametrize(
    ("what", "sources"),
    [
        ("import each other", {"pkg.more": "from pkg import b", "pkg.b": "from pkg import more"}),
        ("global", {"pkg.more": "A = 1\ndef f():\n    global A\n    A = 2"}),
        ("has no value", {"pkg.b": "A = 1", "pkg.more": "from pkg import b\nC = [b]"}),
        ("has no X", {"pkg.b": "A = 1", "pkg.more": "from pkg import b\nC = b.X"}),
        ("has no X", {"pkg.b": "A = 1", "pkg.more": "from pkg.b import X\nC = X"}),
        ("from its package", {"pkg.more": "import os.path\nC = os.path"}),
        (
            "from its package",
            {"pkg.b": "A = 1", "pkg.more": "from pkg import b\nimport pkg.b as c"},
        ),
        (
            "two things",
            {"pkg.b": "from a import x\nx()", "pkg.more": "from pkg import b\nimport x"},
        ),
    ],
)
def test_what_joining_would_change_is_refused(what, sources):
    with pytest.raises(LinkError, match=what):
        joined(sources)


def test_the_names_said_most_come_first():
    often = "\n".join(f"x.often += {n}" for n in range(9))
    tree = strip("x = y\n" + "\n".join(f"n{n} = 1" for n in range(ONE_BYTE)) + "\n" + often)
    order_names(tree)
    assert "often" in ast.unparse(tree.body[0]) and isinstance(tree.body[0], ast.While)

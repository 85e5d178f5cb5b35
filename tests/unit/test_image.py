"""The stripped bytecode image: smaller, the same behaviour."""

import ast

import pytest

from fabcommons.image import DIALECTS, build
from fabcommons.image.rename import shorten
from fabcommons.image.shake import shake
from fabcommons.image.source import strip

BASE = """
from typing import Any
LIMIT = 3
FIELD = ("v", ("int", 1), True, "meaning")

class Base:
    \"\"\"What it is.\"\"\"
    def __init__(self, _unused_name: "Any") -> None:
        self._limit: int = LIMIT
    def _grow(self, amount):
        self._limit += amount
    def never_named(self):
        return 1

def unused():
    return Base(1)
"""
MORE = """
from pkg.base import FIELD, Base

class More(Base):
    def __init__(self):
        Base.__init__(self, 0)
        self._other = 5
    def total(self):
        self._grow(2)
        return self._limit + self._other

def answer(by_position):
    return More().total() * by_position, FIELD[3]

RESULTS.append(answer(2))
"""


def stripped():
    trees = {"pkg.base": strip(BASE), "pkg.more": strip(MORE)}
    shake(trees, ("pkg.more",))
    return trees


def test_what_nothing_names_is_left_out():
    trees = stripped()
    text = ast.unparse(trees["pkg.base"])
    assert "unused()" not in text and "never_named" not in text and "What it is" not in text
    assert "meaning" not in text and "const(3)" in text


def test_short_names_keep_classes_that_inherit_working():
    trees = stripped()
    shorten(trees)
    assert "_limit" not in ast.unparse(trees["pkg.base"])
    names = {"const": int, "RESULTS": []}
    for module in ("pkg.base", "pkg.more"):
        tree = trees[module]
        tree.body = [n for n in tree.body if not isinstance(n, ast.ImportFrom)]
        exec(ast.unparse(tree), names)  # noqa: S102  (our own text, above)
    assert names["RESULTS"] == [(20, "")]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_image_holds_one_dialect_and_stays_small(dialect):
    image = build(dialect)
    other = "grbl" if dialect == "marlin" else "marlin"
    assert f"firmware/drivers/{dialect}.mpy" in image.files
    assert not any(f"drivers/{other}" in name for name in image.files)
    assert image.size_bytes <= 96 * 1024
    assert image.rom().startswith(b"\xd2\xcd\x31") and len(image.rom()) % 2 == 0

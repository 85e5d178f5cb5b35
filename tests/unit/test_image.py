"""The stripped bytecode image: smaller, the same behaviour."""

import ast

from fabcommons.image.constants import settle
from fabcommons.image.embed import embed
from fabcommons.image.paste import paste
from fabcommons.image.rename import shorten
from fabcommons.image.shake import shake
from fabcommons.image.source import strip
from fabcommons.image.texts import gather
from fabcommons.image.unroll import unroll

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


def run(trees, last):
    """Run modules, each with names of its own, in their order; return those of the last."""
    made = {}
    for module, tree in trees.items():
        names = {"const": int, "RESULTS": []}
        for node in [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]:
            for alias in node.names if node.module in made else ():
                names[alias.asname or alias.name] = made[node.module][alias.name]
        tree.body = [n for n in tree.body if not isinstance(n, ast.ImportFrom)]
        exec(ast.unparse(ast.fix_missing_locations(tree)), names)  # noqa: S102  (our own text)
        made[module] = names
    return made[last]


def test_what_nothing_names_is_left_out():
    trees = stripped()
    text = ast.unparse(trees["pkg.base"])
    assert "unused()" not in text and "never_named" not in text and "What it is" not in text
    assert "meaning" not in text and "const(3)" in text


def test_short_names_keep_classes_that_inherit_working():
    trees = stripped()
    shorten(trees)
    assert "_limit" not in ast.unparse(trees["pkg.base"])
    assert run(trees, "pkg.more")["RESULTS"] == [(20, "")]


PASTED = """
LIMIT, MORE = 2, 3
class Box:
    def __init__(self, size):
        self.size = size
        self.said = []
    def fill(self, value):
        self._note("fill", value)
        if self._is_full(value):
            return self._refuse(value, why="full")
        left = self._add(value)
        for each in self._steps(left):
            self._note_step(each)
        return left
    def _is_full(self, value):
        total = value + LIMIT
        return total > self.size
    def _refuse(self, value, why):
        if value > 100:
            return -1
        self.said.append(why)
    def _add(self, value, twice=2):
        value = value * twice
        return value
    def _steps(self, left):
        each = left
        return range(each)
    def _note_step(self, each):
        if each == 1:
            return
        self.said.append(each)
    def _note(self, value, number):
        try:
            self.said.append(value + number)
        except TypeError as error:
            self.said.append(value)

def outer(value):
    box = Box(50)
    return box.fill(value), box.fill(200), box.fill(90), box.said

RESULTS.append(outer(2))
"""


def test_a_function_called_at_one_place_is_pasted_there_and_does_the_same():
    before = {}
    exec(PASTED, {"RESULTS": before.setdefault("RESULTS", [])})  # noqa: S102  (our own text)
    trees = {"pkg.box": strip(PASTED)}
    paste(trees, ())
    text = ast.unparse(trees["pkg.box"])
    gone = ["_is_full", "_refuse", "_add", "_steps", "_note("]
    assert [name for name in gone if name in text] == []
    assert "_note_step" in text  # its return would leave the loop as well
    assert run(trees, "pkg.box")["RESULTS"] == before["RESULTS"]


def test_names_that_would_mean_something_else_are_not_pasted():
    source = """
def words():
    return 5
def _twice(x):
    return words() * x
def outer(words):
    y = _twice(words)
    return y
"""
    trees = {"pkg.one": strip(source)}
    paste(trees, ())
    assert "_twice" in ast.unparse(trees["pkg.one"])


COMPREHENSIONS = """
class Box:
    def __init__(self):
        self.items = [1, 2]
    def take(self, value):
        self.items.append(value)
        return value
def outer(rows, n):
    box = Box()
    names = [str(n) for n in rows if n]
    box.items += [n + 1 for n in rows]
    if any([n == 2 for n in rows]):
        names += [(n, [m * n for m in range(n)]) for n in rows]
    elif all([n for n in rows]):
        names = []
    where = {n: str(n) for n in rows}
    rows = [n for n in rows]
    told = [",".join([str(a) + str(n) for a in rows for n in range(a) if n]), len(where)]
    order = box.items + [box.take(5)] + [box.take(n) for n in rows]
    kept = n and [n for n in rows]
    late = [(lambda: n)() for n in rows]
    return names, where, told, order, box.items, kept, late, n

RESULTS.append(outer([1, 2, 3], 7))
"""


def test_comprehensions_become_loops_where_nothing_changes_by_it():
    before = {}
    exec(COMPREHENSIONS, {"RESULTS": before.setdefault("RESULTS", [])})  # noqa: S102  (our own text)
    trees = {"pkg.one": strip(COMPREHENSIONS)}
    unroll(trees["pkg.one"])
    text = ast.unparse(trees["pkg.one"])
    assert run(trees, "pkg.one")["RESULTS"] == before["RESULTS"]
    left = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ListComp | ast.DictComp)]
    # after a call, after ``and``, around a function
    assert len(left) == 3, text


TEXTS = """
TABLE = {"a": "a text of a table"}
NAMES = ("a text of a tuple", "b")
class Box:
    def said(self, value, word="a text by default"):
        if value in ("one of these texts", "or of these"):
            return "a text of a method, " + word
        wide = "a text \u00e9 wide"
        return "a text {} of a method".format(value), TABLE["a"], NAMES[0], "short", wide
def outer():
    return Box().said("x"), Box().said("or of these"), "a text of a method, "

RESULTS.append(outer())
"""


def test_longer_texts_of_functions_are_one_and_say_the_same():
    before = {}
    exec(TEXTS, {"RESULTS": before.setdefault("RESULTS", [])})  # noqa: S102  (our own text)
    trees = {"pkg.one": strip(TEXTS)}
    gather(trees["pkg.one"])
    trees["pkg.one"].body.insert(0, trees["pkg.one"].body.pop())  # RESULTS are told while it loads
    assert run(trees, "pkg.one")["RESULTS"] == before["RESULTS"]
    text = ast.unparse(trees["pkg.one"])
    assert text.count("a text of a method, ") == 1 and text.count("cut__text(") == 5


def test_what_cannot_change_stands_where_it_is_used_and_a_board_is_no_pc():
    source = """
import sys
_ON_BOARD = sys.implementation.name == "micropython"
KEPT, WORDS, TWICE = "kept", ("a", b"b"), 1.5
TWICE = 2.5
def outer(value):
    if not _ON_BOARD:
        return "PC"
    return WORDS, TWICE, KEPT if _ON_BOARD and value else "PC"
RESULTS.append(outer(1))
"""
    tree = strip(source)
    settle(tree, {"KEPT"})
    text = ast.unparse(tree)
    assert (
        "PC'" in text and text.count("PC") == 1 and "WORDS" not in text and "_ON_BOARD" not in text
    )
    assert run({"pkg.one": tree}, "pkg.one")["RESULTS"] == [(("a", b"b"), 2.5, "kept")]


EMBEDDED = """
class Box:
    def __init__(self, size):
        self._size = size
        self._told = []
    @property
    def size(self):
        return self._size
    def is_full(self, value):
        return value > self._size
    def tell(self, value):
        self._told.append(value)
        return value
    def both(self, one, two):
        return [one, two]
    def swapped(self, one, two):
        return [one, self._told[:], two]
    def twice(self, value):
        return value + value
    def often(self, value):
        return [value, self._size, self._size, self._size, self._size, self._size]
    def on(self, value):
        return value + 1
def _sum(a, b):
    return max(a, b) + 1
def outer(box, value):
    max = value
    told = box.both(value, box.tell(2)), box.swapped(value, box.tell(3)), box.twice(box.tell(4))
    told += box.often(1), box.often(2), box.size, box.is_full(9), box.tell(5) and box.is_full(1)
    return told, [box.is_full(n) for n in range(9)], [f(1) for f in (box.on,)], _sum(max, 1)
RESULTS.append(outer(Box(7), 1))
"""


def test_a_function_that_is_one_expression_stands_where_it_is_called():
    before = {}
    source = EMBEDDED.replace("_sum(max, 1)", "None")  # ``max`` is no function there
    exec(source, {"RESULTS": before.setdefault("RESULTS", [])})  # noqa: S102  (our own text)
    trees = {"pkg.one": strip(source)}
    embed(trees["pkg.one"], [], set())
    text = ast.unparse(trees["pkg.one"])
    assert run(trees, "pkg.one")["RESULTS"] == before["RESULTS"]
    gone = {"size", "is_full", "both"}
    names = {"size", "is_full", "tell", "both", "swapped", "twice", "often", "on"}
    assert {name for name in names if f"def {name}(" not in text} == gone, text
    unsafe = strip(EMBEDDED)
    embed(unsafe, [], {"size"})
    assert "def _sum" in ast.unparse(unsafe) and "def size" in ast.unparse(unsafe)

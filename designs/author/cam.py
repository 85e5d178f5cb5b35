"""Milling programs for GRBL from flat shapes: bores, pockets, slots and a contour with tabs.

Lengths in mm, feeds in mm/min. Zero is the lower left corner of the stock's top; cutting is climb
milling, so pockets turn counter-clockwise and the outer contour clockwise.
"""

from dataclasses import dataclass, field
from itertools import pairwise

Ring = list[tuple[str, float, float, float, float]]  # code, x, y, i, j


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cutter and how it is driven."""

    diameter: float = 3.0
    rpm: int = 12000
    feed: int = 900
    plunge: int = 300
    deep: float = 1.5
    beside: float = 1.3


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Rounded rectangle between two corners."""

    x0: float
    y0: float
    x1: float
    y1: float
    radius: float

    def grown(self, by: float) -> "Rectangle":
        """Parallel rectangle outside; inside for a negative distance."""
        radius = max(self.radius + by, 0.0)
        return Rectangle(self.x0 - by, self.y0 - by, self.x1 + by, self.y1 + by, radius)

    def moved(self, x: float, y: float) -> "Rectangle":
        """The same rectangle elsewhere."""
        return Rectangle(self.x0 + x, self.y0 + y, self.x1 + x, self.y1 + y, self.radius)


def ring(shape: Rectangle, clockwise: bool) -> tuple[tuple[float, float], Ring]:
    """Start on the lower side and the moves around, back to it."""
    x0, y0, x1, y1, r = shape.x0, shape.y0, shape.x1, shape.y1, shape.radius
    middle = ((x0 + x1) / 2, y0)
    moves: Ring = [("G1", x1 - r, y0, 0, 0)]
    moves += [*_corner(x1, y0 + r, 0, r), ("G1", x1, y1 - r, 0, 0)]
    moves += [*_corner(x1 - r, y1, -r, 0), ("G1", x0 + r, y1, 0, 0)]
    moves += [*_corner(x0, y1 - r, 0, -r), ("G1", x0, y0 + r, 0, 0)]
    moves += [*_corner(x0 + r, y0, r, 0), ("G1", *middle, 0, 0)]
    if clockwise:
        moves = [_mirrored(move, x0 + x1) for move in moves]
    return middle, _distinct(middle, moves)


def _corner(x: float, y: float, i: float, j: float) -> Ring:
    return [("G3", x, y, i, j)] if i or j else []


def _mirrored(
    move: tuple[str, float, float, float, float], twice: float
) -> tuple[str, float, float, float, float]:
    code, x, y, i, j = move
    return ("G2" if code == "G3" else code, twice - x, y, -i, j)


def _distinct(start: tuple[float, float], moves: Ring) -> Ring:
    """Moves without those that go nowhere."""
    before = [start, *((m[1], m[2]) for m in moves)]
    pairs = zip(pairwise(before), moves, strict=True)
    return [m for (a, b), m in pairs if abs(a[0] - b[0]) + abs(a[1] - b[1]) > 1e-6]


@dataclass(slots=True)
class Mill:
    """Writes one program; ``rows`` is its text."""

    title: str
    cutter: Cutter = field(default_factory=Cutter)
    safe: float = 4.0
    rows: list[str] = field(default_factory=list)
    _last: dict[str, str] = field(default_factory=dict)

    def begin(self, stock: tuple[float, float, float]) -> None:
        """Head of the program."""
        size = " x ".join(f"{side:g}" for side in stock)
        tool = self.cutter
        self.rows += [f"({self.title})", f"(stock {size} mm, zero: lower left of its top)"]
        self.rows += [f"(cutter: flat end mill {tool.diameter:g} mm)", "G21 G90 G17 G94", "G54"]
        self.rows += [f"G0 Z{self.safe:g}", f"M3 S{tool.rpm}", "G4 P2"]

    def end(self) -> str:
        """Tail of the program; the whole text."""
        self.rows += ["G0 Z15", "M5", "G0 X0 Y0", "M30"]
        return "\n".join(self.rows) + "\n"

    def _note(self, text: str) -> None:
        self.rows.append(f"({text})")
        self._last = {}

    def _put(self, code: str, **words: float) -> None:
        """One row; words that repeat a modal value are left out."""
        row = [code]
        for name, value in words.items():
            text = f"{round(value, 3) + 0.0:.3f}".rstrip("0").rstrip(".")
            if (
                name in "IJ"
                or self._last.get(name) != text
                or (code in ("G2", "G3") and name in "XY")
            ):
                row.append(name + text)
            if name not in "IJ":
                self._last[name] = text
        if len(row) > 1:
            self.rows.append(" ".join(row))

    def _to(self, x: float, y: float) -> None:
        self._put("G0", Z=self.safe)
        self._put("G0", X=x, Y=y)
        self._put("G0", Z=0.5)

    def bore(self, x: float, y: float, diameter: float, depth: float) -> None:
        """Round hole by a helix, then one flat turn at its bottom."""
        self._note(f"bore {diameter:g} mm, {depth:g} deep")
        r = (diameter - self.cutter.diameter) / 2
        self._to(x + r, y)
        turns = -int(-depth // 1.0)
        for turn in range(turns):
            z = -depth * (turn + 1) / turns
            half = -depth * (turn + 0.5) / turns
            self._put("G3", X=x - r, Y=y, Z=half, I=-r, J=0, F=self.cutter.plunge)
            self._put("G3", X=x + r, Y=y, Z=z, I=r, J=0)
        self._put("G3", X=x - r, Y=y, I=-r, J=0)
        self._put("G3", X=x + r, Y=y, I=r, J=0)
        self._put("G1", X=x, Y=y)

    def pocket(self, shape: Rectangle, depth: float) -> None:
        """Clear a rounded rectangle from the inside out, layer by layer."""
        self._note(f"pocket {shape.x1 - shape.x0:g} x {shape.y1 - shape.y0:g} mm, {depth:g} deep")
        rings = self._rings(shape)
        for layer, z in enumerate(self._layers(depth)):
            start = rings[0][0]
            if layer == 0:
                self._to(*start)
            else:
                self._put("G1", X=start[0], Y=start[1], F=self.cutter.feed)
            self._put("G1", Z=z, F=self.cutter.plunge)
            for start, moves in rings:
                self._put("G1", X=start[0], Y=start[1], F=self.cutter.feed)
                self._around(moves)

    def _rings(self, shape: Rectangle) -> list[tuple[tuple[float, float], Ring]]:
        outer = shape.grown(-self.cutter.diameter / 2)
        rings = [outer]
        while True:
            inner = rings[-1].grown(-self.cutter.beside)
            if inner.x1 - inner.x0 < 0.05 or inner.y1 - inner.y0 < 0.05:
                break
            rings.append(inner)
        return [ring(shape, clockwise=False) for shape in reversed(rings)]

    def _around(self, moves: Ring) -> None:
        for code, x, y, i, j in moves:
            if code == "G1":
                self._put("G1", X=x, Y=y, F=self.cutter.feed)
            else:
                self._put(code, X=x, Y=y, I=i, J=j, F=self.cutter.feed)

    def _layers(self, depth: float) -> list[float]:
        count = -int(-depth // self.cutter.deep)
        return [-depth * (n + 1) / count for n in range(count)]

    def contour(self, shape: Rectangle, depth: float, tab: tuple[float, float]) -> None:
        """Cut a rounded rectangle out of the stock; tab = (length, height) holds each side."""
        self._note(f"contour {shape.x1 - shape.x0:g} x {shape.y1 - shape.y0:g} mm, {depth:g} deep")
        start, moves = ring(shape.grown(self.cutter.diameter / 2), clockwise=True)
        top = -depth + tab[1]
        self._to(*start)
        for z in self._layers(depth):
            self._put("G1", Z=max(z, top), F=self.cutter.plunge)
            at = start
            for move in moves:
                self._side(at, move, z, (tab[0] + self.cutter.diameter, top))
                at = (move[1], move[2])

    def _side(
        self,
        at: tuple[float, float],
        move: tuple[str, float, float, float, float],
        z: float,
        tab: tuple[float, float],
    ) -> None:
        """One move of the contour; straight ones keep their tab (length, top) in the middle."""
        code, x, y, _, _ = move
        length = abs(x - at[0]) + abs(y - at[1])
        if code != "G1" or z >= tab[1] or length < 2 * tab[0]:
            self._around([move])
            return
        for share, height in ((0.5 - tab[0] / length / 2, z), (0.5 + tab[0] / length / 2, tab[1])):
            self._put("G1", Z=height, F=self.cutter.plunge)
            x1, y1 = at[0] + (x - at[0]) * share, at[1] + (y - at[1]) * share
            self._put("G1", X=x1, Y=y1, F=self.cutter.feed)
        self._put("G1", Z=z, F=self.cutter.plunge)
        self._put("G1", X=x, Y=y, F=self.cutter.feed)

"""How far a milling program reaches, in machine coordinates, and which modes it leaves to chance.

Source: NIST RS274NGC 3 sections 3.2 to 3.5 as GRBL 1.1 ``gcode.c`` has them. Lengths um.
"""

from math import atan2, pi, sqrt

from protocols.gcode import SCALE, number_text, words

AXES = "XYZ"
_ACTS = ("G4", "G10", "G28", "G30", "G53", "G92")  # said by one line, not kept
_PLANES = {17: (0, 1, 2), 18: (2, 0, 1), 19: (1, 2, 0)}
# mode as $G tells it: what it is about; the first is the one GRBL has after a reset
GROUPS = (
    ("units", (21, 20)),
    ("distance mode", (90, 91)),
    ("plane", (17, 18, 19)),
    ("feed mode", (94, 93)),
    ("work offset", (54, 55, 56, 57, 58, 59)),
)


class Envelope:
    """Feed it the stripped lines of one program. start: where the machine stands.

    low, high: the box reached; None for an axis that never moves. grew: since last looked at.
    given: modes that the program sets itself before it first moves.
    """

    def __init__(self, start: "list[int]", offsets: "dict[str, list[int]]") -> None:
        self.low: "list[int | None]" = [None, None, None]
        self.high: "list[int | None]" = [None, None, None]
        self.grew = False
        self.given: "list[str]" = []
        self._at = list(start)
        self._offsets = offsets
        self._extra = [0, 0, 0]  # G92 and G43.1
        self._modes = {name: codes[0] for name, codes in GROUPS}
        self._motion = 0
        self._named = ""  # what the line does besides moving
        self._moved = False

    def feed(self, code: str) -> None:
        """Take one line; raise WireError when it cannot be read."""
        line = [(k, v) for k, v in words(code) if v is not None]
        self._command([value for letter, value in line if letter == "G"])
        found = dict([word for word in line if word[0] != "G"])
        if self._named in ("G92", "G43.1"):
            self._shift(found)
        elif self._named[:3] in ("G28", "G30") or any([axis in found for axis in AXES]):
            self._go(found)

    def _command(self, codes: "list[int]") -> None:
        self._named = ""
        for value in codes:
            name = "G" + number_text(value)
            if value % SCALE or name in _ACTS:
                self._named = name
            else:
                self._mode(value // SCALE)

    def _mode(self, code: int) -> None:
        if code < 4 or code == 80:
            self._motion = code
            return
        for name, codes in GROUPS:
            if code in codes:
                self._modes[name] = code
                if not self._moved and name not in self.given:
                    self.given.append(name)

    def _um(self, value: int) -> int:
        inch = self._modes["units"] == 20
        return (value * 254 + 5000) // 10000 if inch else (value + 500) // 1000

    def _offset(self, axis: int) -> int:
        work = self._offsets.get("G{}".format(self._modes["work offset"]), [0, 0, 0])
        return work[axis] + self._extra[axis]

    def _shift(self, found: "dict[str, int]") -> None:
        for i, axis in enumerate(AXES):
            if axis in found and self._named == "G43.1":
                self._extra[i] += self._um(found[axis])
            elif axis in found:
                self._extra[i] += self._at[i] - self._offset(i) - self._um(found[axis])

    def _go(self, found: "dict[str, int]") -> None:
        self._moved = True
        target = list(self._at)
        for i, axis in enumerate(AXES):
            if axis not in found:
                continue
            um = self._um(found[axis])
            if self._named == "G53":
                target[i] = um
            elif self._modes["distance mode"] == 91:
                target[i] += um
            else:
                target[i] = um + self._offset(i)
        if self._motion in (2, 3) and not self._named:
            self._arc(found, target)
        self._reach(target)
        if self._named in ("G28", "G30"):
            self._reach(self._offsets.get(self._named, [0, 0, 0]))

    def _reach(self, point: "list[int]") -> None:
        for i in range(3):
            if point[i] != self._at[i] or self.low[i] is not None:
                self._stretch(i, self._at[i])
                self._stretch(i, point[i])
        self._at = list(point)

    def _stretch(self, axis: int, um: int) -> None:
        low, high = self.low[axis], self.high[axis]
        if low is None or um < low:
            self.low[axis] = um
            self.grew = True
        if high is None or um > high:
            self.high[axis] = um
            self.grew = True

    def _arc(self, found: "dict[str, int]", target: "list[int]") -> None:
        a, b, _ = _PLANES[self._modes["plane"]]
        centre = self._centre(found, target, a, b)
        if centre is None:
            return
        u, v = self._at[a] - centre[0], self._at[b] - centre[1]
        radius = sqrt(u * u + v * v)
        begin = atan2(v, u)
        sweep = atan2(target[b] - centre[1], target[a] - centre[0]) - begin
        if self._motion == 2:
            sweep = -sweep
        if sweep <= 1e-5:
            sweep += 2 * pi
        for quarter in range(4):
            turn = quarter * pi / 2 - begin
            if self._motion == 2:
                turn = -turn
            if turn % (2 * pi) < sweep:
                self._stretch(a, int(centre[0] + radius * (1, 0, -1, 0)[quarter]))
                self._stretch(b, int(centre[1] + radius * (0, 1, 0, -1)[quarter]))

    def _centre(
        self, found: "dict[str, int]", target: "list[int]", a: int, b: int
    ) -> "tuple[float, float] | None":
        if "R" not in found:
            i, j = [self._um(found.get("IJK"[axis], 0)) for axis in (a, b)]
            return self._at[a] + i, self._at[b] + j
        r = self._um(found["R"])
        x, y = target[a] - self._at[a], target[b] - self._at[b]
        apart = sqrt(x * x + y * y)
        rest = 4.0 * r * r - apart * apart
        if not apart or rest < 0:
            return None  # the machine refuses it
        h = -sqrt(rest) / apart
        if (self._motion == 3) != (r < 0):
            h = -h
        return self._at[a] + (x - y * h) / 2, self._at[b] + (y + x * h) / 2

"""Filament a program draws, counted in integers from its own lines.

The measure is the high-water mark of the filament's position per tool: pulling back and pushing
forward again draws nothing, which is how slicers count (summing positive moves over-reports by a
third). Lengths are nm, one unit with ``protocols.gcode``: exact for any slicer's decimals.

One pass gives both figures a floor needs. ``used_nm`` counts one program from its first line, as
the slicer's comment does. A spool that fed earlier programs continues where the last one left the
filament: it was pulled back by ``back_nm``, so this program drew ``drawn_nm(used, back)`` from the
spool, and leaves it at ``position_nm``.

Sources: Marlin 2.0 ``gcode/geometry/G92.cpp``, ``gcode/units/M82_M83.cpp``,
``gcode/config/M200-M205.cpp``, ``gcode/config/M221.cpp``, ``gcode/control/T.cpp``. Firmware
retraction (G10, G11) names no length and moves nothing that is not pushed back.
"""

from protocols.errors import WireError
from protocols.gcode import SCALE, Modal, command, number, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from protocols.gcode import Words

MAX_TOOLS = 16
NM_PER_UM = 1000
_MOVES = ("G1", "G0", "G2", "G3")
_PI = (355, 113)  # good to 8e-8


def drawn_nm(used_nm: int, back_nm: int) -> int:
    """Length a program drew from a spool that was pulled back when it began."""
    return max(0, used_nm - back_nm)


def mass_mg(length_nm: int, ug_per_m: int) -> int:
    """Mass of a length, rounded down; whole um count, as on the wire."""
    return length_nm // NM_PER_UM * ug_per_m // 10**9


def length_nm(mass: int, ug_per_m: int) -> int:
    """Shortest length whose mass is at least so many mg; the twin of mass_mg."""
    return -(-mass * 10**9 // ug_per_m) * NM_PER_UM


class Accountant:
    """Feed it the stripped lines of one program in order; it never raises on a line.

    g90_sets_e: G90 and G91 also switch the E axis (Marlin); elsewhere only M82 and M83 do.
    """

    def __init__(self, g90_sets_e: bool = True) -> None:
        self._modal = Modal(g90_sets_e)
        self._e = 0  # where the program says E is; one for all tools, as in Marlin
        self._position = [0] * MAX_TOOLS
        self._high = [0] * MAX_TOOLS
        self._flow = [100] * MAX_TOOLS
        self._diameter_nm = [0] * MAX_TOOLS  # 0 = E is a length, else E is a volume
        self._tool = 0
        self._others: "dict[str, Callable[[Words], None]]" = {
            "G20": self._modal.feed,
            "G21": self._modal.feed,
            "G90": self._modal.feed,
            "G91": self._modal.feed,
            "M82": self._modal.feed,
            "M83": self._modal.feed,
            "G92": self._set_position,
            "M200": self._set_diameter,
            "M221": self._set_flow,
        }

    @property
    def tool(self) -> int:
        """Tool now selected."""
        return self._tool

    def modes(self) -> "list[str]":
        """Lines that put a machine into the modes the program is in."""
        modal = self._modal
        lines = ["G20" if modal.inch else "G21", "G91" if modal.relative else "G90"]
        lines.append("M83" if modal.e_relative else "M82")
        return lines

    def used_nm(self, tool: int) -> int:
        """Length drawn by a tool since the first line."""
        return self._high[tool]

    def position_nm(self, tool: int) -> int:
        """Where the filament of a tool is, counted from the first line."""
        return self._position[tool]

    def used_um(self) -> "list[int]":
        """Lengths drawn per tool in um, up to the last tool that drew."""
        lengths = [high // NM_PER_UM for high in self._high]
        while len(lengths) > 1 and not lengths[-1]:
            lengths.pop()
        return lengths

    def feed(self, code: str) -> None:
        """Count one stripped line."""
        head, _, rest = code.partition(" ")
        if head in _MOVES:
            at = code.find(" E") + 2
            if at > 1:
                end = code.find(" ", at)
                self._move_text(code, code[at:] if end < 0 else code[at:end])
            elif "E" in rest or "e" in rest:
                self._slowly(code)
        elif head in self._others or head[:1] == "T" or len(head) > 4 or head[1:2] == "0":
            self._slowly(code)

    def _move_text(self, code: str, text: str) -> None:
        at = text.find(".")
        try:
            if 0 <= at >= len(text) - 7:  # at most six decimals: the common case, quickly
                self._move(int(text[:at] + (text[at + 1 :] + "000000")[:6]))
            else:
                self._move(number(text))
        except ValueError:
            self._slowly(code)

    def _slowly(self, code: str) -> None:
        """Count a line that is not the common kind: modes, tools, words without spaces."""
        try:
            line = words(code)
        except WireError:
            return
        name = command(code)
        if name in _MOVES:
            for letter, value in line:
                if letter == "E" and value is not None:
                    self._move(value)
        elif name in self._others:
            self._others[name](line)
        elif line and line[0][0] == "T":
            self._select(line[0][1])

    def _move(self, value: int) -> None:
        modal = self._modal
        if modal.inch:
            value = modal.nm(value)
        if modal.e_relative:
            delta = value
        else:
            delta = value - self._e
            self._e = value
        tool = self._tool
        if self._diameter_nm[tool]:
            delta = self._length(delta, self._diameter_nm[tool])
        if self._flow[tool] != 100:
            delta = delta * self._flow[tool] // 100
        position = self._position[tool] + delta
        self._position[tool] = position
        self._high[tool] = max(self._high[tool], position)

    @staticmethod
    def _length(volume: int, diameter_nm: int) -> int:
        return volume * 4 * _PI[1] * SCALE * SCALE // (_PI[0] * diameter_nm * diameter_nm)

    def _set_position(self, line: "Words") -> None:
        axes = [k for k, _ in line if k in "XYZABCUVW"]
        for letter, value in line:
            if letter == "E":
                self._e = self._modal.nm(value or 0)
                return
        if not axes:
            self._e = 0

    def _named_tool(self, line: "Words") -> int:
        for letter, value in line:
            if letter == "T" and value is not None and 0 <= value < MAX_TOOLS * SCALE:
                return value // SCALE
        return self._tool

    def _set_diameter(self, line: "Words") -> None:
        tool = self._named_tool(line)
        for letter, value in line:
            if letter == "D":
                self._diameter_nm[tool] = max(0, value or 0)
            elif letter == "S" and value == 0:
                self._diameter_nm[tool] = 0

    def _set_flow(self, line: "Words") -> None:
        for letter, value in line:
            if letter == "S" and value is not None and value >= 0:
                self._flow[self._named_tool(line)] = value // SCALE

    def _select(self, value: "int | None") -> None:
        if value is not None and 0 <= value < MAX_TOOLS * SCALE:
            self._tool = value // SCALE

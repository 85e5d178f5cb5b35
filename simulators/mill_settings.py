"""GRBL's settings and what its ``$`` reports print.

Source: gnea/grbl 1.1h ``doc/markdown/settings.md``, ``commands.md``, ``grbl/report.c``.
"""

from protocols import grbl

VERSION = "1.1h"
BUILD = "20190830"
HELP = "$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x"
_ZERO = [0, 0, 0]

# number: value. Of a small desktop mill; lengths mm, rates mm/min, accelerations mm/s2.
_DEFAULTS: dict[int, float] = {
    0: 10,
    1: 25,
    2: 0,
    3: 0,
    4: 0,
    5: 0,
    6: 0,
    10: 1,
    11: 0.010,
    12: 0.002,
    13: 0,
    20: 0,
    21: 0,
    22: 0,
    23: 0,
    24: 25.0,
    25: 500.0,
    26: 250,
    27: 1.0,
    30: 24000,
    31: 0,
    32: 0,
    100: 250.0,
    101: 250.0,
    102: 250.0,
    110: 5000.0,
    111: 5000.0,
    112: 1500.0,
    120: 400.0,
    121: 400.0,
    122: 200.0,
    130: 400.0,
    131: 300.0,
    132: 100.0,
}
_WHOLE = (0, 1, 2, 3, 4, 5, 6, 10, 13, 20, 21, 22, 23, 26, 32)


class Settings:
    """What a mill keeps in its EEPROM: settings, offsets in um, start-up lines."""

    def __init__(self, homing: bool) -> None:
        self.values = dict(_DEFAULTS)
        if homing:
            self.values.update({20: 1, 21: 1, 22: 1})
        self.offsets = {name: list(_ZERO) for name in ("G54", "G55", "G56", "G57", "G58", "G59")}
        self.offsets.update({"G28": list(_ZERO), "G30": list(_ZERO)})
        self.startup = ["", ""]

    @property
    def homing(self) -> bool:
        """$22: the mill must be homed after it is switched on."""
        return bool(self.values[22])

    @property
    def soft_limits(self) -> bool:
        """$20: motions out of the travel are refused."""
        return bool(self.values[20])

    def set(self, number: int, value: float) -> int:
        """Write one setting; 0 or the error code."""
        if number not in self.values:
            return 3
        if value < 0:
            return 4
        if number == 20 and value and not self.homing:
            return 10
        self.values[number] = value
        if number == 22 and not value:
            self.values[20] = 0
        return 0

    def lines(self) -> list[str]:
        """Answer to ``$$``."""
        return [
            f"${n}={value:.0f}" if n in _WHOLE else f"${n}={value:.3f}"
            for n, value in sorted(self.values.items())
        ]

    def offset_lines(self, g92: list[int], tool: int, probe: tuple[list[int], bool]) -> list[str]:
        """Answer to ``$#``; lengths um."""
        rows = [(name, self.offsets[name]) for name in sorted(self.offsets)]
        rows = [*sorted(rows, key=lambda row: (row[0] < "G50", row[0])), ("G92", g92)]
        lines = [grbl.write_reply(("offset", name, um)) for name, um in rows]
        return [*lines, grbl.write_reply(("tlo", tool)), grbl.write_reply(("prb", *probe))]

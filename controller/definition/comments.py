"""What slicers write into their programs as comments: PrusaSlicer and its kin, Cura.

All of it is an estimate. ``take`` sees every comment row once, in order.
"""

import math
import re

_NUMBER = r"(\d+(?:\.\d+)?)"
_NUMBERS = re.compile(_NUMBER)
_TIME = re.compile(r"(\d+)\s*([dhms])")
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_CURA_UNSET_S = 6666  # CuraEngine on its own leaves ;TIME:6666
_MAX = 10**9
_DENSITY = 1.27


class SlicerComments:
    """Estimates a slicer left in a program; empty or 0 where it said nothing. Lists go by tool."""

    def __init__(self) -> None:
        self.slicer = ""
        self.seconds = 0
        self.material = ""
        self.nozzle_um = 0
        self._mm: list[float] = []
        self._density = 0.0
        self._diameter = 1.75

    @property
    def length_um(self) -> tuple[int, ...]:
        """Filament per tool."""
        return tuple(round(mm * 1000) for mm in self._mm)

    def mass_mg(self, length_um: int) -> int:
        """Mass of a length by the density and diameter said, else PETG of 1.75 mm."""
        area = math.pi * (self._diameter / 2) ** 2
        return round(length_um / 1000 * area * (self._density or _DENSITY))

    def take(self, row: str) -> None:
        """Take one row that begins with a semicolon."""
        text = row.lstrip("; \t").strip()
        name, equals, value = text.partition("=")
        if equals:
            self._setting(name.strip().lower(), value.strip())
        elif text.startswith(("TIME:", "Filament used:")):
            self._cura(text)
        elif not self.slicer and text.lower().startswith("generated "):
            self.slicer = re.split(r"\s+on\s+\d", text.partition(" ")[2])[0].removeprefix("by ")[
                :80
            ]
            self.slicer = self.slicer.removeprefix("with ")

    def _setting(self, name: str, value: str) -> None:
        if name == "filament used [mm]":
            self._mm = _floats(value)
        elif name == "filament used":  # Slic3r: 2063.7mm (14.6cm3), one row per tool
            self._mm += _floats(value)[:1]
        elif name.startswith("estimated printing time") and "silent" not in name:
            self.seconds = self.seconds or _seconds(value)
        else:
            self._printer_setting(name, value)

    def _printer_setting(self, name: str, value: str) -> None:
        first = _floats(value)[:1]
        if name == "filament_type" and not self.material:
            self.material = re.split("[;,]", value)[0].strip().lower()[:32]
        elif name == "nozzle_diameter" and first:
            self.nozzle_um = min(round(first[0] * 1000), _MAX)
        elif name == "filament_density" and first:
            self._density = first[0]
        elif name == "filament_diameter" and first and first[0] > 0:
            self._diameter = first[0]

    def _cura(self, text: str) -> None:
        name, _, value = text.partition(":")
        if name == "TIME":
            found = _floats(value)
            if found and int(found[0]) != _CURA_UNSET_S:
                self.seconds = int(found[0])
            return
        metres = _floats(value)
        if any(metres):
            self._mm = [m * 1000 for m in metres]
            self.slicer = self.slicer or "Cura"


def _floats(text: str) -> list[float]:
    return [min(float(n), float(_MAX)) for n in _NUMBERS.findall(text[:400])]


def _seconds(text: str) -> int:
    return min(sum(int(n) * _SECONDS[unit] for n, unit in _TIME.findall(text[:80])), _MAX)

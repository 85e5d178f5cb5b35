"""Which spool a job takes: the one whose remainder stays usable, or is used up.

A spool qualifies when it holds what is needed plus a margin. Best is the least left over, but a
remnant too small to be of use to anybody (under ``remnant_mg``) is not made where another spool
leaves a usable rest; one that is there already goes first.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Spool(NamedTuple):
    """A lot of filament and the milligrams on it."""

    lot: str
    mass_mg: int


class Waste(NamedTuple):
    """What choosing should respect: margin in mille of the need, least remnant of use."""

    margin_permille: int = 50
    remnant_mg: int = 20_000


def choose_spool(need_mg: int, spools: Iterable[Spool], waste: Waste) -> Spool | None:
    """The spool to use; None when none holds the need and its margin. Ties go by lot name."""
    least = need_mg + -(-need_mg * waste.margin_permille // 1000)
    fitting = [spool for spool in spools if spool.mass_mg >= least]
    return min(fitting, key=lambda spool: _key(spool, need_mg, waste), default=None)


def _key(spool: Spool, need_mg: int, waste: Waste) -> tuple[bool, int, str]:
    """Those that make no unusable rest first, then the smallest rest, then the name."""
    rest = spool.mass_mg - need_mg
    used_up = rest * 1000 <= need_mg * waste.margin_permille
    small = spool.mass_mg < waste.remnant_mg
    return not (small or used_up or rest >= waste.remnant_mg), rest, spool.lot

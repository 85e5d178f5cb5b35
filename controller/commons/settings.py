"""How a site shares by rounds: settings a person gives, kept with the site so that all can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from controller.allocation.equal_shares import Utility
from controller.allocation.inputs import PPM, Rules, SpillRule

if TYPE_CHECKING:
    from controller.adapters.store import Tx

KEY = "rounds"
HOUR_MS = 3_600_000


class RoundSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Length, reserve and rule of rounds; ``_ppm`` are millionths, limits in mg, ms or pieces.

    A round shares what ``length_h`` hours give; its ballot is open for ``ballot_h`` (0: as long).
    ``release_ppm`` of the urgent reserve not used halfway goes to needs that wait (0: none).
    ``people_h`` and ``energy_kwh`` are what a round has; 0 leaves them unshared. ``protected`` are
    resources whose limit members vote on; ``limits`` are those in force until they do.
    """

    length_h: int = 168
    ballot_h: int = 0
    auto: bool = True
    tries: int = 12
    utility: str = "cost"
    spill: str = "share_before"
    floor_cap_ppm: int = 200_000
    carry_rounds: int = 12
    withhold_ppm: int = 500_000
    availability_ppm: int = 800_000
    urgent_reserve_ppm: int = 100_000
    debt_cap_ppm: int = 500_000
    release_ppm: int = 500_000
    quorum: int = 2
    people_h: int = 0
    energy_kwh: int = 0
    power_w: dict[str, int] = {}
    deliveries: dict[str, int] = {}
    limits: dict[str, int] = {}
    protected: list[str] = []

    def rules(self) -> Rules:
        """The rule as the allocator reads it."""
        return Rules(
            utility=Utility(self.utility),
            spill=SpillRule(self.spill),
            floor_cap_ppm=self.floor_cap_ppm,
            carry_rounds=self.carry_rounds,
            withhold_ppm=self.withhold_ppm,
        )


_BOUNDS = {
    "length_h": (1, 24 * 366),
    "ballot_h": (0, 24 * 366),
    "tries": (1, 1000),
    "carry_rounds": (0, 1000),
    "quorum": (1, 100),
    "people_h": (0, 10**6),
    "energy_kwh": (0, 10**6),
    **{
        name: (0, PPM)
        for name in (
            "floor_cap_ppm",
            "withhold_ppm",
            "availability_ppm",
            "urgent_reserve_ppm",
            "debt_cap_ppm",
            "release_ppm",
        )
    },
}


def problems(settings: RoundSettings) -> list[str]:
    """Everything wrong with settings: field and fix."""
    wrong = [
        f"{name}: must be between {least} and {most}"
        for name, (least, most) in _BOUNDS.items()
        if not least <= getattr(settings, name) <= most
    ]
    for name, words in (("utility", Utility), ("spill", SpillRule)):
        if getattr(settings, name) not in {word.value for word in words}:
            wrong.append(f"{name}: must be one of {', '.join(word.value for word in words)}")
    for name in ("power_w", "deliveries", "limits"):
        if any(amount < 0 for amount in getattr(settings, name).values()):
            wrong.append(f"{name}: must not be negative")
    return wrong


def configure(tx: Tx, settings: RoundSettings | None) -> None:
    """Share by rounds from now on, or (None) as the needs come in."""
    text = "" if settings is None else msgspec.json.encode(settings).decode()
    if (tx.site.get(KEY) or "") != text:
        tx.site.put(KEY, text)


def settings_of(tx: Tx) -> RoundSettings | None:
    """Settings in force, None for a site that does not share by rounds."""
    text = tx.site.get(KEY)
    return msgspec.json.decode(text, type=RoundSettings) if text else None

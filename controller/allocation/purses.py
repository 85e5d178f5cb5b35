"""Purses of one resource: floats that point, integers that decide."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

NEAR = 1e-9

Who = npt.NDArray[np.intp]
Near = npt.NDArray[np.float64]


class Bid(NamedTuple):
    """Price per voice = owed / (voices * den); `short` are the rows who pay their whole purse."""

    owed: int
    voices: int
    den: int
    short: frozenset[int]


class FloatPurses:
    """Purses as floats; price and charge are twins."""

    def __init__(self, start: Sequence[Fraction]) -> None:
        self.near: Near = np.array([float(f) for f in start], dtype=np.float64)

    def price(self, who: Who, voice: Near, demand: int) -> float | None:
        """Price per voice; None when the supporters hold less than the demand."""
        purse = self.near[who]
        if purse.sum() < demand * (1 - NEAR):
            return None
        return water_level(purse, voice, demand)

    def charge(self, who: Who, voice: Near, demand: int) -> None:
        """Let every supporter pay min(purse, price * voice)."""
        purse = self.near[who]
        price = water_level(purse, voice, demand)
        self.near[who] = np.maximum(purse - price * voice, 0.0)


def water_level(purse: Near, voice: Near, demand: float) -> float:
    """Least t with sum min(purse, t * voice) = demand, purses being enough up to rounding."""
    voices = float(voice.sum())
    level = demand / voices
    lacking = purse < level * voice
    count = int(np.count_nonzero(lacking))
    while count:
        rest = voices - float(voice[lacking].sum())
        if rest <= 0.5:
            return float((purse / voice).max())
        level = (demand - float(purse[lacking].sum())) / rest
        lacking = purse < level * voice
        now = int(np.count_nonzero(lacking))
        if now <= count:
            break
        count = now
    return level


class ExactPurses(FloatPurses):
    """Purses as integers over a denominator that grows; `near` is always their rounded value."""

    def __init__(self, start: Sequence[Fraction]) -> None:
        super().__init__(start)
        whole = lcm(*(f.denominator for f in start)) if start else 1
        self._dens = [whole]
        self._nums = [f.numerator * (whole // f.denominator) for f in start]
        self._level = [0] * len(start)
        self._ratios: dict[int, int] = {}

    def _now(self, voter: int) -> int:
        """Numerator of a purse over the denominator of now."""
        level = self._level[voter]
        num = self._nums[voter]
        if level == len(self._dens) - 1 or num == 0:
            return num
        ratio = self._ratios.get(level)
        if ratio is None:
            ratio = self._ratios[level] = self._dens[-1] // self._dens[level]
        return num * ratio

    def exact(self) -> list[Fraction]:
        """Every purse as a fraction."""
        return [
            Fraction(num, self._dens[level])
            for num, level in zip(self._nums, self._level, strict=True)
        ]

    def bid(self, who: Who, voices: Sequence[int], demand: int) -> Bid | None:
        """Exact price per voice; None when the supporters together hold less than the demand."""
        purse = self.near[who]
        total = float(purse.sum())
        if total < demand * (1 - NEAR):
            return None
        den = self._dens[-1]
        close = total <= demand * (1 + NEAR)
        if close and sum(self._now(v) for v in who.tolist()) < demand * den:
            return None
        voice = np.array(voices, dtype=np.float64)
        level = water_level(purse, voice, demand)
        surely = purse < level * voice * (1 - NEAR)
        maybe = np.nonzero(~surely & (purse <= level * voice * (1 + NEAR)))[0].tolist()
        short = set(np.nonzero(surely)[0].tolist())
        owed, rest = self._price(who, voices, short, demand * den)
        while poorer := [k for k in maybe if self._now(int(who[k])) * rest < owed * voices[k]]:
            short.update(poorer)
            maybe = [k for k in maybe if k not in short]
            owed, rest = self._price(who, voices, short, demand * den)
        return Bid(owed, rest, den, frozenset(short))

    def _price(
        self, who: Who, voices: Sequence[int], short: set[int], demand: int
    ) -> tuple[int, int]:
        """What the others still owe, over the denominator of now, and their voices."""
        owed = demand - sum(self._now(int(who[k])) for k in short)
        return owed, sum(voices) - sum(voices[k] for k in short)

    def take(self, who: Who, voices: Sequence[int], bid: Bid) -> dict[int, Fraction]:
        """Charge a bid made against these purses; return what each short supporter paid."""
        den = self._dens[-1]
        owed = bid.owed * (den // bid.den)
        common = gcd(owed, bid.voices)
        unit = owed // common
        paid = {int(who[k]): Fraction(self._now(int(who[k])), den) for k in sorted(bid.short)}
        if bid.voices != common:
            self._dens.append(den * (bid.voices // common))
            self._ratios = {}
        den = self._dens[-1]
        top = len(self._dens) - 1
        for k, voter in enumerate(who.tolist()):
            num = 0 if k in bid.short else self._now(voter) - unit * voices[k]
            self._nums[voter] = num
            self._level[voter] = top
            self.near[voter] = num / den
        return paid

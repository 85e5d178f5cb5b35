"""Faults on demand: what goes wrong, when, from a list of texts; all chance comes from the seed.

A fault is ``NAME:WHEN[:HOW LONG]``. WHEN is a line count (``120``), a time (``30s``), a length of
filament (``500mm``) or, for noise, a ratio of bytes or lines (``0.01``).
"""

import re
from collections.abc import Iterable
from math import inf
from random import Random
from typing import NamedTuple

FAULTS = {
    "drop_ok": "the answer to line WHEN is lost",
    "bad_checksum": "line WHEN, or a ratio of lines, arrives damaged",
    "rx_drop": "a ratio of the bytes sent to the machine is lost",
    "rx_flip": "a ratio of the bytes sent to the machine has a bit flipped",
    "rx_dup": "a ratio of the bytes sent to the machine arrives twice",
    "tx_drop": "a ratio of the bytes of the machine is lost",
    "tx_flip": "a ratio of the bytes of the machine has a bit flipped",
    "tx_dup": "a ratio of the bytes of the machine arrives twice",
    "stall": "the machine stops answering for HOW LONG",
    "unplug": "the cable is out for HOW LONG",
    "reset": "the machine restarts",
    "runout": "the filament ends (printer)",
    "thermal": "the nozzle's sensor falls out: thermal runaway (printer)",
    "hard_limit": "a limit switch is hit (mill)",
    "door": "the safety door is open for HOW LONG (mill)",
}
_LONG = ("stall", "unplug", "door")
_NOISE = ("drop", "flip", "dup")
_WHEN = re.compile(r"(\d+(?:\.\d+)?)(s|mm)?")


class Fault(NamedTuple):
    """unit: ``line``, ``ms``, ``mm`` or ``ratio``; at: when, in that unit."""

    name: str
    unit: str
    at: float
    for_ms: float
    text: str


def parse_fault(text: str) -> Fault:
    """Read one fault; raise ValueError saying what is wrong."""
    name, *rest = text.split(":")
    if name not in FAULTS:
        raise ValueError(f"no such fault: {name!r} (known: {', '.join(sorted(FAULTS))})")
    if not 1 <= len(rest) <= (2 if name in _LONG else 1):
        raise ValueError(f"{text!r}: write {name}:WHEN" + (":SECONDSs" if name in _LONG else ""))
    found = [_WHEN.fullmatch(part) for part in rest]
    if found[0] is None or found[-1] is None:
        raise ValueError(f"{text!r}: WHEN is a count, a time like 30s, or a length like 500mm")
    value, unit = float(found[0][1]), found[0][2]
    for_ms = float(found[1][1]) * 1000 if len(found) > 1 and found[1] else 5000.0
    if name.partition("_")[2] in _NOISE or (name == "bad_checksum" and "." in rest[0]):
        if not 0 <= value <= 1:
            raise ValueError(f"{text!r}: a ratio is between 0 and 1")
        return Fault(name, "ratio", value, for_ms, text)
    if name == "runout":
        return Fault(name, "mm", value, for_ms, text)
    if unit == "s":
        return Fault(name, "ms", value * 1000, for_ms, text)
    return Fault(name, "line", value, for_ms, text)


class Noise:
    """Damage to a byte stream: ratios of bytes dropped, flipped and doubled."""

    def __init__(self, random: Random, drop: float, flip: float, dup: float) -> None:
        self._random = random
        self._limits = (drop, drop + flip, drop + flip + dup)

    def __call__(self, data: bytes) -> bytes:
        """Damage the bytes; the same bytes come back when no ratio is set."""
        drop, flip, dup = self._limits
        if not dup or not data:
            return data
        out = bytearray()
        for byte in data:
            at = self._random.random()
            if at < drop:
                continue
            out.append(byte ^ (1 << self._random.randrange(7)) if drop <= at < flip else byte)
            if flip <= at < dup:
                out.append(byte)
        return bytes(out)


class Faults:
    """The faults of one machine: what is still to come and what has happened."""

    def __init__(self, texts: Iterable[str], seed: int) -> None:
        faults = [parse_fault(text) for text in texts]
        self.ratios = {f.name: f.at for f in faults if f.unit == "ratio"}
        self.pending = [f for f in faults if f.unit != "ratio"]
        self.happened: list[str] = []
        self._random = Random(seed)
        self.next_line = inf
        self.next_ms = inf
        self.next_mm = inf
        self._find_next()

    def _find_next(self) -> None:
        self.next_line = min((f.at for f in self.pending if f.unit == "line"), default=inf)
        self.next_ms = min((f.at for f in self.pending if f.unit == "ms"), default=inf)
        self.next_mm = min((f.at for f in self.pending if f.unit == "mm"), default=inf)

    def noise(self, side: str, seed: int) -> Noise:
        """Noise of one direction, ``rx`` or ``tx``."""
        drop, flip, dup = [self.ratios.get(f"{side}_{kind}", 0.0) for kind in _NOISE]
        return Noise(Random(seed), drop, flip, dup)

    def take(self, unit: str, at: float) -> list[Fault]:
        """Faults of this unit that are due; they happen once."""
        due = [f for f in self.pending if f.unit == unit and f.at <= at]
        self.pending = [f for f in self.pending if f not in due]
        self.happened += [f.text for f in due]
        self._find_next()
        return due

    def chance(self, name: str) -> bool:
        """Say whether a fault of a ratio happens this time."""
        ratio = self.ratios.get(name, 0.0)
        return bool(ratio) and self._random.random() < ratio

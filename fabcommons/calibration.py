"""Arithmetic of calibration: what a ruler and a scale say of feeder and filament.

Uncertainties are limits, not deviations: a reading may be off by half a step of its instrument, and
a length or a mass is the difference of two readings, so by one whole step at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

OFF_MAX = 0.20  # beyond this something is wrong that a factor would only hide
DENSITIES = (0.7, 8.0)  # g/cm3: foamed filament to metal-filled
_CLEAR = 0.02  # an uncertainty above is worth a better measurement


class Refused(Exception):
    """Measured values no calibration may be built on; the message says why and what to look for."""


@dataclass(frozen=True, slots=True)
class Flow:
    """How much went in of what was asked for; ``relative`` is the limit of error of ``factor``.

    ``factor`` is what to multiply steps per mm, or the extrusion multiplier, by. ``within``: the
    ruler cannot tell it from 1.
    """

    factor: float
    relative: float
    within: bool

    def steps_per_mm(self, now: float) -> float:
        """Steps per mm to set, from those the machine has."""
        return _positive("steps per mm", now) * self.factor

    def multiplier(self, now: float) -> float:
        """Extrusion multiplier to set, from the one in use (1 = 100 %)."""
        return _positive("multiplier", now) * self.factor


def flow(asked_mm: float, measured_mm: float, ruler_mm: float) -> Flow:
    """Correction of the feeder from lengths in mm; raise Refused."""
    asked = _positive("length asked for", asked_mm)
    went = _positive("length measured", measured_mm)
    step = _positive("step of the ruler", ruler_mm)
    if step * 10 > went:
        raise Refused(f"a ruler read to {step:g} mm says too little of {went:g} mm: ask for more")
    off = went / asked - 1
    if abs(off) > OFF_MAX:
        raise Refused(
            f"{went:g} mm of {asked:g} mm went in, {off:+.1%}: more than {OFF_MAX:.0%} off is no"
            " matter of calibration. Look for " + _causes(off < 0)
        )
    return Flow(asked / went, step / (went - step), abs(went - asked) <= step)


def _causes(too_little: bool) -> str:
    if too_little:
        return (
            "a slipping or worn feeder wheel, a blocked or cold nozzle, too high a speed,"
            " or steps per mm of another feeder"
        )
    return "steps per mm or microstepping of another feeder, or a mark read wrongly"


@dataclass(frozen=True, slots=True)
class LinearMass:
    """Mass of a metre of filament in ug with its limit of error, and its density in g/cm3."""

    ug_per_m: int
    uncertain_ug_per_m: int
    density_g_cm3: float
    uncertain_g_cm3: float

    @property
    def relative(self) -> float:
        """Limit of error of the mass, relative."""
        return self.uncertain_ug_per_m / self.ug_per_m

    @property
    def poor(self) -> bool:
        """A longer piece or a finer scale is worth it."""
        return self.relative > _CLEAR


@dataclass(frozen=True, slots=True)
class Steps:
    """Smallest steps scale (g), ruler and calliper (mm) show."""

    scale_g: float
    ruler_mm: float
    calliper_mm: float


def linear_mass(length_mm: float, mass_g: float, diameter_mm: float, steps: Steps) -> LinearMass:
    """Mass per metre of a weighed length; raise Refused."""
    length = _positive("length", length_mm)
    mass = _positive("mass", mass_g)
    diameter = _positive("diameter", diameter_mm)
    scale = _positive("step of the scale", steps.scale_g)
    ruler = _positive("step of the ruler", steps.ruler_mm)
    calliper = _positive("step of the calliper", steps.calliper_mm)
    for step, value, unit, what in ((scale, mass, "g", "scale"), (ruler, length, "mm", "ruler")):
        if step * 10 > value:
            text = f"a {what} read to {step:g} {unit} says too little of {value:g} {unit}"
            raise Refused(f"{text}: weigh a longer piece")
    if calliper * 10 > diameter:
        raise Refused(f"a calliper read to {calliper:g} mm says too little of {diameter:g} mm")
    per_m = mass / length * 1e9
    most = (mass + scale) / (length - ruler) * 1e9
    density = mass / (math.pi / 4 * diameter**2 * length) * 1000
    thin = (diameter - calliper / 2) / diameter  # one reading: half a step
    found = LinearMass(
        ug_per_m=round(per_m),
        uncertain_ug_per_m=math.ceil(most - per_m),
        density_g_cm3=density,
        uncertain_g_cm3=density * (most / per_m / thin**2 - 1),
    )
    _check_density(found)
    return found


def _check_density(found: LinearMass) -> None:
    low, high = DENSITIES
    if not low <= found.density_g_cm3 <= high:
        raise Refused(
            f"{found.density_g_cm3:.3g} g/cm3 is the density of no filament ({low:g} to {high:g}):"
            " is the length in mm, the mass in g without the spool, the diameter in mm?"
        )


def check_expected(found: LinearMass, expected_ug_per_m: int, material: str) -> None:
    """Raise Refused when a mass is more than 20 % off what the material usually has."""
    off = found.ug_per_m / expected_ug_per_m - 1
    if abs(off) > OFF_MAX:
        raise Refused(
            f"{found.ug_per_m} ug per metre is {off:+.0%} off {material} ({expected_ug_per_m}):"
            " another material, another diameter, or a wrong measurement. If it is right,"
            " leave out --material"
        )


def _positive(what: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise Refused(f"{what}: must be a number above 0, not {value:g}")
    return value

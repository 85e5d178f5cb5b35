"""Upkeep as it is kept: machines out of use, maintenance done, what is due, thresholds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MachineOut:
    """A machine a person took out of use, and why."""

    machine: str
    who: str
    why: str
    since_at: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Maintenance done; run_ms is how long the machine had run for orders by then."""

    key: str
    machine: str
    what: str
    who: str
    note: str
    at: int
    run_ms: int
    id: int | None = None


@dataclass(frozen=True, slots=True)
class UpkeepRule:
    """Maintenance due each time a machine has run this long."""

    machine: str
    what: str
    every_ms: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """Below how much of a material people want to be told."""

    material: str
    low_mg: int
    who: str
    at: int

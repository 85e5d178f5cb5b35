"""Routed needs and what a floor's routes are made of: places, sign-offs, photos, numbered parts."""

from dataclasses import dataclass, field
from typing import Any

from controller.values import Json


@dataclass(frozen=True, slots=True)
class RoutedOperation:
    """One run of one step as the design's work master says; not yet stored."""

    unit: int
    step: str
    process: str
    requires: Json
    program_sha: str | None
    duration_s: int
    materials: list[Json]
    instructions: str = ""
    pieces: int = 1
    title: str = ""
    work_master: str = ""
    work: Json = field(default_factory=dict[str, Any])
    ways: list[Json] = field(default_factory=list[Json])
    slots: int = 1


@dataclass(frozen=True, slots=True)
class RoutedNeed:
    """All operations of a need; links are (before, after, pieces handed on) by place in them."""

    operations: tuple[RoutedOperation, ...]
    links: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where parts wait between operations: how many slots, and the processes it takes parts of."""

    id: str
    name: str
    capacity: int
    takes: list[str]


@dataclass(frozen=True, slots=True)
class SignOff:
    """What a person found at the end of a job order: ticked checks, values in whole units."""

    order_id: str
    operation: str
    who: str
    at: int
    result: str
    checks: list[str]
    values: Json
    photos: list[str]
    note: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture taken at a job order, kept by its SHA-256; kind is png or jpeg."""

    sha: str
    order_id: str
    kind: str
    size: int
    width: int
    height: int
    who: str
    at: int


@dataclass(frozen=True, slots=True)
class Numbered:
    """A finished part with its serial number, and the lot it was made as."""

    serial: str
    need: str
    operation: str
    unit: int
    lot: str
    made_at: int

"""Production profile: how a floor makes one part of a design; values, and their JSON twins."""

from dataclasses import dataclass, field

import msgspec

from controller.definition.problems import DesignError, Problem

MAX_QUANTITY = 10_000
Requires = dict[str, int | list[int]]


@dataclass(frozen=True, slots=True)
class Material:
    """What one run uses up: estimated filament in mg, or stock pieces and what stays of them."""

    material: str
    mass_mg: int = 0
    pieces: int = 0
    part_mg: int = 0


@dataclass(frozen=True, slots=True)
class Program:
    """What the machine runs; ``path`` is absolute, "" for a work master held by a cell."""

    kind: str
    duration_s: int
    file: str = ""
    path: str = ""
    sha256: str = ""
    size: int = 0
    lines: int = 0
    work_master: str = ""
    slicer: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a work master; times in seconds, both estimates."""

    step: str
    process: str
    title: str = ""
    after: tuple[str, ...] = ()
    requires: Requires = field(default_factory=dict[str, int | list[int]])
    materials: tuple[Material, ...] = ()
    program: Program | None = None
    duration_s: int = 0
    instructions: str = ""
    yields: int = 1
    count: int = 1


@dataclass(frozen=True, slots=True)
class Profile:
    """How one part is made; steps in an order that keeps precedence."""

    part: str
    title: str
    steps: tuple[Step, ...]
    quantity_min: int = 1
    quantity_max: int = 10_000


def profile_json(profile: Profile) -> str:
    """Profile as JSON text for the store; ``profile_from_json`` is its twin."""
    return msgspec.json.encode(profile).decode()


def profile_from_json(text: str | bytes) -> Profile:
    """Profile from the store; raise DesignError when the text is not one."""
    try:
        return msgspec.json.decode(text, type=Profile)
    except (msgspec.DecodeError, UnicodeError) as error:
        problem = Problem("", 0, f"is not a stored profile: {error}", "import the design again")
        raise DesignError("", [problem]) from None

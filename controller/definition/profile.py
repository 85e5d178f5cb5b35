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
class Mesh:
    """A shape that is sliced for the machine that prints it; ``kind`` is stl or 3mf."""

    file: str
    kind: str
    sha256: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """A value to measure in whole units named by ``unit``, good from ``low`` to ``high``."""

    name: str
    unit: str
    low: int
    high: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What a person does besides reading: ticks, measures, waits (s), photographs, looks at."""

    checks: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    timer_s: int = 0
    photo: bool = False
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnFail:
    """Rework step that what fails goes through, at most so often; then it is scrap."""

    rework: str
    at_most: int = 1


@dataclass(frozen=True, slots=True)
class Way:
    """One way of doing a step; the step itself is the first, its alternatives are the others."""

    process: str
    requires: Requires = field(default_factory=dict[str, int | list[int]])
    materials: tuple[Material, ...] = ()
    program: Program | None = None
    duration_s: int = 0
    mesh: Mesh | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a work master; times in seconds, both estimates.

    ``slots`` its result takes where parts wait; ``share``: runs may hold parts of several needs.
    """

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
    slots: int = 1
    share: bool = False
    work: Work = field(default_factory=Work)
    on_fail: OnFail | None = None
    alternatives: tuple[Way, ...] = ()
    mesh: Mesh | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """How one part is made; steps in an order that keeps precedence; rework outside of it."""

    part: str
    title: str
    steps: tuple[Step, ...]
    quantity_min: int = 1
    quantity_max: int = 10_000
    rework: tuple[Step, ...] = ()


def rework_step(profile: Profile, name: str) -> Step | None:
    """A rework step by its id, or None."""
    return next((step for step in profile.rework if step.step == name), None)


def profile_json(profile: Profile) -> str:
    """Profile as JSON text for the store; ``profile_from_json`` is its twin."""
    return msgspec.json.encode(profile).decode()


def profile_from_json(text: str | bytes) -> Profile:
    """Profile from the store; raise DesignError when the text is not one."""
    try:
        return msgspec.json.decode(text, type=Profile)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        problem = Problem("", 0, f"is not a stored profile: {error}", "import the design again")
        raise DesignError("", [problem]) from None

"""Routing: a profile times a quantity becomes operations with precedence between them."""

from dataclasses import dataclass

from controller.definition.problems import fail
from controller.definition.profile import Material, Profile, Program, Requires, Step

MAX_OPERATIONS = 50_000


@dataclass(frozen=True, slots=True)
class RoutedOperation:
    """One run of step ``of``: the first unit it serves and the pieces of it that are wanted."""

    unit: int
    step: str
    process: str
    pieces: int
    duration_s: int
    title: str
    requires: Requires
    materials: tuple[Material, ...]
    program: Program | None
    instructions: str
    of: Step


@dataclass(frozen=True, slots=True)
class Routing:
    """Operations of one need; links are (before, after, pieces handed on), by place."""

    operations: tuple[RoutedOperation, ...]
    links: tuple[tuple[int, int, int], ...]


def route(profile: Profile, quantity: int) -> Routing:
    """Operations and links that make quantity parts; raise DesignError when it is out of bounds.

    A step that yields n pieces runs ceil(quantity * count / n) times; a run serves every unit
    that takes one of its pieces, and links join runs that serve a unit in common.
    """
    if not profile.quantity_min <= quantity <= profile.quantity_max:
        bounds = f"{profile.quantity_min} to {profile.quantity_max}"
        raise fail(profile.part, "quantity", f"{quantity} is out of bounds", f"ask for {bounds}")
    runs = {step.step: -(-quantity * step.count // step.yields) for step in profile.steps}
    if sum(runs.values()) > MAX_OPERATIONS:
        message = f"{quantity} parts take {sum(runs.values())} operations"
        raise fail(profile.part, "quantity", message, "split the need")
    first: dict[str, int] = {}
    operations: list[RoutedOperation] = []
    for step in profile.steps:
        first[step.step] = len(operations)
        operations += [_operation(step, run, quantity) for run in range(runs[step.step])]
    by_name = {step.step: step for step in profile.steps}
    links: list[tuple[int, int, int]] = []
    for step in profile.steps:
        for name in step.after:
            joined = sorted(_joined(by_name[name], step, quantity).items())
            place, here = first[name], first[step.step]
            links += [(place + one, here + other, pieces) for (one, other), pieces in joined]
    return Routing(tuple(operations), tuple(links))


def _operation(step: Step, run: int, quantity: int) -> RoutedOperation:
    begin = run * step.yields
    return RoutedOperation(
        unit=begin // step.count,
        step=step.step,
        process=step.process,
        pieces=min(step.yields, quantity * step.count - begin),
        duration_s=step.duration_s,
        title=step.title,
        requires=step.requires,
        materials=step.materials,
        program=step.program,
        instructions=step.instructions,
        of=step,
    )


def _joined(before: Step, after: Step, quantity: int) -> dict[tuple[int, int], int]:
    """Pairs of runs that serve a unit in common, with the pieces the first hands to the second."""
    pairs: dict[tuple[int, int], int] = {}
    for unit in range(quantity):
        for one in _runs(before, unit):
            pairs.update(
                ((one, other), 0) for other in _runs(after, unit) if (one, other) not in pairs
            )
    for piece in range(quantity * before.count):
        taker = piece * after.count // before.count
        pairs[piece // before.yields, taker // after.yields] += 1
    return pairs


def _runs(step: Step, unit: int) -> range:
    """Runs whose pieces one unit takes."""
    return range(unit * step.count // step.yields, ((unit + 1) * step.count - 1) // step.yields + 1)

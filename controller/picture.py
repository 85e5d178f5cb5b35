"""The floor as a plan sees it, and the plan for it: values between store, planner and dispatching.

Times end ``_at`` and are integer ms UTC of the floor's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from controller.values import JobOrder, Json, LotBalance, Machine, Need, Operation

ENERGY = "energy"  # in the site's room: what a kWh costs, as it was sent


class Run(NamedTuple):
    """One ended run of an operation as it was measured; ``stated_s`` is what the design says."""

    need: str
    community: str
    design: str
    process: str
    step: str
    machine: str
    stated_s: int
    run_ms: int
    started_at: int
    ok: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """Operation to machine, from ``start_at`` to ``end_at``."""

    operation: str
    machine: str
    start_at: int
    end_at: int


@dataclass(frozen=True, slots=True)
class FloorPicture:
    """Everything a plan is made from, read at one instant ``at``; ``runs`` newest first.

    ``refused``: programs a machine must not run, by machine and SHA-256, why in words.
    ``energy``: the price curve that was sent, as it is kept (controller/joints/prices.py).
    """

    at: int
    needs: tuple[Need, ...]
    operations: tuple[Operation, ...]
    links: tuple[tuple[str, str], ...]
    machines: tuple[Machine, ...]
    orders: tuple[JobOrder, ...]
    lots: tuple[LotBalance, ...]
    runs: tuple[Run, ...] = ()
    energy: str = ""
    refused: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, dict[str, str]])


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """Assignments and, for every operation left out, why in words.

    ``cause`` says what made the plan change, ``causes`` the same for single operations; ``made``
    is how the plan came about and what it is worth, for people. ``loads`` says what to load for an
    operation whose machine lacks it; a lot must hold ``margin_permille`` more than is needed.
    """

    assignments: tuple[Assignment, ...]
    reasons: dict[str, str]
    cause: str = ""
    causes: dict[str, str] = field(default_factory=dict[str, str])
    made: Json = field(default_factory=dict[str, Any])
    loads: dict[str, str] = field(default_factory=dict[str, str])
    margin_permille: int = 0


@dataclass(frozen=True, slots=True)
class PlanChange:
    """One line of what a new plan moved, and why; seq only grows."""

    at: int
    operation: str
    need: str
    text: str
    why: str
    seq: int | None = None

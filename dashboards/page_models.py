"""JSON of the machine, materials and timeline pages; absent means "there is none".

Masses are integer mg, times integer ms UTC of the floor's clock (names end in ``_at``).
"""

from typing import NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from dashboards.models import LotView, MachineView
from dashboards.sentences import SaidView
from dashboards.story_models import AttemptView


class RanView(AttemptView):
    """One order in a machine's history."""

    id: str
    label: str
    need: str


class DueView(TypedDict):
    """Maintenance due by hours run; ``left_h`` is negative when it is overdue."""

    what: str
    every_h: int
    left_h: float
    last_at: NotRequired[int]


class UpkeepView(TypedDict):
    """Maintenance that was done, after how many hours of running."""

    what: str
    who: str
    note: str
    at: int
    run_h: float


class GivenView(TypedDict):
    """A command a person gave, and what became of it."""

    id: str
    do: str
    who: str
    at: int
    line: NotRequired[str]
    code: NotRequired[str]
    message: NotRequired[str]


class ProgramView(TypedDict):
    """The program of the order a machine holds."""

    sha256: str
    kind: str
    name: str
    size: int
    lines: NotRequired[int]


class MachinePage(TypedDict):
    """Everything people ask of one machine; ``run_h`` are hours run for orders in all."""

    at: int
    machine: MachineView
    link: str
    fw: str
    journal: str
    acked_s: int
    run_h: float
    capability: list[tuple[str, str]]
    orders: list[RanView]
    due: list[DueView]
    upkeep: list[UpkeepView]
    commands: list[GivenView]
    console: bool
    seen_at: NotRequired[int]
    boot: NotRequired[str]
    program: NotRequired[ProgramView]


class StockView(TypedDict):
    """One material: what is here, what open operations will still take, and below what to tell."""

    material: str
    left_mg: int
    pieces: int
    loaded_mg: int
    reserved_mg: int
    operations: int
    low_mg: NotRequired[int]
    low: NotRequired[bool]


class LotDetail(LotView):
    """A lot with when it last moved, what is drawn uncertainly, and what its code says."""

    code: str
    moved_at: NotRequired[int]
    uncertain_mg: NotRequired[int]
    reserved_by: NotRequired[str]


class MismatchView(TypedDict):
    """Two figures of the ledger that must be equal and are not."""

    subject: str
    what: str
    kept: int
    derived: int


class DiscrepancyView(TypedDict):
    """Figures of a job order that a person must look at."""

    order: str
    kind: str
    words: str
    expected_mg: int
    found_mg: int
    opened_at: int
    lot: NotRequired[str]
    resolved_at: NotRequired[int]
    resolved_by: NotRequired[str]
    note: NotRequired[str]


class PickView(TypedDict):
    """A cell took other pieces of a lot than planned; open until a person has counted the lot."""

    order: str
    lot: str
    planned: int
    taken: int
    at: int


class MaterialsPage(TypedDict):
    """Stock by material, every lot, and what does not add up."""

    at: int
    stock: dict[str, StockView]
    lots: dict[str, LotDetail]
    mismatches: list[MismatchView]
    picks: list[PickView]
    discrepancies: list[DiscrepancyView]


class BarView(TypedDict):
    """One piece of work in time: as planned, and as it happened or happens."""

    id: str
    need: str
    label: str
    community: str
    state: str
    start_at: NotRequired[int]
    end_at: NotRequired[int]
    began_at: NotRequired[int]
    ended_at: NotRequired[int]
    due_at: NotRequired[int]
    words: NotRequired[str]


class WaitView(TypedDict):
    """Work that has no place in time yet, and why in words."""

    id: str
    need: str
    label: str
    community: str
    reason: str
    said: NotRequired[SaidView]
    due_at: NotRequired[int]


class TimelinePage(TypedDict):
    """What each machine did, does and will do; what has no place yet, with the reason."""

    at: int
    rows: dict[str, list[BarView]]
    waits: list[WaitView]
    away: list[tuple[int, int]]


class MovedView(TypedDict):
    """A need whose expected end changes."""

    need: str
    label: str
    end_at: int
    end_without_at: int
    due_at: NotRequired[int]


class LoadView(TypedDict):
    """Materials a person would have to load, and in which machine, by name."""

    machine: str
    materials: list[str]


class WhatIfView(TypedDict):
    """The plan with a machine out, beside the plan as it is: needs whose end moves.

    ``operations`` are planned on the machine now; ``unplanned`` nobody else could do, their needs
    are not among ``moved`` and in no end; ``loads`` is what the other plan takes for granted.
    """

    machine: str
    operations: int
    moved: list[MovedView]
    unplanned: list[WaitView]
    loads: list[LoadView]
    end_at: NotRequired[int]
    end_without_at: NotRequired[int]

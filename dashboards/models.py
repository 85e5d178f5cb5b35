"""JSON the pages receive, as types: the OpenAPI document and the page's TypeScript come from here.

Absent means "there is none": no field is ever null, so that a delta can be a merge patch.
Masses are integer mg, times integer ms UTC of the floor's clock (names end in ``_at``).
"""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

MachineState = Literal[
    "ready",
    "starting",
    "running",
    "paused",
    "person",
    "clear",
    "fault",
    "stopped",
    "unknown",
    "silent",
    "maintenance",
]
AttentionKind = Literal[
    "fault",
    "stopped",
    "unknown",
    "quarantine",
    "clear",
    "pose",
    "person",
    "material",
    "held",
    "silent",
    "paused",
]


class MaterialView(TypedDict):
    """A lot loaded on a machine; ``needs_mg`` is the estimate for the whole order."""

    lot: str
    material: str
    left_mg: int
    colour: NotRequired[str]
    needs_mg: NotRequired[int]


class MachineView(TypedDict):
    """One tile of the floor.

    ``seen_at`` is present only while the machine is silent, ``out_at`` while a person has taken it
    out of use; ``settle`` is an ended order whose result no person recorded yet; ``robot``: how it
    stands with the cell that clears this bed.
    """

    id: str
    name: str
    kind: str
    state: MachineState
    saw: str
    why: NotRequired[str]
    seen_at: NotRequired[int]
    out_at: NotRequired[int]
    order: NotRequired[str]
    order_state: NotRequired[str]
    need: NotRequired[str]
    label: NotRequired[str]
    community: NotRequired[str]
    percent: NotRequired[int]
    started_at: NotRequired[int]
    eta_at: NotRequired[int]
    material: NotRequired[dict[str, MaterialView]]
    settle: NotRequired[str]
    robot: NotRequired[str]
    next: NotRequired[str]
    next_at: NotRequired[int]


class AttentionView(TypedDict):
    """A card: something only a person can end. ``blocked`` operations cannot go on without it."""

    kind: AttentionKind
    machine: str
    rank: int
    blocked: int
    saw: str
    since_at: NotRequired[int]
    order: NotRequired[str]
    label: NotRequired[str]
    text: NotRequired[str]
    lot: NotRequired[str]
    ch: NotRequired[int]
    operation: NotRequired[str]
    need: NotRequired[str]


class StepView(TypedDict):
    """The operations of one need that share a step of the work master, counted by state."""

    n: int
    process: str
    total: int
    done: NotRequired[int]
    active: NotRequired[int]
    waiting: NotRequired[int]
    reason: NotRequired[str]


class NeedView(TypedDict):
    """One row of the queue; ``order`` sorts it.

    ``home``: the other site it is made for; ``holder``: the one that makes it, "" while offered.
    """

    part: str
    community: str
    quantity: int
    cls: str
    state: str
    order: int
    created_at: int
    made: NotRequired[int]
    due_at: NotRequired[int]
    eta_at: NotRequired[int]
    reason: NotRequired[str]
    steps: NotRequired[dict[str, StepView]]
    home: NotRequired[str]
    holder: NotRequired[str]


class LotView(TypedDict):
    """A batch of material with its balance from the ledger."""

    material: str
    kind: str
    mass_mg: int
    pieces: NotRequired[int]
    colour: NotRequired[str]
    machine: NotRequired[str]
    ch: NotRequired[int]


class NoticeView(TypedDict):
    """One of the last events, in words."""

    at: int
    kind: str
    subject: str
    text: str


class RefusedView(TypedDict):
    """A message nobody could use, kept aside with the reason."""

    at: int
    topic: str
    code: str
    reason: str


class CountersView(TypedDict):
    """What went wrong and is not hidden."""

    dead_letters: int
    in_doubt: int
    open_needs: int
    unsent_events: int
    dropped: int


class DesignView(TypedDict):
    """A design people can ask for, with the parts it makes."""

    title: str
    parts: list[str]


class DrainedView(TypedDict):
    """Present while no new order is offered: who asked for it."""

    by: str


class FloorDocument(TypedDict):
    """The floor as a tree of rows: the merge patches of ``/api/events`` apply to this."""

    machines: dict[str, MachineView]
    attention: dict[str, AttentionView]
    needs: dict[str, NeedView]
    lots: dict[str, LotView]
    notices: dict[str, NoticeView]
    refused: dict[str, RefusedView]
    counters: CountersView
    communities: dict[str, str]
    designs: dict[str, DesignView]
    drain: NotRequired[DrainedView]


class FloorView(TypedDict):
    """Snapshot: the document, its position in the stream, the clock, and if a standby serves."""

    site: str
    seq: str
    at: int
    rate: int
    floor: FloorDocument
    standby: NotRequired[bool]


class ReadingView(TypedDict):
    """Last value of one telemetry field."""

    name: str
    unit: str
    value: int
    at: int
    meaning: str


class ReadingsView(TypedDict):
    """Last values of a machine and, when asked for, one field over time (columns for charts)."""

    machine: str
    at: int
    last: list[ReadingView]
    name: NotRequired[str]
    every_s: NotRequired[int]
    times_s: NotRequired[list[int]]
    low: NotRequired[list[int]]
    mean: NotRequired[list[int]]
    high: NotRequired[list[int]]


class SeriesView(TypedDict):
    """One field of one machine over time, in columns."""

    times_s: list[int]
    low: list[int]
    mean: list[int]
    high: list[int]


class FleetReadingsView(TypedDict):
    """One field of every machine that measures it, by five minutes."""

    name: str
    at: int
    every_s: int
    machines: dict[str, SeriesView]


class InfluxView(TypedDict):
    """The copy of telemetry in InfluxDB: off, ok, down or misconfigured; lines, and why."""

    state: str
    sent: int
    rejected: int
    dropped: int
    waiting_bytes: int
    error: str


class HealthView(TypedDict):
    """What a watchdog asks."""

    ok: bool
    at: int
    pages: int
    dropped: int
    feed_failures: int
    proxy_unnamed: bool
    influx: InfluxView

"""Values that the activities share: rows of the store as frozen records. No I/O, no clock.

Times end ``_at`` and are integer ms UTC; masses are mg, lengths um, durations named by unit.
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

NEED_STATES = ("stated", "accepted", "making", "delivered", "refused", "withdrawn")
NEED_CLASSES = ("floor", "normal", "urgent")
# "held": attempts are used up; a person must look before it is tried again
OPERATION_STATES = (
    "waiting",
    "ready",
    "planned",
    "ordered",
    "running",
    "inspecting",
    "held",
    "done",
    "cancelled",
)
MACHINE_KINDS = ("printer", "mill", "cell", "station")
STOCK_KINDS = ("spool", "plate", "stock")  # what is drawn from
LOT_KINDS = ("spool", "plate", "part", "scrap", "stock", "delivered")
MEASURES = ("measured", "uncertain", "estimated", "declared", "counted")


class StoreFailed(Exception):
    """The store itself failed (full disk, lost connection): the whole transaction is gone.

    Nobody but the writer may catch it: what came after it would be written outside a transaction.
    """


class Deposed(StoreFailed):
    """Another replica leads the site: whatever this one writes is refused."""


class Refused(Exception):
    """A person's request that cannot be done. Attributes: code, field, message (with the fix)."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(code, field, message)
        self.code = code
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


@dataclass(frozen=True, slots=True)
class Community:
    """Who states needs; need_weight is its share, by default its members."""

    id: str
    name: str
    members: int = 1
    need_weight: int = 1


@dataclass(frozen=True, slots=True)
class DesignRow:
    """One imported design; profile is the production profile as a document."""

    id: str
    version: str
    title: str
    license: str
    licensor: str
    manifest_sha: str
    manifest: Json
    profile: Json
    folder: str
    imported_at: int


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A checked machine program, by content.

    commands: name to [first line, why only a machine that allows it takes it]; None = not noted.
    """

    sha: str
    design: str
    name: str
    kind: str
    size: int
    path: str
    mass_mg: int | None = None
    duration_s: int | None = None
    lines: int | None = None
    checked_at: int | None = None
    commands: Json | None = None


@dataclass(frozen=True, slots=True)
class NeedRequest:
    """What a community asks for, before it is checked; key makes it idempotent."""

    key: str
    community: str
    design: str
    part: str
    quantity: int
    due_at: int | None = None
    need_class: str = "normal"
    note: str = ""
    stated_by: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """A stated need (vf:Intent) and how far it came; rank is its place in the allocation.

    ``reason`` says why it is where it is; ``accepted_because`` stays with it for the record.
    """

    id: str
    key: str
    community: str
    design: str
    part: str
    quantity: int
    due_at: int | None
    need_class: str
    note: str
    stated_by: str
    state: str
    reason: str
    created_at: int
    accepted_at: int | None = None
    delivered_at: int | None = None
    rank: int = 0
    accepted_because: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of making one unit of a need; reason says in words why it is not done.

    ``ways`` are alternatives, of which number ``way`` is taken; ``place`` is where its pieces lie
    or will lie, taking ``slots`` there; ``work`` is what a person does and finds.
    """

    id: str
    need: str
    unit: int
    step: str
    process: str
    requires: Json
    program_sha: str | None
    duration_s: int
    materials: list[Json]
    instructions: str
    state: str
    pieces: int = 1
    title: str = ""
    work_master: str = ""
    machine: str | None = None
    planned_start_at: int | None = None
    planned_end_at: int | None = None
    reason: str = ""
    attempts: int = 0
    done_at: int | None = None
    work: Json = field(default_factory=dict[str, Any])
    ways: list[Json] = field(default_factory=list[Json])
    way: int = 0
    slots: int = 1
    place: str | None = None


@dataclass(frozen=True, slots=True)
class JobOrder:
    """One attempt of an operation on one machine, fenced by its epoch ``ep``."""

    id: str
    operation: str
    machine: str
    ep: int
    state: str
    program_sha: str | None
    lots: list[Json]
    offered_at: int
    label: str = ""
    claim_jid: str | None = None
    claim_s: int | None = None
    claim_bn: str | None = None
    done_ppm: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    outcome_why: str = ""
    len_um: list[int] | None = None
    run_ms: int | None = None
    result: str | None = None
    resolved_by: str | None = None
    stop_asked_by: str | None = None
    settled_at: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as the controller knows it; want is the desired document last written."""

    id: str
    kind: str
    link: str
    name: str
    capability: Json
    url: str | None = None
    jid: str | None = None
    bn: str | None = None
    acked_s: int = 0
    state: str = "off"
    ready: bool = False
    online: bool = False
    order_id: str | None = None
    ep: int | None = None
    need_person: str = ""
    fw: str = ""
    last_seen_at: int | None = None
    want_rev: int = 0
    want: Json | None = None
    fault: str = ""
    quarantine: str = ""
    boots: list[str] | None = None
    stale_boots: int = 0


@dataclass(frozen=True, slots=True)
class Lot:
    """A batch of material or a part; where it is loaded is (machine, ch)."""

    id: str
    material: str
    kind: str
    unit_mg_per_piece: int | None = None
    ug_per_m: int | None = None
    colour: str = ""
    machine: str | None = None
    ch: int | None = None
    created_at: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """What the ledger says a lot holds."""

    lot: str
    mass_mg: int = 0
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class LotBalance:
    """A lot together with what the ledger says it holds."""

    lot: Lot
    mass_mg: int
    pieces: int


@dataclass(frozen=True, slots=True)
class Counter:
    """Last cumulative material counter a machine reported for a journal, channel and lot."""

    machine: str
    jid: str
    ch: int
    lot: str
    cum_mg: int
    unc_mg: int


@dataclass(frozen=True, slots=True)
class EconomicEvent:
    """One line of the ledger (vf:EconomicEvent); append-only, idempotent by key."""

    key: str
    action: str
    provider: str
    receiver: str
    happened_at: int
    lot: str | None = None
    to_lot: str | None = None
    mass_mg: int = 0
    pieces: int = 0
    duration_ms: int = 0
    created_at: int = 0
    order_id: str | None = None
    need: str | None = None
    operation: str | None = None
    measure: str = "measured"
    corrects: int | None = None
    note: str = ""
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A person's command to a machine and its answer."""

    id: str
    machine: str
    do: str
    body: Json
    who: str
    created_at: int
    answered_at: int | None = None
    ok: bool | None = None
    code: str = ""
    msg: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be understood; payload is its first 512 bytes as text."""

    topic: str
    payload: str
    code: str
    reason: str
    received_at: int
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for people and for the live feed; seq only grows."""

    seq: int
    at: int
    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Last value of one telemetry field of one machine."""

    machine: str
    name: str
    value: int
    at: int


@dataclass(frozen=True, slots=True)
class Rollup:
    """Five minutes of one telemetry field; ``at`` is the beginning."""

    machine: str
    at: int
    name: str
    min: int
    max: int
    sum: int
    n: int


@dataclass(frozen=True, slots=True)
class OpenCode:
    """A one-time code not used yet, as scrypt made it: its name and the key it seals with."""

    name: str
    machine: str
    key_hex: str
    ends_at: int

"""JSON of a need's story and of the public record of its parts; absent means "there is none".

``said`` is the sentence of ``reason`` or ``why`` by its code, where the catalogue has it.
"""

from typing import NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from dashboards.sentences import SaidView


class AttemptView(TypedDict):
    """What became of an order on a machine; measured and uncertain mass never share a field."""

    state: str
    words: str
    offered_at: int
    started_at: NotRequired[int]
    ended_at: NotRequired[int]
    run_ms: NotRequired[int]
    result: NotRequired[str]
    by: NotRequired[str]
    why: NotRequired[str]
    said: NotRequired[SaidView]
    measured_mg: NotRequired[int]
    uncertain_mg: NotRequired[int]


class OrderStory(AttemptView):
    """One attempt of an operation."""

    id: str
    machine: str
    ep: int
    percent: NotRequired[int]


class OperationStory(TypedDict):
    """One operation of a need with its attempts."""

    id: str
    unit: int
    step: str
    process: str
    state: str
    orders: list[OrderStory]
    reason: NotRequired[str]
    said: NotRequired[SaidView]
    machine: NotRequired[str]
    planned_start_at: NotRequired[int]
    planned_end_at: NotRequired[int]
    done_at: NotRequired[int]
    estimated_mg: NotRequired[int]
    instructions: NotRequired[str]


class LedgerLine(TypedDict):
    """One economic event."""

    id: int
    action: str
    happened_at: int
    provider: str
    receiver: str
    measure: str
    lot: NotRequired[str]
    to_lot: NotRequired[str]
    mass_mg: NotRequired[int]
    pieces: NotRequired[int]
    duration_ms: NotRequired[int]
    order: NotRequired[str]
    need: NotRequired[str]
    note: NotRequired[str]


class NeedStory(TypedDict):
    """A need from its statement to the delivered parts."""

    id: str
    part: str
    design: str
    community: str
    quantity: int
    cls: str
    state: str
    stated_by: str
    created_at: int
    made: int
    operations: list[OperationStory]
    lines: list[LedgerLine]
    title: NotRequired[str]
    license: NotRequired[str]
    licensor: NotRequired[str]
    note: NotRequired[str]
    reason: NotRequired[str]
    said: NotRequired[SaidView]
    due_at: NotRequired[int]
    eta_at: NotRequired[int]
    accepted_at: NotRequired[int]
    delivered_at: NotRequired[int]


class PartStepView(TypedDict):
    """One attempt that ran: on which machine, what it took as measured, who tended, the verdict."""

    operation: str
    unit: int
    step: str
    process: str
    machine: str
    order: str
    words: str
    tended_by: list[str]
    started_at: NotRequired[int]
    ended_at: NotRequired[int]
    run_ms: NotRequired[int]
    program_sha256: NotRequired[str]
    measured_mg: NotRequired[int]
    uncertain_mg: NotRequired[int]
    inspection: NotRequired[str]
    inspected_by: NotRequired[str]


class PartView(TypedDict):
    """The public record of the parts made for a need."""

    need: str
    part: str
    quantity: int
    community: str
    state: str
    stated_by: str
    stated_at: int
    design: str
    steps: list[PartStepView]
    delivered: list[LedgerLine]
    credits: list[LedgerLine]
    accepted_at: NotRequired[int]
    accepted_because: NotRequired[str]
    title: NotRequired[str]
    version: NotRequired[str]
    license: NotRequired[str]
    licensor: NotRequired[str]
    manifest_sha256: NotRequired[str]

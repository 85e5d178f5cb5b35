"""JSON of the schedule: planned and actual times, reasons in words, what plans moved and why.

Times are integer ms UTC of the floor's clock (names end in ``_at``); absent means there is none.
"""

from typing import NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from dashboards.sentences import SaidView


class PlannedOperation(TypedDict):
    """One operation: where and when it is planned, when it really ran, and why it waits.

    ``reason`` is the one thing that binds it, ``said`` the same by its code; ``starts`` its
    earliest start in words; ``takes`` its duration in words with the error and the runs it rests
    on; ``late_ms`` = planned (or actual) end past the due of its need.
    """

    id: str
    need: str
    part: str
    community: str
    step: str
    process: str
    state: str
    cls: str
    machine: NotRequired[str]
    planned_start_at: NotRequired[int]
    planned_end_at: NotRequired[int]
    started_at: NotRequired[int]
    ended_at: NotRequired[int]
    due_at: NotRequired[int]
    late_ms: NotRequired[int]
    reason: NotRequired[str]
    said: NotRequired[SaidView]
    starts: NotRequired[str]
    takes: NotRequired[str]


class PlanChangeView(TypedDict):
    """What a new plan moved, and why."""

    seq: int
    at: int
    operation: str
    need: str
    text: str
    why: str


class PlanProblemView(TypedDict):
    """Input that cannot be planned as it stands; names its operation where there is one."""

    operation: str
    code: str
    text: str


class PlanWorth(TypedDict):
    """What the plan is worth, in the order in which plans are compared; 0 is best.

    ``energy_cost``: thousandths of the unit of the site's energy curve; 0 without one.
    """

    unplanned: int
    late_hard_s: int
    late_urgent: int
    weighted_tardiness: int
    setup_s: int
    energy_cost: NotRequired[int]
    energy_wh: int
    makespan_s: int


class ScheduleView(TypedDict):
    """The plan in force. ``by``: kept, rule or search; ``search``: off, loading, idle or busy.

    ``lost`` counts search processes that died or hung; the rule decided meanwhile.
    """

    at: int
    by: NotRequired[str]
    made_at: NotRequired[int]
    search: NotRequired[str]
    lost: NotRequired[int]
    worth: NotRequired[PlanWorth]
    machines: dict[str, str]
    operations: list[PlannedOperation]
    changes: list[PlanChangeView]
    problems: list[PlanProblemView]

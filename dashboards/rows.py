"""All a floor page is made of, as values of the controller read at one instant, and its indices."""

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from controller.joints.handovers import Bed
from controller.upkept import MachineOut
from controller.values import (
    Community,
    DeadLetter,
    JobOrder,
    LotBalance,
    Machine,
    Need,
    Notice,
    Operation,
)

HELD = ("GRANTED", "RUNNING", "PAUSED", "IN_DOUBT", "UNKNOWN", "OFFERED", "CLAIMED")


class Rows(NamedTuple):
    """Orders are those not ended and the last of each machine; needs the open and the newest.

    ``homes``: whose need it is, where another site's; ``holders``: who makes it for us, "" = nobody
    yet. ``progress`` is ppm by order from telemetry, which is newer than the order's own. ``beds``:
    printers whose bed a cell clears; ``drained_by``: who let the controller run dry, "" = nobody.
    """

    at: int
    machines: tuple[Machine, ...] = ()
    orders: tuple[JobOrder, ...] = ()
    operations: tuple[Operation, ...] = ()
    needs: tuple[Need, ...] = ()
    lots: tuple[LotBalance, ...] = ()
    notices: tuple[Notice, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    dead_letter_count: int = 0
    dropped: int = 0
    unsent_events: int = 0
    progress: Mapping[str, int] = MappingProxyType({})
    communities: tuple[Community, ...] = ()
    designs: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    out: Mapping[str, MachineOut] = MappingProxyType({})
    homes: Mapping[str, str] = MappingProxyType({})
    holders: Mapping[str, str] = MappingProxyType({})
    beds: Mapping[str, Bed] = MappingProxyType({})
    drained_by: str = ""


class Floor(NamedTuple):
    """Rows with the indices every view needs."""

    rows: Rows
    needs: Mapping[str, Need]
    operations: Mapping[str, Operation]
    by_need: Mapping[str, list[Operation]]
    held: Mapping[str, JobOrder]
    last: Mapping[str, JobOrder]
    loaded: Mapping[str, list[LotBalance]]
    planned: Mapping[str, Operation]
    communities: Mapping[str, str]
    rate: int


def index(rows: Rows, rate: int = 1) -> Floor:
    """Index rows by what they belong to; rate = floor seconds per second of the heartbeats."""
    by_need: dict[str, list[Operation]] = defaultdict(list)
    planned: dict[str, Operation] = {}
    for op in rows.operations:
        by_need[op.need].append(op)
        if op.state == "planned" and op.machine:
            first = planned.get(op.machine)
            if first is None or (op.planned_start_at or 0) < (first.planned_start_at or 0):
                planned[op.machine] = op
    loaded: dict[str, list[LotBalance]] = defaultdict(list)
    for lot in rows.lots:
        if lot.lot.machine:
            loaded[lot.lot.machine].append(lot)
    held: dict[str, JobOrder] = {}
    last: dict[str, JobOrder] = {}
    for order in sorted(rows.orders, key=lambda o: o.ep):
        last[order.machine] = order
        if order.state in HELD:
            held[order.machine] = order
    return Floor(
        rows,
        {n.id: n for n in rows.needs},
        {o.id: o for o in rows.operations},
        by_need,
        held,
        last,
        loaded,
        planned,
        {c.id: c.name for c in rows.communities},
        rate,
    )

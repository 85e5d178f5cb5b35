"""The public record of a need's parts as JSON."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller.adapters.store import Tx
from controller.commons.records import OrderDiscrepancy
from controller.tracking import PartRecord, record_of
from controller.values import Need
from dashboards.asks import Ask, Id, Name
from dashboards.commons_models import NeedRoundView
from dashboards.page_models import DiscrepancyView
from dashboards.story import part_view
from dashboards.story_models import PartView


class ContributorView(TypedDict):
    """Somebody credited: licensor, contributor of the design, or who tended its making."""

    name: str
    why: str


class RecordView(PartView):
    """Everything public about the parts of a need, with what rounds decided and who is credited.

    ``energy_mwh`` is measured at machines with a power meter, absent where none was measured.
    """

    decisions: list[NeedRoundView]
    contributors: list[ContributorView]
    measured_mg: int
    uncertain_mg: int
    page: str
    energy_mwh: NotRequired[int]


class SettleAsk(Ask):
    """A person's word on a discrepancy; without ``weighed_mg`` it is as the machine reported."""

    kind: Id = "mass"
    who: Name = "someone at the page"
    weighed_mg: int | None = None


def discrepancy_view(found: OrderDiscrepancy) -> DiscrepancyView:
    """One discrepancy as JSON."""
    view: DiscrepancyView = {
        "order": found.order_id,
        "kind": found.kind,
        "words": found.words,
        "expected_mg": found.expected_mg,
        "found_mg": found.found_mg,
        "opened_at": found.opened_at,
    }
    if found.lot is not None:
        view["lot"] = found.lot
    if found.resolved_at is not None:
        view["resolved_at"] = found.resolved_at
        view["resolved_by"] = found.resolved_by
        view["note"] = found.note
    return view


def record_view(tx: Tx, need: Need) -> RecordView:
    """The record of a need's parts."""
    record = record_of(tx, need)
    view: RecordView = {
        **part_view(record),
        "decisions": [
            {"round": d.round, "state": d.state, "stage": d.stage, "reason": d.reason}
            for d in tx.rounds.decided(need.id)
        ],
        "contributors": [{"name": line.provider, "why": line.note} for line in record.credits()],
        "measured_mg": sum(a.measured_mg for s in record.steps for a in s.attempts),
        "uncertain_mg": sum(a.uncertain_mg for s in record.steps for a in s.attempts),
        "page": f"/records/{need.id}",
    }
    energy = _energy_mwh(tx, record)
    if energy is not None:
        view["energy_mwh"] = energy
    return view


def _energy_mwh(tx: Tx, record: PartRecord) -> int | None:
    """Energy by five-minute means of power while orders ran; None where nothing was measured."""
    total, measured = 0, False
    for order in (attempt.order for step in record.steps for attempt in step.attempts):
        if order.started_at is None or order.ended_at is None:
            continue
        begin = order.started_at - 300_000
        for row in tx.telemetry.rollups(order.machine, "power_mw", begin):
            inside = min(row.at + 300_000, order.ended_at) - max(row.at, order.started_at)
            if inside > 0 and row.n:
                measured = True
                total += row.sum * inside // row.n
    return total // 3_600_000 if measured else None

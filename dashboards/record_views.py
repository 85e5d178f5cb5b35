"""The public record of a need's parts as JSON and as a page that needs no script."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
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
from dashboards.story_models import PartStepView, PartView

STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #8885; padding: .35rem .5rem; text-align: left }
.wide { overflow-x: auto } .wide td { white-space: nowrap }
.links a { display: inline-block; min-height: 24px; margin-right: 1.5rem }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } a { color: #9cf } }
"""


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


def page(view: RecordView) -> str:
    """The record as a page."""
    title = f"{view['quantity']} × {view.get('title', view['part'])}"
    rows = "".join(_row(step) for step in view["steps"])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/records/style.css">'
        f"<h1>{escape(title)}</h1>{_facts(view)}"
        '<h2>How it was made</h2><div class="wide" tabindex="0"><table>'
        "<tr><th>step<th>piece<th>machine<th>from<th>material<th>tended by<th>inspection</tr>"
        f"{rows}</table></div>"
        f"<h2>Decided</h2><ul>{_items(d['round'] + ': ' + d['reason'] for d in view['decisions'])}"
        "</ul><h2>Credited</h2><ul>"
        f"{_items(c['name'] + ': ' + c['why'] for c in view['contributors'])}</ul>"
        f'<p class="links"><a href="/records/{escape(view["need"])}/label.pdf">Label (PDF)</a> '
        f'<a href="/records/{escape(view["need"])}/label.png">QR code (PNG)</a> '
        f'<a href="/api/records/{escape(view["need"])}">As JSON</a></p></html>'
    )


def _facts(view: RecordView) -> str:
    energy = f"{view['energy_mwh'] / 1000:.1f} Wh" if "energy_mwh" in view else "not measured"
    mass = f"{view['measured_mg'] / 1000:.3f} g measured"
    if view["uncertain_mg"]:
        mass += f", {view['uncertain_mg'] / 1000:.3f} g uncertain"
    facts = (
        ("need", f"{view['need']}, stated {_day(view['stated_at'])} by {view['community']}"),
        ("state", view["state"]),
        ("accepted because", view.get("accepted_because", "-")),
        ("design", f"{view['design']} {view.get('version', '')}, {view.get('license', '')}"),
        ("material", mass),
        ("energy", energy),
        ("delivered", ", ".join(_day(line["happened_at"]) for line in view["delivered"]) or "-"),
    )
    return "<table>" + "".join(f"<tr><th>{k}<td>{escape(v)}" for k, v in facts) + "</table>"


def _row(step: PartStepView) -> str:
    mass = step.get("measured_mg", 0)
    cells = (
        step["step"],
        step["unit"] + 1,
        step["machine"],
        _day(step["started_at"]) if "started_at" in step else "-",
        f"{mass / 1000:.3f} g" if mass else "-",
        ", ".join(step["tended_by"]) or "-",
        f"{step.get('inspection', '-')} by {step.get('inspected_by', '-')}",
    )
    return "<tr>" + "".join(f"<td>{escape(str(cell))}" for cell in cells)


def _items(texts: Iterable[str]) -> str:
    return "".join(f"<li>{escape(text)}" for text in texts) or "<li>nothing yet"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def label_words(view: RecordView) -> list[str]:
    """Lines of a part's label."""
    delivered = view["delivered"]
    return [
        view.get("title", view["part"]),
        f"need {view['need']}, {view['quantity']} {'piece' if view['quantity'] == 1 else 'pieces'}",
        f"for {view['community']}",
        f"{view['measured_mg'] / 1000:.1f} g, {view.get('license', '')}",
        _day(delivered[-1]["happened_at"]) if delivered else view["state"],
    ]

"""Did the floor keep its promises? Ledger and orders against what the machines physically did.

Pure: rows of the store and the machines' own truth in, findings out. A finding is a sentence; none
means that every need was delivered, every order ended once, and every milligram is accounted for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.adapters.store import Tx
from controller.joints.handovers import ERRAND
from controller.ledger.balance import check
from controller.values import STOCK_KINDS, EconomicEvent, JobOrder, LotBalance, Machine, Need
from protocols.filament import mass_mg
from protocols.isa95 import parse_job_id
from protocols.orders import FINAL

Truths = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """What the store holds at the end."""

    needs: tuple[Need, ...]
    orders: tuple[JobOrder, ...]
    machines: tuple[Machine, ...]
    lots: tuple[LotBalance, ...]
    events: tuple[EconomicEvent, ...]
    discrepancies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MassLine:
    """Filament or stock of one machine: what it physically drew and what the ledger consumed."""

    machine: str
    physical_mg: int
    ledger_mg: int
    uncertain_mg: int


def rows_of(tx: Tx) -> Rows:
    """Everything a verdict is made from."""
    return Rows(
        needs=tuple(tx.needs.all()),
        orders=tuple(tx.orders.all()),
        machines=tuple(tx.machines.all()),
        lots=tuple(tx.lots.balances()),
        events=tuple(tx.ledger.all()),
        discrepancies=tuple(map(str, check(tx))),
    )


def findings(rows: Rows, truths: Truths) -> list[str]:
    """Everything that is not as promised, in sentences."""
    found = [f"the ledger does not balance: {text}" for text in rows.discrepancies]
    for need in rows.needs:
        if need.state != "delivered":
            found.append(f"need {need.id} is {need.state}: {need.reason or 'no reason given'}")
    for order in rows.orders:
        if order.state not in FINAL:
            found.append(f"job order {order.id} on {order.machine} is still {order.state}")
    found += _starts(rows, truths)
    for line in mass_lines(rows, truths):
        off_mg = line.ledger_mg - line.physical_mg
        if not 0 <= off_mg <= line.uncertain_mg:
            found.append(
                f"{line.machine} physically drew {line.physical_mg} mg, the ledger says "
                f"{line.ledger_mg} mg of which {line.uncertain_mg} mg are uncertain"
            )
    return found


def _starts(rows: Rows, truths: Truths) -> list[str]:
    """Every physical start belongs to one started order; every success physically happened.

    A printer tells the label of each program it was given; a start that was cut short by a fault
    or a power cut may have reached it or not.
    """
    kinds = {machine.id: machine.kind for machine in rows.machines}
    found: list[str] = []
    for machine in sorted(truths):
        orders = [o for o in rows.orders if o.machine == machine and o.started_at is not None]
        kind = kinds.get(machine, "")
        physical = _physical(kind, truths[machine])
        started = Counter(_name(kind, order) for order in orders)
        ended = Counter(_name(kind, order) for order in orders if order.state == "SUCCEEDED")
        for name in sorted(set(physical) | set(started)):
            if not ended[name] <= physical[name] <= started[name]:
                what = f" {name}" if name else ""
                found.append(
                    f"{machine} physically ran {physical[name]} programs{what} "
                    f"for {started[name]} started orders, {ended[name]} of them succeeded"
                )
    return found


def _name(kind: str, order: JobOrder) -> str:
    return {"printer": order.label, "cell": order.id}.get(kind, "")


def _physical(kind: str, truth: Mapping[str, Any]) -> Counter[str]:
    if kind == "printer":
        return Counter(str(program.get("label", "")) for program in truth["programs"])
    if kind == "mill":
        return Counter({"": int(truth["programs_ended"])})
    starts: Counter[str] = Counter()
    for job_id, count in truth["starts"].items():
        known = parse_job_id(job_id)
        if known is not None and known[0].startswith(ERRAND):
            continue  # an errand of its own: no need asked for it
        starts[known[0] if known else job_id] += int(count)
    return starts


def mass_lines(rows: Rows, truths: Truths) -> list[MassLine]:
    """Mass drawn by each printer and mill, physically and in the ledger."""
    kind_of = {machine.id: machine.kind for machine in rows.machines}
    lots = {held.lot.id: held.lot for held in rows.lots}
    lines: list[MassLine] = []
    for machine in sorted(truths):
        loaded = [lot for lot in lots.values() if lot.machine == machine]
        drawn = [
            event
            for event in rows.events
            if event.action == "consume" and event.provider == machine and _is_stock(event, lots)
        ]
        if kind_of.get(machine) == "printer" and loaded:
            nm = sum(truths[machine]["extruded_nm_by_tool"])
            physical = mass_mg(nm, loaded[0].ug_per_m or 0)
        elif kind_of.get(machine) == "mill" and loaded:
            physical = int(truths[machine]["pieces"]) * (loaded[0].unit_mg_per_piece or 0)
        else:
            continue
        lines.append(
            MassLine(
                machine,
                physical,
                sum(event.mass_mg for event in drawn),
                sum(event.mass_mg for event in drawn if event.measure == "uncertain"),
            )
        )
    return lines


def _is_stock(event: EconomicEvent, lots: Mapping[str, Any]) -> bool:
    lot = lots.get(event.lot or "")
    return lot is not None and lot.kind in STOCK_KINDS


def lead_times(needs: Iterable[Need]) -> dict[str, tuple[int, float]]:
    """Needs delivered and mean seconds from statement to delivery, by community."""
    totals: dict[str, tuple[int, int]] = {}
    for need in needs:
        if need.delivered_at is not None:
            count, total = totals.get(need.community, (0, 0))
            waited = need.delivered_at - need.created_at
            totals[need.community] = (count + 1, total + waited)
    return {name: (count, total / count / 1000) for name, (count, total) in totals.items()}

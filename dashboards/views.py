"""Rows of the store to the floor document: pure, no clock, no I/O.

Values are rounded to what a person can read (percent, grams, minutes), so that a change nobody
can see costs no byte on the wire.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from controller.commands import saw
from controller.handover import HANDOVER
from controller.links import HANDS
from controller.values import JobOrder, LotBalance, Machine, Need, Operation
from dashboards.attention import attention
from dashboards.models import (
    CountersView,
    FloorDocument,
    LotView,
    MachineState,
    MachineView,
    MaterialView,
    NeedView,
    StepView,
)
from dashboards.rows import Floor, Rows, index

SILENT_AFTER_MS = 50_000  # three heartbeats of 15 s and the way
MINUTE_MS = 60_000
GRAM_MG = 1_000
MAX_NEEDS = 300
CLASS_RANK = {"urgent": 0, "normal": 1, "floor": 2}
DONE = ("done", "cancelled")
ACTIVE = ("ordered", "running", "inspecting")


def floor_document(rows: Rows, rate: int = 1) -> FloorDocument:
    """The whole document of a page."""
    floor = index(rows, rate)
    machines = {m.id: machine_view(floor, m) for m in rows.machines}
    document: FloorDocument = {
        "machines": machines,
        "attention": attention(floor, machines),
        "needs": {n.id: need_view(floor, n) for n in rows.needs[:MAX_NEEDS]},
        "lots": {b.lot.id: lot_view(b) for b in rows.lots},
        "notices": {
            str(n.seq): {"at": n.at, "kind": n.kind, "subject": n.subject, "text": n.text}
            for n in rows.notices
        },
        "refused": {
            str(d.id): {"at": d.received_at, "topic": d.topic, "code": d.code, "reason": d.reason}
            for d in rows.dead_letters
        },
        "counters": counters(rows),
        "communities": {c.id: c.name for c in rows.communities},
        "designs": {d: {"title": title, "parts": list(parts)} for d, title, parts in rows.designs},
    }
    if rows.drained_by:
        document["drain"] = {"by": rows.drained_by}
    return document


def counters(rows: Rows) -> CountersView:
    """Totals that must not hide."""
    return {
        "dead_letters": rows.dead_letter_count,
        "in_doubt": sum(o.state in ("IN_DOUBT", "UNKNOWN") for o in rows.orders),
        "open_needs": sum(n.state in ("stated", "accepted", "making") for n in rows.needs),
        "unsent_events": rows.unsent_events,
        "dropped": rows.dropped,
    }


def machine_view(floor: Floor, machine: Machine) -> MachineView:
    """One tile."""
    order = floor.held.get(machine.id)
    view: MachineView = {
        "id": machine.id,
        "name": machine.name or machine.id,
        "kind": machine.kind,
        "state": shown_state(floor, machine, order),
        "saw": saw(machine),
    }
    if view["state"] == "silent" and machine.last_seen_at:
        view["seen_at"] = machine.last_seen_at
    out = floor.rows.out.get(machine.id)
    if out is not None:
        view["out_at"] = out.since_at
    why = machine.quarantine or (out.why if out else "") or machine.fault or machine.need_person
    if why and view["state"] != "clear":  # the state says it all
        view["why"] = why
    if order is not None:
        _add_order(floor, view, order)
    _add_settle(floor, view, machine)
    material = materials(floor, machine, order)
    if material:
        view["material"] = material
    planned = floor.planned.get(machine.id)
    if planned is not None:
        view["next"] = label(floor.needs.get(planned.need), planned)
        if planned.planned_start_at:
            view["next_at"] = _forecast(planned.planned_start_at, floor.rate)
    return view


def _add_settle(floor: Floor, view: MachineView, machine: Machine) -> None:
    """The order whose result a person must judge, on the bed or at a station; who clears it."""
    bed = floor.rows.beds.get(machine.id)
    if bed is not None and bed.state not in ("clear", "printing"):
        view["robot"] = f"{bed.cell} clears this bed: {HANDOVER[bed.state][0]}"
    order, last = floor.held.get(machine.id), floor.last.get(machine.id)
    if order is not None:
        if machine.link in HANDS:  # done when the person says so
            view["settle"] = order.id
    elif last is not None and last.state == "SUCCEEDED" and not last.settled_at:
        view["settle"] = last.id
        view["label"] = _label_of(floor, last)


def _add_order(floor: Floor, view: MachineView, order: JobOrder) -> None:
    view["order"] = order.id
    view["order_state"] = order.state
    op = floor.operations.get(order.operation)
    view["label"] = _label_of(floor, order)
    if op is not None:
        need = floor.needs.get(op.need)
        view["need"] = op.need
        if need is not None:
            view["community"] = floor.communities.get(need.community, need.community)
    if order.started_at:
        view["percent"] = max(order.done_ppm, floor.rows.progress.get(order.id, 0)) // 10_000
        view["started_at"] = order.started_at
        end_at = eta_at(order, op)
        if end_at:
            view["eta_at"] = end_at


def eta_at(order: JobOrder, op: Operation | None) -> int:
    """Expected end, ms UTC rounded up to the minute: the work master's duration; 0 if unknown."""
    if op is None or not op.duration_s or not order.started_at:
        return 0
    return _minute(order.started_at + op.duration_s * 1000 + MINUTE_MS - 1)


def shown_state(floor: Floor, machine: Machine, order: JobOrder | None) -> MachineState:
    """The one word a tile shows: the worst thing that is true of the machine."""
    # MQTT machines beat; of the others the controller alone knows when they are silent
    age_ms = floor.rows.at - (machine.last_seen_at or 0) if machine.link == "mqtt" else 0
    worst: tuple[tuple[bool, MachineState], ...] = (
        (machine.id in floor.rows.out and order is None, "maintenance"),
        (not machine.online or age_ms > SILENT_AFTER_MS * floor.rate, "silent"),
        (bool(machine.quarantine) or machine.state == "maintenance", "maintenance"),
        (bool(machine.fault) or machine.state == "fault", "fault"),
        (machine.state == "stopped", "stopped"),
        (order is not None and order.state in ("IN_DOUBT", "UNKNOWN"), "unknown"),
        (machine.state == "paused", "paused"),
        (machine.state == "busy" and machine.link in HANDS, "person"),
        (machine.state == "busy", "running"),
        (not machine.ready, "clear"),
        (machine.state == "off", "silent"),  # who drives it is heard, it does not answer
        (order is not None, "starting"),
    )
    for true, state in worst:
        if true:
            return state
    return "ready"


def materials(floor: Floor, machine: Machine, order: JobOrder | None) -> dict[str, MaterialView]:
    """Lots loaded on a machine by channel, with what the held order needs of each."""
    op = floor.operations.get(order.operation) if order is not None else None
    asked = _asked_mg(op.materials) if op is not None else {}
    out: dict[str, MaterialView] = {}
    for lot in sorted(floor.loaded.get(machine.id, ()), key=lambda item: item.lot.ch or 0):
        item: MaterialView = {
            "lot": lot.lot.id,
            "material": lot.lot.material,
            "left_mg": lot.mass_mg // GRAM_MG * GRAM_MG,
        }
        if lot.lot.colour:
            item["colour"] = lot.lot.colour
        if lot.lot.material in asked:
            item["needs_mg"] = asked[lot.lot.material]
        out[str(lot.lot.ch or 0)] = item
    return out


def _asked_mg(wanted: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    asked: dict[str, int] = defaultdict(int)
    for item in wanted:
        if item.get("mass_mg"):
            asked[str(item["material"])] += int(item["mass_mg"])
    return asked


def label(need: Need | None, op: Operation) -> str:
    """What people call an operation: part, its number, step."""
    if need is None:
        return op.step
    number = f" {op.unit + 1}/{need.quantity}" if need.quantity > 1 else ""
    return f"{need.part}{number} · {op.step}"


def _label_of(floor: Floor, order: JobOrder) -> str:
    op = floor.operations.get(order.operation)
    if order.label or op is None:
        return order.label or order.id
    return label(floor.needs.get(op.need), op)


def need_view(floor: Floor, need: Need) -> NeedView:
    """One row of the queue."""
    operations = floor.by_need.get(need.id, [])
    view: NeedView = {
        "part": need.part,
        "community": floor.communities.get(need.community, need.community),
        "quantity": need.quantity,
        "cls": need.need_class,
        "state": need.state,
        "order": CLASS_RANK.get(need.need_class, 1),
        "created_at": need.created_at,
    }
    if need.due_at:
        view["due_at"] = need.due_at
    if need.reason and need.state not in ("accepted", "making"):
        view["reason"] = need.reason
    if need.id in floor.rows.homes:
        view["home"] = floor.rows.homes[need.id]
    if need.id in floor.rows.holders:
        view["holder"] = floor.rows.holders[need.id]
    if operations:
        view["made"] = made(operations)
        view["steps"] = steps(operations)
        end_at = max(op.planned_end_at or 0 for op in operations)
        if end_at:
            view["eta_at"] = _forecast(end_at, floor.rate)
    return view


def made(operations: Iterable[Operation]) -> int:
    """Units of a need whose every operation is done."""
    units: dict[int, bool] = {}
    for op in operations:
        units[op.unit] = units.get(op.unit, True) and op.state == "done"
    return sum(units.values())


def steps(operations: Iterable[Operation]) -> dict[str, StepView]:
    """Operations of one need grouped by step; the reason is the one most of them wait for."""
    groups: dict[str, list[Operation]] = defaultdict(list)
    for op in operations:
        groups[op.step].append(op)
    return {name: _step(n, groups[name]) for n, name in enumerate(groups)}


def _step(n: int, operations: list[Operation]) -> StepView:
    waiting = [op for op in operations if op.state not in DONE and op.state not in ACTIVE]
    view: StepView = {"n": n, "process": operations[0].process, "total": len(operations)}
    done = sum(op.state == "done" for op in operations)
    active = sum(op.state in ACTIVE for op in operations)
    if done:
        view["done"] = done
    if active:
        view["active"] = active
    if waiting:
        view["waiting"] = len(waiting)
        view["reason"] = reason(waiting)
    return view


def reason(waiting: list[Operation]) -> str:
    """Why these wait, in words, never empty: what most of those wait for that have no machine."""
    count: dict[str, int] = defaultdict(int)
    for op in [op for op in waiting if op.state != "planned"] or waiting:
        count[op.reason or _derived(op)] += 1
    return max(count, key=lambda text: (count[text], text))


def _derived(op: Operation) -> str:
    if op.state == "planned" and op.machine:
        return f"planned next on {op.machine}"
    if op.state == "ready":
        return "waits to be given a machine"
    return "waits for the step before it"


def lot_view(balance: LotBalance, step_mg: int = GRAM_MG) -> LotView:
    """One row of the lots table, its balance rounded down to ``step_mg``."""
    lot = balance.lot
    view: LotView = {
        "material": lot.material,
        "kind": lot.kind,
        "mass_mg": balance.mass_mg // step_mg * step_mg,
    }
    if balance.pieces:
        view["pieces"] = balance.pieces
    if lot.colour:
        view["colour"] = lot.colour
    if lot.machine:
        view["machine"] = lot.machine
        view["ch"] = lot.ch or 0
    return view


def _minute(at: int) -> int:
    return at // MINUTE_MS * MINUTE_MS


def _forecast(at: int, rate: int) -> int:
    """A planned time, rounded up: each new plan moves it a little, which nobody needs to see."""
    step_ms = (5 if rate < 10 else 15) * MINUTE_MS
    return -(-at // step_ms) * step_ms

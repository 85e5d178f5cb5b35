"""Dispatching: which planned operation is offered to which machine now, and the desired documents.

Pure decisions over a picture of the floor (``decide``), then their storage (``offer``), and the
level-triggered document per machine (``settle_want``). A new epoch is never given to an operation
whose order is bound; silence never sends anything again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller import keeping
from controller.gcode_rules import refused_by, rules_of
from controller.picture import Assignment, FloorPicture
from controller.places import Room
from controller.values import JobOrder, Json, LotBalance, Machine, Operation, ProgramRow, Refused
from protocols.orders import FINAL, step

if TYPE_CHECKING:
    from controller.adapters.store import Tx

BACKOFF_MS = 60_000
MAX_BACKOFF_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Offer:
    """An operation to offer to a machine, with the lots it draws from and where its pieces go."""

    operation: Operation
    machine: str
    lots: list[Json]
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """Offers to make now, and why every other planned operation waits, in words."""

    offers: list[Offer]
    reasons: dict[str, str]


@dataclass(frozen=True, slots=True)
class WantContext:
    """What documents are built with: the term and where programs are served."""

    term: int
    programs_url: str


def decide(
    picture: FloorPicture,
    assignments: Iterable[Assignment],
    held_until: dict[str, int],
    room: Room | None = None,
    barred: Mapping[str, str] | None = None,
    margin_permille: int = 0,
) -> Decisions:
    """Offers for free machines in order of planned start; ``held_until`` is by operation.

    barred: machines that take no order for another reason than their own, in words. A lot must
    hold ``margin_permille`` more than an operation draws from it.
    """
    machines = {m.id: m for m in picture.machines}
    operations = {op.id: op for op in picture.operations}
    taken = {o.machine: o for o in picture.orders if o.state not in FINAL}
    decisions = Decisions([], {})
    for item in sorted(assignments, key=lambda a: (a.start_at, a.operation)):
        operation, machine = operations.get(item.operation), machines.get(item.machine)
        if operation is None or machine is None or operation.state not in ("ready", "planned"):
            continue
        reason = (barred or {}).get(machine.id, "") or why_busy(machine, taken)
        reason = reason or refused_by(picture.refused, operation, machine.id)
        reason = reason or _why_held(operation, held_until, picture.at)
        lots: list[Json] = []
        if not reason:
            lots, reason = find_lots(operation, machine, picture, margin_permille)
        if not reason and room is not None:
            reason = room.why_not(operation.id)
        if reason:
            decisions.reasons[operation.id] = reason
            continue
        place = room.take(operation.id) if room is not None else None
        decisions.offers.append(Offer(operation, machine.id, lots, place))
        taken[machine.id] = _placeholder(operation, machine)
    return decisions


def _placeholder(operation: Operation, machine: Machine) -> JobOrder:
    return JobOrder("", operation.id, machine.id, 0, "OFFERED", None, [], 0, label=operation.id)


def why_busy(machine: Machine, taken: dict[str, JobOrder]) -> str:
    """Why a machine takes no order now, in words; empty when it does."""
    name = machine.name
    order = taken.get(machine.id)
    if machine.quarantine:
        return f"{name} is in quarantine: {machine.quarantine}"
    if order is not None:
        return f"{name} is taken by {order.label or order.id}"
    if not machine.online:
        return f"{name} is not connected"
    if machine.state != "idle":
        why = machine.fault or machine.need_person
        return f"{name} is {machine.state}" + (f": {why}" if why else "")
    if not machine.ready:
        return f"{name} must be cleared first"
    return ""


def _why_held(operation: Operation, held_until: dict[str, int], at: int) -> str:
    until = held_until.get(operation.id, 0)
    if at >= until or until - at > MAX_BACKOFF_MS:  # further off: the clock was ahead then
        return ""
    return f"{operation.reason.split('; tried again')[0]}; tried again in {(until - at) // 1000} s"


def find_lots(
    operation: Operation, machine: Machine, picture: FloorPicture, margin_permille: int = 0
) -> tuple[list[Json], str]:
    """Loaded lots for every material in channel order, or why they do not suffice, in words."""
    loaded = {b.lot.ch: b for b in picture.lots if b.lot.machine == machine.id}
    lots: list[Json] = []
    for ch, material in enumerate(operation.materials):
        reason = _why_short(material, loaded.get(ch), (machine, ch), margin_permille)
        if reason:
            return [], reason
        lots.append(_lot_document(ch, loaded[ch]))
    return lots, ""


def _why_short(
    material: Json, held: LotBalance | None, at: tuple[Machine, int], margin_permille: int
) -> str:
    name, (machine, ch) = material["material"], at
    if held is None:
        return f"needs {name}: load it in {machine.name}, channel {ch}"
    if held.lot.material != name:
        return f"needs {name}: {machine.name} holds {held.lot.material} ({held.lot.id})"
    pieces, mass_mg = material.get("pieces", 0), material.get("mass_mg", 0)
    if pieces > held.pieces:
        return f"needs {pieces} pieces of {name}: {held.lot.id} holds {held.pieces}"
    least_mg = mass_mg + -(-mass_mg * margin_permille // 1000)
    if not pieces and least_mg > held.mass_mg:
        spare = " with margin" if least_mg > mass_mg else ""
        return f"needs {least_mg} mg of {name}{spare}: {held.lot.id} holds {held.mass_mg} mg"
    return ""


def _lot_document(ch: int, held: LotBalance) -> Json:
    document: Json = {"ch": ch, "lot": held.lot.id}
    if held.lot.ug_per_m is not None:
        document["ug_per_m"] = held.lot.ug_per_m
    if held.lot.unit_mg_per_piece is not None:
        document["piece_mg"] = held.lot.unit_mg_per_piece
    return document


def held_until(attempts: list[JobOrder]) -> int:
    """Floor time until which an operation that was declined or withdrawn is not offered again."""
    refusals = 0
    for order in reversed(attempts):
        if order.state != "WITHDRAWN":
            break
        refusals += 1
    if refusals == 0:
        return 0
    wait = min(BACKOFF_MS * 2 ** min(refusals - 1, 10), MAX_BACKOFF_MS)
    return (attempts[-1].ended_at or attempts[-1].offered_at) + wait


def offer(tx: "Tx", chosen: Offer) -> JobOrder:
    """Store an offer under the next epoch; raise Refused while an order of it is open."""
    operation = chosen.operation
    for earlier in tx.orders.of_operation(operation.id):
        if earlier.state not in FINAL:
            raise Refused("bound", "operation", f"{operation.id} is held by {earlier.id}")
    if tx.orders.open_on(chosen.machine) is not None:
        raise Refused("taken", "machine", f"{chosen.machine} holds an order already")
    need = tx.needs.get(operation.need)
    ep = tx.site.next("epoch")
    order = JobOrder(
        id=f"o{ep}",
        operation=operation.id,
        machine=chosen.machine,
        ep=ep,
        state="OFFERED",
        program_sha=operation.program_sha,
        lots=chosen.lots,
        offered_at=tx.now_ms,
        label=f"{operation.id} {operation.step} {need.part if need else ''}".strip()[:60],
    )
    tx.orders.add(order)
    tx.operations.change(
        operation.id,
        state="ordered",
        machine=chosen.machine,
        reason=f"offered to {chosen.machine}",
        place=chosen.place,
    )
    tx.touch(chosen.machine)
    return order


def withdraw(tx: "Tx", order: JobOrder, reason: str) -> None:
    """Take an offer back before its grant; the operation is ready again. IllegalEvent after it."""
    after = step(order.state, "withdraw")
    tx.orders.change(order.id, state=after, ended_at=tx.now_ms, outcome_why=reason)
    operation = tx.operations.get(order.operation)
    if operation is not None and operation.state == "ordered":
        need = tx.needs.get(operation.need)
        gone = need is None or need.state == "withdrawn"
        state = "cancelled" if gone else "ready"
        tx.operations.change(operation.id, state=state, machine=None, reason=reason)
        keeping.leave(tx, operation)
    tx.touch(order.machine)
    tx.effects.replan = True


def settle_want(tx: "Tx", machine: str, context: WantContext) -> Json | None:
    """Rebuild a machine's desired document from its order; store and return it when it changed."""
    found = tx.machines.get(machine)
    if found is None:
        return None
    order = tx.orders.open_on(machine)
    if order is not None and order.stop_asked_by and order.state in ("OFFERED", "CLAIMED"):
        withdraw(tx, order, f"taken back by {order.stop_asked_by}")
        order = None
    body: Json = {"ph": "idle"}
    if order is not None:
        body = _body(tx, order, context, rules_of(found))
    body.update(v=1, term=context.term)
    before = {k: v for k, v in (found.want or {}).items() if k != "rev"}
    if before == body:
        return None
    rev = found.want_rev + 1
    want = {**body, "rev": rev}
    tx.machines.change(machine, want=want, want_rev=rev)
    tx.effects.wants[machine] = want
    return want


def _program_document(program: ProgramRow, programs_url: str, rules: Json) -> Json:
    document: Json = {"url": f"{programs_url}/{program.sha}", "sha": program.sha}
    document.update(size=program.size, kind=program.kind)
    return {**document, "rules": rules} if rules else document


def _body(tx: "Tx", order: JobOrder, context: WantContext, rules: Json) -> Json:
    if order.state == "UNKNOWN":
        return {"ph": "idle"}
    body: Json = {"order": order.id, "ep": order.ep, "label": order.label}
    if order.stop_asked_by:
        return {**body, "ph": "stop"}
    body["lots"] = order.lots
    program = tx.designs.program(order.program_sha) if order.program_sha else None
    if program is not None:
        body["prog"] = _program_document(program, context.programs_url, rules)
    operation = tx.operations.get(order.operation)
    if operation is not None and program is None:
        body["work_master"] = operation.work_master
        body["duration_s"] = operation.duration_s
        body["instructions"] = operation.instructions
    if order.state == "OFFERED":
        return {**body, "ph": "offer"}
    if order.state == "CLAIMED":
        return {"ph": "idle"}
    claim: Json = {"jid": order.claim_jid, "s": order.claim_s}
    if order.claim_bn is not None:
        claim["bn"] = order.claim_bn
    return {**body, "ph": "grant", "claim": claim}

"""One machine event into the state and the ledger: inbox, contiguity, then the event's own step."""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.execution.material import CounterFell, take_material
from controller.execution.outcome import Verdict, settle, settle_failed
from controller.execution.people import must_sign
from controller.execution.presence import adopt_journal, quarantine
from controller.execution.steps import advance, give_back, operation_of, try_again
from controller.ledger.post import take_stock
from controller.values import DeadLetter, EconomicEvent, JobOrder, Json, Lot, Machine, Refused
from protocols.messages import EVENTS, encode
from protocols.orders import IllegalEvent, finished_event

if TYPE_CHECKING:
    from controller.adapters.store import Tx

APPLIED, DUPLICATE, GAP, QUARANTINED, FLAGGED = (
    "applied",
    "duplicate",
    "gap",
    "quarantined",
    "flagged",
)


_CONTRADICTS = "sent two different events"


class _Flag(Exception):
    """The event is kept and acknowledged, but a person should know. Attributes: code, text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


def apply_event(tx: "Tx", machine: str, event: Json) -> str:
    """Apply a decoded ``up/ev``: applied, duplicate, gap, quarantined or flagged.

    Only a gap or a quarantine is not acknowledged. Raises Refused for an unknown machine.
    """
    found = tx.machines.get(machine)
    if found is None:
        raise Refused("unknown-machine", "machine", f"{machine} is not registered on this floor")
    jid, s = event["jid"], event["s"]
    body = encode("up/ev", event).decode()
    sha = hashlib.sha256(body.encode()).hexdigest()
    known = tx.inbox.sha(machine, jid, s)
    if known is not None and known != sha:
        _distrust(tx, found, event, body)
        return QUARANTINED
    if found.quarantine:
        return QUARANTINED
    acked = _acked(tx, found, jid)
    if s <= acked:
        tx.effects.acks[machine] = (jid, acked)
        return DUPLICATE
    if s > acked + 1:
        return GAP
    return _commit(tx, found, event, (body, sha))


def _distrust(tx: "Tx", machine: Machine, event: Json, body: str) -> None:
    """A journal contradicts itself: it outweighs what a machine was distrusted for, said once."""
    if machine.quarantine.startswith(_CONTRADICTS):
        return
    place = f"under number {event['s']} of journal {event['jid']}"
    text = f"another event stands {place}; not booked"
    tx.dead.add(DeadLetter(f"{machine.id}/up/ev", body[:512], "twin", text, tx.now_ms))
    quarantine(tx, machine.id, f"{_CONTRADICTS} {place}")


def _acked(tx: "Tx", machine: Machine, jid: str) -> int:
    if jid == machine.jid:
        return machine.acked_s
    last = tx.inbox.last(machine.id, jid)
    if last == 0:
        adopt_journal(tx, machine, jid, 0)
    return last


def _commit(tx: "Tx", machine: Machine, event: Json, content: tuple[str, str]) -> str:
    jid, s = event["jid"], event["s"]
    outcome = APPLIED
    try:
        with tx.savepoint():
            _HANDLERS.get(event["ty"], _unknown)(tx, machine, event)
    except CounterFell as fell:
        reason = f"a material counter fell from {fell.before} to {fell.now} mg"
        quarantine(tx, machine.id, reason)
        return QUARANTINED
    except IllegalEvent as illegal:
        text = f"{event['ty']} does not fit an order that is {illegal.state}"
        outcome = _flag(tx, machine, event, _Flag("illegal", text))
    except _Flag as flag:
        outcome = _flag(tx, machine, event, flag)
    tx.inbox.add((machine.id, jid, s), content[0], content[1], tx.now_ms)
    tx.machines.acknowledge(machine.id, jid, s)
    tx.effects.acks[machine.id] = (jid, s)
    return outcome


def _flag(tx: "Tx", machine: Machine, event: Json, flag: _Flag) -> str:
    payload = encode("up/ev", event).decode()[:512]
    tx.dead.add(DeadLetter(f"{machine.id}/up/ev", payload, flag.code, flag.text, tx.now_ms))
    tx.notice("flag", machine.id, f"{machine.id}: {flag.text}")
    return FLAGGED


def _unknown(tx: "Tx", machine: Machine, event: Json) -> None:
    raise _Flag("unknown-event", f"event {event['ty']} is not known here; kept, not understood")


def _order(tx: "Tx", machine: Machine, event: Json) -> JobOrder:
    order = tx.orders.get(event["order"])
    if order is None or order.machine != machine.id:
        raise _Flag("unknown-order", f"speaks of order {event['order']}, which is not its own")
    if order.ep != event["ep"]:
        raise _Flag("stale-epoch", f"speaks of epoch {event['ep']} of order {order.id}")
    return order


def _claim(tx: "Tx", machine: Machine, event: Json) -> None:
    order = _order(tx, machine, event)
    if order.state == "WITHDRAWN":  # the offer was taken back while the claim was under way
        tx.touch(machine.id)
        return
    made_in = {"claim_jid": event["jid"], "claim_s": event["s"], "claim_bn": event.get("bn")}
    order = advance(tx, order, "claim", **made_in)
    operation = operation_of(tx, order)
    if order.stop_asked_by or operation.state != "ordered":
        advance(tx, order, "withdraw", ended_at=tx.now_ms, outcome_why="no longer wanted")
        give_back(tx, operation, "not planned yet")
        return
    advance(tx, order, "grant")


def _declined(tx: "Tx", machine: Machine, event: Json) -> None:
    order = _order(tx, machine, event)
    if order.state == "WITHDRAWN":
        return
    order = advance(tx, order, "declined", ended_at=_t(tx, event), outcome_why=event["why"])
    give_back(tx, operation_of(tx, order), f"{machine.id} declined: {event['why']}")
    tx.notice("order", order.id, f"{machine.id} declined {order.label}: {event['why']}")


def _started(tx: "Tx", machine: Machine, event: Json) -> None:
    order = advance(tx, _order(tx, machine, event), "started", started_at=_t(tx, event))
    tx.machines.change(machine.id, ready=False)
    operation = operation_of(tx, order)
    tx.operations.change(operation.id, state="running", reason="")
    need = tx.needs.get(operation.need)
    if need is not None and need.state == "accepted":
        tx.needs.change(need.id, state="making")
    tx.notice("order", order.id, f"{machine.id} started {order.label}")
    if order.program_sha not in (None, event["sha"]):
        tx.notice("attention", machine.id, f"{machine.id} started another program than ordered")


def _paused(tx: "Tx", machine: Machine, event: Json) -> None:
    order = advance(tx, _order(tx, machine, event), "paused")
    tx.operations.change(order.operation, reason=f"paused: {event['why']}")
    tx.notice("order", order.id, f"{machine.id} paused {order.label}: {event['why']}")


def _resumed(tx: "Tx", machine: Machine, event: Json) -> None:
    order = advance(tx, _order(tx, machine, event), "resumed")
    tx.operations.change(order.operation, reason="")
    tx.notice("order", order.id, f"{machine.id} resumed {order.label}")


def _finished(tx: "Tx", machine: Machine, event: Json) -> None:
    order = _order(tx, machine, event)
    word = finished_event(event["ok"], event.get("cancelled", False))
    why = event.get("why", "")
    order = advance(
        tx,
        order,
        word,
        ended_at=_t(tx, event),
        outcome_why=why,
        len_um=event["len_um"],
        run_ms=event["run_ms"],
        done_ppm=1_000_000 if event["ok"] else order.done_ppm,
    )
    operation = operation_of(tx, order)
    tx.notice("order", order.id, f"{machine.id} ended {order.label}: {why or order.state.lower()}")
    if event["ok"]:
        wait = f"waits for {machine.name} to be cleared and the part to be judged"
        tx.operations.change(operation.id, state="inspecting", reason=wait)
    elif order.state == "CANCELLED":
        settle_failed(tx, order)
        give_back(tx, operation, f"cancelled on {machine.id}: {why}")
    else:
        settle_failed(tx, order)
        try_again(tx, operation, f"failed on {machine.id}: {why}")


def _interrupted(tx: "Tx", machine: Machine, event: Json) -> None:
    order = _order(tx, machine, event)
    order = advance(tx, order, "interrupted", ended_at=_t(tx, event), outcome_why=event["why"])
    text = f"interrupted at line {event['lines']}: {event['why']}; say whether the part is good"
    tx.operations.change(order.operation, reason=text)
    tx.notice("attention", machine.id, f"{machine.id}, {order.label}: {text}")


def _material(tx: "Tx", machine: Machine, event: Json) -> None:
    order = tx.orders.get(event["order"]) if "order" in event else None
    if order is not None and order.machine != machine.id:
        order = None
    take_material(tx, machine, event, order)


def _load(tx: "Tx", machine: Machine, event: Json) -> None:
    lot, ch = event["lot"], event["ch"]
    if tx.lots.get(lot) is None:
        note = f"loaded at {machine.id}, never declared"
        tx.lots.add(Lot(lot, "unknown", "stock", created_at=tx.now_ms, note=note))
    if tx.lots.place(lot, machine.id, ch):
        tx.notice("lot", lot, f"{lot} is loaded in {machine.id}, channel {ch}")
    tx.effects.replan = True


def _unload(tx: "Tx", machine: Machine, event: Json) -> None:
    if tx.lots.take_out(machine.id, event["ch"]) is not None:
        tx.notice("lot", event["lot"], f"{event['lot']} was taken out of {machine.id}")
    tx.effects.replan = True


def _weigh(tx: "Tx", machine: Machine, event: Json) -> None:
    lot = event["lot"]
    if tx.lots.get(lot) is None:
        raise _Flag("unknown-lot", f"weighed lot {lot}, which nobody declared")
    line = EconomicEvent(
        key=f"{machine.id}:{event['jid']}:{event['s']}:weigh",
        action="raise",
        provider=machine.id,
        receiver=machine.id,
        happened_at=_t(tx, event),
        measure="measured",
        note="weighed",
    )
    found = take_stock(tx, lot, event["mass_mg"], line)
    tx.notice("lot", lot, f"{lot} was weighed, {found:+d} mg against the ledger")


def _fault(tx: "Tx", machine: Machine, event: Json) -> None:
    tx.machines.change(machine.id, fault=f"{event['code']}: {event['msg']}")
    tx.notice("attention", machine.id, f"{machine.id} fault {event['code']}: {event['msg']}")


def _op(tx: "Tx", machine: Machine, event: Json) -> None:
    who, act = event["who"], event["act"]
    tx.notice("machine", machine.id, f"{who} did {act} at {machine.id}")
    if act != "clear":
        return
    tx.machines.change(machine.id, ready=True, fault="")
    order = tx.orders.unsettled_on(machine.id)
    if order is not None and not must_sign(operation_of(tx, order)):
        settle(tx, order, Verdict(good=True, who=who))
    tx.effects.replan = True


def _update(tx: "Tx", machine: Machine, event: Json) -> None:
    if event["ok"]:
        tx.notice("machine", machine.id, f"{machine.id} runs firmware {event['fw']}")
        return
    text = f"firmware {event['fw']} does not run on {machine.id}: {event['why']}"
    tx.notice("attention", machine.id, text)


def _t(tx: "Tx", event: Json) -> int:
    """When it happened: the machine's floor time, ours when it has none."""
    return event.get("t") or tx.now_ms


_HANDLERS: "dict[str, Callable[[Tx, Machine, Json], None]]" = {
    "claim": _claim,
    "declined": _declined,
    "started": _started,
    "paused": _paused,
    "resumed": _resumed,
    "finished": _finished,
    "interrupted": _interrupted,
    "material": _material,
    "load": _load,
    "unload": _unload,
    "weigh": _weigh,
    "fault": _fault,
    "update": _update,
    "op": _op,
}
assert _HANDLERS.keys() == EVENTS.keys()

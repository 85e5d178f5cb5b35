"""Stations: places where a person does an operation. Their agent is this, inside the transaction.

An offered order is claimed and started at once, because nothing moves by itself there; it ends
when the person says that it is done and how (the same words as for a cleared bed). The station's
journal is the site's own inbox, numbered on from what was last taken.
"""

from typing import TYPE_CHECKING

from controller import execution
from controller.values import JobOrder, Json, Machine

if TYPE_CHECKING:
    from controller.adapters.store import Tx

LINK = "person"
NO_PROGRAM = "0" * 64


def attend(tx: "Tx", machine: Machine) -> None:
    """Keep a station present; take what is offered to it."""
    if not machine.online:
        tx.machines.change(
            machine.id, online=True, state="idle", ready=True, last_seen_at=tx.now_ms
        )
    order = tx.orders.open_on(machine.id)
    if order is None or order.state != "OFFERED":
        return
    _say(tx, machine, order, {"ty": "claim"})
    taken = tx.orders.get(order.id)
    if taken is None or taken.state != "GRANTED":
        return
    _say(tx, machine, order, {"ty": "started", "sha": order.program_sha or NO_PROGRAM})
    operation = tx.operations.get(order.operation)
    words = operation.instructions or operation.step if operation else ""
    tx.machines.change(machine.id, state="busy", ready=False, need_person=words)


def finish(tx: "Tx", machine: Machine) -> None:
    """The person says that the operation is done: end its order, free the station."""
    order = tx.orders.open_on(machine.id)
    if order is not None and order.state == "RUNNING":
        run_ms = tx.now_ms - (order.started_at or tx.now_ms)
        end: Json = {"ty": "finished", "ok": True, "lines": 0, "len_um": [], "run_ms": run_ms}
        _say(tx, machine, order, end)
    tx.machines.change(machine.id, state="idle", ready=True, need_person="", last_seen_at=tx.now_ms)


def _say(tx: "Tx", machine: Machine, order: JobOrder, body: Json) -> None:
    found = tx.machines.get(machine.id) or machine
    jid = found.jid or f"station-{machine.id}"[:32]
    event: Json = {
        "v": 1,
        "jid": jid,
        "s": found.acked_s + 1,
        "t": tx.now_ms,
        "tq": "synced",
        "order": order.id,
        "ep": order.ep,
        **body,
    }
    execution.apply_event(tx, machine.id, event)

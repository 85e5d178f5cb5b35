"""Stations: places where a person does an operation. Their agent is this, inside the transaction.

An offered order is claimed and started at once, because nothing moves by itself there; it ends
when the person says that it is done and how (the same words as for a cleared bed). The station's
journal is the site's own inbox, numbered on from what was last taken.
"""

from typing import TYPE_CHECKING

from controller import commands, execution
from controller.commands import Asker
from controller.execution import Findings
from controller.links import HANDS
from controller.routed import SignOff
from controller.values import JobOrder, Json, Machine, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx

LINK = "person"
NO_PROGRAM = "0" * 64


def attend(tx: "Tx", machine: Machine) -> None:
    """Keep a station present; take what is offered to it."""
    order = tx.orders.open_on(machine.id)
    if not machine.online:
        tx.machines.change(machine.id, online=True, last_seen_at=tx.now_ms)
        _show(tx, machine, order)
    if order is None or order.state != "OFFERED":
        return
    _say(tx, machine, order, {"ty": "claim"})
    taken = tx.orders.get(order.id)
    if taken is None or taken.state != "GRANTED":
        return
    _say(tx, machine, order, {"ty": "started", "sha": order.program_sha or NO_PROGRAM})
    _show(tx, machine, tx.orders.get(order.id))


def _show(tx: "Tx", machine: Machine, order: JobOrder | None) -> None:
    """State of a station by its order: it outlives a time in which nobody kept it present."""
    if order is None or order.state != "RUNNING":
        tx.machines.change(machine.id, state="idle", ready=True, need_person="")
        return
    operation = tx.operations.get(order.operation)
    words = operation.instructions or operation.step if operation else ""
    tx.machines.change(machine.id, state="busy", ready=False, need_person=words)


def finish(tx: "Tx", machine: Machine) -> None:
    """The person says that the operation is done: end its order, free the station."""
    end(tx, machine)
    tx.machines.change(machine.id, last_seen_at=tx.now_ms)
    _show(tx, machine, tx.orders.open_on(machine.id))


def end(tx: "Tx", machine: Machine) -> None:
    """A person says that what runs at a machine is over; what it drew is as planned."""
    order = tx.orders.open_on(machine.id)
    if order is not None and order.state == "RUNNING":
        run_ms = tx.now_ms - (order.started_at or tx.now_ms)
        for drawn in _planned(tx, order) if machine.link != LINK else ():
            _say(tx, machine, order, drawn)
        event: Json = {"ty": "finished", "ok": True, "lines": 0, "len_um": [], "run_ms": run_ms}
        _say(tx, machine, order, event)


def _planned(tx: "Tx", order: JobOrder) -> list[Json]:
    """What an order was planned to draw, as reports: pieces are counted, mass is uncertain."""
    operation = tx.operations.get(order.operation)
    materials: list[Json] = operation.materials if operation else []
    found: list[Json] = []
    for lot in order.lots:
        ch: int = lot["ch"]
        wanted: Json = materials[ch] if ch < len(materials) else {}
        mass_mg: int = wanted.get("mass_mg", 0)
        counted: int = lot.get("piece_mg", 0) * wanted.get("pieces", 0)
        amount = {"cum_mg": counted or mass_mg, "unc_mg": 0 if counted else mass_mg}
        source = "piece" if counted else "estimate"
        event: Json = {"ty": "material", "ch": ch, "lot": lot["lot"], **amount}
        found.append({**event, "src": source})
    return found


def order_at(tx: "Tx", machine: str) -> JobOrder:
    """The order a person may sign off at a machine: it runs by hand, or ended and is to be judged.

    Raises Refused when there is none.
    """
    found = tx.machines.get(machine)
    if found is None:
        raise Refused("unknown-machine", "machine", f"there is no machine {machine}")
    order = tx.orders.unsettled_on(machine)
    if order is None and found.link in HANDS:
        order = tx.orders.open_on(machine)
    if order is None:
        raise Refused("nothing", "machine", f"nothing waits to be signed off at {machine}")
    return order


def sign_off(tx: "Tx", machine: str, found: Findings, asker: Asker) -> SignOff | None:
    """End and judge what lies at a machine by what a person found, once a key; raise Refused."""
    if commands.known(tx, machine, "clear", asker) is not None:
        return None
    commands.check_saw(tx, machine, asker)
    order = order_at(tx, machine)
    commands.keep(tx, machine, commands.by_hand("clear", asker))
    station = tx.machines.get(machine)
    if station is not None and station.link in HANDS and order.state == "RUNNING":
        (finish if station.link == LINK else end)(tx, station)
    ended = tx.orders.get(order.id)
    assert ended is not None
    return execution.sign_off(tx, ended, found)


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

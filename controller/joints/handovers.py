"""Cells that clear the beds of printers: the table of ``handover`` on this floor's store.

A cell states ``clears: [printer-1]`` in its capability, and how poses are confirmed there
(``pose``: person, sensor, or stub, which confirms whatever lies there). Clearing is an errand: a
job order of the cell's own kind, by the same order table and the same fencing epochs, told apart
from a need's orders by its name. Its end makes the printer's ``clear`` command, whose ``who`` is
the cell; the printer's own word that it is clear ends the handover.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from controller import commands, draining, handover
from controller.commands import Asker
from controller.values import JobOrder, Json, Machine, Refused
from protocols.orders import FINAL, finished_event, step

if TYPE_CHECKING:
    from controller.adapters.store import Tx

KEY = "handover:"  # + printer: the handover as JSON
ERRAND = "clear-"  # + printer: name of the errand at the cell
CLEAR_S = 60  # what an errand takes when the cell does not state clear_s
STUB = "pose stub"
_AGAIN_MS = 60_000  # real ms until a refused errand or an unanswered clear is tried again


class Tools(NamedTuple):
    """What the site lends: boot nonces, its term, floor seconds per second."""

    boot: Callable[[str], str | None]
    term: int
    rate: int


class Bed(NamedTuple):
    """A printer's bed that a cell clears: by which, how it stands, what is asked of a person."""

    cell: str
    state: str
    by_robot: bool  # the robot is told to clear it, or does
    asks_pose: bool  # a person or a sensor must say where the part lies


def beds(tx: "Tx", machines: Iterable[Machine]) -> dict[str, Bed]:
    """Beds that a cell clears, by printer."""
    found: dict[str, Bed] = {}
    for cell, printer in _pairs(machines):
        one = read(tx, printer.id)
        state = one["state"]
        by_robot = state in ("reaching", "emptied") or bool(one["job"])
        asks = state == "lying" and cell.capability.get("pose") != "stub"
        found[printer.id] = Bed(cell.name or cell.id, state, by_robot, asks)
    return found


def pairs(tx: "Tx") -> Iterator[tuple[Machine, Machine]]:
    """Each cell with each printer whose bed it clears."""
    return _pairs(tx.machines.all())


def _pairs(all_of_them: Iterable[Machine]) -> Iterator[tuple[Machine, Machine]]:
    machines = {machine.id: machine for machine in all_of_them}
    for cell in machines.values():
        served: list[str] = cell.capability.get("clears", [])
        for printer in served if cell.link == "opcua" else ():
            if printer in machines:
                yield cell, machines[printer]


def read(tx: "Tx", printer: str) -> Json:
    """The handover of a printer; a new one is in "clear"."""
    kept = tx.site.get(KEY + printer)
    return json.loads(kept) if kept else {"state": "clear", "pose_by": "", "job": "", "ep": 0}


def _write(tx: "Tx", printer: str, found: Json) -> None:
    tx.site.put(KEY + printer, json.dumps(found, sort_keys=True))


def tend(tx: "Tx", tools: Tools) -> None:
    """Look at every printer that a cell clears, and do what follows."""
    for cell, printer in pairs(tx):
        found = read(tx, printer.id)
        before = dict(found)
        newest = tx.orders.newest_on(printer.id)
        event = handover.seen(found["state"], _order_of(tx, printer, newest, found), printer.ready)
        if event:
            _step(found, event)
        else:
            _go_on(tx, (cell, printer), found, tools)
        if newest is not None and found["state"] != "clear":
            found["seen_ep"] = newest.ep
        if found != before:
            _write(tx, printer.id, found)
            _tell(tx, cell, printer, before, found)


def _order_of(tx: "Tx", printer: Machine, newest: JobOrder | None, found: Json) -> str:
    """How the printer's order stands: open, good or bad and lying there, "" for none.

    A print may begin and fail between two looks: ``seen_ep`` tells which were looked at.
    """
    if tx.orders.open_on(printer.id) is not None:
        return "open"
    if printer.ready:
        return ""
    if tx.orders.unsettled_on(printer.id) is not None:
        return "good"
    if newest is None or newest.started_at is None:
        return ""
    return "bad" if newest.ep > found.get("seen_ep", 0) else ""


def _step(found: Json, event: str) -> None:
    found["state"] = handover.step(found["state"], event)
    if found["state"] in ("clear", "lying", "by_hand"):
        found["pose_by"] = ""


def _tell(tx: "Tx", cell: Machine, printer: Machine, before: Json, found: Json) -> None:
    if found["state"] == before["state"]:
        return
    words = handover.HANDOVER[found["state"]][0]
    kind = "attention" if found["state"] == "by_hand" else "machine"
    if before["state"] in ("reaching", "emptied", "posed") or found["state"] == "reaching":
        tx.notice(kind, printer.id, f"{printer.id}, cleared by {cell.id}: {words}")
    tx.effects.replan = True


def _go_on(tx: "Tx", pair: tuple[Machine, Machine], found: Json, tools: Tools) -> None:
    """What the controller does of itself in a state: confirm by stub, send the robot, say clear."""
    cell, printer = pair
    state = found["state"]
    if state == "lying" and cell.capability.get("pose") == "stub":
        found["pose_by"] = STUB
        _step(found, "posed")
    elif state == "posed" and not found["job"]:
        posed_now = bool(found["pose_by"])
        may = handover.may_reach(state, found.get("door", "none"), posed_now)
        if may and _is_free(tx, cell) and tx.now_ms >= found.get("again_at", 0):
            order = tx.orders.unsettled_on(printer.id)
            found.update(
                job="OFFERED",
                ep=tx.site.next("epoch"),
                run="",
                begun=False,
                printer_ep=order.ep if order else 0,
                cell=cell.id,
            )
            tx.touch(cell.id)
    elif state == "emptied" and tx.now_ms >= found.get("again_at", 0):
        found["again_at"] = tx.now_ms + _AGAIN_MS * tools.rate // 3
        _say_clear(tx, pair, found, tools)


def _is_free(tx: "Tx", cell: Machine) -> bool:
    """Whether a cell can take an errand: nothing in hand, nothing in its way."""
    if not cell.online or cell.state != "idle" or cell.quarantine:
        return False
    if tx.orders.open_on(cell.id) is not None:
        return False
    return all(not read(tx, p.id)["job"] for c, p in pairs(tx) if c.id == cell.id)


def _say_clear(tx: "Tx", pair: tuple[Machine, Machine], found: Json, tools: Tools) -> None:
    """Send the printer its clear, for the order that the robot took away and no later one."""
    cell, printer = pair
    try:
        document = commands.build(
            tools.boot(printer.id), "clear", Asker(cell.id), tools.term, tx.now_ms
        )
    except Refused:
        return  # never heard: it is asked again
    document["ep"] = found["printer_ep"]
    commands.send(tx, printer.id, document)


def confirm_pose(tx: "Tx", printer: str, by: str) -> None:
    """A sensor, a camera or a person says where the part lies; raise Refused."""
    found = read(tx, printer)
    if found["state"] != "lying":
        words = handover.HANDOVER[found["state"]][0]
        raise Refused("not-lying", "machine", f"{printer}: {words}; no pose is asked for")
    found["pose_by"] = by
    _step(found, "posed")
    _write(tx, printer, found)
    tx.notice("machine", printer, f"{by} confirmed where the part on {printer} lies")


def check_clear(tx: "Tx", printer: str) -> None:
    """Raise Refused while nobody may say that a bed is clear."""
    found = read(tx, printer)
    if not handover.may_say_clear(found["state"]):
        text = f"{found['cell']} may be in the bed of {printer}: stop it first, then look"
        raise Refused("robot-at-bed", "machine", text)
    if found["job"] in ("OFFERED", "CLAIMED"):
        found["job"] = ""
        _write(tx, printer, found)


def barred(tx: "Tx") -> dict[str, str]:
    """Machines that take no order for a handover's sake or a drain's, and why in words."""
    reasons: dict[str, str] = draining.barred(tx)
    for cell, printer in pairs(tx):
        found = read(tx, printer.id)
        if found["job"]:
            reasons[cell.id] = f"{cell.name} clears the bed of {printer.name}"
        if not handover.may_print(found["state"], found.get("door", "none")):
            reasons[printer.id] = f"{printer.name}: {handover.HANDOVER[found['state']][0]}"
    return reasons


# the cell's side: an errand is a job order that no need asked for --------------------------------


def errand_of(tx: "Tx", cell: str) -> JobOrder | None:
    """The errand a cell has, as a job order; None for none."""
    for one, printer in pairs(tx):
        found = read(tx, printer.id)
        if one.id == cell and found["job"]:
            return JobOrder(
                id=ERRAND + printer.id,
                operation="",
                machine=cell,
                ep=found["ep"],
                state=found["job"],
                program_sha=None,
                lots=[],
                offered_at=tx.now_ms,
                label=f"Clear {printer.name}",
                claim_jid=f"{found['run']}-{found['ep']}" if found["run"] else None,
                started_at=1 if found["begun"] else None,
                run_ms=one.capability.get("clear_s", CLEAR_S) * 1000,
            )
    return None


def take_event(tx: "Tx", cell: str, event: Json, run: str) -> None:
    """Take what a look at the cell means for its errand; an illegal event raises."""
    printer = event["order"].removeprefix(ERRAND)
    found = read(tx, printer)
    if found["job"] in ("", *FINAL) or found["ep"] != event["ep"] or found["cell"] != cell:
        return
    before = dict(found)
    kind = event["ty"]
    word = finished_event(event["ok"], event.get("cancelled", False)) if kind == "finished" else ""
    found["job"] = step(found["job"], word or kind)
    if kind == "claim":
        found.update(job=step(found["job"], "grant"), run=run)
        _step(found, "reach")
    elif kind == "started":
        found["begun"] = True
    _end(tx, found, event)
    _write(tx, printer, found)
    one, other = tx.machines.get(cell), tx.machines.get(printer)
    if one is not None and other is not None:
        _tell(tx, one, other, before, found)


def _end(tx: "Tx", found: Json, event: Json) -> None:
    """An errand that came to an end moves the handover; a robot nobody knows of is for a person."""
    if found["job"] not in (*FINAL, "UNKNOWN"):
        return
    ended = {"SUCCEEDED": "left", "WITHDRAWN": "refused"}.get(found["job"], "failed")
    if found["state"] == "reaching":
        _step(found, ended)
    wait_ms = _AGAIN_MS if ended == "refused" else 0
    found.update(job="", why=event.get("why", ""), again_at=tx.now_ms + wait_ms)

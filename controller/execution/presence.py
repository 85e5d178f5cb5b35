"""Presence: reported state, hello after a connect, silence, and machines that cannot be trusted."""

import json
from typing import TYPE_CHECKING

from controller.execution.material import settle_counters
from controller.execution.steps import advance
from controller.ledger.discrepancies import doubt_identity
from controller.values import JobOrder, Json, Machine, Refused
from protocols.orders import ORDER_STATES

if TYPE_CHECKING:
    from controller.adapters.store import Tx

MAX_BOOTS = 8
MAX_FLIPS = 3
MAX_LATE_MS = 3 * 3_600_000  # a word further behind was stamped by a clock that was wrong
GREETED = -1  # stale_boots of a machine whose present start said nothing but hello
TWO_BOARDS = "two boards speak under its name"
CLONED = "two boards speak under its name, with one journal"
_HEARD = {"claimed": "heard_granted", "running": "heard", "paused": "heard_paused"}


def _machine(tx: "Tx", machine: str) -> Machine:
    found = tx.machines.get(machine)
    if found is None:
        raise Refused("unknown-machine", "machine", f"{machine} is not registered on this floor")
    return found


def quarantine(tx: "Tx", machine: str, reason: str) -> None:
    """Offer nothing to a machine and believe nothing it reports until a person releases it."""
    tx.machines.change(machine, quarantine=reason)
    doubt_identity(tx, machine, reason)
    tx.notice("attention", machine, f"{machine} is in quarantine: {reason}")
    tx.touch(machine)


def adopt_journal(tx: "Tx", machine: Machine, jid: str, acked_s: int) -> None:
    """Follow a new journal; an order bound to the old one is in doubt."""
    tx.machines.change(machine.id, jid=jid, acked_s=acked_s)
    if machine.jid is None:
        return
    if machine.link == "mqtt":
        text = f"{machine.id} has a new journal: its flash was replaced"
        tx.notice("attention", machine.id, text)
        doubt_identity(tx, machine.id, f"its journal {machine.jid} gave way to {jid}")
    order = tx.orders.open_on(machine.id)
    if order is not None and order.claim_jid not in (None, jid):
        _silence(tx, order, f"{machine.id} lost its journal")


def _silence(tx: "Tx", order: JobOrder, reason: str) -> None:
    if "silence" not in ORDER_STATES[order.state]:
        return
    advance(tx, order, "silence")
    text = f"in doubt: {reason}; its journal or a person must say how it ended"
    tx.operations.change(order.operation, reason=text)
    tx.notice("attention", order.id, f"{order.label} is {text}")


def _lose(tx: "Tx", machine: str, said: Json) -> None:
    """An order that a machine took, holds no more and can tell nothing of: a person must look.

    So it is when the store was set back behind what the machine has trimmed. Only what was said
    when all the machine knew is what was taken here proves it; else it proves nothing.
    """
    found, order = _machine(tx, machine), tx.orders.open_on(machine)
    if order is None or found.quarantine:
        return
    if (said["jid"], said.get("hi")) != (found.jid, found.acked_s):
        return
    held: Json = said.get("order") or {}
    taken = order.ep <= said.get("last_ep", 0) and order.ep != held.get("ep")
    if not taken or "lost" not in ORDER_STATES[order.state]:
        return
    advance(tx, order, "lost", ended_at=tx.now_ms)
    text = "its reports are gone from machine and store; say whether the part is good"
    tx.operations.change(order.operation, reason=text)
    tx.notice("attention", machine, f"{machine}, {order.label}: {text}")


def mark_silent(tx: "Tx", machine: str, reason: str) -> None:
    """A machine was not heard for too long: its granted order is in doubt, never sent again."""
    tx.machines.change(machine, online=False)
    order = tx.orders.open_on(machine)
    if order is not None:
        _silence(tx, order, reason)


def hear_state(tx: "Tx", machine: str, state: Json) -> None:
    """Take ``up/state`` (or the last will); a report of an earlier boot is ignored."""
    found = _machine(tx, machine)
    if not state["on"]:
        if state["bn"] == found.bn:
            tx.machines.change(machine, online=False, ready=False)
            tx.notice("machine", machine, f"{machine} is not connected")
        return
    if not _take_state(tx, found, state["bn"], state.get("t")):
        return
    order: Json = state.get("order") or {}
    tx.machines.change(
        machine,
        online=True,
        state=state["st"],
        ready=state["ready"],
        order_id=order.get("order"),
        ep=order.get("ep"),
        need_person=state.get("need", ""),
        fw=state["fw"],
        fault="" if state["st"] in ("idle", "busy") else found.fault,
        last_seen_at=tx.now_ms,
    )
    if not found.online:
        tx.notice("machine", machine, f"{machine} is connected")
    if order:
        _hear_order(tx, machine, order)
    _lose(tx, machine, state)
    if _differs(found, state):
        tx.effects.replan = True


def _differs(found: Machine, state: Json) -> bool:
    return (found.online, found.state, found.ready) != (True, state["st"], state["ready"])


def _hear_order(tx: "Tx", machine: str, reported: Json) -> None:
    order = tx.orders.get(reported["order"])
    if order is None or order.machine != machine or order.ep != reported["ep"]:
        return
    if order.done_ppm != reported["done_ppm"]:
        tx.orders.change(order.id, done_ppm=reported["done_ppm"])
    word = _HEARD.get(reported["st"], "")
    if order.state == "IN_DOUBT" and word:
        advance(tx, order, word)
        tx.operations.change(order.operation, reason="")
        tx.notice("order", order.id, f"{machine} is heard again, {order.label} goes on")


def hear_hello(tx: "Tx", machine: str, hello: Json) -> None:
    """Take ``up/hello``: boot, journal, epoch and term; answer with want and ack."""
    found = _machine(tx, machine)
    if not _take_hello(tx, found, hello["bn"]):
        return
    noted = {**_journals(tx, machine), hello["bn"]: hello["jid"]}
    last = dict(list(noted.items())[-MAX_BOOTS:])
    tx.site.put(_journals_key(machine), json.dumps(last))
    _take_journal(tx, found, hello)
    tx.site.raise_to("epoch", hello["last_ep"])
    tx.site.raise_to("term", hello["term"])
    tx.machines.change(machine, online=True, fw=hello["fw"], last_seen_at=tx.now_ms)
    if hello.get("order"):
        _hear_order(tx, machine, hello["order"])
    _lose(tx, machine, hello)
    tx.touch(machine)
    after = _machine(tx, machine)
    if not after.quarantine:  # of two boards with one journal, one would take it for its own
        tx.effects.acks[machine] = (hello["jid"], after.acked_s)
        if hello["hi"] < hello["lo"]:
            settle_counters(tx, after, hello)
    tx.effects.resend.add(machine)
    tx.effects.replan = True


def _take_journal(tx: "Tx", machine: Machine, hello: Json) -> None:
    jid, low = hello["jid"], hello["lo"]
    if jid != machine.jid:
        adopt_journal(tx, machine, jid, tx.inbox.last(machine.id, jid))
        machine = _machine(tx, machine.id)
    if low > machine.acked_s + 1:
        tx.machines.change(machine.id, acked_s=low - 1)
        missing = f"{machine.acked_s + 1} to {low - 1}"
        tx.notice("attention", machine.id, f"{machine.id} no longer has its events {missing}")


def _take_hello(tx: "Tx", machine: Machine, bn: str) -> bool:
    """Follow a boot never heard before; False for an earlier one: a hello tells not when it was."""
    if bn == machine.bn:
        return True
    if bn in (machine.boots or []):
        return False
    _follow(tx, machine, bn, GREETED)
    return True


def _take_state(tx: "Tx", machine: Machine, bn: str, said_at: int | None) -> bool:
    """Follow the newest boot; False for a report of an earlier one.

    Who still speaks after a later boot was heard is a second board, but what was said before is
    late; and if all that was heard of the later one is a hello, that was late itself.
    """
    if bn == machine.bn:
        if machine.stale_boots == GREETED:
            tx.machines.change(machine.id, stale_boots=0)
        return True
    if bn not in (machine.boots or []):
        _follow(tx, machine, bn, 0)
        return True
    heard_at = tx.site.number(_boot_heard(machine.id))
    if said_at is not None and 0 < heard_at - said_at <= MAX_LATE_MS:
        return False
    speaks = said_at is not None and heard_at <= said_at <= tx.now_ms
    if machine.bn is None or (speaks and machine.stale_boots == GREETED):
        _follow(tx, machine, bn, 0)
        return True
    _doubt(tx, machine, bn)
    return False


def _follow(tx: "Tx", machine: Machine, bn: str, stale_boots: int) -> None:
    others = [known for known in machine.boots or [] if known != bn]
    kept = [*others[-(MAX_BOOTS - 1) :], bn]
    tx.machines.change(machine.id, bn=bn, boots=kept, stale_boots=stale_boots)
    tx.site.put(_boot_heard(machine.id), str(tx.now_ms))


def _doubt(tx: "Tx", machine: Machine, bn: str) -> None:
    """Count a word that a second board may have said."""
    flips = max(machine.stale_boots, 0) + 1
    tx.machines.change(machine.id, stale_boots=flips)
    if flips >= MAX_FLIPS and not machine.quarantine:
        journals = _journals(tx, machine.id)
        apart = journals.get(bn, "?") != journals.get(machine.bn or "", "?")
        quarantine(tx, machine.id, TWO_BOARDS if apart else CLONED)


def trust_anew(tx: "Tx", machine: str) -> None:
    """Of the boards heard, one stays: the next that is surely there is followed."""
    tx.machines.change(machine, quarantine="", stale_boots=0, bn=None)
    tx.site.put(_boot_heard(machine), str(tx.now_ms))


def _boot_heard(machine: str) -> str:
    """Name of the floor time at which a machine's present boot was first heard."""
    return f"boot-heard-at:{machine}"


def _journals_key(machine: str) -> str:
    return f"journal-of-boot:{machine}"


def _journals(tx: "Tx", machine: str) -> dict[str, str]:
    """Journal of each of the last boots that were heard."""
    return json.loads(tx.site.get(_journals_key(machine)) or "{}")

"""Commands of people to machines: built, kept with their answer, sent after the commit."""

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.values import Command, Json, Machine, Refused
from protocols.messages import COMMANDS

if TYPE_CHECKING:
    from controller.adapters.store import Tx

TTL_MS = 15_000
OF_AN_ORDER = ("pause", "resume", "cancel")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, under which key (a repeat does nothing more), having seen what ("" = unsaid)."""

    who: str
    key: str = ""
    saw: str = ""


def saw(machine: Machine) -> str:
    """Token of what a person sees of a machine; a command quoting an old one is refused."""
    ready = "ready" if machine.ready else "not-ready"
    return f"{machine.state}/{ready}/{machine.order_id or '-'}/{machine.ep or 0}"


def check_saw(tx: "Tx", machine: str, asker: Asker) -> None:
    """Raise Refused when a machine is not as the person saw it, or is unknown."""
    found = tx.machines.get(machine)
    if found is None:
        raise Refused("unknown-machine", "machine", f"there is no machine {machine}")
    if asker.saw and asker.saw != saw(found):
        text = f"{machine} has changed since you looked; look again and decide"
        raise Refused("changed", "saw", text)


def known(tx: "Tx", machine: str, do: str, asker: Asker) -> Command | None:
    """The command already given under this key; raise Refused when it was another one."""
    found = tx.commands.get(asker.key) if asker.key else None
    if found is not None and (found.machine, found.do) != (machine, do):
        text = f"the key was used to {found.do} {found.machine}"
        raise Refused("key-used", "Idempotency-Key", text)
    return found


def build(bn: str | None, do: str, asker: Asker, term: int, now_ms: int) -> Json:
    """Document of a command asked at ``now_ms`` for boot ``bn``; its id is the key. Or Refused."""
    if do not in COMMANDS:
        raise Refused("bad-command", "do", f"must be one of {', '.join(COMMANDS)}")
    if bn is None:
        raise Refused("never-heard", "machine", "was never heard on this floor: is it switched on?")
    return {
        "v": 1,
        "term": term,
        "id": asker.key or f"c-{secrets.token_hex(8)}",
        "bn": bn,
        "t": now_ms,
        "do": do,
        "ttl_ms": TTL_MS,
        "who": asker.who.encode()[:60].decode("utf-8", "ignore"),
    }


def by_hand(do: str, asker: Asker) -> Json:
    """What is kept of an act at a place without a machine to tell it to."""
    return {"id": asker.key or f"c-{secrets.token_hex(8)}", "do": do, "who": asker.who}


def keep(tx: "Tx", machine: str, document: Json) -> Command:
    """Store a command; raise Refused for an unknown machine."""
    if tx.machines.get(machine) is None:
        raise Refused("unknown-machine", "machine", f"there is no machine {machine}")
    command = Command(
        id=document["id"],
        machine=machine,
        do=document["do"],
        body=document,
        who=document["who"],
        created_at=tx.now_ms,
    )
    tx.commands.add(command)
    return command


def send(tx: "Tx", machine: str, document: Json) -> Command:
    """Store a command and send it after the commit; an order is asked to stop durably too."""
    order = tx.orders.open_on(machine) if document["do"] in OF_AN_ORDER else None
    if order is not None:
        document["ep"] = order.ep  # held back by a broker, it touches no later one
    command = keep(tx, machine, document)
    if document["do"] == "cancel":
        ask_to_stop(tx, machine, document["who"])
    tx.effects.commands.append((machine, document))
    return command


def ask_to_stop(tx: "Tx", machine: str, who: str) -> None:
    """Want the machine's order stopped until it says how it ended."""
    order = tx.orders.open_on(machine)
    if order is not None and order.stop_asked_by is None:
        tx.orders.change(order.id, stop_asked_by=who)
        tx.touch(machine)


def journal_stop(tx: "Tx", machine: str, document: Json, *, sent: bool) -> None:
    """Store that an emergency stop was sent (or could not be)."""
    keep(tx, machine, document)
    ask_to_stop(tx, machine, document["who"])
    how = "stopped" if sent else "wanted to stop, but could not reach,"
    tx.notice("attention", machine, f"{document['who']} {how} {machine}")

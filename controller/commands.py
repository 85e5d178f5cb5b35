"""Commands of people to machines: built, kept with their answer, sent after the commit."""

import secrets
from typing import TYPE_CHECKING

from controller.values import Command, Json, Refused
from protocols.messages import COMMANDS

if TYPE_CHECKING:
    from controller.adapters.store import Tx

TTL_MS = 15_000


def build(bn: str | None, do: str, who: str, term: int) -> Json:
    """Document of a command meant for boot ``bn``; raise Refused."""
    if do not in COMMANDS:
        raise Refused("bad-command", "do", f"must be one of {', '.join(COMMANDS)}")
    if bn is None:
        raise Refused("never-heard", "machine", "was never heard on this floor: is it switched on?")
    return {
        "v": 1,
        "term": term,
        "id": f"c-{secrets.token_hex(8)}",
        "bn": bn,
        "do": do,
        "ttl_ms": TTL_MS,
        "who": who.encode()[:60].decode("utf-8", "ignore"),
    }


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

"""Upkeep: machines out of use, maintenance done and due by hours run, thresholds of material."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.upkept import MachineOut, Threshold, Upkeep, UpkeepRule
from controller.values import Machine, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller.adapters.store import Tx

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Done:
    """What a person says was done; the same key is noted once."""

    what: str
    who: str
    note: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """One rule with how long the machine may still run before it is due (negative: overdue)."""

    what: str
    every_ms: int
    left_ms: int
    last_at: int | None = None


def take_out(tx: "Tx", machine: str, who: str, why: str) -> None:
    """Take a machine out of use: no order is offered to it; what runs on it runs on."""
    _known(tx, machine)
    if machine in tx.upkeep.out():
        return
    tx.upkeep.take_out(MachineOut(machine, who, why or "maintenance", tx.now_ms))
    tx.notice("machine", machine, f"{who} took {machine} out of use: {why or 'maintenance'}")
    tx.effects.replan = True


def put_back(tx: "Tx", machine: str, who: str) -> None:
    """Put a machine back in use."""
    _known(tx, machine)
    if tx.upkeep.put_back(machine):
        tx.notice("machine", machine, f"{who} put {machine} back in use")
        tx.effects.replan = True


def note(tx: "Tx", machine: str, done: Done) -> None:
    """Note maintenance that was done, with the hours the machine had run by then; once a key."""
    _known(tx, machine)
    if not done.what:
        raise Refused("missing", "what", "say what was done, e.g. belts tightened")
    run_ms = tx.upkeep.run_ms(machine)
    key = done.key or f"{machine}:{done.what}:{tx.now_ms}"
    if tx.upkeep.add(Upkeep(key, machine, done.what, done.who, done.note, tx.now_ms, run_ms)):
        tx.notice("machine", machine, f"{done.who} did {done.what} at {machine}")


def rule(tx: "Tx", machine: str, what: str, every_h: int) -> None:
    """Say that something is due on a machine every so many hours of running."""
    _known(tx, machine)
    if not what or every_h < 1:
        raise Refused("range", "every_h", "say what is due, and after how many hours of running")
    tx.upkeep.put_rule(UpkeepRule(machine, what, every_h * HOUR_MS))


def due(tx: "Tx", machine: str) -> list[Due]:
    """What is due on a machine, most pressing first."""
    run_ms = tx.upkeep.run_ms(machine)
    found: list[Due] = []
    for item in tx.upkeep.rules(machine):
        last = tx.upkeep.last(machine, item.what)
        since_ms = run_ms - (last.run_ms if last else 0)
        left_ms = item.every_ms - since_ms
        found.append(Due(item.what, item.every_ms, left_ms, last.at if last else None))
    return sorted(found, key=lambda d: (d.left_ms, d.what))


def set_threshold(tx: "Tx", material: str, low_mg: int, who: str) -> None:
    """Say below how much of a material people want to be told."""
    if low_mg < 0:
        raise Refused("range", "low_mg", "must not be negative")
    tx.upkeep.put_threshold(Threshold(material, low_mg, who, tx.now_ms))


def as_used(machines: "Iterable[Machine]", out: dict[str, MachineOut]) -> tuple[Machine, ...]:
    """Machines as planning and dispatch must see them: those out of use take nothing."""
    return tuple(
        replace(m, state="maintenance", fault=out[m.id].why) if m.id in out else m for m in machines
    )


def _known(tx: "Tx", machine: str) -> None:
    if tx.machines.get(machine) is None:
        raise Refused("unknown-machine", "machine", f"there is no machine {machine}")

"""Resources: machines with their capabilities, lots with what they hold."""

from typing import TYPE_CHECKING

from controller.capability import reject
from controller.ledger.discrepancies import weighed
from controller.ledger.post import post, take_stock
from controller.links import LINKS
from controller.routed import Place
from controller.values import (
    LOT_KINDS,
    MACHINE_KINDS,
    EconomicEvent,
    Lot,
    Machine,
    Operation,
    Refused,
)
from protocols.records import is_id

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def why_not(operation: Operation, machine: Machine) -> str:
    """Why a machine cannot do an operation, in words; empty when it can."""
    return reject(operation.process, operation.requires, machine.kind, machine.capability)


def explain(operation: Operation, machines: list[Machine]) -> dict[str, str]:
    """Reason per machine that cannot do the operation; machines that can are left out."""
    reasons = {m.id: why_not(operation, m) for m in machines}
    return {machine: reason for machine, reason in reasons.items() if reason}


def _check_id(field: str, value: str) -> None:
    if not is_id(value):
        raise Refused("bad-id", field, "must be an id: a-z, 0-9 and '-', at most 32 characters")


def register_machine(tx: "Tx", machine: Machine) -> Machine:
    """Add a machine, or replace what a person says of a known one; raise Refused."""
    _check_id("machine", machine.id)
    if machine.kind not in MACHINE_KINDS:
        raise Refused("bad-kind", "kind", f"must be one of {', '.join(MACHINE_KINDS)}")
    if machine.link not in LINKS:
        raise Refused("bad-link", "link", f"must be one of {', '.join(LINKS)}")
    if tx.machines.get(machine.id) is None:
        tx.machines.add(machine)
        tx.notice("machine", machine.id, f"{machine.name} joined the floor")
    else:
        tx.machines.change(
            machine.id,
            kind=machine.kind,
            link=machine.link,
            name=machine.name,
            capability=machine.capability,
            url=machine.url,
        )
    tx.touch(machine.id)
    tx.effects.replan = True
    found = tx.machines.get(machine.id)
    assert found is not None
    return found


def declare_place(tx: "Tx", place: Place) -> Place:
    """Add a place where parts wait, or change what is known of it; raise Refused."""
    _check_id("place", place.id)
    if place.capacity < 1:
        raise Refused("bad-capacity", "capacity", "must be at least 1")
    if not place.takes:
        raise Refused("bad-takes", "takes", "must name the processes whose parts it takes")
    tx.routes.put_place(place)
    tx.effects.replan = True
    return place


def why_never(operation: Operation, machine: Machine) -> str:
    """Why a machine can do an operation in none of its ways, in words; empty when it can."""
    own = {"process": operation.process, "requires": operation.requires}
    ways = operation.ways or [own]
    reasons = [
        reject(way["process"], way["requires"], machine.kind, machine.capability) for way in ways
    ]
    return "" if "" in reasons else "; ".join(dict.fromkeys(reasons))


def create_lot(tx: "Tx", lot: Lot, mass_mg: int, pieces: int, who: str) -> Lot:
    """Add a lot that holds ``mass_mg`` and ``pieces`` as declared; the same lot again is fine."""
    _check_id("lot", lot.id)
    if lot.kind not in LOT_KINDS:
        raise Refused("bad-kind", "kind", f"must be one of {', '.join(LOT_KINDS)}")
    if mass_mg < 0 or pieces < 0:
        raise Refused("bad-amount", "mass_mg", "must not be negative")
    known = tx.lots.get(lot.id)
    if known is not None:
        if (known.material, known.kind) == (lot.material, lot.kind):
            return known
        raise Refused("conflict", "lot", f"{lot.id} is already a {known.kind} of {known.material}")
    tx.lots.add(lot)
    post(
        tx,
        EconomicEvent(
            key=f"lot:{lot.id}:declared",
            action="raise",
            provider=who,
            receiver="site",
            happened_at=tx.now_ms,
            lot=lot.id,
            mass_mg=mass_mg,
            pieces=pieces,
            measure="declared",
        ),
    )
    tx.notice("lot", lot.id, f"{lot.material} lot {lot.id} came in: {mass_mg} mg, {pieces} pieces")
    tx.effects.replan = True
    return lot


def load(tx: "Tx", lot: str, machine: str, ch: int) -> None:
    """Record that a lot sits in a machine's channel; what was there before is unloaded."""
    found = tx.lots.get(lot)
    if found is None:
        raise Refused("unknown-lot", "lot", f"there is no lot {lot}: create it first")
    if tx.machines.get(machine) is None:
        raise Refused("unknown-machine", "machine", f"there is no machine {machine}")
    if not tx.lots.place(lot, machine, ch):
        return
    tx.notice("lot", lot, f"{lot} ({found.material}) is loaded in {machine}, channel {ch}")
    tx.effects.replan = True


def unload(tx: "Tx", machine: str, ch: int) -> None:
    """Record that a machine's channel is empty."""
    before = tx.lots.take_out(machine, ch)
    if before is not None:
        tx.notice("lot", before.id, f"{before.id} was taken out of {machine}, channel {ch}")
        tx.effects.replan = True


def weigh(tx: "Tx", lot: str, mass_mg: int, who: str, key: str) -> int:
    """Settle a lot to the mass on the scale; return the difference found, mg."""
    if tx.lots.get(lot) is None:
        raise Refused("unknown-lot", "lot", f"there is no lot {lot}")
    line = EconomicEvent(
        key=key,
        action="raise",
        provider=who,
        receiver="site",
        happened_at=tx.now_ms,
        measure="measured",
        note="weighed",
    )
    found = take_stock(tx, lot, mass_mg, line)
    weighed(tx, lot, who)
    if found:
        tx.notice("lot", lot, f"{lot} was weighed: {mass_mg} mg, {found:+d} mg against the ledger")
        tx.effects.replan = True
    return found


def count(tx: "Tx", lot: str, pieces: int, who: str, key: str) -> int:
    """Settle a lot to the pieces counted; its mass follows. Return the difference found."""
    known = tx.lots.get(lot)
    if known is None:
        raise Refused("unknown-lot", "lot", f"there is no lot {lot}")
    held = tx.ledger.balance(lot)
    found = pieces - held.pieces
    if tx.ledger.by_key(key) is not None or found == 0:
        return 0
    unit_mg = known.unit_mg_per_piece or (held.mass_mg // held.pieces if held.pieces > 0 else 0)
    line = EconomicEvent(
        key=key,
        action="raise" if found > 0 else "lower",
        provider=who,
        receiver="site",
        happened_at=tx.now_ms,
        lot=lot,
        mass_mg=abs(found) * unit_mg,
        pieces=abs(found),
        measure="counted",
        note="counted",
    )
    post(tx, line)
    tx.notice("lot", lot, f"{lot} was counted: {pieces} pieces, {found:+d} against the ledger")
    tx.effects.replan = True
    return found

"""Delivery: a need whose operations are all done goes to its community, with credit to authors."""

from typing import TYPE_CHECKING

from controller.keeping import leave_need, part_lot
from controller.ledger.post import need_lot, post
from controller.routed import Numbered
from controller.values import DesignRow, EconomicEvent, Lot, Need, Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def deliver_if_done(tx: "Tx", need: str) -> bool:
    """Deliver a need when nothing of it is left to do; say whether it was."""
    found = tx.needs.get(need)
    if found is None or found.state not in ("accepted", "making"):
        return False
    operations = [op for op in tx.operations.of_need(need) if op.state != "cancelled"]
    if any(operation.state != "done" for operation in operations):
        return False
    for operation in operations:
        if not tx.operations.after(operation.id):
            _transfer(tx, found, operation.id)
    _cite(tx, found)
    leave_need(tx, need)
    tx.needs.change(need, state="delivered", delivered_at=tx.now_ms, reason="")
    tx.notice("need", need, f"{found.quantity} x {found.part} delivered to {found.community}")
    return True


def number(tx: "Tx", operation: Operation) -> None:
    """Give each piece of a last operation its serial number; once."""
    if tx.operations.after(operation.id):
        return
    known = tx.routes.numbered_of(operation.need)
    if any(part.operation == operation.id for part in known):
        return
    site = tx.site.get("name") or "site"
    for piece in range(operation.pieces):
        serial = f"{site}-{tx.site.next('serial'):06d}"
        lot = part_lot(operation.id)
        unit = len(known) + piece
        tx.routes.number(Numbered(serial, operation.need, operation.id, unit, lot, tx.now_ms))


def _transfer(tx: "Tx", need: Need, operation: str) -> None:
    lot = part_lot(operation)
    held = tx.ledger.balance(lot)
    note = f"delivered to {need.community}"
    to_lot = Lot(f"d-{need.id}", need.part, "delivered", created_at=tx.now_ms, note=note)
    post(
        tx,
        EconomicEvent(
            key=f"{need.id}:transfer:{operation}",
            action="transfer",
            provider=tx.site.get("name") or "site",
            receiver=need.community,
            happened_at=tx.now_ms,
            lot=lot,
            to_lot=need_lot(tx, to_lot),
            mass_mg=held.mass_mg,
            pieces=held.pieces,
            need=need.id,
            operation=operation,
            measure="counted",
        ),
    )


def _cite(tx: "Tx", need: Need) -> None:
    """Credit every licensor and contributor of the design, and everyone who tended a machine."""
    design = tx.designs.get(need.design)
    credited: dict[str, str] = {}
    if design is not None:
        words = f"{design.title} {design.version}, {design.license}"
        named = [*_names(design, "licensor"), *_names(design, "contributors")]
        for name in named or [design.licensor]:
            credited.setdefault(name, words)
    for line in tx.ledger.of_need(need.id):
        if line.action == "work":
            credited.setdefault(line.provider, f"tended the making of {need.part}")
    for number, (name, words) in enumerate(item for item in credited.items() if item[0]):
        post(
            tx,
            EconomicEvent(
                key=f"{need.id}:cite:{number}",
                action="cite",
                provider=name,
                receiver=need.community,
                happened_at=tx.now_ms,
                need=need.id,
                measure="counted",
                note=words,
            ),
        )


def _names(design: DesignRow, field: str) -> list[str]:
    found = design.manifest.get(field)
    return [str(agent["name"]) for agent in found] if isinstance(found, list) else []  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # JSON

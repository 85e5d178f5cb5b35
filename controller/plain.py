"""What a site does where nothing else was handed in: no routing, no plan, every need accepted."""

from typing import TYPE_CHECKING

from controller.picture import FloorPicture, FloorPlan
from controller.routed import RoutedNeed
from controller.values import DesignRow, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def no_router(design: DesignRow, quantity: int) -> RoutedNeed:
    """Refuse every need."""
    raise Refused("no-router", "design", f"{design.id} x {quantity}: no routing is configured")


def no_plan(picture: FloorPicture) -> FloorPlan:
    """Plan nothing, and say so."""
    return FloorPlan((), {op.id: "no scheduler is configured" for op in picture.operations})


def accept_all(tx: "Tx") -> int:
    """Accept every need stated; return how many."""
    stated = [need for need in tx.needs.open() if need.state == "stated"]
    for need in stated:
        tx.needs.change(need.id, state="accepted", accepted_at=tx.now_ms, reason="")
    return len(stated)

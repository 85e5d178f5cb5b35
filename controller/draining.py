"""Draining: before an upgrade no new order is offered; what runs, runs on, and intake goes on.

The wish lasts until it is taken back or the controller starts again: a new one begins undrained.
"""

from typing import TYPE_CHECKING

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from protocols.orders import FINAL

if TYPE_CHECKING:
    from controller.adapters.store import Tx

DRAIN = "drain"  # in the site's room: who asked, "" for nobody
ON_MACHINES = ("CLAIMED", "GRANTED", "RUNNING", "PAUSED")


class DrainView(TypedDict):
    """Whether new orders stopped, who asked, orders on machines, orders not settled."""

    draining: bool
    by: str
    running: int
    open: int


def drain(tx: "Tx", who: str, *, on: bool) -> DrainView:
    """Offer no new order, or offer them again; how it stands."""
    before = tx.site.get(DRAIN) or ""
    if bool(before) != on:
        tx.site.put(DRAIN, who if on else "")
        words = (
            "no new orders: the controller is being drained" if on else "orders are offered again"
        )
        tx.notice("attention", "controller", f"{words} ({who})")
        tx.effects.replan = True
    return found(tx)


def found(tx: "Tx") -> DrainView:
    """How it stands."""
    states = [order.state for order in tx.orders.open() if order.state not in FINAL]
    by = tx.site.get(DRAIN) or ""
    running = sum(state in ON_MACHINES for state in states)
    return {"draining": bool(by), "by": by, "running": running, "open": len(states)}


def barred(tx: "Tx") -> dict[str, str]:
    """Every machine takes no order while the controller is drained, and why in words."""
    by = tx.site.get(DRAIN)
    if not by:
        return {}
    why = f"the controller is being drained ({by}); orders go on after its next start"
    return {machine.id: why for machine in tx.machines.all()}

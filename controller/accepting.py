"""A need is accepted: the one step of a need that rounds, urgency and lending all take."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def accept(tx: "Tx", need: str, because: str) -> None:
    """A need will be made: behind all that were accepted before it, for this reason in words."""
    tx.needs.change(
        need,
        state="accepted",
        accepted_at=tx.now_ms,
        rank=tx.site.next("rank"),
        reason=because,
        accepted_because=because,
    )

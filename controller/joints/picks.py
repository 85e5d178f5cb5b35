"""Open discrepancies: a cell took other pieces than planned, by its own account.

The ledger books what was planned; a person counts the lot, settles its stock, and closes this.
"""

import json
from typing import TYPE_CHECKING

from controller.values import Json, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx

_KEY = "picks-open"
_MAX = 500  # older ones beyond it are dropped; their notices stay


def differ(tx: "Tx", order: str, lot: str, planned: int, taken: int) -> None:
    """Keep a difference and tell people; the same one again changes nothing."""
    found = open_ones(tx)
    if any((one["order"], one["lot"]) == (order, lot) for one in found):
        return
    entry: Json = {"order": order, "lot": lot, "planned": planned, "taken": taken, "at": tx.now_ms}
    tx.site.put(_KEY, json.dumps([*found, entry][-_MAX:]))
    text = f"{order} took {taken} of {lot}, {planned} were planned: count the lot"
    tx.notice("attention", lot, text)


def open_ones(tx: "Tx") -> list[Json]:
    """Differences nobody has closed, oldest first."""
    kept = tx.site.get(_KEY)
    return json.loads(kept) if kept else []


def close(tx: "Tx", order: str, lot: str, who: str) -> None:
    """A person has counted the lot; raise Refused for one that is not open."""
    found = open_ones(tx)
    left = [one for one in found if (one["order"], one["lot"]) != (order, lot)]
    if len(left) == len(found):
        raise Refused("not-open", "lot", f"nothing is open for {lot} of {order}")
    tx.site.put(_KEY, json.dumps(left))
    tx.notice("lot", lot, f"{who} counted {lot} after {order}")

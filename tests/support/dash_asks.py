"""What asks for people beside beds to clear: a robot, counts, doubts; for the small floor."""

from __future__ import annotations

import json
from typing import Any

from controller.commons.records import OrderDiscrepancy
from controller.joints import handovers, picks
from controller.ledger.post import post
from controller.values import EconomicEvent, Lot
from support.dash_floor import MINUTE, T0


def pose(tx: Any) -> None:
    """The cell clears the bed of printer-2, and nobody has said where the part lies."""
    tx.machines.change("cell-1", capability={"clears": ["printer-2"], "pose": "person"})
    found = {**handovers.read(tx, "printer-2"), "state": "lying", "cell": "cell-1"}
    tx.site.put(handovers.KEY + "printer-2", json.dumps(found, sort_keys=True))


def odd(tx: Any) -> None:
    """A cell took other pieces than planned; an order drew far more than its program takes."""
    tx.lots.add(Lot("screws-m4", "screw-m4", "stock", 1_150, created_at=T0))
    line = EconomicEvent(
        "in-screws", "raise", "simulated technician", "site", T0 - 600 * MINUTE, "screws-m4",
        None, 460_000, 400, measure="counted",
    )  # fmt: skip
    post(tx, line)
    picks.differ(tx, "o-h5", "screws-m4", 4, 5)
    words = "9120 mg were drawn, its program takes 4210 mg"
    tx.ledger.put_discrepancy(
        OrderDiscrepancy("o-2", "mass", 4_210, 9_120, words, T0 - 40 * MINUTE)
    )

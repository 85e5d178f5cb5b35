"""What asks for people beside beds to clear: a robot, counts, doubts; for the small floor."""

from __future__ import annotations

import json
from typing import Any

from controller.commands import keep as keep_command
from controller.commons import leases
from controller.commons.records import OrderDiscrepancy
from controller.execution import answer_command
from controller.joints import handovers, picks
from controller.ledger.post import post
from controller.values import DeadLetter, EconomicEvent, Lot
from support.dash_floor import MINUTE, T0, operation, order


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


def trouble(tx: Any) -> None:
    """What machines, other sites and refused messages add to a floor on a bad day."""
    held = operation(
        "op-held", "n-1", unit=1, state="held", machine="printer-3",
        reason="failed 3 times, last: filament ran out on T0; look at it, then release it",
    )  # fmt: skip
    tx.operations.add([held], [])
    tx.orders.add(
        order("o-lost", "op-held", "printer-4", ep=40, state="IN_DOUBT", started_at=T0 - MINUTE,
              outcome_why="printer-4 is silent")
    )  # fmt: skip
    declined = {"state": "WITHDRAWN", "ended_at": T0 - 3 * MINUTE}
    for n, why in enumerate(("channel 0 holds petg-3, not petg-1", "line 12 must be one line")):
        tx.orders.add(
            order(f"o-no{n}", "op-held", "printer-3", ep=50 + n, outcome_why=why, **declined)
        )
    tx.machines.change("cell-1", quarantine="a material counter fell from 500 to 100 mg")
    _commands(tx)
    for n, (code, reason) in enumerate(
        (
            ("size", "is 70000 bytes, at most 65536 allowed"),
            ("unknown-machine", "printer-9 is not registered on this floor"),
        )
    ):
        tx.dead.add(DeadLetter("fab/1/lab/printer-9/up/ev", "{", code, reason, T0 + n))
    leases.share(tx, "n-4")
    for text in (
        "mill-2 fault alarm-9: homing failed: the limit switch was not found",
        "3 x clamp delivered to Hill school",
        "someone at the page stopped mill-2",
        "printer-1 no longer has its events 4-9",
        "bob took printer-3 out of use: maintenance",
        "petg-1 was weighed: 411500 mg, -500 mg against the ledger",
    ):
        tx.notice("note", "floor", text)


def _commands(tx: Any) -> None:
    answers: tuple[tuple[str, bool, str, str], ...] = (
        ("pause", True, "done", ""),
        ("resume", False, "refused", "no order is paused"),
        ("load", False, "refused", "an order is running"),
        ("cancel", False, "expired", "came too late"),
        ("identify", False, "stale", "was meant for an earlier start of this machine"),
    )
    for n, (do, ok, code, msg) in enumerate(answers):
        keep_command(tx, "printer-1", {"id": f"cmd-{n}", "do": do, "who": "someone at the page"})
        answer_command(tx, "printer-1", {"id": f"cmd-{n}", "ok": ok, "code": code, "msg": msg})

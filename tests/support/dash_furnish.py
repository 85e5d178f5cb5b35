"""More of the small floor, for pages that show history: readings, programs, orders, maintenance."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

from controller import upkeep
from controller.adapters.store import Tx
from controller.commons import boxes, members, rounds
from controller.commons.settings import RoundSettings, configure
from controller.ledger.post import post
from controller.values import Balance, EconomicEvent, Lot, ProgramRow
from support.dash_floor import MINUTE, T0, need, operation, order

ROOT = Path(__file__).resolve().parents[2]
PRINT = ROOT / "designs" / "toggle-clamp" / "programs" / "clamp-lever.gcode"
MILL = ROOT / "designs" / "toggle-clamp" / "programs" / "clamp-plate.gcode"


def furnish(tx: Tx) -> None:
    """Fill in what a floor has after a working day; after ``dash_floor.fill``."""
    _stock(tx)
    _programs(tx)
    _readings(tx)
    _history(tx)
    _lots(tx)
    _plan(tx)
    for what, every_h in (("grease rails", 25), ("change nozzle", 300)):
        upkeep.rule(tx, "printer-1", what, every_h)
    upkeep.note(tx, "printer-1", upkeep.Done("level the bed", "simulated technician", "0.02 mm"))
    upkeep.set_threshold(tx, "petg", 300_000, "simulated technician")


def _stock(tx: Tx) -> None:
    """What ``fill`` only says is there, as lines of the ledger."""
    for lot, mass_mg, pieces in (
        ("petg-1", 412_000, 0),
        ("petg-2", 2_000, 0),
        ("mdf-1", 360_000, 12),
    ):
        tx.ledger.put_balance(Balance(lot, 0))
        line = EconomicEvent(
            f"in-{lot}", "raise", "simulated technician", "site", T0 - 600 * MINUTE, lot, None,
            mass_mg, pieces, measure="declared",
        )  # fmt: skip
        post(tx, line)
    tx.machines.change(
        "printer-1",
        fw="fabcommons 0.1",
        jid="j-7f2a",
        bn="b-19c4",
        acked_s=412,
        capability={"nozzle_um": [400], "materials": ["petg", "pla"], "volume_mm": [220, 220, 250]},
    )


def _programs(tx: Tx) -> None:
    for path, kind, orders in ((PRINT, "marlin", ("o-1",)), (MILL, "grbl", ("o-3",))):
        data = path.read_bytes()
        sha = hashlib.sha256(data).hexdigest()
        lines = data.count(b"\n")
        tx.designs.put_program(
            ProgramRow(sha, "clamp", path.name, kind, len(data), str(path), lines=lines)
        )
        for held in orders:
            tx.orders.change(held, program_sha=sha)


def _readings(tx: Tx) -> None:
    for n in range(60):
        at = T0 - (59 - n) * 5 * MINUTE - 2_000
        heat = min(1.0, n / 8)
        wave = int(600 * math.sin(n / 3))
        printer: dict[str, int] = {
            "nozzle_mc": int(20_000 + 220_000 * heat) + wave,
            "nozzle_set_mc": 240_000,
            "bed_mc": int(20_000 + 60_000 * heat) + wave // 3,
            "bed_set_mc": 80_000,
            "power_mw": 60_000 + int(90_000 * heat) + 9 * wave,
            "done_ppm": n * 7_000,
        }
        spindle = {"spindle_rpm": 12_000 + wave, "feed_um_s": 8_000 + 3 * wave, "journal_n": 0}
        tx.telemetry.add([("printer-1", at, printer), ("mill-2", at, spindle)])


def _history(tx: Tx) -> None:
    for n in range(8):
        start = T0 - (9 - n) * 60 * MINUTE
        machine = ("printer-1", "printer-3", "mill-2")[n % 3]
        op = operation(f"op-h{n}", "n-3", unit=n, state="done", machine=machine)
        failed = n == 4
        plan = {"planned_start_at": start - 4 * MINUTE, "planned_end_at": start + 41 * MINUTE}
        tx.operations.add([_with(op, **plan)], [])
        ended: dict[str, Any] = {
            "state": "FAILED" if failed else "SUCCEEDED",
            "started_at": start,
            "ended_at": start + (19 if failed else 45) * MINUTE,
            "run_ms": (19 if failed else 45) * MINUTE,
            "settled_at": start + 46 * MINUTE,
            "result": "bad" if failed else "good",
            "resolved_by": "simulated technician",
            "outcome_why": "the nozzle clogged" if failed else "",
        }
        tx.orders.add(order(f"o-h{n}", op.id, machine, ep=n - 20, **ended))
        post(
            tx,
            EconomicEvent(
                f"h-{n}", "consume", machine, "site", start, "petg-1", None, 4_210,
                order_id=f"o-h{n}", need="n-3", operation=op.id,
            ),
        )  # fmt: skip
        tx.lots.add(Lot(f"made-{n}", "petg", "scrap" if failed else "part"))
        post(
            tx,
            EconomicEvent(
                f"m-{n}", "produce", machine, "site", start, f"made-{n}", None, 4_210, 1,
                order_id=f"o-h{n}", need="n-3", operation=op.id,
            ),
        )  # fmt: skip


def _with(op: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(op, **changes)


def _lots(tx: Tx) -> None:
    for n, colour in ((3, "black"), (4, "orange")):
        tx.lots.add(Lot(f"petg-{n}", "petg", "spool", None, 2_980_000, colour, created_at=T0))
        tx.ledger.put_balance(Balance(f"petg-{n}", 0))
        raised = EconomicEvent(
            f"lot-{n}", "raise", "simulated technician", "site", T0 - 90 * MINUTE, f"petg-{n}",
            None, 1_000_000, measure="declared",
        )  # fmt: skip
        post(tx, raised)
    unsure = EconomicEvent(
        "unsure-1", "consume", "printer-2", "site", T0 - 30 * MINUTE, "petg-4", None, 1_200,
        measure="uncertain",
    )  # fmt: skip
    post(tx, unsure)


def _plan(tx: Tx) -> None:
    tx.needs.add(need("n-4", quantity=6, due_at=T0 + 100 * MINUTE, state="accepted"))
    for n in range(6):
        machine = ("printer-1", "printer-3")[n % 2]
        start = T0 + (18 + (n // 2) * 47) * MINUTE
        tx.operations.add(
            [
                operation(
                    f"op-p{n}",
                    "n-4",
                    unit=n,
                    state="planned",
                    machine=machine,
                    planned_start_at=start,
                    planned_end_at=start + 44 * MINUTE,
                    reason=f"waits for {machine}, busy with clamp 1/2, free in 18 min",
                )
            ],
            [],
        )


def open_round(tx: Tx) -> str:
    """Open a round over three stated needs; the token of a member who may vote."""
    configure(tx, RoundSettings(auto=False))
    for n, part in ((5, "clamp"), (6, "hook"), (7, "clamp")):
        tx.needs.add(
            need(
                f"n-{n}", state="stated", design=part, part=part, community=("north", "hill")[n % 2]
            )
        )
        tx.operations.add(
            [operation(f"op-r{n}", f"n-{n}", reason="the need has not been shared out yet")], []
        )
    token = members.admit_members(tx, "north", 1, False)[0].token
    found = rounds.open_round(tx, 48)
    boxes.cast_ballot(tx, found.id, token, boxes.Wishes({"n-5": 3, "n-6": 1}, {}))
    return token

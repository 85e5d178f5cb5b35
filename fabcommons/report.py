"""What a demo prints at its end: machines, communities, material, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.values import JobOrder, ProgramRow
from dashboards.routes_api import BomView
from fabcommons.need import bom_text
from fabcommons.tables import duration, grams, table
from fabcommons.town import Held
from fabcommons.verdict import Rows, Truths, lead_times, mass_lines


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a summary is made from."""

    rows: Rows
    truths: Truths
    programs: Mapping[str, ProgramRow]
    findings: list[str]
    elapsed_s: float
    time_scale: int
    held: Held | None = None
    bills: tuple[BomView, ...] = ()  # of assembled things

    def document(self) -> dict[str, Any]:
        """The summary for programs."""
        rows = self.rows
        return {
            "ok": not self.findings,
            "findings": self.findings,
            "elapsed_s": round(self.elapsed_s, 1),
            "needs": len(rows.needs),
            "delivered": sum(need.state == "delivered" for need in rows.needs),
            "job_orders": len(rows.orders),
            "rejected": sum(order.result == "bad" for order in rows.orders),
            "economic_events": len(rows.events),
            "material": [
                {
                    "machine": line.machine,
                    "physical_mg": line.physical_mg,
                    "ledger_mg": line.ledger_mg,
                    "uncertain_mg": line.uncertain_mg,
                }
                for line in mass_lines(rows, self.truths)
            ],
            "programs": self._program_rows(),
            "round": self._round(),
            "bills": list(self.bills),
        }

    def _round(self) -> dict[str, Any] | None:
        """The allocation round that was held, None when needs were shared as they came."""
        if self.held is None:
            return None
        return {
            "id": self.held.round,
            "ballots": self.held.ballots,
            "accepted": self.held.accepted,
            "urgent": self.held.urgent,
            "inputs_sha256": self.held.inputs_sha256,
            "findings": list(self.held.findings),
        }

    def _program_rows(self) -> list[dict[str, Any]]:
        """Per program printed: filament measured in its first good order and the estimate."""
        found: dict[str, dict[str, Any]] = {}
        for order in self.rows.orders:
            program = self.programs.get(order.program_sha or "")
            if program is None or order.state != "SUCCEEDED" or program.name in found:
                continue
            found[program.name] = {
                "name": program.name,
                "sha256": program.sha,
                "measured_um": sum(order.len_um or []),
                "estimated_mg": program.mass_mg,
                "run_s": (order.run_ms or 0) / 1000,
                "estimated_s": program.duration_s,
            }
        return [found[name] for name in sorted(found)]


def summary(report: Report) -> str:
    """The summary for people."""
    rows = report.rows
    parts = [
        "",
        table(
            ("machine", "orders", "good", "busy", "drew", "ledger says"),
            [_machine_row(report, machine.id) for machine in rows.machines],
        ),
        "",
        table(
            ("community", "needs", "delivered", "mean time to delivery"),
            _community_rows(report),
        ),
        "",
        *(f"bill of materials of {b['need']}\n{bom_text(dict(b))}\n" for b in report.bills),
        *([report.held.words(), f"inputs {report.held.inputs_sha256}", ""] if report.held else []),
        f"{len(rows.orders)} job orders, {len(rows.events)} economic events, "
        f"{duration(report.elapsed_s)} (floor: {duration(report.elapsed_s * report.time_scale)})",
    ]
    if report.findings:
        parts += ["", "NOT AS PROMISED:", *(f"- {text}" for text in report.findings)]
    else:
        parts.append(
            "every need delivered, every job order ended once, the ledger balances to the milligram"
        )
    return "\n".join(parts)


def _machine_row(report: Report, machine: str) -> tuple[object, ...]:
    orders = [order for order in report.rows.orders if order.machine == machine]
    lines = {line.machine: line for line in mass_lines(report.rows, report.truths)}
    line = lines.get(machine)
    return (
        machine,
        len(orders),
        sum(order.result == "good" for order in orders),
        duration(sum(_run_s(order) for order in orders)),
        grams(line.physical_mg) if line else "",
        grams(line.ledger_mg) if line else "",
    )


def _run_s(order: JobOrder) -> float:
    return (order.run_ms or 0) / 1000


def _community_rows(report: Report) -> list[tuple[object, ...]]:
    times = lead_times(report.rows.needs)
    names = sorted({need.community for need in report.rows.needs})
    return [
        (
            name,
            sum(need.community == name for need in report.rows.needs),
            times.get(name, (0, 0.0))[0],
            duration(times[name][1]) if name in times else "-",
        )
        for name in names
    ]

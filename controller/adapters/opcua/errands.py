"""Errands of a cell: job orders that no need asked for, by the same looks and the same tables."""

from collections.abc import Callable
from typing import Any

from controller.adapters.opcua import mapping
from controller.adapters.opcua.ledge import Plan, Site
from controller.adapters.opcua.mapping import Held, Known, Seen
from controller.adapters.opcua.session import Wanted
from protocols import isa95

Tx = Any
WORK_MASTER = "clear-bed"


class Errands:
    """One cell's errands in the store; the twin of ``Ledge`` for a need's orders."""

    def __init__(self, site: Site, machine: str) -> None:
        self._site = site
        self._machine = machine

    def observe(self, tx: Tx, seen: Seen, known_of: Callable[[str], Known]) -> Plan:
        """Take a look at the cell into the store; the plan that follows from it."""
        order = self._site.errand(tx, self._machine)
        claimed = ""
        if order is not None:
            held = _held(order, seen)
            events = mapping.derive(held, seen, known_of(_job_id(held)))
            for event in events:
                self._site.errand_event(tx, self._machine, event, seen.run)
            claimed = _job_id(held) if any(e["ty"] == "claim" for e in events) else ""
            order = self._site.errand(tx, self._machine)
        stale = self._stale(seen, order)
        if order is None:
            return Plan(stale=stale)
        held = _held(order, seen)
        known = Known(True) if claimed else known_of(_job_id(held))
        method = mapping.next_call(held, seen, known)
        if not method:
            return Plan(claimed, stale=stale)
        wanted = _wanted(order) if method == "StoreAndStart" else None
        return Plan(claimed, (method, _job_id(held)), wanted, stale)

    def _stale(self, seen: Seen, order: Any) -> tuple[tuple[str, str], ...]:
        """Listed errands that are over here: ended ones leave the list, others are ended."""
        current = isa95.format_job_id(order.id, order.ep) if order is not None else ""
        calls: list[tuple[str, str]] = []
        for job_id, job in seen.jobs.items():
            parsed = isa95.parse_job_id(job_id)
            if parsed is None or job_id == current or not self._site.is_errand(parsed[0]):
                continue
            over = job.state.number in isa95.FINAL
            calls.append(("Clear" if over else mapping.stale_call(job), job_id))
        return tuple(calls)


def _job_id(held: Held) -> str:
    return isa95.format_job_id(held.order, held.ep)


def _held(order: Any, seen: Seen) -> Held:
    run = order.claim_jid.rpartition("-")[0] if order.claim_jid else seen.run
    begun = order.started_at is not None
    return Held(order.id, order.ep, order.state, run, begun, False, "0" * 64, (), {})


def _wanted(order: Any) -> Wanted:
    job_id = isa95.format_job_id(order.id, order.ep)
    return Wanted(job_id, order.label, WORK_MASTER, order.run_ms or 0, ())

"""A need from start to finish: operations, orders, machines, material measured, ledger lines."""

from typing import Any

from controller.adapters.store import Tx
from controller.tracking import Attempt, PartRecord, Step, record_of
from controller.values import EconomicEvent, Need, Operation
from dashboards.present import present
from dashboards.sentences import said_view
from dashboards.story_models import (
    LedgerLine,
    NeedStory,
    OperationStory,
    OrderStory,
    PartStepView,
    PartView,
)
from dashboards.views import made
from protocols.orders import OPC_STATES


def need_story(tx: Tx, need: Need) -> NeedStory:
    """Everything known of one need."""
    record = record_of(tx, need)
    operations = [step.operation for step in record.steps]
    ends = [op.planned_end_at for op in operations if op.planned_end_at and op.state != "done"]
    return present(
        NeedStory,
        **_head(record),
        id=need.id,
        cls=need.need_class,
        note=need.note,
        reason=need.reason,
        said=said_view(need.reason),
        due_at=need.due_at,
        eta_at=max(ends) if ends else None,
        created_at=need.created_at,
        delivered_at=need.delivered_at,
        made=made(operations),
        operations=[_operation(step) for step in record.steps],
        lines=[ledger_line(line) for line in record.lines],
    )


def part_view(record: PartRecord) -> PartView:
    """The public record of a need's parts: attempts that ran, what was delivered, whose design."""
    need, design = record.need, record.design
    return present(
        PartView,
        **_head(record),
        need=need.id,
        stated_at=need.created_at,
        accepted_because=need.accepted_because,
        version=design.version if design else None,
        manifest_sha256=design.manifest_sha if design else None,
        steps=[
            _part_step(step.operation, attempt)
            for step in record.steps
            for attempt in step.attempts
            if attempt.order.started_at
        ],
        delivered=[ledger_line(line) for line in record.deliveries()],
        credits=[ledger_line(line) for line in record.credits()],
    )


def _head(record: PartRecord) -> dict[str, Any]:
    """What a need's story and its public record both begin with."""
    need, community, design = record.need, record.community, record.design
    return {
        "part": need.part,
        "quantity": need.quantity,
        "community": community.name if community else need.community,
        "state": need.state,
        "stated_by": need.stated_by,
        "accepted_at": need.accepted_at,
        "design": need.design,
        "title": design.title if design else None,
        "license": design.license if design else None,
        "licensor": design.licensor if design else None,
    }


def _operation(step: Step) -> OperationStory:
    op = step.operation
    waits = op.reason if op.state not in ("done", "cancelled") else None
    return present(
        OperationStory,
        id=op.id,
        unit=op.unit,
        step=op.step,
        process=op.process,
        state=op.state,
        reason=waits,
        said=said_view(waits),
        machine=op.machine,
        planned_start_at=op.planned_start_at,
        planned_end_at=op.planned_end_at,
        done_at=op.done_at,
        estimated_mg=sum(int(m.get("mass_mg") or 0) for m in op.materials),
        instructions=op.instructions,
        orders=[_order(attempt) for attempt in step.attempts],
    )


def _order(attempt: Attempt) -> OrderStory:
    order = attempt.order
    running = order.state in ("RUNNING", "PAUSED", "IN_DOUBT")
    return present(
        OrderStory,
        **_ran(attempt),
        id=order.id,
        ep=order.ep,
        state=order.state,
        offered_at=order.offered_at,
        percent=order.done_ppm // 10_000 if running else None,
        result=order.result,
        by=order.resolved_by,
        why=order.outcome_why,
        said=said_view(order.outcome_why),
    )


def _part_step(op: Operation, attempt: Attempt) -> PartStepView:
    order = attempt.order
    return present(
        PartStepView,
        **_ran(attempt),
        operation=op.id,
        unit=op.unit,
        step=op.step,
        process=op.process,
        order=order.id,
        program_sha256=order.program_sha,
        tended_by=list(attempt.tended_by),
        inspection=order.result,
        inspected_by=order.resolved_by,
    )


def _ran(attempt: Attempt) -> dict[str, Any]:
    """Where and when an attempt ran, and what it took."""
    order = attempt.order
    return {
        "machine": order.machine,
        "words": OPC_STATES[order.state][3],
        "started_at": order.started_at,
        "ended_at": order.ended_at,
        "run_ms": order.run_ms,
        "measured_mg": attempt.measured_mg,
        "uncertain_mg": attempt.uncertain_mg,
    }


def ledger_line(line: EconomicEvent) -> LedgerLine:
    """One economic event as JSON."""
    return present(
        LedgerLine,
        id=line.id,
        action=line.action,
        happened_at=line.happened_at,
        provider=line.provider,
        receiver=line.receiver,
        measure=line.measure,
        lot=line.lot,
        to_lot=line.to_lot,
        mass_mg=line.mass_mg,
        pieces=line.pieces,
        duration_ms=line.duration_ms,
        order=line.order_id,
        need=line.need,
        note=line.note,
    )

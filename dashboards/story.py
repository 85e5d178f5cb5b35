"""A need from start to finish: operations, orders, machines, material measured, ledger lines."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar, cast

from controller.adapters.store import Tx
from controller.values import EconomicEvent, JobOrder, Need, Operation
from dashboards.models import LedgerLine, NeedStory, OperationStory, OrderStory
from dashboards.views import made
from protocols.orders import OPC_STATES

View = TypeVar("View")


def need_story(tx: Tx, need: Need) -> NeedStory:
    """Everything known of one need."""
    operations = tx.operations.of_need(need.id)
    lines = tx.ledger.of_need(need.id)
    community = tx.communities.get(need.community)
    design = tx.designs.get(need.design)
    ends = [op.planned_end_at for op in operations if op.planned_end_at and op.state != "done"]
    return _present(
        NeedStory,
        id=need.id,
        part=need.part,
        design=need.design,
        title=design.title if design else None,
        license=design.license if design else None,
        licensor=design.licensor if design else None,
        community=community.name if community else need.community,
        quantity=need.quantity,
        cls=need.need_class,
        state=need.state,
        stated_by=need.stated_by,
        note=need.note,
        reason=need.reason,
        due_at=need.due_at,
        eta_at=max(ends) if ends else None,
        created_at=need.created_at,
        accepted_at=need.accepted_at,
        delivered_at=need.delivered_at,
        made=made(operations),
        operations=[_operation(tx, op, lines) for op in operations],
        lines=[ledger_line(line) for line in lines],
    )


def _operation(tx: Tx, op: Operation, lines: Iterable[EconomicEvent]) -> OperationStory:
    mass: dict[tuple[str, str], int] = defaultdict(int)
    for line in lines:
        if line.action == "consume" and line.order_id:
            mass[line.order_id, line.measure] += line.mass_mg
    orders = tx.orders.of_operation(op.id)
    return _present(
        OperationStory,
        id=op.id,
        unit=op.unit,
        step=op.step,
        process=op.process,
        state=op.state,
        reason=op.reason if op.state not in ("done", "cancelled") else None,
        machine=op.machine,
        planned_start_at=op.planned_start_at,
        planned_end_at=op.planned_end_at,
        done_at=op.done_at,
        estimated_mg=sum(int(m.get("mass_mg") or 0) for m in op.materials),
        instructions=op.instructions,
        orders=[
            _order(order, mass[order.id, "measured"], mass[order.id, "uncertain"])
            for order in orders
        ],
    )


def _order(order: JobOrder, measured_mg: int, uncertain_mg: int) -> OrderStory:
    running = order.state in ("RUNNING", "PAUSED", "IN_DOUBT")
    return _present(
        OrderStory,
        id=order.id,
        machine=order.machine,
        ep=order.ep,
        state=order.state,
        words=OPC_STATES[order.state][3],
        offered_at=order.offered_at,
        started_at=order.started_at,
        ended_at=order.ended_at,
        run_ms=order.run_ms,
        percent=order.done_ppm // 10_000 if running else None,
        result=order.result,
        by=order.resolved_by,
        why=order.outcome_why,
        measured_mg=measured_mg,
        uncertain_mg=uncertain_mg,
    )


def ledger_line(line: EconomicEvent) -> LedgerLine:
    """One economic event as JSON."""
    return _present(
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


def _present(kind: type[View], **fields: Any) -> View:
    """Fields of a view without those that say nothing: absent means there is none."""
    required = cast(Any, kind).__required_keys__
    kept = {n: v for n, v in fields.items() if n in required or v not in (None, "", 0)}
    return cast(View, kept)

"""Endpoints of the machine page: all of one machine, taking it out of use, its maintenance."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Header
from fastapi import Path as InPath
from pydantic import Field, StringConstraints

from controller import upkeep
from controller.adapters.store import Tx
from controller.commands import Asker, check_saw
from controller.console import has_console
from controller.joints.handovers import confirm_pose
from controller.tracking import measured_of
from controller.values import Command, JobOrder, Machine, Operation
from dashboards.asks import CommandAsk, ConsoleAsk
from dashboards.commands import AnswerView, command_id
from dashboards.desk import Desk, Person
from dashboards.gate import Who
from dashboards.page_models import (
    DueView,
    GivenView,
    MachinePage,
    ProgramView,
    RanView,
    UpkeepView,
)
from dashboards.present import present
from dashboards.problems import ERRORS, Problem
from dashboards.reading import read_rows
from dashboards.routing import add_rows
from dashboards.rows import Floor, index
from dashboards.sentences import said_view
from dashboards.views import label, machine_view
from protocols.orders import OPC_STATES

ORDERS_SHOWN = 40
UPKEEP_SHOWN = 40
COMMANDS_SHOWN = 20
HOUR_MS = upkeep.HOUR_MS
Id = Annotated[str, InPath(max_length=64)]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=64)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
What = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class OutAsk(CommandAsk):
    """Take a machine out of use, and why."""

    why: Words = ""


class UpkeepAsk(CommandAsk):
    """Maintenance that was done."""

    what: What
    note: Words = ""


class RuleAsk(CommandAsk):
    """Maintenance that is due every so many hours of running."""

    what: What
    every_h: int = Field(ge=1, le=100_000)


class Machines:
    """Handlers of the machine page over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def page(self, machine: Id) -> MachinePage:
        """Everything people ask of one machine."""
        with self._desk.read() as tx:
            found = tx.machines.get(machine)
            if found is None:
                raise Problem(404, "unknown", "there is no such machine", "machine")
            floor = index(read_rows(tx), self._desk.clock.rate)
            return _page(tx, floor, found)

    def out(self, machine: Id, ask: OutAsk, caller: Who, key: Key = "") -> AnswerView:
        """Take the machine out of use: nothing more is offered to it."""
        who = caller.named(ask.who)

        def run(tx: Tx) -> None:
            check_saw(tx, machine, Asker(who, key, ask.saw))
            upkeep.take_out(tx, machine, who, ask.why)

        self._desk.submit(run)
        return {"id": key, "code": "done"}

    def back(self, machine: Id, ask: CommandAsk, caller: Who, key: Key = "") -> AnswerView:
        """Put the machine back in use."""
        self._desk.submit(lambda tx: upkeep.put_back(tx, machine, caller.named(ask.who)))
        return {"id": key, "code": "done"}

    def pose(self, machine: Id, ask: CommandAsk, caller: Who, key: Key = "") -> AnswerView:
        """A person, or a sensor by its token, says that the part lies where the robot takes it."""
        who = caller.named(ask.who)

        def run(tx: Tx) -> None:
            check_saw(tx, machine, Asker(who, key, ask.saw))
            confirm_pose(tx, machine, who)

        self._desk.submit(run)
        return {"id": key, "code": "done"}

    def done(self, machine: Id, ask: UpkeepAsk, caller: Who, key: Key = "") -> AnswerView:
        """Note maintenance that was done; the same key notes it once."""
        done = upkeep.Done(ask.what, caller.named(ask.who), ask.note, key)
        self._desk.submit(lambda tx: upkeep.note(tx, machine, done))
        return {"id": key, "code": "done"}

    def console(self, machine: Id, ask: ConsoleAsk, caller: Who, key: Key = "") -> AnswerView:
        """Send one line to a machine without an order; what it answers is among its commands."""
        person = Person(caller.named(ask.who), command_id(key), ask.saw)
        sent = self._desk.console(machine, ask.line, person)
        return {"id": sent.id, "code": sent.code}

    def rule(self, machine: Id, ask: RuleAsk, caller: Who, key: Key = "") -> AnswerView:
        """Say what is due every so many hours of running."""
        self._desk.submit(lambda tx: upkeep.rule(tx, machine, ask.what, ask.every_h))
        return {"id": key, "code": "done"}


def _page(tx: Tx, floor: Floor, machine: Machine) -> MachinePage:
    order = floor.held.get(machine.id)
    return present(
        MachinePage,
        at=tx.now_ms,
        machine=machine_view(floor, machine),
        link=machine.link,
        fw=machine.fw,
        journal=machine.jid or "",
        acked_s=machine.acked_s,
        boot=machine.bn,
        seen_at=machine.last_seen_at,
        run_h=_hours(tx.upkeep.run_ms(machine.id)),
        capability=[(name, _text(value)) for name, value in sorted(machine.capability.items())],
        orders=_orders(tx, machine.id),
        due=[_due(item) for item in upkeep.due(tx, machine.id)],
        upkeep=[_upkeep(item) for item in tx.upkeep.log(machine.id, UPKEEP_SHOWN)],
        commands=[_given(item) for item in tx.commands.of_machine(machine.id, COMMANDS_SHOWN)],
        console=has_console(machine),
        program=_program(tx, order) if order is not None else None,
    )


def _orders(tx: Tx, machine: str) -> list[RanView]:
    found = tx.upkeep.orders(machine, ORDERS_SHOWN)
    operations = {o.operation: tx.operations.get(o.operation) for o in found}
    return [_ran(tx, order, operations[order.operation]) for order in found]


def _ran(tx: Tx, order: JobOrder, op: Operation | None) -> RanView:
    need = tx.needs.get(op.need) if op is not None else None
    measured_mg, uncertain_mg = measured_of(tx.ledger.of_order(order.id))
    return present(
        RanView,
        id=order.id,
        label=order.label or (label(need, op) if op is not None else order.id),
        need=op.need if op is not None else "",
        state=order.state,
        words=OPC_STATES[order.state][3],
        offered_at=order.offered_at,
        started_at=order.started_at,
        ended_at=order.ended_at,
        run_ms=order.run_ms,
        measured_mg=measured_mg,
        uncertain_mg=uncertain_mg,
        result=order.result,
        by=order.resolved_by,
        why=order.outcome_why,
        said=said_view(order.outcome_why),
    )


def _due(item: upkeep.Due) -> DueView:
    return present(
        DueView,
        what=item.what,
        every_h=item.every_ms // HOUR_MS,
        left_h=_hours(item.left_ms),
        last_at=item.last_at,
    )


def _upkeep(item: upkeep.Upkeep) -> UpkeepView:
    return {
        "what": item.what,
        "who": item.who,
        "note": item.note,
        "at": item.at,
        "run_h": _hours(item.run_ms),
    }


def _given(item: Command) -> GivenView:
    return present(
        GivenView,
        id=item.id,
        do=item.do,
        who=item.who,
        at=item.created_at,
        code=item.code,
        message=item.msg,
        line=item.body.get("line"),
    )


def _program(tx: Tx, order: JobOrder) -> ProgramView | None:
    found = tx.designs.program(order.program_sha) if order.program_sha else None
    if found is None:
        return None
    return present(
        ProgramView,
        sha256=found.sha,
        kind=found.kind,
        name=found.name,
        size=found.size,
        lines=found.lines,
    )


def _hours(ms: int) -> float:
    return round(ms / HOUR_MS, 2)


def _text(value: Any) -> str:
    items = cast(list[Any], value) if isinstance(value, list) else [value]
    return ", ".join(str(item) for item in items)


def router(desk: Desk) -> APIRouter:
    """Routes of the machine page; must come before the commands with a free verb."""
    handlers = Machines(desk)
    routes = APIRouter(responses=ERRORS)
    path = "/api/machines/{machine}"
    add_rows(
        routes,
        ("GET", path, handlers.page, MachinePage),
        ("POST", f"{path}/out", handlers.out, AnswerView),
        ("POST", f"{path}/back", handlers.back, AnswerView),
        ("POST", f"{path}/pose", handlers.pose, AnswerView),
        ("POST", f"{path}/upkeep", handlers.done, AnswerView),
        ("POST", f"{path}/upkeep-rule", handlers.rule, AnswerView),
        ("POST", f"{path}/console", handlers.console, AnswerView),
    )
    return routes

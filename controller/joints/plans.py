"""Floor to scheduling problem: which machines may do what, until when each is taken, what is due.

The plan's zero is the picture's ``at``; scheduling counts seconds. A need without a due date gets
an implied one: when it would be done if needs were served strictly in the order of allocation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.joints.changeovers import (
    CLEAR_S,
    Candidates,
    House,
    WhyNot,
    candidates,
    held_class,
    machine,
    material_class,
    setup_table,
)
from controller.joints.prices import curve_at
from controller.picture import FloorPicture, Run
from controller.scheduling import problem as scheduling
from controller.scheduling.durations import Estimate, Learned, Report
from controller.scheduling.schedule import Assignment as Placed
from controller.scheduling.schedule import Plan
from controller.scheduling.waiting import Waits, aged
from controller.values import STOCK_KINDS, JobOrder, LotBalance, Need, Operation
from controller.ways import waits_for_slicer

PLANNABLE = ("waiting", "ready", "planned")
FIXED = ("ordered", "running", "inspecting")


@dataclass(frozen=True, slots=True)
class Posed:
    """The problem, why operations are not in it, names for people, needs past the wait bound."""

    problem: scheduling.Problem
    reasons: dict[str, str]
    names: dict[str, str]
    aged: frozenset[str]


def pose(picture: FloorPicture, why_not: WhyNot, house: House) -> Posed:
    """The floor as a scheduling problem; a reason for each operation that is left out."""
    needs = {need.id: need for need in picture.needs if need.state != "stated"}
    reasons: dict[str, str] = {}
    where: dict[str, tuple[str, ...]] = {}
    known: dict[str, Candidates] = {}
    for operation in picture.operations:
        if operation.need not in needs:
            shared = "the need has not been shared out yet"
            reasons[operation.id] = operation.reason if waits_for_slicer(operation) else shared
        elif operation.state in PLANNABLE and waits_for_slicer(operation):
            reasons[operation.id] = operation.reason
        elif operation.state in PLANNABLE:
            kind = f"{operation.process} {operation.requires} {operation.materials}"
            kind += f" {operation.program_sha}" if picture.refused else ""
            found = known.get(kind) or candidates(operation, picture, why_not, house)
            known[kind] = found
            if found.machines:
                where[operation.id] = found.machines
            else:
                reasons[operation.id] = found.reason
    _drop_blocked(picture, where, reasons)
    problem = _Posing(picture, needs, where, house).problem()
    bounded = aged(problem, _waits(picture, needs), house.wait_bound_s)
    pairs = zip(problem.jobs, bounded.jobs, strict=True)
    past = frozenset(before.name for before, after in pairs if before is not after)
    return Posed(bounded, reasons, _names(picture), past)


def in_force(picture: FloorPicture) -> Plan:
    """The plan as it stands with the operations, seconds from the picture's ``at``."""
    return Plan(
        tuple(
            Placed(
                op.id,
                op.machine,
                (op.planned_start_at - picture.at) // 1000,
                ((op.planned_end_at or op.planned_start_at) - picture.at) // 1000,
            )
            for op in picture.operations
            if op.state in PLANNABLE and op.machine and op.planned_start_at is not None
        )
    )


def learned(runs: Iterable[Run]) -> Learned:
    """What good runs teach about coming ones."""
    return Learned(
        Report(r.design, r.process, r.step, r.machine, r.stated_s, r.run_ms // 1000)
        for r in runs
        if r.ok and r.run_ms > 0
    )


def _drop_blocked(
    picture: FloorPicture, where: dict[str, tuple[str, ...]], reasons: dict[str, str]
) -> None:
    """Leave out what can only come after operations that are not planned."""
    taken = {op.id: op for op in picture.operations}
    waits = [(before, after) for before, after in picture.links if before in taken]
    changed = True
    while changed:
        changed = False
        for before, after in waits:
            planned = before in where or taken[before].state in FIXED
            if after in where and not planned:
                reasons[after] = f"waits for {taken[before].step}: {reasons.get(before, 'held')}"
                del where[after]
                changed = True


def _names(picture: FloorPicture) -> dict[str, str]:
    """Machines by name, operations by step and id."""
    names = {machine.id: machine.name or machine.id for machine in picture.machines}
    names.update({op.id: f"{op.step} {op.id}" for op in picture.operations})
    return names


def _waits(picture: FloorPicture, needs: Mapping[str, Need]) -> Waits:
    """How long needs that nothing is done for wait, and communities since their last start."""
    served: dict[str, int] = {}
    communities: dict[str, int] = {}
    for run in picture.runs:
        served[run.need] = max(served.get(run.need, 0), run.started_at)
        communities[run.community] = max(communities.get(run.community, 0), run.started_at)
    busy = {op.need for op in picture.operations if op.state in FIXED}
    return Waits(
        {
            need.id: (picture.at - max(need.created_at, served.get(need.id, 0))) // 1000
            for need in needs.values()
            if need.id not in busy
        },
        {name: (picture.at - at) // 1000 for name, at in communities.items()},
    )


class _Posing:
    """One problem being made of one picture."""

    def __init__(
        self,
        picture: FloorPicture,
        needs: Mapping[str, Need],
        where: Mapping[str, tuple[str, ...]],
        house: House,
    ) -> None:
        self.picture, self.needs, self.where, self.house = picture, needs, where, house
        self.learned = learned(picture.runs)
        self.orders = {order.operation: order for order in picture.orders}
        self.inside = [
            op
            for op in picture.operations
            if op.id in where or (op.state in FIXED and op.machine is not None)
        ]

    def problem(self) -> scheduling.Problem:
        """Machines, jobs and operations from what is inside."""
        names = {op.id for op in self.inside}
        before: dict[str, list[str]] = {}
        for first, then in self.picture.links:
            if first in names and then in names:
                before.setdefault(then, []).append(first)
        here = {op.need for op in self.inside}
        dues = self._dues()
        jobs = tuple(self._job(need, dues) for id_, need in self.needs.items() if id_ in here)
        picture, away = self.picture, self.house.unstaffed(self.picture.at)
        classes = {material_class(op.materials) for op in self.inside}
        classes |= {held_class(one, picture) for one in picture.machines}
        table = setup_table(sorted(classes), self.house.change_s)
        return scheduling.Problem(
            tuple(machine(one, picture, table, away) for one in picture.machines),
            jobs,
            tuple(self._operation(op, tuple(before.get(op.id, ()))) for op in self.inside),
            stock=_stock(self.picture.lots),
            unstaffed=away,
            energy=curve_at(picture.energy, picture.at, self.house),
        )

    def _estimate(self, op: Operation, machine: str) -> Estimate:
        design = self.needs[op.need].design
        return self.learned.of((design, op.process, op.step), machine, op.duration_s)

    def _operation(self, op: Operation, after: tuple[str, ...]) -> scheduling.Operation:
        material = material_class(op.materials)
        if op.id not in self.where:
            machine = op.machine or ""
            fixed = scheduling.Fixed(machine, 0, self._left_s(op, machine))
            return scheduling.Operation(
                op.id, op.need, {machine: fixed.end_s}, setup_class=material, fixed=fixed
            )
        return scheduling.Operation(
            name=op.id,
            job=op.need,
            eligible={name: self._estimate(op, name).seconds for name in self.where[op.id]},
            after=after,
            setup_class=material,
            materials=tuple(
                (m["material"], m.get("pieces") or m.get("mass_mg", 0)) for m in op.materials
            ),
        )

    def _left_s(self, op: Operation, machine: str) -> int:
        """Seconds until an operation that was sent is done; late ones are about to end."""
        order: JobOrder | None = self.orders.get(op.id)
        if op.state == "inspecting" or order is None:
            return CLEAR_S
        usual_s = self._estimate(op, machine).seconds
        if order.started_at is None:
            return usual_s
        by_clock = usual_s - (self.picture.at - order.started_at) // 1000
        by_program = usual_s * (1_000_000 - order.done_ppm) // 1_000_000
        return max(1, by_clock if order.done_ppm == 0 else (by_clock + by_program) // 2)

    def _job(self, need: Need, dues: Mapping[str, int]) -> scheduling.Job:
        due_at, at = need.due_at, self.picture.at
        return scheduling.Job(
            name=need.id,
            due_s=max(0, (due_at - at) // 1000) if due_at is not None else dues[need.id],
            weight=2 if due_at is not None else 1,
            need_class=need.need_class,
            community=need.community,
        )

    def _dues(self) -> dict[str, int]:
        """When each need would be done if served in the order of allocation, seconds from now."""
        machines = max(1, len(self.picture.machines))
        work: dict[str, int] = {}
        for op in self.inside:
            work[op.need] = work.get(op.need, 0) + op.duration_s
        dues: dict[str, int] = {}
        total = 0
        for need in sorted(self.needs.values(), key=lambda n: (n.rank, n.created_at, n.id)):
            own = work.get(need.id, 0)
            total += own
            dues[need.id] = total // machines + own
        return dues


def _stock(lots: Iterable[LotBalance]) -> dict[str, scheduling.Stock]:
    amounts: dict[str, int] = {}
    for held in lots:
        if held.lot.kind in STOCK_KINDS:
            amount = held.pieces if held.lot.kind != "spool" else held.mass_mg
            amounts[held.lot.material] = amounts.get(held.lot.material, 0) + max(0, amount)
    return {material: scheduling.Stock(amount) for material, amount in amounts.items()}

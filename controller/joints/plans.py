"""Floor to scheduling problem and back: which machines may do what, until when each is taken.

The plan's zero is the picture's ``at``; scheduling counts seconds. A need without a due date gets
an implied one: when it would be done if needs were served strictly in the order of allocation.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from controller.scheduling import problem as scheduling
from controller.scheduling.planner import Budget, plan
from controller.values import (
    Assignment,
    FloorPicture,
    FloorPlan,
    JobOrder,
    LotBalance,
    Machine,
    Need,
    Operation,
)
from protocols.orders import FINAL

WhyNot = Callable[[Operation, Machine], str]
CLEAR_S = 180  # a person clears a bed in about this time
PLANNABLE = ("waiting", "ready", "planned")
FIXED = ("ordered", "running", "inspecting")
BUDGET = Budget(cpu_s=0.2)


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Machines an operation could go to now, or why there is none, in words."""

    machines: tuple[str, ...]
    reason: str = ""


def planner(why_not: WhyNot, seed: int = 1) -> Callable[[FloorPicture], FloorPlan]:
    """A function that plans a floor; ``why_not`` says why a machine cannot do an operation."""

    def run(picture: FloorPicture) -> FloorPlan:
        return plan_floor(picture, why_not, seed)

    return run


def plan_floor(picture: FloorPicture, why_not: WhyNot, seed: int = 1) -> FloorPlan:
    """Assignments for every operation of an accepted need, a reason for each one left out."""
    needs = {need.id: need for need in picture.needs if need.state != "stated"}
    reasons: dict[str, str] = {}
    candidates: dict[str, _Candidates] = {}
    for operation in picture.operations:
        if operation.need not in needs:
            reasons[operation.id] = "the need has not been shared out yet"
        elif operation.state in PLANNABLE:
            candidates[operation.id] = _candidates(operation, picture, why_not)
    _drop_blocked(picture, candidates, reasons)
    made = plan(_problem(picture, needs, candidates), seed, BUDGET)
    by_id = {operation.id: operation for operation in picture.operations}
    assignments = tuple(
        Assignment(
            a.operation, a.machine, picture.at + a.start_s * 1000, picture.at + a.end_s * 1000
        )
        for a in made.assignments
        if by_id[a.operation].state in PLANNABLE
    )
    return FloorPlan(assignments, {**dict(made.reasons), **reasons})


def _drop_blocked(
    picture: FloorPicture, candidates: dict[str, _Candidates], reasons: dict[str, str]
) -> None:
    """Leave out operations no machine can take, and what can only come after them."""
    for name, found in list(candidates.items()):
        if not found.machines:
            reasons[name] = found.reason
            del candidates[name]
    taken = {op.id: op for op in picture.operations}
    waits = [(before, after) for before, after in picture.links if before in taken]
    changed = True
    while changed:
        changed = False
        for before, after in waits:
            planned = before in candidates or taken[before].state in FIXED
            if after in candidates and not planned:
                reasons[after] = f"waits for {taken[before].step}: {reasons.get(before, 'held')}"
                del candidates[after]
                changed = True


def _candidates(operation: Operation, picture: FloorPicture, why_not: WhyNot) -> _Candidates:
    able: list[Machine] = []
    words: list[str] = []
    for machine in picture.machines:
        reason = why_not(operation, machine)
        if reason:
            words.append(f"{machine.name}: {reason}")
        else:
            able.append(machine)
    if not able:
        listed = "; ".join(words) or "there is no machine"
        return _Candidates((), f"no machine here can do it. {listed}")
    up = [machine for machine in able if not _why_down(machine)]
    if not up:
        return _Candidates((), "; ".join(f"{m.name} {_why_down(m)}" for m in able))
    loaded = [machine for machine in up if _holds(operation, machine, picture.lots)]
    return _Candidates(tuple(machine.id for machine in loaded or up))


def _why_down(machine: Machine) -> str:
    if machine.quarantine:
        return f"is in quarantine: {machine.quarantine}"
    if not machine.online:
        return "is not connected"
    if machine.state in ("fault", "maintenance", "stopped"):
        return f"is {machine.state}" + (f": {machine.fault}" if machine.fault else "")
    return ""


def _holds(operation: Operation, machine: Machine, lots: Iterable[LotBalance]) -> bool:
    """Whether every material the operation draws is loaded there in a sufficient lot."""
    here = {held.lot.ch: held for held in lots if held.lot.machine == machine.id}
    for ch, material in enumerate(operation.materials):
        held = here.get(ch)
        if held is None or held.lot.material != material["material"]:
            return False
        if held.pieces < material.get("pieces", 0) or held.mass_mg < material.get("mass_mg", 0):
            return False
    return True


def _problem(
    picture: FloorPicture, needs: Mapping[str, Need], candidates: Mapping[str, _Candidates]
) -> scheduling.Problem:
    orders = {order.operation: order for order in picture.orders}
    inside = [
        op
        for op in picture.operations
        if op.id in candidates or (op.state in FIXED and op.machine is not None)
    ]
    names = {op.id for op in inside}
    before: dict[str, list[str]] = {}
    for first, then in picture.links:
        if first in names and then in names:
            before.setdefault(then, []).append(first)
    operations = tuple(
        _operation(op, candidates.get(op.id), orders.get(op.id), tuple(before.get(op.id, ())))
        for op in inside
    )
    jobs_here = {op.need for op in inside}
    dues = _dues(picture, needs, inside)
    jobs = tuple(_job(need, dues, picture.at) for id_, need in needs.items() if id_ in jobs_here)
    taken = {order.machine for order in picture.orders if order.state not in FINAL}
    machines = tuple(
        scheduling.Machine(
            machine.id, closed=() if machine.ready or machine.id in taken else ((0, CLEAR_S),)
        )
        for machine in picture.machines
    )
    return scheduling.Problem(machines, jobs, operations, stock=_stock(picture.lots))


def _operation(
    op: Operation, found: _Candidates | None, order: JobOrder | None, after: tuple[str, ...]
) -> scheduling.Operation:
    seconds = max(1, op.duration_s)
    if found is None:
        machine = op.machine or ""
        fixed = scheduling.Fixed(machine, 0, _left_s(op, order))
        return scheduling.Operation(op.id, op.need, {machine: seconds}, fixed=fixed)
    return scheduling.Operation(
        name=op.id,
        job=op.need,
        eligible=dict.fromkeys(found.machines, seconds),
        after=after,
        materials=tuple(
            (m["material"], m.get("pieces") or m.get("mass_mg", 0)) for m in op.materials
        ),
    )


def _left_s(op: Operation, order: JobOrder | None) -> int:
    """Seconds until the machine is free of an operation it has."""
    if op.state == "inspecting" or order is None:
        return CLEAR_S
    left = op.duration_s * (1_000_000 - order.done_ppm) // 1_000_000
    return max(1, left) + CLEAR_S


def _job(need: Need, dues: Mapping[str, int], at: int) -> scheduling.Job:
    return scheduling.Job(
        name=need.id,
        due_s=max(0, (need.due_at - at) // 1000) if need.due_at is not None else dues[need.id],
        weight=2 if need.due_at is not None else 1,
        need_class=need.need_class,
        community=need.community,
    )


def _dues(
    picture: FloorPicture, needs: Mapping[str, Need], operations: Iterable[Operation]
) -> dict[str, int]:
    """When each need would be done if served in the order of allocation, seconds from now."""
    machines = max(1, len(picture.machines))
    work: dict[str, int] = {}
    for op in operations:
        work[op.need] = work.get(op.need, 0) + op.duration_s
    dues: dict[str, int] = {}
    total = 0
    for need in sorted(needs.values(), key=lambda n: (n.rank, n.created_at, n.id)):
        own = work.get(need.id, 0)
        total += own
        dues[need.id] = total // machines + own
    return dues


def _stock(lots: Iterable[LotBalance]) -> dict[str, scheduling.Stock]:
    amounts: dict[str, int] = {}
    for held in lots:
        if held.lot.kind in ("spool", "plate", "stock"):
            amount = held.pieces if held.lot.kind != "spool" else held.mass_mg
            amounts[held.lot.material] = amounts.get(held.lot.material, 0) + max(0, amount)
    return {material: scheduling.Stock(amount) for material, amount in amounts.items()}

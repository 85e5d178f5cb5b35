"""Plans: the picture of the floor as a scheduling problem, and the plan back on the floor."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from controller.dispatching import find_lots
from controller.resources import why_not
from controller.scheduling import problem as ask
from controller.scheduling.schedule import Plan
from controller.values import Assignment, FloorPicture, FloorPlan, JobOrder, Machine, Operation

Solve = Callable[[ask.Problem], Plan]
_OPEN = ("waiting", "ready", "planned")
_SENT = ("ordered", "running", "inspecting")


@dataclass(frozen=True, slots=True)
class Choice:
    """Machines that can do an operation now, or why there is none, in words."""

    machines: tuple[str, ...]
    reason: str = ""


def make_planner(solve: Solve) -> Callable[[FloorPicture], FloorPlan]:
    """A planner of the floor around a solver of scheduling problems."""
    return lambda picture: plan(picture, solve)


def plan(picture: FloorPicture, solve: Solve) -> FloorPlan:
    """Assignments for operations that can be planned, and for each other one why not."""
    sound: list[ask.Operation] = []
    reasons: dict[str, str] = {}
    after = _after(picture)
    for operation in picture.operations:
        before = after.get(operation.id, ())
        entry, reason = _entry(operation, picture, before)
        blocked = next((b for b in before if b in reasons), None)
        if entry is None or blocked is not None:
            reasons[operation.id] = reason or f"waits for {blocked}: {reasons[blocked or '']}"[:300]
        else:
            sound.append(entry)
    solved = solve(
        ask.Problem(_machines(picture.machines), _jobs(picture), tuple(sound), name="floor")
    )
    fixed = {entry.name for entry in sound if entry.fixed is not None}
    assignments = tuple(
        Assignment(a.operation, a.machine, _at(picture, a.start_s), _at(picture, a.end_s))
        for a in solved.assignments
        if a.operation not in fixed
    )
    return FloorPlan(assignments, {**dict(solved.reasons), **reasons})


def _at(picture: FloorPicture, seconds: int) -> int:
    return picture.at + seconds * 1000


def _after(picture: FloorPicture) -> dict[str, tuple[str, ...]]:
    known = {operation.id for operation in picture.operations}
    found: dict[str, tuple[str, ...]] = {}
    for before, after in picture.links:
        if before in known:
            found[after] = (*found.get(after, ()), before)
    return found


def _entry(
    operation: Operation, picture: FloorPicture, before: tuple[str, ...]
) -> tuple[ask.Operation | None, str]:
    if operation.state in _SENT and operation.machine is not None:
        eligible = {operation.machine: max(1, operation.duration_s)}
        fixed = _fixed(operation, operation.machine, picture)
        return ask.Operation(operation.id, operation.need, eligible, fixed=fixed), ""
    if operation.state not in _OPEN:
        return None, operation.reason
    choice = choose(operation, picture)
    if not choice.machines:
        return None, choice.reason
    eligible = dict.fromkeys(choice.machines, max(1, operation.duration_s))
    return ask.Operation(operation.id, operation.need, eligible, after=before), ""


def _fixed(operation: Operation, machine: str, picture: FloorPicture) -> ask.Fixed:
    order = next((o for o in picture.orders if o.operation == operation.id), None)
    return ask.Fixed(machine, 0, _left_s(operation, order, picture.at))


def _left_s(operation: Operation, order: JobOrder | None, at: int) -> int:
    """Seconds an operation that was sent still takes, by its estimate; at least a minute."""
    if order is None or order.started_at is None:
        return max(60, operation.duration_s if order is not None else 0)
    return max(60, operation.duration_s - (at - order.started_at) // 1000)


def choose(operation: Operation, picture: FloorPicture) -> Choice:
    """Machines that are able, connected and loaded; the first of these that fails is the reason."""
    able = [(m, why_not(operation, m)) for m in picture.machines]
    capable = [m for m, reason in able if not reason]
    if not capable:
        return Choice((), _no_machine(operation, ((m.name, reason) for m, reason in able)))
    heard = [m for m in capable if m.online and not m.quarantine]
    if not heard:
        names = " and ".join(m.name for m in capable)
        return Choice((), f"waits for {names}, which is not connected or in quarantine")
    loaded = [(m, find_lots(operation, m, picture)[1]) for m in heard]
    ready = tuple(m.id for m, reason in loaded if not reason)
    return Choice(ready, "" if ready else loaded[0][1])


def _no_machine(operation: Operation, reasons: Iterable[tuple[str, str]]) -> str:
    said = [f"{name} {reason}" for name, reason in reasons]
    near = [text for text in said if f", not {operation.process}" not in text] or said
    return f"no machine can {operation.process} this: {'; '.join(near)}"[:300]


def _machines(machines: Iterable[Machine]) -> tuple[ask.Machine, ...]:
    return tuple(ask.Machine(machine.id) for machine in machines)


def _jobs(picture: FloorPicture) -> tuple[ask.Job, ...]:
    return tuple(
        ask.Job(
            need.id,
            due_s=None if need.due_at is None else (need.due_at - picture.at) // 1000,
            need_class=need.need_class,
            community=need.community,
        )
        for need in picture.needs
    )

"""What is promised to people: it moves for a gain over the threshold, and what moved is said."""

from controller.scheduling.problem import Problem
from controller.scheduling.schedule import Plan, Value, value, violations

LEAST_S = 60  # less than a minute won is no gain


def promised(problem: Problem, running: Plan, new: Plan, threshold: float) -> Plan:
    """``new`` when it gains more than that share of the first value that differs, else ``running``.

    A running plan that no longer holds (breakdown, new or cancelled operations) is always left.
    """
    names = {operation.name for operation in problem.operations}
    if violations(problem, running) or {a.operation for a in running.assignments} != names:
        return new
    return new if _gains(value(problem, running), value(problem, new), threshold) else running


def _gains(old: Value, new: Value, threshold: float) -> bool:
    """Whether the first field that differs is better by more than that share, and a minute."""
    for name, before, after in zip(Value._fields, old, new, strict=True):
        if before != after:
            least = LEAST_S if name.endswith("_s") or "tard" in name or "late" in name else 1
            return before - after >= least and (before - after) / max(before, 1) > threshold
    return False


def moved(old: Plan, new: Plan) -> list[str]:
    """What a change of plan moved, one sentence an operation, in the order of the new starts."""
    before = {assignment.operation: assignment for assignment in old.assignments}
    out: list[str] = []
    for one in new.assignments:
        was = before.get(one.operation)
        if was is None:
            out.append(f"{one.operation} is new on {one.machine}")
        elif was.machine != one.machine:
            out.append(f"{one.operation} moved from {was.machine} to {one.machine}")
        elif was.start_s != one.start_s:
            shift = one.start_s - was.start_s
            way = "later" if shift > 0 else "earlier"
            out.append(f"{one.operation} starts {-(-abs(shift) // 60)} min {way}")
    return out

"""A plan without one machine beside the plan as it is: what ends when, what nobody could make."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from controller import resources
from controller.joints.changeovers import House, lacking
from controller.joints.rolling import Rolling
from controller.picture import FloorPicture, FloorPlan
from controller.values import Need, Operation
from dashboards.page_models import LoadView, MovedView, WaitView, WhatIfView
from dashboards.present import present

TOLD_MS = 60_000  # a smaller shift is not worth a line
OUT = "taken out to see what would happen"
DOWN = f"is maintenance: {OUT}"
Wait = Callable[[Operation, str], WaitView]


def what_if(
    picture: FloorPicture, machine: str, house: House, needs: Mapping[str, Need], wait: Wait
) -> WhatIfView:
    """The view of a machine out; what it runs now counts as done there. ``wait`` tells of one."""
    gone = tuple(
        replace(m, state="maintenance", fault=OUT) if m.id == machine else m
        for m in picture.machines
    )
    without = replace(picture, machines=gone)
    plan, other = (Rolling(resources.why_not, house, None) for _ in range(2))
    before, after = plan(picture), other(without)
    placed = {item.operation for item in after.assignments}
    lost = [item.operation for item in before.assignments if item.operation not in placed]
    operations = {op.id: op for op in picture.operations}
    unmade = {operations[i].need for i in lost}
    with_end, without_end = _ends(picture, before, unmade), _ends(picture, after, unmade)
    moved = [
        _moved(needs[need], with_end[need], without_end[need])
        for need in sorted(with_end.keys() & without_end.keys())
        if abs(without_end[need] - with_end[need]) >= TOLD_MS
    ]
    return present(
        WhatIfView,
        machine=machine,
        operations=sum(item.machine == machine for item in before.assignments),
        moved=sorted(moved, key=lambda m: m["end_at"] - m["end_without_at"]),
        unplanned=[wait(operations[i], _words(after.reasons.get(i, ""))) for i in lost],
        loads=_loads(without, before, after, house),
        end_at=max(with_end.values(), default=0),
        end_without_at=max(without_end.values(), default=0),
    )


def _moved(need: Need, end_at: int, end_without_at: int) -> MovedView:
    return present(
        MovedView,
        need=need.id,
        label=f"{need.quantity} × {need.part}",
        end_at=end_at,
        end_without_at=end_without_at,
        due_at=need.due_at,
    )


def _words(reason: str) -> str:
    """A reason as it is said of a machine that is only thought to be out."""
    return reason.replace(DOWN, "would be out")


def _ends(picture: FloorPicture, plan: FloorPlan, unmade: set[str]) -> dict[str, int]:
    """When each need ends that can be finished, ms UTC."""
    need_of = {op.id: op.need for op in picture.operations}
    ends: dict[str, int] = {}
    for item in plan.assignments:
        need = need_of[item.operation]
        if need not in unmade:
            ends[need] = max(ends.get(need, 0), item.end_at)
    return ends


def _loads(
    picture: FloorPicture, before: FloorPlan, after: FloorPlan, house: House
) -> list[LoadView]:
    """What a person must load for the other plan and not for this one, by machine."""
    operations = {op.id: op for op in picture.operations}
    names = {machine.id: machine.name or machine.id for machine in picture.machines}
    was = {(item.operation, item.machine) for item in before.assignments}
    found: dict[str, LoadView] = {}
    for item in after.assignments:
        if (item.operation, item.machine) in was:
            continue
        wanted = lacking(operations[item.operation], item.machine, picture, house.waste)
        if wanted:
            load: LoadView = {"machine": names[item.machine], "materials": []}
            here = found.setdefault(item.machine, load)["materials"]
            here += [one for m in wanted if (one := str(m["material"])) not in here]
    return list(found.values())

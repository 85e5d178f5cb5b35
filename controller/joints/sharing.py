"""Stated needs to the sharing rule, its decisions back: who is served next, and why, in words.

A site that shares by rounds puts them on the ballot; any other decides at once by dominant share.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.accepting import accept
from controller.allocation.share import Decision, Demand, Pool, share
from controller.commons import rounds
from controller.commons.settings import settings_of
from controller.gcode_rules import judge, with_programs
from controller.values import Machine, Need, Operation
from controller.ways import waits_for_slicer

if TYPE_CHECKING:
    from controller.adapters.store import Tx

WhyNot = Callable[[Operation, Machine], str]
HORIZON_S = 7 * 24 * 3600  # machine time of a week is what there is to share


def sharer(why_not: WhyNot) -> Callable[["Tx"], int]:
    """A function that shares out the needs stated since it last ran; returns how many."""

    def run(tx: "Tx") -> int:
        return share_out(tx, why_not)

    return run


def share_out(tx: "Tx", why_not: WhyNot) -> int:
    """Accept or refuse every stated need; the order of acceptance becomes its rank."""
    stated = [need for need in tx.needs.open() if need.state == "stated"]
    if not stated:
        return 0
    if settings_of(tx) is not None:
        return put_to_rounds(tx, stated, why_not)
    machines = tx.machines.all()
    why_not = _knowing(tx, stated, machines, why_not)
    stated = [need for need in stated if not _unsliced(tx, need, machines, why_not)]
    takes = {need.id: _takes(tx.operations.of_need(need.id)) for need in tx.needs.open()}
    demands = [_demand(tx, need, takes[need.id], machines, why_not) for need in stated]
    for decision in share(demands, _pool(tx, takes, machines)):
        _decide(tx, decision)
    tx.effects.replan = True
    return len(stated)


def _knowing(tx: "Tx", stated: list[Need], machines: list[Machine], why_not: WhyNot) -> WhyNot:
    """``why_not`` that also knows which programs of the stated needs a machine must not run."""
    operations = [op for need in stated for op in tx.operations.of_need(need.id)]
    return with_programs(why_not, judge(tx, operations, machines))


def _unsliced(tx: "Tx", need: Need, machines: list[Machine], why_not: WhyNot) -> bool:
    """Whether a need waits to be sliced: what it takes is known only then."""
    operations = tx.operations.of_need(need.id)
    return any(waits_for_slicer(op) for op in operations) and not _impossible(
        operations, machines, why_not
    )


def put_to_rounds(tx: "Tx", stated: list[Need], why_not: WhyNot) -> int:
    """Refuse what can never be made here, put the rest on the ballot; how many were new."""
    current = tx.rounds.current()
    listed = {row.need for row in tx.rounds.needs(current.id)} if current else set[str]()
    machines = tx.machines.all()
    why_not = _knowing(tx, stated, machines, why_not)
    possible: list[Need] = []
    refused = 0
    for need in stated:
        new = need.id not in listed
        why = _impossible(tx.operations.of_need(need.id), machines, why_not) if new else ""
        if why:
            rounds.refuse(tx, need.id, why)
            refused += 1
        elif new and any(waits_for_slicer(op) for op in tx.operations.of_need(need.id)):
            continue
        else:
            possible.append(need)
    return refused + rounds.list_stated(tx, possible)


def _demand(
    tx: "Tx", need: Need, takes: dict[str, int], machines: list[Machine], why_not: WhyNot
) -> Demand:
    return Demand(
        need=need.id,
        community=need.community,
        need_class=need.need_class,
        stated_at=need.created_at,
        takes=takes,
        problem=_impossible(tx.operations.of_need(need.id), machines, why_not),
    )


def _impossible(operations: list[Operation], machines: list[Machine], why_not: WhyNot) -> str:
    """Why a need can never be made on this floor; empty when it can."""
    for operation in operations:
        reasons = {machine.name: why_not(operation, machine) for machine in machines}
        if all(reasons.values()):
            listed = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
            return f"no machine here can do {operation.step}. {listed or 'There is none.'}"
    return ""


def _takes(operations: list[Operation]) -> dict[str, int]:
    """What a need takes: seconds by process, mg or pieces by material."""
    takes: dict[str, int] = {}
    for operation in operations:
        hours = f"{operation.process} time"
        takes[hours] = takes.get(hours, 0) + operation.duration_s
        for material in operation.materials:
            name = str(material["material"])
            amount = int(material.get("pieces") or material.get("mass_mg", 0))
            takes[name] = takes.get(name, 0) + amount
    return takes


def _pool(tx: "Tx", takes: dict[str, dict[str, int]], machines: list[Machine]) -> Pool:
    """Capacity of this floor, what communities hold of it already, and their weights."""
    granted: dict[str, dict[str, int]] = {}
    for need in tx.needs.open():
        if need.state != "stated":
            _add(granted.setdefault(need.community, {}), takes[need.id])
    capacity: dict[str, int] = {}
    for resource in {name for taken in takes.values() for name in taken}:
        capacity[resource] = HORIZON_S * max(1, len(machines)) if " time" in resource else 0
    for held in tx.lots.on_hand():
        if held.lot.material in capacity:
            amount = held.mass_mg if held.lot.kind == "spool" else held.pieces
            capacity[held.lot.material] += max(0, amount)
    weights = {community.id: community.need_weight for community in tx.communities.all()}
    return Pool(capacity, granted, weights)


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _decide(tx: "Tx", decision: Decision) -> None:
    if decision.accepted:
        accept(tx, decision.need, decision.reason)
        return
    rounds.refuse(tx, decision.need, decision.reason)

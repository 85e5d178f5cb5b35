"""What a round has to share and what needs take of it: machine time, materials, energy, people.

Machine time is shared by class: processes that a machine does both of are one class, so no hour is
counted twice. Material is counted in mg, or in pieces under ``MATERIAL.pieces``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from controller.allocation.inputs import PPM, Resource
from controller.capability import processes
from controller.commons.records import LIMIT, SITE
from controller.commons.settings import HOUR_MS, RoundSettings
from controller.values import LotBalance, Machine, Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx

CLEAR_MS = 180_000  # a person clears a bed in about this time
PEOPLE, ENERGY = "people-time", "energy"
OVER = ("done", "cancelled")


class Measure(NamedTuple):
    """How operations are measured: class by process, processes people do, settings."""

    classes: Mapping[str, str]
    by_people: frozenset[str]
    settings: RoundSettings


def classes_of(machines: Iterable[Machine]) -> dict[str, str]:
    """Capability class by process: processes joined by a machine that does both."""
    groups: list[set[str]] = []
    for machine in machines:
        mine = set(processes(machine.kind, machine.capability))
        joined = [group for group in groups if group & mine]
        groups = [group for group in groups if not group & mine]
        groups.append(mine.union(*joined))
    names = {frozenset(group): ".".join(sorted(group)) + "-time" for group in groups}
    return {process: name for group, name in names.items() for process in group}


def measure(machines: Iterable[Machine], settings: RoundSettings) -> Measure:
    """How operations of this floor are measured."""
    found = list(machines)
    by_machine = {p for m in found if m.link != "person" for p in processes(m.kind, m.capability)}
    by_hand = {p for m in found if m.link == "person" for p in processes(m.kind, m.capability)}
    people = frozenset(by_hand - by_machine) if settings.people_h else frozenset[str]()
    return Measure(classes_of(found), people, settings)


def takes(operations: Iterable[Operation], how: Measure) -> dict[str, int]:
    """What operations not yet over take, by resource."""
    found: dict[str, int] = {}
    for operation in operations:
        if operation.state not in OVER:
            for resource, amount in _takes(operation, how):
                found[resource] = found.get(resource, 0) + amount
    return {resource: amount for resource, amount in sorted(found.items()) if amount}


def _takes(operation: Operation, how: Measure) -> Iterable[tuple[str, int]]:
    settings, length_ms = how.settings, operation.duration_s * 1000
    if operation.process in how.by_people:
        yield PEOPLE, length_ms
    else:
        yield how.classes.get(operation.process, f"{operation.process}-time"), length_ms
        if settings.people_h:
            yield PEOPLE, CLEAR_MS
    power_w = settings.power_w.get(operation.process, 0)
    if settings.energy_kwh and power_w:
        yield ENERGY, power_w * length_ms // 3600
    for material in operation.materials:
        name = str(material["material"])
        if material.get("pieces"):
            yield f"{name}.pieces", int(material["pieces"])
        else:
            yield name, int(material.get("mass_mg", 0))


def resources(
    tx: Tx, settings: RoundSettings, wanted: Iterable[str], chosen: Mapping[str, int] | None = None
) -> tuple[Resource, ...]:
    """Resources of a round: those of this floor and those that needs want.

    ``chosen`` are limits that members have voted for just now.
    """
    machines = tx.machines.all()
    how = measure(machines, settings)
    forecast = _machine_time(machines, how) | _materials(tx.lots.on_hand())
    if settings.people_h:
        forecast[PEOPLE] = settings.people_h * HOUR_MS
    if settings.energy_kwh:
        forecast[ENERGY] = settings.energy_kwh * 1_000_000
    for name, amount in settings.deliveries.items():
        forecast[name] = forecast.get(name, 0) + amount
    for name in wanted:
        forecast.setdefault(name, 0)
    limits = settings.limits | tx.rounds.carried(LIMIT).get(SITE, {}) | dict(chosen or {})
    committed = commitments(tx, how)
    return tuple(
        Resource(
            id=name,
            title=title(name),
            unit=unit(name),
            forecast=amount,
            urgent_reserve=min(amount, limits.get(name, amount))
            * settings.urgent_reserve_ppm
            // PPM,
            committed=committed.get(name, 0),
            threshold=limits.get(name),
        )
        for name, amount in sorted(forecast.items())
    )


def commitments(tx: Tx, how: Measure) -> dict[str, int]:
    """What needs accepted before still take."""
    held = [need.id for need in tx.needs.open() if need.state != "stated"]
    return takes(tx.operations.of_needs(held), how)


def _machine_time(machines: Iterable[Machine], how: Measure) -> dict[str, int]:
    """Milliseconds of a round's length that machines of each class are expected to be there."""
    length_ms = how.settings.length_h * HOUR_MS * how.settings.availability_ppm // PPM
    found: dict[str, int] = {}
    for machine in machines:
        offered = set(processes(machine.kind, machine.capability)) - how.by_people
        if offered and not machine.quarantine:
            name = how.classes[min(offered)]
            found[name] = found.get(name, 0) + length_ms
    return found


def _materials(lots: Iterable[LotBalance]) -> dict[str, int]:
    """Stock on hand: mg of spools, pieces of plates and other stock."""
    found: dict[str, int] = {}
    for held in lots:
        if held.lot.kind == "spool":
            name, amount = held.lot.material, held.mass_mg
        elif held.lot.kind in ("plate", "stock"):
            name, amount = f"{held.lot.material}.pieces", held.pieces
        else:
            continue
        found[name] = found.get(name, 0) + max(0, amount)
    return found


def unit(resource: str) -> str:
    """Unit of a resource by its id."""
    if resource.endswith("-time"):
        return "ms"
    if resource == ENERGY:
        return "mWh"
    return "pieces" if resource.endswith(".pieces") else "mg"


def title(resource: str) -> str:
    """A resource in words."""
    if resource.endswith("-time"):
        return resource.removesuffix("-time").replace(".", " and ") + " time"
    return resource.removesuffix(".pieces")

"""Ways: an operation that can be done in several ways takes the one that is done soonest.

Chosen among what can be done now (a machine that can and is connected, with the material loaded),
by the work that waits for the machines of each way; a way is left only for one a fifth better, so
that plans do not flap. Once an operation is ordered its way stays, until it is tried again.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from controller.capability import reject
from controller.picture import FloorPicture
from controller.picturing import floor_picture
from controller.values import Json, LotBalance, Machine, Operation

if TYPE_CHECKING:
    from controller.adapters.store import Tx

OPEN = ("waiting", "ready", "planned")
FAR_S, FARTHER_S, NEVER_S = 10**7, 10**8, 10**9  # material is missing; not connected; cannot
FIELDS = ("process", "requires", "program_sha", "duration_s", "materials", "work_master")
MACHINE_DOWN = ("fault", "maintenance", "stopped")


def take(tx: "Tx") -> set[str]:
    """Put operations on their best way; those that changed must be planned again."""
    if not tx.routes.with_ways():
        return set()
    picture = floor_picture(tx)
    by_id = {op.id: op for op in picture.operations}
    changed: set[str] = set()
    for name, way in choose(picture).items():
        op = by_id[name]
        if op.way != way:
            fields = {field: op.ways[way].get(field) for field in FIELDS}
            tx.operations.change(name, way=way, state=_unplanned(op), machine=None, **fields)
            changed.add(name)
    if changed:
        tx.effects.replan = True
    return changed


def _unplanned(op: Operation) -> str:
    return "ready" if op.state == "planned" else op.state


def unsliced(way: Json) -> bool:
    """Whether a way is a mesh that no program was made of yet."""
    return bool(way.get("mesh_sha")) and not way.get("program_sha")


def waits_for_slicer(op: Operation) -> bool:
    """Whether an operation cannot be done before its mesh is sliced."""
    return op.program_sha is None and bool(op.ways) and unsliced(op.ways[op.way])


def choose(picture: FloorPicture) -> dict[str, int]:
    """The way of every open operation that has several."""
    load = _load(picture)
    chosen: dict[str, int] = {}
    for op in picture.operations:
        if len(op.ways) < 2 or op.state not in OPEN:
            continue
        waits = [_waits(way, picture, load) for way in op.ways]
        best = min(range(len(waits)), key=lambda n: (waits[n], n))
        now = op.way
        if waits[best] * 5 >= waits[now] * 4:
            best = now
        chosen[op.id] = best
        _book(op.ways[best], picture, load, int(op.ways[best]["duration_s"]))
        _book(op.ways[now], picture, load, -int(op.ways[now]["duration_s"]))
    return chosen


def able(way: Json, machines: Iterable[Machine]) -> list[Machine]:
    """Machines that can do a way at all; nobody can what is not sliced."""
    if unsliced(way):
        return []
    return [
        m for m in machines if not reject(way["process"], way["requires"], m.kind, m.capability)
    ]


def _up(machine: Machine) -> bool:
    return machine.online and not machine.quarantine and machine.state not in MACHINE_DOWN


def _load(picture: FloorPicture) -> dict[str, int]:
    """Seconds of work that wait for each machine, shared out evenly among those that can."""
    load: dict[str, int] = {}
    for op in picture.operations:
        _book(_as_way(op), picture, load, op.duration_s)
    return load


def _as_way(op: Operation) -> Json:
    return {"process": op.process, "requires": op.requires}


def _book(way: Json, picture: FloorPicture, load: dict[str, int], seconds: int) -> None:
    machines = [m for m in able(way, picture.machines) if _up(m)]
    for machine in machines:
        load[machine.id] = load.get(machine.id, 0) + seconds // len(machines)


def _waits(way: Json, picture: FloorPicture, load: dict[str, int]) -> int:
    """Seconds until a way would be done, far ahead when something is missing for it."""
    machines = able(way, picture.machines)
    if not machines:
        return NEVER_S
    seconds = int(way["duration_s"])
    up = [m for m in machines if _up(m)]
    if not up:
        return FARTHER_S + seconds
    ready = [m for m in up if _holds(way, m, picture.lots)]
    if not ready:
        return FAR_S + seconds
    return min(load.get(m.id, 0) for m in ready) + seconds


def _holds(way: Json, machine: Machine, lots: Iterable[LotBalance]) -> bool:
    here = {held.lot.ch: held for held in lots if held.lot.machine == machine.id}
    for ch, material in enumerate(way["materials"]):
        held = here.get(ch)
        if held is None or held.lot.material != material["material"]:
            return False
        if held.pieces < material.get("pieces", 0) or held.mass_mg < material.get("mass_mg", 0):
            return False
    return True

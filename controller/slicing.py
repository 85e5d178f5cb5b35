"""Slicing on demand: which meshes wait for which machine profiles, and what a slicing changes.

A mesh is sliced once for each profile of a machine that could print it. What comes out is a *way*
of the operation, with the slicer's grams and time, that only machines of this profile can do; so
planning chooses among machines as it does among alternatives. Nothing is shared out, planned or
ordered before; until then operation and need say what they wait for.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from controller.capability import reject
from controller.values import Json, Machine, Operation, ProgramRow
from controller.ways import FIELDS, unsliced, waits_for_slicer

if TYPE_CHECKING:
    from controller.adapters.store import Tx

KEY = "slicer_profile"  # of a machine's capability, and of what a sliced way requires
CANNOT = "cannot be sliced"
BATCH = 200  # operations changed in one transaction: the writer has others to serve


class Profile(NamedTuple):
    """Settings of a slicer for a kind of machine and a material."""

    id: str
    sha256: str
    material: str
    nozzle_um: int


class Wish(NamedTuple):
    """A mesh to be sliced with a profile."""

    mesh_sha: str
    profile: Profile


class Sliced(NamedTuple):
    """What came out: the program, what it requires of a machine, estimates."""

    program: ProgramRow
    requires: Json


def wishes(
    operations: Iterable[Operation], machines: Iterable[Machine], profiles: Iterable[Profile]
) -> list[Wish]:
    """What is still to be sliced, for those that wait for it first."""
    floor, known = list(machines), list(profiles)
    ordered = sorted(operations, key=lambda op: not waits_for_slicer(op))
    found: dict[Wish, None] = {}
    for op in ordered:
        for way in filter(unsliced, op.ways):
            for profile in fitting(way, floor, known):
                wish = Wish(way["mesh_sha"], profile)
                if not _there(op, wish):
                    found[wish] = None
    return list(found)


def fitting(way: Json, machines: Iterable[Machine], profiles: Iterable[Profile]) -> list[Profile]:
    """Profiles of the way's material that a machine which could print it names."""
    material = way["materials"][0]["material"]
    named: set[str] = set()
    for machine in machines:
        if not reject(way["process"], way["requires"], machine.kind, machine.capability):
            said = machine.capability.get(KEY, ())
            named.update([said] if isinstance(said, str) else said)
    nozzle_um = way["requires"].get("nozzle_um")
    able = [p for p in profiles if p.material == material and p.id in named]
    return [p for p in able if nozzle_um in (None, p.nozzle_um)]


def _there(op: Operation, wish: Wish) -> bool:
    made = (wish.mesh_sha, wish.profile.sha256)
    return any((way.get("mesh_sha"), way.get("profile_sha")) == made for way in op.ways)


def take(tx: "Tx", wish: Wish, sliced: Sliced) -> int:
    """Give operations that waited for it the new way, BATCH at a time; how many there were."""
    tx.designs.put_program(sliced.program)
    changed = 0
    for op in tx.routes.meshed():
        base = next((w for w in op.ways if unsliced(w) and w["mesh_sha"] == wish.mesh_sha), None)
        if base is None or _there(op, wish):
            continue
        _add_way(tx, op, _way(base, wish, sliced))
        changed += 1
        if changed == BATCH:
            break
    tx.effects.replan = True
    return changed


def _way(base: Json, wish: Wish, sliced: Sliced) -> Json:
    requires = {**base["requires"], **sliced.requires, KEY: wish.profile.id}
    material = {**base["materials"][0], "mass_mg": sliced.program.mass_mg or 0}
    return {
        **base,
        "requires": requires,
        "program_sha": sliced.program.sha,
        "duration_s": sliced.program.duration_s or 1,
        "materials": [material],
        "profile_sha": wish.profile.sha256,
    }


def _add_way(tx: "Tx", op: Operation, way: Json) -> None:
    """Add a way, in place of one with older settings of the same profile; take it if none was."""
    mine = (way["mesh_sha"], way["requires"][KEY])
    at = next((n for n, old in enumerate(op.ways) if _is(old, mine)), len(op.ways))
    ways = [*op.ways[:at], way, *op.ways[at + 1 :]]
    fields: Json = {"ways": ways}
    if waits_for_slicer(op) or at == op.way:
        fields |= {name: way.get(name) for name in FIELDS}
        fields |= {"way": at, "reason": "sliced; not planned yet"}
    tx.operations.change(op.id, **fields)
    need = tx.needs.get(op.need)
    if need is not None and need.state == "stated" and waits_for_slicer(op):
        tx.needs.change(need.id, reason="sliced; waits to be shared out")
        tx.notice("need", need.id, f"{op.step} of {need.id} is sliced")


def _is(way: Json, mine: tuple[str, str]) -> bool:
    return (way.get("mesh_sha"), way["requires"].get(KEY)) == mine and not unsliced(way)


def why_none(op: Operation, machines: Iterable[Machine], profiles: Iterable[Profile]) -> str:
    """Why no profile fits an operation that waits for one, in words; empty when one does."""
    floor, known = list(machines), list(profiles)
    if any(fitting(way, floor, known) for way in op.ways if unsliced(way)):
        return ""
    material = op.ways[op.way]["materials"][0]["material"]
    able = [m for m in floor if not reject(op.process, op.requires, m.kind, m.capability)]
    if not able:
        return f"no machine here can do {op.step}"
    for_it = ", ".join(p.id for p in known if p.material == material)
    fix = f"add {KEY}: {for_it} to its capability" if for_it else "add one to slicing.profiles"
    names = ", ".join(machine.name for machine in able)
    return f"{CANNOT}: {names} names no slicer profile for {material}; {fix}"


def tell(tx: "Tx", reasons: dict[str, str]) -> None:
    """Write down, by operation, what it waits for; its need says the same while it is stated."""
    troubled: set[str] = set()
    for name, words in reasons.items():
        op = tx.operations.get(name)
        if op is None or not waits_for_slicer(op) or op.reason == words:
            continue
        tx.operations.change(name, reason=words)
        need = tx.needs.get(op.need)
        if need is not None and need.state == "stated":
            tx.needs.change(need.id, reason=f"{op.step}: {words}")
        if words.startswith(CANNOT) and op.need not in troubled:
            troubled.add(op.need)
            tx.notice("attention", op.need, f"{op.step} of {op.need} {words}")

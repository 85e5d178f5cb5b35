"""What a machine holds and what bringing it to something else takes: clearing, another material.

A change of material is planned only where the settings say how long one takes; otherwise an
operation goes to machines that hold what it needs, or waits for somebody to load it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import NamedTuple

from controller.gcode_rules import refused_by
from controller.picture import FloorPicture
from controller.scheduling import problem as scheduling
from controller.scheduling.shifts import Shift, unstaffed
from controller.scheduling.spools import Spool, Waste, choose_spool
from controller.values import STOCK_KINDS, Json, LotBalance, Machine, Operation
from protocols.orders import FINAL

WhyNot = Callable[[Operation, Machine], str]
CLEAR_S = 180  # a person clears a bed in about this time
HORIZON_S = 14 * 24 * 3600
NOTHING = "no material"
CLEARED = "cleared, "  # a machine that holds a material and is clear already
WASTE = Waste()


def alike(_at_ms: int) -> scheduling.Curve:
    """Energy that always costs the same."""
    return ()


@dataclass(frozen=True, slots=True)
class House:
    """Rules of the house: shifts, seconds of a change of material (None = never planned), waits.

    ``energy`` gives what a kWh costs, in seconds from the floor time it is asked for.
    """

    shifts: tuple[Shift, ...] = ()
    zone: tzinfo = UTC
    change_s: int | None = None
    wait_bound_s: int = 24 * 3600
    waste: Waste = WASTE
    energy: Callable[[int], scheduling.Curve] = alike

    def unstaffed(self, at_ms: int) -> tuple[scheduling.Window, ...]:
        """Windows without anybody, seconds from ``at_ms``."""
        return unstaffed(self.shifts, self.zone, at_ms, HORIZON_S)


Windows = tuple[scheduling.Window, ...]


class Candidates(NamedTuple):
    """Machines an operation could go to now, or why there is none, in words."""

    machines: tuple[str, ...]
    reason: str = ""


def material_class(materials: Sequence[Json]) -> str:
    """The set-up class of what is drawn, in the order of channels."""
    return " + ".join(str(material["material"]) for material in materials) or NOTHING


def candidates(
    operation: Operation, picture: FloorPicture, why_not: WhyNot, house: House
) -> Candidates:
    """Machines that can do an operation, are there, and hold (or may be given) its material."""
    able: list[Machine] = []
    words: list[str] = []
    for one in picture.machines:
        reason = why_not(operation, one) or refused_by(picture.refused, operation, one.id)
        if reason:
            words.append(f"{one.name}: {reason}")
        else:
            able.append(one)
    if not able:
        listed = "; ".join(words) or "there is no machine"
        return Candidates((), f"no machine here can do it. {listed}")
    up = [one for one in able if not why_down(one)]
    if not up:
        return Candidates((), "; ".join(f"{m.name} {why_down(m)}" for m in able))
    loaded = [one for one in up if _holds(operation, one, picture.lots, house.waste)]
    if house.change_s is not None:
        others = [one for one in up if one not in loaded and _given(operation, one, picture, house)]
        loaded += others
    return Candidates(tuple(one.id for one in _sparing(operation, loaded, picture, house) or up))


def why_down(machine: Machine) -> str:
    """Why a machine takes part in no plan, in words; empty when it does."""
    if machine.quarantine:
        return f"is in quarantine: {machine.quarantine}"
    if not machine.online:
        return "is not connected"
    if machine.state in ("fault", "maintenance", "stopped"):
        return f"is {machine.state}" + (f": {machine.fault}" if machine.fault else "")
    return ""


def _holds(
    operation: Operation, machine: Machine, lots: Iterable[LotBalance], waste: Waste
) -> bool:
    """Whether every material the operation draws is loaded there in a sufficient lot."""
    here = {held.lot.ch: held for held in lots if held.lot.machine == machine.id}
    for ch, material in enumerate(operation.materials):
        if not _serves(material, here.get(ch), waste):
            return False
    return True


def _serves(material: Json, held: LotBalance | None, waste: Waste) -> bool:
    """Whether what is loaded covers what is drawn, spools with their margin."""
    if held is None or held.lot.material != material["material"]:
        return False
    if material.get("pieces"):
        return held.pieces >= material["pieces"]
    need_mg = material.get("mass_mg", 0)
    return held.mass_mg * 1000 >= need_mg * (1000 + waste.margin_permille)


def lacking(operation: Operation, machine: str, picture: FloorPicture, waste: Waste) -> list[Json]:
    """What an operation draws and a machine does not hold enough of."""
    here = {held.lot.ch: held for held in picture.lots if held.lot.machine == machine}
    return [
        material
        for ch, material in enumerate(operation.materials)
        if not _serves(material, here.get(ch), waste)
    ]


def to_load(operation: Operation, machine: str, picture: FloorPicture, waste: Waste) -> str:
    """What to load in a machine that lacks an operation's material, in words; "" when nothing."""
    balances = {held.lot.id: held for held in picture.lots}
    for material in lacking(operation, machine, picture, waste):
        lot = suggested(material, picture.lots, waste)
        if lot is None:
            return f"no lot of {material['material']} on the shelf holds enough"
        held = balances[lot]
        amount = f"{held.pieces} pieces" if material.get("pieces") else f"{held.mass_mg // 1000} g"
        return f"load {lot} ({amount}), whose rest stays usable"
    return ""


def _given(operation: Operation, machine: Machine, picture: FloorPicture, house: House) -> bool:
    """Whether what the machine lacks lies on the shelf; only machines that draw material."""
    here = {held.lot.ch: held for held in picture.lots if held.lot.machine == machine.id}
    for ch, material in enumerate(operation.materials):
        if _serves(material, here.get(ch), house.waste):
            continue
        if suggested(material, picture.lots, house.waste) is None:
            return False
    return bool(operation.materials)


def suggested(material: Json, lots: Iterable[LotBalance], waste: Waste) -> str | None:
    """The lot on the shelf to load for a material: the one whose rest stays usable."""
    shelf = [held for held in lots if held.lot.machine is None and _fits(held, material)]
    if material.get("pieces"):
        enough = [held for held in shelf if held.pieces >= material["pieces"]]
        return min((h.lot.id for h in sorted(enough, key=lambda h: h.pieces)), default=None)
    spools = [Spool(held.lot.id, held.mass_mg) for held in shelf]
    chosen = choose_spool(material.get("mass_mg", 0), spools, waste)
    return None if chosen is None else chosen.lot


def _fits(held: LotBalance, material: Json) -> bool:
    return held.lot.material == material["material"] and held.lot.kind in STOCK_KINDS


def _sparing(
    operation: Operation, loaded: list[Machine], picture: FloorPicture, house: House
) -> list[Machine]:
    """Machines whose spool keeps a usable rest, where there are any; else all of them."""
    need_mg = sum(m.get("mass_mg", 0) for m in operation.materials if not m.get("pieces"))
    if len(operation.materials) != 1 or need_mg == 0:
        return loaded
    here = {held.lot.machine: held.mass_mg for held in picture.lots if held.lot.machine}
    sparing = [
        one
        for one in loaded
        if one.id not in here or not _spoils(here[one.id] - need_mg, here[one.id], house.waste)
    ]
    return sparing or loaded


def _spoils(rest_mg: int, held_mg: int, waste: Waste) -> bool:
    """Whether drawing leaves too little to be of use on a spool that was of use before."""
    used_up = rest_mg * 1000 <= (held_mg - rest_mg) * waste.margin_permille
    return rest_mg < waste.remnant_mg <= held_mg and not used_up


def machine(
    one: Machine, picture: FloorPicture, table: scheduling.SetupTable, away: Windows
) -> scheduling.Machine:
    """A machine with its change-overs; a person does them, so they avoid ``away``."""
    if one.kind == "station":
        return scheduling.Machine(one.id, closed=away)
    held = held_class(one, picture)
    busy = any(order.machine == one.id and order.state not in FINAL for order in picture.orders)
    return scheduling.Machine(
        one.id,
        setups=table,
        setup_class=CLEARED + held if one.ready and not busy else held,
        manual=bool(away),
        power_w=int(one.capability.get("power_w", 0)),
    )


def held_class(one: Machine, picture: FloorPicture) -> str:
    """The set-up class of what is loaded in a machine."""
    here = sorted((h.lot.ch or 0, h.lot.material) for h in picture.lots if h.lot.machine == one.id)
    return " + ".join(material for _, material in here) or NOTHING


def setup_table(classes: Sequence[str], change_s: int | None) -> scheduling.SetupTable:
    """Clearing between any two runs, more for another material; nothing on a clear machine."""
    more = [[0 if _keeps(a, b) else change_s or 0 for b in classes] for a in classes]
    nowhere = (CLEAR_S,) * len(classes)
    rows = [(*(CLEAR_S + extra for extra in row), *nowhere) for row in more]
    clear = [(*row, *nowhere) for row in more]
    cleared = tuple(CLEARED + name for name in classes)
    return scheduling.SetupTable((*classes, *cleared), (*rows, *clear))


def _keeps(held: str, wanted: str) -> bool:
    """Whether what is loaded serves as it is; channels beyond those wanted do not matter."""
    return wanted in (NOTHING, held) or held.startswith(wanted + " + ")

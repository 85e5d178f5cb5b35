"""Picturing: the floor read at one instant, as whoever plans it must see it."""

from typing import TYPE_CHECKING

from controller import gcode_rules
from controller.picture import ENERGY, FloorPicture
from controller.upkeep import as_used

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def floor_picture(tx: "Tx") -> FloorPicture:
    """Everything a plan is made from; machines out of use take nothing."""
    operations = tx.operations.open()
    machines = as_used(tx.machines.all(), tx.upkeep.out())
    return FloorPicture(
        at=tx.now_ms,
        needs=tuple(tx.needs.open()),
        operations=tuple(operations),
        links=tuple(tx.operations.links()),
        machines=machines,
        refused=gcode_rules.judge(tx, operations, list(machines)),
        orders=tuple(tx.orders.open()),
        lots=tuple(tx.lots.on_hand()),
        energy=tx.site.get(ENERGY) or "",
    )

"""All a floor page is made of, as values of the controller read at one instant."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from controller.joints.handovers import Bed
from controller.upkeep import MachineOut
from controller.values import (
    Community,
    DeadLetter,
    JobOrder,
    LotBalance,
    Machine,
    Need,
    Notice,
    Operation,
)


class Rows(NamedTuple):
    """Orders are those not ended and the last of each machine; needs the open and the newest.

    ``homes``: whose need it is, where another site's; ``holders``: who makes it for us, "" = nobody
    yet. ``progress`` is ppm by order from telemetry, which is newer than the order's own. ``beds``:
    printers whose bed a cell clears; ``drained_by``: who let the controller run dry, "" = nobody.
    """

    at: int
    machines: tuple[Machine, ...] = ()
    orders: tuple[JobOrder, ...] = ()
    operations: tuple[Operation, ...] = ()
    needs: tuple[Need, ...] = ()
    lots: tuple[LotBalance, ...] = ()
    notices: tuple[Notice, ...] = ()
    dead_letters: tuple[DeadLetter, ...] = ()
    dead_letter_count: int = 0
    dropped: int = 0
    unsent_events: int = 0
    progress: Mapping[str, int] = MappingProxyType({})
    communities: tuple[Community, ...] = ()
    designs: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    out: Mapping[str, MachineOut] = MappingProxyType({})
    homes: Mapping[str, str] = MappingProxyType({})
    holders: Mapping[str, str] = MappingProxyType({})
    beds: Mapping[str, Bed] = MappingProxyType({})
    drained_by: str = ""

"""Actions of ValueFlows 1.0 and what they do to the quantity a lot holds (all_vf.TTL).

``lot`` is ``resourceInventoriedAs``, ``to_lot`` is ``toResourceInventoriedAs``. An entry is
(side of the process, sign for lot, sign for to_lot).
"""

ACTIONS: dict[str, tuple[str, int, int]] = {
    "produce": ("output", 1, 0),
    "consume": ("input", -1, 0),
    "use": ("input", 0, 0),
    "work": ("input", 0, 0),
    "cite": ("input", 0, 0),
    "deliverService": ("output", 0, 0),
    "pickup": ("input", -1, 0),
    "dropoff": ("output", 1, 0),
    "accept": ("input", -1, 0),
    "modify": ("output", 1, 0),
    "combine": ("input", -1, 0),
    "separate": ("output", 1, 0),
    "transfer": ("none", -1, 1),
    "transferAllRights": ("none", 0, 0),
    "transferCustody": ("none", -1, 1),
    "move": ("none", -1, 1),
    "copy": ("none", 0, 1),
    "raise": ("none", 1, 0),
    "lower": ("none", -1, 0),
}


def effects(action: str, lot: str | None, to_lot: str | None, amount: int) -> list[tuple[str, int]]:
    """Changes (lot, signed amount) an event makes; KeyError for an unknown action."""
    _, sign, to_sign = ACTIONS[action]
    found: list[tuple[str, int]] = []
    if sign and lot is not None:
        found.append((lot, sign * amount))
    if to_sign and to_lot is not None:
        found.append((to_lot, to_sign * amount))
    return found

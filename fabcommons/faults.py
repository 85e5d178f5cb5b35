"""Faults of a simulated floor: what its machines do wrong, and what is killed when. All seeded.

``machine_faults`` is handed to the simulated machines. ``Chaos`` kills processes while orders run:
firmware as a power cut would, and the broker; each is started again at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from fabcommons.floor import Extent, Floor
from fabcommons.processes import Children
from fabcommons.running import RunningSite

KINDS = ("none", "light")
_SPACING_S = 6.0  # real seconds between two kills


def machine_faults(extent: Extent, seed: int) -> dict[str, str]:
    """Faults of each printer and mill, in the words of ``simulators.faults``."""
    chance = random.Random(seed * 7919)
    found: dict[str, str] = {}
    for n in range(1, extent.printers + 1):
        first = chance.randrange(20, 120)
        texts = [f"drop_ok:{first}", f"stall:{first + 30}:20s", "bad_checksum:0.004"]
        texts.append("tx_flip:0.0002")
        trouble = "thermal" if n == 1 else "reset"
        if n <= 2:
            texts.append(f"{trouble}:{chance.randrange(200, 500)}")
        found[f"printer-{n}"] = ",".join(texts)
    for n in range(1, extent.mills + 1):
        found[f"mill-{n}"] = f"hard_limit:{chance.randrange(20, 60)}"
    return found


@dataclass(frozen=True, slots=True)
class Act:
    """Something to kill, not before ``after_s`` real seconds."""

    after_s: float
    what: str


def acts(extent: Extent, seed: int) -> list[Act]:
    """What is killed in a run: each printer's and mill's firmware once, the broker once."""
    chance = random.Random(seed * 104729)
    names = [f"printer-{n}" for n in range(1, extent.printers + 1)]
    names += [f"mill-{n}" for n in range(1, extent.mills + 1)]
    chance.shuffle(names)
    names.insert(chance.randrange(len(names) + 1), "broker")
    return [
        Act(1 + n * _SPACING_S + chance.random() * _SPACING_S, name) for n, name in enumerate(names)
    ]


class Chaos:
    """Carries the acts out; ``turn`` is called several times a second."""

    def __init__(self, running: RunningSite, floor: Floor, children: Children) -> None:
        self._running = running
        self._floor = floor
        self._children = children
        self._left = acts(floor.extent, floor.extent.seed)
        self.done: list[str] = []

    def turn(self, elapsed_s: float, say: Callable[[str], None]) -> None:
        """Do every act that is due; a machine is killed only while it runs an order."""
        for act in list(self._left):
            if elapsed_s < act.after_s or not self._is_due(act.what):
                continue
            self._left.remove(act)
            self.done.append(act.what)
            say(f"{elapsed_s:6.0f} s  killed: {act.what}")
            if act.what == "broker":
                self._running.restart_broker()
            else:
                self._children.kill(act.what)
                self._floor.start_firmware(self._children, act.what)

    def _is_due(self, what: str) -> bool:
        if what == "broker":
            return True
        with self._running.site.read() as tx:
            order = tx.orders.open_on(what)
        return order is not None and order.state == "RUNNING"

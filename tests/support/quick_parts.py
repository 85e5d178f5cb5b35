"""What a quick floor is made of: machines and links that keep a memory, chances, a cheap plan."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from controller import resources
from controller.picture import Assignment, FloorPicture, FloorPlan
from controller.values import Machine, NeedRequest


@dataclass
class Chance:
    """Shares of what goes wrong, of 1: orders that fail, parts judged bad, values off limits."""

    fail: float = 0.0
    bad: float = 0.0
    off: float = 0.0
    seed: int = 1


@dataclass
class Bar:
    """One run of an operation on a machine, for the timeline."""

    machine: str
    operation: str
    need: str
    start_at: int
    end_at: int
    ok: bool


@dataclass
class Fake:
    """One machine's own memory: its journal and what it drew of each lot."""

    machine: Machine
    s: int = 0
    cum: dict[str, int] = field(default_factory=dict)
    order: str = ""


def greedy(picture: FloorPicture) -> FloorPlan:
    """What is ready, oldest first, to the machine that can with the least to do: cheap."""
    load: dict[str, int] = {order.machine: 1 << 20 for order in picture.orders}
    found: list[Assignment] = []
    for op in picture.operations:
        if op.state not in ("ready", "planned"):
            continue
        able = [m for m in picture.machines if not resources.why_not(op, m)]
        best = min(able, key=lambda m: (load.get(m.id, 0), m.id), default=None)
        if best is not None:
            load[best.id] = load.get(best.id, 0) + op.duration_s
            found.append(Assignment(op.id, best.id, picture.at + len(found), picture.at + 1))
    return FloorPlan(tuple(found), {})


class Wants:
    """A link that keeps the newest desired document of each machine until it is taken."""

    def __init__(self) -> None:
        self._wants: dict[str, dict[str, Any]] = {}

    def want(self, machine: str, document: dict[str, Any]) -> None:
        self._wants[machine] = document

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        found, self._wants = list(self._wants.items()), {}
        return found

    def acknowledge(self, machine: str, document: dict[str, Any]) -> None:
        pass

    def command(self, machine: str, document: dict[str, Any]) -> bool:
        return True

    def close(self) -> None:
        pass


def machine(id: str, capability: dict[str, Any]) -> Machine:
    """A machine whose kind is in its name: printer-1, mill-2, cell-1, bench-3."""
    kind = {"bench": "station"}.get(id.rpartition("-")[0], id.rpartition("-")[0])
    link = {"cell": "opcua", "station": "person"}.get(kind, "mqtt")
    return replace(Machine(id, kind, link, id, capability), jid=None)


def request(n: int, design: str, quantity: int = 1, **fields: Any) -> NeedRequest:
    """A need of the north community."""
    return NeedRequest(f"k{n}", "north", design, "", quantity, **fields)

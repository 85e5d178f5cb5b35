"""What operations with the same eligible machines have in common, looked at once for all of them.

A day of 100,000 operations on 2,000 machines has a handful of such mappings; walking each of them
for each operation would take longer than the plan.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from controller.scheduling.problem import Operation


class Pool(NamedTuple):
    """Of one mapping: its machines that are here, their least rate, and the least of all rates."""

    here: tuple[str, ...]
    least: int
    least_of_all: int


class Pools:
    """Pools of one problem; mappings are told apart by identity, so they must outlive this."""

    def __init__(self, machines: Collection[str]) -> None:
        self._machines = machines
        self._known: dict[int, Pool] = {}

    def knows(self, machine: str) -> bool:
        """Whether a machine is here."""
        return machine in self._machines

    def of(self, operation: Operation) -> Pool:
        """The pool of an operation; rates are 0 where there is no machine."""
        found = self._known.get(id(operation.eligible))
        if found is None:
            found = self._known[id(operation.eligible)] = self._pool(operation.eligible)
        return found

    def shortest_s(self, operation: Operation) -> int:
        """Seconds on the fastest of its machines that are here."""
        return -(-self.of(operation).least * operation.scale_permille // 1000)

    def _pool(self, eligible: Mapping[str, int]) -> Pool:
        here = tuple(machine for machine in eligible if machine in self._machines)
        least = min((eligible[machine] for machine in here), default=0)
        return Pool(here, least, min(eligible.values(), default=0))

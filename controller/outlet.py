"""Outlet: what leaves for the machines, each by its own link; level-triggered, may repeat."""

from collections.abc import Callable

from controller.adapters.store import Tx
from controller.links import MachineLink
from controller.values import Json


class Outlet:
    """Links by name and which machine is on which; ``term`` goes into every document.

    Nothing leaves while ``may`` says no: a replica that no longer leads has nothing to say.
    """

    def __init__(self, links: dict[str, MachineLink], may: Callable[[], bool]) -> None:
        self.links = links
        self._may = may
        self.term = 0
        self._link_of: dict[str, str] = {}

    def learn(self, machine: str, link: str) -> None:
        """Note by which link a machine is reached."""
        self._link_of[machine] = link

    def command(self, machine: str, document: Json) -> bool:
        """Send a command; False when there is no way to the machine now."""
        link = self._link(machine)
        return link is not None and link.command(machine, document)

    def release(self, tx: Tx) -> None:
        """Send what a committed transaction decided."""
        for machine, want in tx.effects.wants.items():
            link = self._link(machine)
            if link is not None:
                link.want(machine, want)
        for machine, (jid, s) in tx.effects.acks.items():
            link = self._link(machine)
            if link is not None:
                link.acknowledge(machine, {"v": 1, "term": self.term, "jid": jid, "s": s})
        for machine, document in tx.effects.commands:
            self.command(machine, document)

    def _link(self, machine: str) -> MachineLink | None:
        if not self._may():
            return None
        return self.links.get(self._link_of.get(machine, ""))

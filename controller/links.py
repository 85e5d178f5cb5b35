"""What the controller asks of a way to reach machines (MQTT, OPC UA); adapters implement it."""

from typing import Protocol

from controller.values import Json

HOSTS = ("moonraker", "octoprint", "prusalink", "mtconnect", "folder")  # programs of their own
HANDS = ("person", "folder")  # a person says how what is done there ended
LINKS = ("mqtt", "opcua", "person", *HOSTS)


class MachineLink(Protocol):
    """Reaches the machines of one kind of link. Every call returns at once and may repeat."""

    def want(self, machine: str, document: Json) -> None:
        """Hand over the desired document (``dn/want``); the newest replaces older ones."""
        ...

    def acknowledge(self, machine: str, document: Json) -> None:
        """Every event of the journal up to ``s`` is committed (``dn/ack``)."""
        ...

    def command(self, machine: str, document: Json) -> bool:
        """Send a person's command (``dn/cmd``); False when it could not leave."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...

"""The pages' endpoints for the machines' own life, put to the controller's."""

from pathlib import Path

from controller.commands import Asker
from controller.software import Firmware
from dashboards.desk import Answer, Person
from dashboards.software_api import ReleaseView, SoftwareView


class SiteSoftware:
    """A ``Software`` over a site's firmware."""

    def __init__(self, firmware: Firmware) -> None:
        self._firmware = firmware

    def releases(self) -> list[ReleaseView]:
        """Signed releases, newest first."""
        return [
            {"version": release.version, "sha": release.sha, "size": release.size}
            for release in self._firmware.all()
        ]

    def release_file(self, version: str, path: str) -> Path | None:
        """One file of a release, or None."""
        return self._firmware.file(version, path)

    def software(self) -> list[SoftwareView]:
        """What each machine on MQTT runs."""
        return [
            {"id": machine.id, "fw": machine.fw, "state": machine.state, "online": machine.online}
            for machine in self._firmware.machines()
        ]

    def update(self, machine: str, version: str, person: Person) -> Answer:
        """Ask an idle machine to install a release."""
        asker = Asker(person.who, person.key, person.saw)
        sent, found = self._firmware.update(machine, version, asker)
        return Answer(sent.id, "sent", f"{machine} was asked to install {found}")

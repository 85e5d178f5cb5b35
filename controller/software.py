"""Keeps the machines' own software: hands out signed releases and asks machines to take them."""

from pathlib import Path

from controller.adapters.releases import Release, Releases
from controller.app import Site
from controller.commands import Asker
from controller.values import Command, Machine, Refused


class Firmware:
    """Releases of one site; ``url`` is where machines fetch them."""

    def __init__(self, site: Site, releases: Releases, url: str) -> None:
        self._site = site
        self._releases = releases
        self._url = url

    def all(self) -> list[Release]:
        """Signed releases, newest first."""
        return self._releases.all()

    def file(self, version: str, path: str) -> Path | None:
        """One file of a release, or None."""
        return self._releases.file(version, path)

    def machines(self) -> list[Machine]:
        """Machines that run our firmware."""
        with self._site.read() as tx:
            return [machine for machine in tx.machines.all() if machine.link == "mqtt"]

    def update(self, machine: str, version: str, asker: Asker) -> tuple[Command, str]:
        """Ask an idle machine to install a release ("" = the newest); its version too.

        Raise Refused; what the machine answers comes later, as its update event.
        """
        release = self._releases.get(version)
        if release is None:
            what = version or "any"
            text = f"there is no release {what} here: fabcommons firmware build, then sign"
            raise Refused("unknown-release", "version", text)
        with self._site.read() as tx:
            found = tx.machines.get(machine)
        if found is not None and found.fw == release.version:
            raise Refused("same", "version", f"{machine} runs {release.version} already")
        if found is not None and found.order_id is not None:
            raise Refused("busy", "machine", f"{machine} has an order; update it when it is idle")
        document = {
            "url": f"{self._url}/{release.version}/manifest",
            "sha": release.sha,
            "size": release.size,
            "version": release.version,
        }
        return self._site.update_firmware(machine, document, asker), release.version

"""Stand-ins for what lets machines in and keeps their firmware, for tests of the interface."""

from __future__ import annotations

from pathlib import Path

from controller.values import Refused
from dashboards.desk import Answer, Person
from dashboards.software_api import ReleaseView, SoftwareView


class Door:
    """Lets nobody in."""

    def code(self, machine: str, who: str) -> str:
        return "ABCDE-FGHJK"

    def redeem(self, name: str) -> str:
        raise Refused("bad-code", "code", "is not known here")

    def revoke(self, machine: str, who: str) -> None:
        raise Refused("no-credentials", "machine", "the broker asks nobody")


class Shelf:
    """Holds no release."""

    def releases(self) -> list[ReleaseView]:
        return []

    def release_file(self, version: str, path: str) -> Path | None:
        return None

    def software(self) -> list[SoftwareView]:
        return []

    def update(self, machine: str, version: str, person: Person) -> Answer:
        raise Refused("unknown-release", "version", "there is no such release")

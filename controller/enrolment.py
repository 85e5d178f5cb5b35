"""Enrolment: a machine gets credentials of its own by a one-time code, and loses them by a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.adapters.access import Access
from controller.adapters.codes import Codes
from controller.app import Site
from controller.values import Json, OpenCode, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx


@dataclass(frozen=True, slots=True)
class Reach:
    """How machines reach the broker; host "" = the address they reach this site by."""

    host: str
    port: int
    ca: str = ""


class StoreShelf:
    """Open codes in the store of a site: a code is good after a restart, and gone once taken."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def put(self, code: OpenCode, now_ms: int, most: int) -> bool:
        """As ``EnrolRoom``, committed."""
        return self._site.submit(lambda tx: tx.codes.put(code, now_ms, most))

    def take(self, name: str) -> OpenCode | None:
        """As ``EnrolRoom``, committed."""
        return self._site.submit(lambda tx: tx.codes.take(name))


class Enrolment:
    """Codes and credentials of a site; ``access`` None = a broker that asks nobody who they are."""

    def __init__(self, site: Site, access: Access | None, reach: Reach, codes: Codes) -> None:
        self._site = site
        self._access = access
        self._reach = reach
        self._codes = codes

    def code(self, machine: str, who: str) -> str:
        """A one-time code for a registered machine; raise Refused."""
        with self._site.read() as tx:
            found = tx.machines.get(machine)
        if found is None or found.link != "mqtt":
            text = f"there is no machine {machine} on MQTT: add it to machines: in site.yml"
            raise Refused("unknown-machine", "machine", text)
        code = self._codes.make(machine)
        self._note(machine, f"{who} made a code to enrol {machine}")
        return code

    def redeem(self, name: str) -> str:
        """Settings for the machine a code names, sealed with it; once. Raise Refused."""
        return self._codes.redeem(name, self._settings)

    def revoke(self, machine: str, who: str) -> None:
        """Take a machine's credentials away and put it out; raise Refused."""
        if self._access is None:
            text = "the broker asks nobody for credentials: set broker_listen in site.yml"
            raise Refused("no-credentials", "machine", text)
        self._access.revoke(machine)
        self._note(machine, f"{who} revoked the credentials of {machine}")

    def _settings(self, machine: str) -> Json:
        broker: Json = {"host": self._reach.host, "port": self._reach.port}
        if self._access is not None:
            broker.update(user=machine, password=self._access.give(machine), ca=self._reach.ca)
        self._note(machine, f"{machine} was enrolled")
        return {"site": self._site.config.name, "machine": machine, "broker": broker}

    def _note(self, machine: str, text: str) -> None:
        def run(tx: Tx) -> None:
            tx.notice("machine", machine, text)

        self._site.submit(run)

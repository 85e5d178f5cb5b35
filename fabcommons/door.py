"""A site's broker and who may come in: open on loopback, guarded where machines come over a net."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from controller.adapters.access import Access
from controller.adapters.authority import Authority
from controller.adapters.broker import Broker, BrokerError, Guarded, open_broker, open_guarded
from controller.adapters.codes import Codes
from controller.adapters.mqtt import Broker as MqttAddress
from controller.adapters.site_file import SiteFile
from controller.app import Site
from controller.enrolment import Enrolment, Reach, StoreShelf
from fabcommons.client import FAILED, CliError

_EVERYWHERE = ("", "0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Door:
    """The broker, and the passwords it asks for (None = it asks nobody)."""

    broker: Broker
    access: Access | None
    reach: Reach

    def address(self) -> MqttAddress:
        """Where the controller itself connects, and as whom."""
        if self.access is None:
            return MqttAddress(self.broker.host, self.broker.port)
        return MqttAddress(self.broker.host, self.broker.port, *self.access.login())

    def enrolment(self, site: Site) -> Enrolment:
        """Who lets machines in at this door."""
        codes = Codes(lambda: time.time_ns() // 1_000_000, StoreShelf(site))
        return Enrolment(site, self.access, self.reach, codes)


def open_door(settings: SiteFile, folder: Path) -> Door:
    """Start or name the site's broker; raise CliError."""
    try:
        if settings.broker_listen:
            return _guarded(settings, folder)
        broker = open_broker(settings.broker, folder / "broker")
    except BrokerError as error:
        raise CliError(str(error), FAILED) from error
    return Door(broker, None, Reach(broker.host, broker.port))


def _guarded(settings: SiteFile, folder: Path) -> Door:
    host, _, port = settings.broker_listen.rpartition(":")
    now_ms = time.time_ns() // 1_000_000
    authority = Authority(folder / "access", settings.site, now_ms)
    access = Access(folder / "access", settings.site)
    guarded = Guarded(host or "0.0.0.0", int(port), authority, access)
    broker = open_guarded(folder / "broker", guarded)
    reach = Reach("" if host in _EVERYWHERE else host, int(port), authority.ca_text())
    return Door(broker, access, reach)

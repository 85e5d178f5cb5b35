"""A site's broker and who may come in: open on loopback, guarded where machines come over a net."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from controller.adapters.access import Access
from controller.adapters.authority import Authority
from controller.adapters.broker import Broker, BrokerError, Guarded, open_broker, open_guarded
from controller.adapters.broker_login import BrokerLoginError
from controller.adapters.broker_login import address as broker_address
from controller.adapters.codes import Codes
from controller.adapters.mqtt import Broker as MqttAddress
from controller.adapters.site_file import SiteFile
from controller.app import Site
from controller.enrolment import Enrolment, Reach, StoreShelf
from fabcommons.client import FAILED, CliError

_EVERYWHERE = ("", "0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Door:
    """The broker, and the passwords that are ours to give (None = none are).

    ``address`` is where the controller itself connects, and as whom.
    """

    broker: Broker
    access: Access | None
    reach: Reach
    address: MqttAddress

    def enrolment(self, site: Site) -> Enrolment:
        """Who lets machines in at this door."""
        codes = Codes(lambda: time.time_ns() // 1_000_000, StoreShelf(site))
        return Enrolment(site, self.access, self.reach, codes)


def open_door(settings: SiteFile, folder: Path, base: Path) -> Door:
    """Start or name the site's broker; ``base`` is the settings file's folder. Raise CliError."""
    try:
        if settings.broker_listen:
            return _guarded(settings, folder)
        broker = open_broker(settings.broker, folder / "broker")
        address = broker_address(settings.broker_login, broker.host, broker.port, base)
    except (BrokerError, BrokerLoginError) as error:
        raise CliError(str(error), FAILED) from error
    return Door(broker, None, Reach(broker.host, broker.port), address)


def _guarded(settings: SiteFile, folder: Path) -> Door:
    host, _, port = settings.broker_listen.rpartition(":")
    now_ms = time.time_ns() // 1_000_000
    authority = Authority(folder / "access", settings.site, now_ms)
    access = Access(folder / "access", settings.site)
    guarded = Guarded(host or "0.0.0.0", int(port), authority, access)
    broker = open_guarded(folder / "broker", guarded)
    reach = Reach("" if host in _EVERYWHERE else host, int(port), authority.ca_text())
    return Door(broker, access, reach, MqttAddress(broker.host, broker.port, *access.login()))

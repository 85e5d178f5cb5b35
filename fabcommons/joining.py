"""The joint with other commons a site is given: its key, its request numbers, its thread."""

from __future__ import annotations

from pathlib import Path

from controller.adapters.peers import Address, HttpHome, Identity, Numbers, load_key, public_hex
from controller.adapters.site_sharing import CommonsEntry, PeerEntry
from controller.app import Site
from controller.commons.joined import Joined, join, leave
from controller.joints.designs import router
from controller.joints.joining import Floor, Joint, peers_document
from controller.joints.lending import SiteWorkshop
from controller.loops import Beat, Loop
from controller.values import Json, Refused
from fabcommons.client import USAGE, CliError

LOOK_S = 1.0


class Commons:
    """Joins other commons and leaves them; asks them in a thread of its own."""

    def __init__(self, site: Site, settings: CommonsEntry, folder: Path) -> None:
        self._site = site
        try:
            key = load_key(folder / settings.key)
        except (OSError, ValueError) as error:
            raise CliError(f"commons.key: {folder / settings.key}: {error}", USAGE) from error
        self.public_key = public_hex(key)
        self._key = key
        clock = site.clock
        who = Identity(site.config.name, key, Numbers(site.submit, clock.now_ms))
        floor = Floor(
            submit=site.submit,
            read=site.read,
            workshop=SiteWorkshop(router),
            now_ms=clock.now_ms,
            monotonic_s=clock.monotonic_s,
            reach=lambda one, key: HttpHome(
                Address(one.site, one.url, key, one.may_be_unsigned), who
            ),
        )
        self._joint = Joint(floor, float(settings.every_s), settings.make_at_once)
        for peer in settings.peers:
            self._join_from_file(peer)
        self._loop = Loop(Beat("commons", LOOK_S, self._joint.look))
        self._loop.start()

    def _join_from_file(self, peer: PeerEntry) -> None:
        try:
            self.join(peer.site, peer.url, peer.public_key, unsigned=peer.unsigned)
        except Refused as refused:
            raise CliError(f"commons.peers: {peer.site}: {refused}", USAGE) from refused

    @property
    def name(self) -> str:
        """This site's id."""
        return self._site.config.name

    def sign(self, content: bytes) -> str:
        """This site's signature, as hex."""
        return self._key.sign(content).hex()

    def join(self, site: str, url: str, public_key: str, *, unsigned: bool = False) -> Joined:
        """Join a commons; raise Refused."""
        found = self._site.submit(lambda tx: join(tx, site, url, public_key, unsigned=unsigned))
        self.wake()
        return found

    def leave(self, site: str) -> Joined:
        """Leave a commons; raise Refused."""
        found = self._site.submit(lambda tx: leave(tx, site))
        self.wake()
        return found

    def peers(self) -> list[Json]:
        """Every joined commons, how it was reached, what is made for whom."""
        with self._site.read() as tx:
            return peers_document(tx, self._joint.contact)

    def wake(self) -> None:
        """Ask them soon."""
        self._loop.wake()

    def close(self) -> None:
        """Ask nobody any more."""
        self._loop.close()

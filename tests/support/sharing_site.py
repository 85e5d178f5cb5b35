"""One site of three as a process: real store, writer, page server and joint; no machines.

``python sharing_site.py FOLDER NAME PORT SKEW_MS PEERS.json``. Needs of others are made here the
moment they are stated: each making is appended to FOLDER/made.txt before the need is delivered.
PEERS.json: {site: {"url", "public_key"}}; waited for, so that keys can be exchanged first.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from controller import needs
from controller.adapters.clock import FloorClock
from controller.adapters.peers import Address, HttpHome, Identity, Numbers, load_key, public_hex
from controller.app import Parts, Site, SiteConfig
from controller.commons import joined, leases
from controller.joints.joining import Floor, Joint
from controller.joints.lending import SiteWorkshop
from dashboards.server import PageServer
from dashboards.site_desk import SiteDesk
from support import small_floor
from support.waiting import until

RATE = 600  # a lease of ten minutes lasts a second


def main() -> None:
    """Run until killed."""
    folder, name, port, skew_ms, peers = sys.argv[1:]
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    key = load_key(place / "site.key")
    (place / "public").write_text(public_hex(key))
    until(Path(peers).exists, what="the addresses of the others")
    clock = FloorClock(RATE, start_ms=1_800_000_000_000 + int(skew_ms))
    config = SiteConfig(name=name, store=place / "site.db")
    site = Site.open(config, Parts(clock=clock, router=small_floor.print_only, sharer=lambda tx: 0))
    site.submit(lambda tx: fill(tx, name, json.loads(Path(peers).read_text())))
    who = Identity(name, key, Numbers(site.submit, clock.now_ms))
    floor = Floor(
        site.submit, site.read, SiteWorkshop(small_floor.print_only), clock.now_ms,
        clock.monotonic_s, lambda one, key: HttpHome(Address(one.site, one.url, key), who),
    )  # fmt: skip
    joint = Joint(floor, 0.2, 5)
    server = PageServer(SiteDesk(site, sign=lambda one: key.sign(one).hex()), port=int(port))
    (place / "up").write_text(server.url)
    pause = threading.Event()
    while True:
        joint.look()
        for contact in joint.contacts():
            contact.next_s = min(contact.next_s, clock.monotonic_s() + 0.5)
        make(site, place)
        (place / "shares.tmp").write_text(json.dumps(counts(site)))
        os.replace(place / "shares.tmp", place / "shares.json")
        pause.wait(0.2)


def fill(tx, name: str, peers: dict[str, dict[str, str]]) -> None:
    """The small floor, once; the other sites as they are reached now."""
    if not tx.communities.all():
        small_floor.fill(tx)
        tx.site.put("name", name)
        for number in range(int(os.environ["NEEDS"])):
            need = needs.state(tx, small_floor.request(f"own-{number}"), small_floor.print_only)
            leases.share(tx, need.id)
    for site, peer in peers.items():
        if site != name:
            joined.join(tx, site, peer["url"], peer["public_key"])


def make(site: Site, folder: Path) -> None:
    """Make what others need: a line that survives, then the local need is delivered."""
    with site.read() as tx:
        mine = [need for need in tx.needs.open() if need.stated_by.startswith("site ")]
    path = folder / "made.txt"
    before = set(path.read_text().split()) if path.exists() else set[str]()
    for need in mine:
        if need.key not in before:  # killed after it was made: it lies there
            with path.open("a") as file:
                file.write(f"{need.key}\n")
                file.flush()
                os.fsync(file.fileno())
        site.submit(lambda tx, id=need.id: tx.needs.change(id, state="delivered"))


def counts(site: Site) -> dict[str, int]:
    """Offered needs by state."""
    with site.read() as tx:
        return tx.peers.shares()


if __name__ == "__main__":
    main()

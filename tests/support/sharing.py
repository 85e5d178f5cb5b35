"""Sites that share needs over a wire that loses, repeats and stalls; every chance by a seed."""

from __future__ import annotations

import asyncio
import random
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from starlette.datastructures import Headers

from controller.adapters.answers import Received, received
from controller.adapters.clock import ManualClock
from controller.adapters.peers import Address, HttpHome, Identity, Numbers, public_hex
from controller.adapters.store import Store
from controller.commons import borrowing, leases
from controller.commons.borrowing import Forged, Here, Unreachable
from controller.commons.joined import join
from controller.values import Need
from dashboards import peers_api, problems
from support import small_floor

JUMP_MS = 5 * 60_000  # a clock may be set so far when a site comes back


class Crash(Exception):
    """The site lost its power here."""


class World:
    """Sites, their homes, what was made how often; ``chance`` decides every fault."""

    def __init__(self, folder: Path, needs: int, seed: int, sites: int = 3) -> None:
        self.chance = random.Random(seed)
        self.clock = ManualClock()
        self.made: dict[tuple[str, str], list[str]] = {}
        self.cut: set[tuple[str, str]] = set()
        self.again: list[tuple[str, urllib.request.Request]] = []
        self.messages = self.bytes = self.replays = 0
        self.forged = self.found_out = 0
        self.heard: list[Received] = []
        names = [f"site-{n}" for n in range(sites)]
        self.sites = {name: Site(self, name, folder) for name in names}
        for site in self.sites.values():
            with site.store.write() as tx:
                for other in self.sites.values():
                    if other is not site:
                        join(tx, other.name, f"http://{other.name}", public_hex(other.who.key))
        for number, name in enumerate(names):
            count = needs // sites + (number < needs % sites)
            with self.sites[name].store.write() as tx:
                small_floor.fill(tx)
                for n in range(count):
                    tx.needs.add(_need(f"{name}-n{n}", tx.now_ms))
                    leases.share(tx, f"{name}-n{n}")

    def step(self) -> None:
        """Time goes on, cables are cut and mended, every site has its turn with every home."""
        self.clock.advance_ms(self.chance.randrange(1, 60_000))
        pairs = [(a, b) for a in self.sites for b in self.sites if a != b]
        for pair in pairs:
            if self.chance.random() < 0.1:
                self.cut ^= {pair}
        self.chance.shuffle(pairs)
        for maker, home in pairs:
            self.turn(maker, home)
        self._replay()

    def turn(self, maker: str, home: str) -> None:
        """One site has its turn with one home."""
        site = self.sites[maker]
        try:
            borrowing.turn(site.here(), home, Wire(self, maker, home).home())
        except Forged:
            self.found_out += 1
        except Unreachable:
            return
        except Crash:
            site.restart()

    def _replay(self) -> None:
        """What was said before is said again by somebody who listened: nobody acts on it."""
        while self.again:
            home, request = self.again.pop()
            status, answer = self.sites[home].api.ask(request)
            assert status == 409, (status, answer)
            self.replays += 1

    def counts(self) -> dict[str, int]:
        """Needs offered by state, over all sites."""
        total: dict[str, int] = {}
        for site in self.sites.values():
            with site.store.read() as tx:
                for state, count in tx.peers.shares().items():
                    total[state] = total.get(state, 0) + count
        return total

    def close(self) -> None:
        """Close every store."""
        for site in self.sites.values():
            site.store.close()
            site.api.close()


class Site:
    """One site: a store that survives, a workshop that writes down what it really made."""

    def __init__(self, world: World, name: str, folder: Path) -> None:
        self.world, self.name = world, name
        self._path = folder / f"{name}.sqlite"
        self._skew_ms = world.chance.randrange(-(10**9), 10**9)
        self.key = Ed25519PrivateKey.from_private_bytes(world.chance.randbytes(32))
        self.store = self._open()
        self.api = Api(self)
        self.who = self._identity()

    def _identity(self) -> Identity:
        return Identity(self.name, self.key, Numbers(self._submit, self._now_ms))

    def sign(self, content: bytes) -> str:
        """As the home's desk."""
        return self.key.sign(content).hex()

    @property
    def clock(self) -> ManualClock:
        """The site's own time."""
        return ManualClock(self._now_ms())

    def _now_ms(self) -> int:
        return self.world.clock.now_ms() + self._skew_ms

    def _open(self) -> Store:
        return Store(self._path, self._now_ms)

    def restart(self) -> None:
        """Power is back: what was not committed is gone, and the clock was set, even back."""
        self.store.close()
        self._skew_ms += self.world.chance.randrange(-JUMP_MS, JUMP_MS)
        self.store = self._open()
        self.who = self._identity()

    def submit(self, run: Any) -> Any:
        """As the home's writer: one transaction."""
        with self.store.write() as tx:
            return run(tx)

    def here(self) -> Here:
        """This site as a maker."""
        return Here(self._submit, self.store.read, self, room=200)

    def _submit(self, run: Any) -> Any:
        if self.world.chance.random() < 0.02:
            raise Crash
        with self.store.write() as tx:
            result = run(tx)
        if self.world.chance.random() < 0.02:
            raise Crash
        return result

    def can_make(self, tx: Any, offer: Any) -> bool:
        return True

    def make(self, tx: Any, home: str, offer: Any) -> str:
        local = f"{home}/{offer['need']}"
        if tx.site.get(local) is None:
            tx.site.put(local, str(tx.now_ms))
            self.world.made.setdefault((home, offer["need"]), []).append(self.name)
        return local

    def state(self, tx: Any, local: str) -> str:
        return "delivered" if self.world.chance.random() < 0.5 else "making"


class Wire:
    """The wire to a home's API: cut, lost before or after it acted, repeated, held, replayed."""

    def __init__(self, world: World, maker: str, home: str) -> None:
        self._world, self._maker, self._home = world, maker, home

    def home(self) -> HttpHome:
        """The home as the maker reaches it."""
        sites = self._world.sites
        at = Address(self._home, f"http://{self._home}", public_hex(sites[self._home].key))
        return HttpHome(at, sites[self._maker].who, self._carry)

    def _carry(self, request: urllib.request.Request) -> Received:
        world = self._world
        if request.data and world.chance.random() < 0.05:  # the maker freezes before it asks
            world.clock.advance_ms(leases.LEASE_MS + 1)
            self._others_go_on()
        world.messages += 1
        world.bytes += len(request.data or b"") + len(request.full_url) + 300
        if (self._maker, self._home) in world.cut or world.chance.random() < 0.05:
            raise OSError("lost on the way there")
        api = world.sites[self._home].api
        status, answer = api.ask(request)
        if status != 200:
            raise AssertionError(f"{self._home} answered {status}: {answer!r}")
        world.bytes += len(answer.body) + 400
        if world.chance.random() < 0.05:
            world.again.append((self._home, request))
        if world.chance.random() < 0.05:
            raise OSError("the answer was lost")
        return self._in_the_middle(answer)

    def _in_the_middle(self, answer: Received) -> Received:
        """Somebody on the way changes, cuts, replaces or unsigns some answers."""
        world = self._world
        world.heard = [*world.heard[-50:], answer]
        if world.chance.random() >= 0.1:
            return answer
        world.forged += 1
        body, at = answer.body, world.chance.randrange(len(answer.body))
        return world.chance.choice([
            answer._replace(body=body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]),
            answer._replace(body=body[:at]),
            answer._replace(at=str(int(answer.at) + 1)),
            Received(body),
            world.heard[0]._replace() if len(world.heard) > 1 else Received(b""),
        ])  # fmt: skip

    def _others_go_on(self) -> None:
        """While this maker is frozen, another one claims, begins and makes."""
        others = [n for n in self._world.sites if n not in (self._maker, self._home)]
        self._world.turn(self._world.chance.choice(others), self._home)


class Api:
    """A site's endpoints for other sites, asked without a network."""

    def __init__(self, desk: Any) -> None:
        self._app = FastAPI()
        problems.install(self._app)
        self._app.include_router(peers_api.router(desk))
        self._loop = asyncio.new_event_loop()

    def ask(self, request: urllib.request.Request) -> tuple[int, Received]:
        """Status of the answer to one request, and the answer."""
        url = urlsplit(request.full_url)
        body = request.data if isinstance(request.data, bytes) else b""
        scope = {
            "type": "http", "http_version": "1.1", "method": request.get_method(),
            "path": url.path, "raw_path": url.path.encode(), "query_string": url.query.encode(),
            "root_path": "", "scheme": "http", "server": ("home", 80), "client": ("maker", 1),
            "headers": [(k.lower().encode(), v.encode()) for k, v in request.header_items()],
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        self._loop.run_until_complete(self._app(scope, receive, send))
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        body = b"".join(m.get("body", b"") for m in sent[1:])
        return sent[0]["status"], received(body, Headers(headers))

    def close(self) -> None:
        """Let go of the loop and its threads."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


def _need(name: str, at: int) -> Need:
    return Need(
        name, name, "north", "clamp", "clamp", 1, None, "normal", "", "t", "accepted", "", at
    )

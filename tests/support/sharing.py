"""Sites that share needs over a wire that loses, repeats and stalls; every chance by a seed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from controller.adapters.clock import ManualClock
from controller.adapters.store import Store
from controller.commons import borrowing, leases
from controller.commons.borrowing import Here, Unreachable
from controller.values import Need
from support import small_floor

VERBS = {
    "claims": lambda tx, site, claims: leases.claim(tx, site, [one.need for one in claims]),
    "begin": leases.begin,
    "completions": leases.complete,
    "releases": leases.release,
}


class Crash(Exception):
    """The site lost its power here."""


class World:
    """Sites, their homes, what was made how often; ``chance`` decides every fault."""

    def __init__(self, folder: Path, needs: int, seed: int, sites: int = 3) -> None:
        self.chance = random.Random(seed)
        self.clock = ManualClock()
        self.made: dict[tuple[str, str], list[str]] = {}
        self.cut: set[tuple[str, str]] = set()
        self.messages = 0
        names = [f"site-{n}" for n in range(sites)]
        self.sites = {name: Site(self, name, folder) for name in names}
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
            site = self.sites[maker]
            try:
                borrowing.turn(site.here(), home, Wire(self, maker, home))
            except Unreachable:
                continue
            except Crash:
                site.restart()

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


class Site:
    """One site: a store that survives, a workshop that writes down what it really made."""

    def __init__(self, world: World, name: str, folder: Path) -> None:
        self.world, self.name = world, name
        self._path = folder / f"{name}.sqlite"
        self._skew_ms = world.chance.randrange(-(10**9), 10**9)
        self.store = self._open()

    def _open(self) -> Store:
        return Store(self._path, lambda: self.world.clock.now_ms() + self._skew_ms)

    def restart(self) -> None:
        """Power is back: everything that was not committed is gone."""
        self.store.close()
        self.store = self._open()

    def here(self) -> Here:
        """This site as a maker."""
        return Here(self._submit, self.store.read, self, room=200)

    def _submit(self, run: Any) -> Any:
        if self.world.chance.random() < 0.02:
            raise Crash
        with self.store.write() as tx:
            run(tx)
        if self.world.chance.random() < 0.02:
            raise Crash

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
    """A home over a wire: cut, lost before or after it acted, repeated, stalled past the lease."""

    def __init__(self, world: World, maker: str, home: str) -> None:
        self._world, self._maker, self._home = world, maker, home

    def offers(self, after: int) -> Any:
        return self._call(lambda tx: leases.offers(tx, after))

    def ask(self, verb: str, claims: Any) -> Any:
        if self._world.chance.random() < 0.05:  # the maker freezes before it asks
            self._world.clock.advance_ms(leases.LEASE_MS + 1)
            self._others_go_on()
        answer = self._call(lambda tx: VERBS[verb](tx, self._maker, claims))
        return {one.need: one.token for one, _ in answer.good}, answer.refused

    def _others_go_on(self) -> None:
        """While this maker is frozen, another one claims, begins and makes."""
        others = [n for n in self._world.sites if n not in (self._maker, self._home)]
        other = self._world.sites[self._world.chance.choice(others)]
        try:
            wire = Wire(self._world, other.name, self._home)
            borrowing.turn(other.here(), self._home, wire)
        except Unreachable:
            return
        except Crash:
            other.restart()

    def _call(self, run: Any) -> Any:
        world = self._world
        world.messages += 1
        if (self._maker, self._home) in world.cut or world.chance.random() < 0.05:
            raise Unreachable("lost on the way there")
        store = world.sites[self._home].store
        for _ in range(2 if world.chance.random() < 0.05 else 1):
            with store.write() as tx:
                answer = run(tx)
        if world.chance.random() < 0.05:
            raise Unreachable("the answer was lost")
        return answer


def _need(name: str, at: int) -> Need:
    return Need(
        name, name, "north", "clamp", "clamp", 1, None, "normal", "", "t", "accepted", "", at
    )

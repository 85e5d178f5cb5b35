"""The lease of a site on a real PostgreSQL: who has it, who lost it, what the fence refuses."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from controller.adapters.store import Store, StoreUnreachable
from controller.adapters.store.leader import LeaderRow
from controller.app import Parts, Site, SiteConfig
from controller.leading import Leadership
from controller.values import Deposed
from support.postgres import server
from support.waiting import until

LEASE_S = 2.0
LONG_S = 600.0


class Wire:
    """A link that remembers commands."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def command(self, machine: str, document: Any) -> bool:
        self.heard.append(document)
        return True

    def want(self, machine: str, document: Any) -> None: ...
    def acknowledge(self, machine: str, document: Any) -> None: ...
    def close(self) -> None: ...


class Asleep(Leadership):
    """A leader that never renews its lease, as one that is frozen."""

    def renew(self) -> None:
        pass


@pytest.fixture
def database() -> str:
    return server().database()


def lead(database: str, lease_s: float = LONG_S) -> Leadership:
    row = LeaderRow(database, "shop", f"fab-test-{secrets.token_hex(4)}", "http://x")
    return Leadership(row, lease_s)


@pytest.fixture
def asleep(database: str) -> Leadership:
    """A leader whose lease runs out."""
    row = LeaderRow(database, "shop", f"fab-test-{secrets.token_hex(4)}", "http://x")
    first = Asleep(row, LEASE_S)
    assert first.take()
    return first


def taken_over(database: str) -> Leadership:
    """The next leader, once the lease ran out."""
    second = lead(database)
    until(second.take, 60)
    return second


def test_one_at_a_time_and_a_later_term_each_time(database: str) -> None:
    first, second = lead(database), lead(database)
    assert first.take() and not second.take()
    first.renew()
    assert first.holds() and not second.holds()
    first.release()
    assert not first.holds()
    assert second.take()
    assert second.term == first.term + 1
    second.release()


def test_replicas_need_postgresql(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="PostgreSQL"):
        LeaderRow(tmp_path / "site.db", "shop", "h", "")


def test_a_frozen_leader_that_wakes_can_write_and_say_nothing(
    database: str, asleep: Leadership
) -> None:
    old = Site.open(SiteConfig("shop", database), Parts(lead=asleep))
    old.submit(lambda tx: tx.site.put("word", "before"))
    wire = Wire()
    new = Site.open(SiteConfig("shop", database), Parts(lead=taken_over(database)))
    assert not asleep.holds()
    with pytest.raises(Deposed):
        old.submit(lambda tx: tx.site.put("word", "after"))
    for site in (old, new):
        site.outlet.links["test"] = wire
        site.outlet.learn("m", "test")
    assert not old.outlet.command("m", {"who": "old"})
    assert new.outlet.command("m", {"who": "new"})
    assert wire.heard == [{"who": "new"}]
    with new.read() as tx:
        assert tx.site.get("word") == "before"
        assert tx.site.number("term") == asleep.term + 1
    assert not asleep.renewed()
    assert asleep.lost.is_set()
    for site in (old, new):
        for loop in site.loops.values():
            loop.close()
        site.writer.halt()


def test_a_leader_frozen_inside_a_transaction_is_in_nobodys_way(
    database: str, asleep: Leadership
) -> None:
    store = Store(database, lambda: 0, asleep)
    second = lead(database)
    with pytest.raises(OperationalError), store.write() as tx:
        tx.site.put("word", "half said")
        until(second.take, 60)
        tx.site.put("word", "more")
    with Store(database, lambda: 0).read() as tx:
        assert tx.site.get("word") is None
    second.release()


def test_a_long_transaction_of_the_leader_does_not_stop_its_renewals(database: str) -> None:
    first = lead(database)
    assert first.take()
    store = Store(database, lambda: 0, first)
    with store.write() as tx:
        tx.site.put("word", "slow")
        assert first.renewed() and first.holds()
    store.close()
    first.release()


def test_a_machine_that_saw_a_later_term_raises_ours(database: str) -> None:
    first = lead(database)
    assert first.take()
    site = Site.open(SiteConfig("shop", database), Parts(lead=first))
    site.submit(lambda tx: tx.site.raise_to("term", 41))  # as a hello does after an old backup
    site.submit(lambda tx: tx.site.put("word", "goes on"))
    assert first.term == site.outlet.term == 41
    site.close()
    first.release()
    second = lead(database)
    assert second.take()
    assert second.term == 42
    second.release()

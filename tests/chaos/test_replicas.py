"""Two controllers, one floor: the leader is killed, the leader is frozen and wakes again."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path
from typing import Any

import pytest

from fabcommons.processes import Children
from fabcommons.verdict import findings
from protocols.messages import encode
from protocols.topics import machine_topic
from support.broker import start_mosquitto
from support.postgres import server
from support.replicas import SITE, Shop, Tap

pytestmark = pytest.mark.system
OTHER = {"a": "b", "b": "a"}


def old_words(tap: Tap, term: int) -> None:
    """A machine does what the leader says, and not what an earlier one says."""
    states = [m for m in tap.heard if m[1] == "printer-1" and m[2] == "dn/cmd"]
    boot = states[-1][3]["bn"]
    for word, said in (("old", term - 1), ("new", term)):
        command = {"v": 1, "term": said, "id": f"c-{word}", "bn": boot, "do": "hello"}
        command.update(ttl_ms=60_000, who="a test")
        tap.client.publish(machine_topic(SITE, "printer-1", "dn/cmd"), encode("dn/cmd", command), 1)
    tap.until(lambda: any(answer["id"] == "c-new" for answer in tap.answers))
    assert not any(answer["id"] == "c-old" for answer in tap.answers)


def past_terms(tap: Tap) -> list[Any]:
    """Documents of an earlier term heard after one of a later; our own pretended one left out."""
    found: list[Any] = []
    highest = 0
    for _, machine, leaf, document in tap.heard:
        term = document.get("term", 0)
        if term < highest and document.get("id") != "c-old":
            found.append((machine, leaf, document))
        highest = max(highest, term)
    return found


def kill(shop: Shop, tap: Tap, first: str) -> float:
    """Kill the leader while a printer runs and start it again; seconds to the next decision."""
    second = OTHER[first]
    shop.until(lambda: shop.need("need-1", second))  # the one that stands by passes it on
    shop.until(lambda: shop.need("need-2", second))
    shop.until(lambda: shop.busy(second))
    term = shop.until(shop.seen).term
    at = shop.signal(first, signal.SIGKILL)
    took_s = tap.first_of(term + 1) - at
    shop.until(lambda: shop.leader() == second)
    shop.children.kill(first)
    shop.start(first)
    shop.until(lambda: shop.states(first))
    return took_s


def freeze(shop: Shop, tap: Tap, second: str) -> float:
    """Freeze the leader while a printer runs, then wake it; seconds to the next decision."""
    first = OTHER[second]
    shop.until(lambda: shop.need("need-3", first))
    shop.until(lambda: shop.need("need-1", first))  # said again: it is known
    shop.until(lambda: shop.busy(first))
    term = shop.until(shop.seen).term
    at = shop.signal(second, signal.SIGSTOP)
    took_s = tap.first_of(term + 1) - at
    shop.until(lambda: shop.leader() == first)
    shop.signal(second, signal.SIGCONT)
    shop.until(lambda: "starting anew" in shop.children.last_words(second, 400))
    shop.until(lambda: shop.need("need-4", second))
    old_words(tap, shop.until(shop.seen).term)
    return took_s


def test_a_killed_and_a_frozen_leader_lose_and_double_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = server().empty(f"shop{secrets.token_hex(4)}")
    broker = start_mosquitto(tmp_path / "broker")
    with Children(tmp_path / "logs") as children:
        tap = Tap(broker)
        shop = Shop(tmp_path, children, broker, database)
        for name in shop.ports:
            shop.start(name)
        first = shop.until(shop.leader)
        shop.floor.start(children, SITE, (broker.host, broker.port))
        shop.technicians()
        killed_s = kill(shop, tap, first)
        frozen_s = freeze(shop, tap, OTHER[first])
        shop.until(lambda: shop.delivered(first) == 4)
        for name in ("technician-a", "technician-b", "a", "b"):
            children.stop(name)
        shop.floor.settle(children)
        tap.close()
        shop.close()
    broker.close()
    assert findings(shop.rows(), shop.floor.truths()) == []
    assert past_terms(tap) == []
    with capsys.disabled():
        print(f"\nnext decision: killed after {killed_s:.1f} s, frozen after {frozen_s:.1f} s")

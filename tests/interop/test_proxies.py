"""Before the floor stands a proxy: believed when it is named, and nobody's word when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dashboards.gate import Rules
from dashboards.server import Front, PageServer
from fabcommons import doctor
from fabcommons.finding import GOOD, HINT
from support.people import populate

STOP = "/api/machines/printer-1/stop"
FAR, NEAR = "203.0.113.9", "10.9.9.5"


class Proxied:
    """A floor behind proxies; ``came`` is a request that one passed on."""

    def __init__(self, desk: Any, *proxies: str) -> None:
        rules = Rules(loopback=False, floor_networks=("10.9.9.0/24", "127.0.0.0/8"))
        self.server = PageServer(desk, port=0, front=Front(rules=rules, proxies=proxies))
        self.desk = desk

    def came(self, visitor: str, **headers: str) -> httpx.Response:
        sent = {"X-Fabcommons": "1", "X-Forwarded-For": visitor, **headers}
        return httpx.post(self.server.url + STOP, headers=sent, timeout=60)


@pytest.fixture
def floors(desk: Any) -> Iterator[Any]:
    """Makes floors, and closes them."""
    made: list[Proxied] = []
    populate(desk)

    def make(*proxies: str) -> Proxied:
        made.append(Proxied(desk, *proxies))
        return made[-1]

    yield make
    for one in made:
        one.server.close()


def test_a_named_proxy_says_who_is_on_the_floor(floors: Any) -> None:
    floor = floors("127.0.0.1")
    assert floor.came(NEAR).status_code == 200
    refused = floor.came(FAR)
    assert (refused.status_code, refused.json()["problems"][0]["code"]) == (401, "log-in")
    assert doctor.proxies(floor.server.url).state == GOOD


def test_who_comes_through_a_proxy_nobody_named_is_not_on_the_floor(floors: Any) -> None:
    floor = floors()
    assert doctor.proxies(floor.server.url).state == GOOD
    refused = floor.came(NEAR)
    assert refused.status_code == 401
    assert "access.proxies does not name" in refused.json()["problems"][0]["message"]
    found = doctor.proxies(floor.server.url)
    assert (found.state, "access.proxies" in found.fix) == (HINT, True)


def test_nobody_elsewhere_is_believed_when_a_proxy_is_named(floors: Any) -> None:
    floor = floors("10.9.9.1")
    assert floor.came(NEAR).status_code == 401


def test_without_a_proxy_the_floor_stops_its_machines(floors: Any) -> None:
    floor = floors("127.0.0.1")
    sent = httpx.post(floor.server.url + STOP, headers={"X-Fabcommons": "1"}, timeout=60)
    assert sent.status_code == 200

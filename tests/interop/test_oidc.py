"""Log-in by an OpenID Connect provider, here one on loopback that can lie."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from controller.adapters.oidc import Provider
from controller.people.settings import OidcEntry
from dashboards.gate import Rules
from support.people import Served, populate, served
from support.provider import CLIENT, SECRET, FakeProvider


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    made = FakeProvider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def floor(
    dash_floor: Any, tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider
) -> Iterator[Served]:
    desk = dash_floor.FakeDesk(tmp_path_factory.mktemp("oidc"))
    desk.change(dash_floor.fill)
    populate(desk)
    entry = OidcEntry(provider.issuer, CLIENT, "http://127.0.0.1:1/oidc/back", label="the town")
    rules = Rules(oidc=Provider(entry, SECRET, lambda: int(time.time())))
    with served(desk, rules) as made:
        yield made
    desk.close()


def come(floor: Served, client: httpx.Client) -> httpx.Response:
    """Out to the provider and back to the floor, as a browser follows."""
    floor.desk.clock.advance_ms(60_000)
    out = client.get("/oidc/log-in")
    assert out.status_code == 303, out.text
    back = httpx.get(out.headers["location"])
    return client.get("/oidc/back", params=httpx.URL(back.headers["location"]).params)


def test_the_first_coming_makes_a_member_and_the_next_finds_it(
    floor: Served, provider: FakeProvider
) -> None:
    provider.claims, provider.signs = {}, provider.key
    for _ in range(2):
        client = floor.browser()
        assert client.get("/api/me").json()["oidc"] == "the town"
        answer = come(floor, client)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        me = client.get("/api/me").json()
        assert (me["name"], me["role"]) == ("mia-2", "member")  # mia is somebody else's


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://another"},
        {"exp": 1},
        {"sub": None},
    ],
)
def test_a_word_that_does_not_fit_lets_nobody_in(
    floor: Served, provider: FakeProvider, claims: dict[str, Any]
) -> None:
    provider.claims, provider.signs = claims, provider.key
    client = floor.browser()
    assert come(floor, client).status_code == 422
    assert client.get("/api/me").json()["how"] == "public"


def test_a_word_signed_by_another_key_lets_nobody_in(floor: Served, provider: FakeProvider) -> None:
    provider.claims, provider.signs = {}, RSAKey.generate_key(2048, {"kid": "one"})
    assert come(floor, floor.browser()).status_code == 422


def test_only_the_browser_that_went_out_comes_back(floor: Served, provider: FakeProvider) -> None:
    provider.claims, provider.signs = {}, provider.key
    begun = floor.browser()
    floor.desk.clock.advance_ms(60_000)
    location = httpx.get(begun.get("/oidc/log-in").headers["location"]).headers["location"]
    query = httpx.URL(location).params
    assert floor.browser().get("/oidc/back", params=query).status_code == 400
    tampered = {**dict(query), "state": "another"}
    assert begun.get("/oidc/back", params=tampered).status_code == 422
    assert begun.get("/oidc/back", params=query).status_code == 400  # once only

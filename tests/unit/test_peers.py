"""Sharing between sites over real HTTP: signed, never replayed, fenced by tokens."""

import json
import urllib.request
from urllib.error import HTTPError

import pytest

from controller import needs
from controller.adapters import peers
from controller.adapters.peers import (
    Address,
    HttpHome,
    Identity,
    Request,
    genuine,
    load_key,
    public_hex,
)  # fmt: skip
from controller.commons import borrowing, leases
from controller.commons.borrowing import Here, Unreachable
from controller.commons.leases import Claim
from controller.commons.records import Peer
from controller.joints.lending import SiteWorkshop
from controller.values import Refused
from support.dash_floor import need


@pytest.fixture
def home(served, desk, tmp_path):
    """A home over HTTP with one offered need, and who may ask it."""
    key, seq = load_key(tmp_path / "maker.key"), iter(range(1, 1000))

    def fill(tx):
        tx.peers.put(Peer("maker", public_hex(key)))
        tx.needs.add(need("s-1", state="accepted", design="clamp"))
        leases.share(tx, "s-1")

    desk.change(fill)
    who = Identity("maker", key, lambda: next(seq))
    return HttpHome(Address("lab", str(served.base_url), public_hex(desk.key)), who)


def test_a_key_is_made_once_and_kept_for_its_owner(tmp_path):
    path = tmp_path / "site.key"
    first = load_key(path)
    assert public_hex(load_key(path)) == public_hex(first)
    assert path.stat().st_mode & 0o077 == 0


def test_a_signature_is_for_one_request_only():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    made = Request("POST", "/commons/needs/begin", "lab", "maker", 7, b"{}")
    signature = key.sign(made.content()).hex()
    assert genuine(made, public_hex(key), signature)
    for other in ({"method": "GET"}, {"path": "/x"}, {"home": "b"}, {"site": "c"}, {"seq": 8}):
        assert not genuine(made._replace(**other), public_hex(key), signature)
    assert not genuine(made._replace(body=b"{ }"), public_hex(key), signature)
    for bad in ("", "zz", "00" * 64):
        assert not genuine(made, public_hex(key), bad)
    assert not genuine(made, "nonsense", signature)


def test_a_need_is_claimed_begun_made_and_completed_over_http(home, desk, floor, small_floor):
    def prepare(tx):
        design = desk_design(desk)
        tx.designs.put(design)

    floor.do(prepare)
    here = Here(floor.do, floor.store.read, SiteWorkshop(small_floor.print_only))
    borrowing.turn(here, "lab", home)
    with floor.store.read() as tx:
        (one,) = tx.peers.borrowed("lab", "begun")
        assert tx.needs.get(one.local).stated_by == "site lab"
    with desk.read() as tx:
        assert (tx.needs.get("s-1").state, tx.needs.get("s-1").reason) == (
            "making",
            "maker makes it",
        )
    floor.do(lambda tx: tx.needs.change(one.local, state="delivered"))
    borrowing.turn(here, "lab", home)
    with desk.read() as tx:
        assert tx.needs.get("s-1").state == "delivered"
        assert tx.peers.shares() == {"done": 1}


def desk_design(desk):
    with desk.read() as tx:
        return tx.designs.get("clamp")


def test_a_need_of_another_version_of_the_design_is_left_alone(home, desk, floor, small_floor):
    here = Here(floor.do, floor.store.read, SiteWorkshop(small_floor.print_only))
    borrowing.turn(here, "lab", home)
    with desk.read() as tx:
        assert tx.peers.shares() == {"open": 1}


def test_a_request_is_believed_once(home, served):
    home.offers(0)
    replayed = Identity("maker", home._who.key, lambda: 1)
    with pytest.raises(Unreachable, match="409"):
        HttpHome(home._at, replayed).offers(0)


def test_who_did_not_join_or_means_another_home_is_refused(home, served, tmp_path):
    url, who = str(served.base_url), home._who
    strangers = (
        HttpHome(home._at, Identity("stranger", who.key, lambda: 1)),
        HttpHome(home._at, Identity("maker", load_key(tmp_path / "other.key"), lambda: 500)),
        HttpHome(home._at._replace(name="another"), who),
    )
    for stranger in strangers:
        with pytest.raises(Unreachable, match="401"):
            stranger.offers(0)
    with pytest.raises(HTTPError, match="401"):
        urllib.request.urlopen(f"{url}/commons/needs")


def test_a_changed_body_is_refused(home, served):
    body = json.dumps({"claims": [{"need": "s-1", "token": 0}]}).encode()
    signed = Request("POST", "/commons/needs/claims", "lab", "maker", 50, body)
    headers = {
        "X-Fabcommons": "1", "Content-Type": "application/json", peers.SITE: "maker",
        peers.SEQ: "50", peers.SIGNATURE: home._who.key.sign(signed.content()).hex(),
    }  # fmt: skip
    changed = served.post("/commons/needs/claims", content=body + b" ", headers=headers)
    assert changed.status_code == 401
    assert served.post("/commons/needs/claims", content=body, headers=headers).status_code == 200


def test_a_stale_token_is_refused_after_the_lease_went_to_another(floor, small_floor):
    name = floor.do(needs.state, small_floor.request("a"), small_floor.print_only).id
    floor.do(leases.share, name)
    (first, ends) = floor.do(leases.claim, "slow", [name]).good[0]
    assert floor.do(leases.claim, "fast", [name]).refused == {name: "held"}
    floor.clock.advance_ms(ends - floor.clock.now_ms())
    assert [o["need"] for o in floor.do(leases.offers, 0)[0]] == [name]
    (second, _) = floor.do(leases.claim, "fast", [name]).good[0]
    assert second.token > first.token
    for verb in (leases.begin, leases.complete, leases.release):
        assert floor.do(verb, "slow", [first]).refused == {name: "stale"}
    assert floor.do(leases.begin, "fast", [second]).good == [(second, 0)]
    floor.clock.advance_ms(10**9)
    assert floor.do(leases.offers, 0)[0] == []  # begun: no time-out gives it to another
    assert floor.do(leases.complete, "slow", [Claim(name, second.token)]).refused
    for _ in range(2):
        assert floor.do(leases.complete, "fast", [second]).good == [(second, 0)]
    with floor.store.read() as tx:
        assert tx.needs.get(name).reason == "made and delivered by fast"


def test_an_offered_need_is_not_made_here_until_it_is_taken_home(floor, small_floor):
    name = floor.do(needs.state, small_floor.request("a"), small_floor.router).id
    floor.do(leases.share, name)
    with floor.store.read() as tx:
        assert {op.state for op in tx.operations.of_need(name)} == {"cancelled"}
    (held, _) = floor.do(leases.claim, "maker", [name]).good[0]
    with pytest.raises(Refused, match="leased by maker"):
        floor.do(leases.take_home, name)
    floor.do(leases.release, "maker", [held])
    floor.do(leases.take_home, name)
    with floor.store.read() as tx:
        assert [op.state for op in tx.operations.of_need(name)] == ["ready", "ready", "waiting"]
    floor.do(lambda tx: tx.operations.change(f"{name}-1", state="running"))
    with pytest.raises(Refused, match="has begun here"):
        floor.do(leases.share, name)

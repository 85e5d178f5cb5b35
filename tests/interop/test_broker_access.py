"""Real mosquitto over TLS: a machine speaks only as itself, a revoked one is out. Tried."""

import base64
import json
import os
import socket
import ssl
import subprocess
import sys
import threading

import paho.mqtt.client as paho
import pytest

from controller.adapters.access import Access
from controller.adapters.authority import Authority, server_name
from controller.adapters.broker import Guarded, free_port, open_guarded
from support.bench_floor import MICROPYTHON, ROOT, process
from support.broker import start_mosquitto
from support.waiting import until

SITE = "workshop"
NOW_MS = 1_760_000_000_000


class Peer:
    """A client that keeps what it hears."""

    def __init__(self, port, login, authority, will=None):
        self.heard = []
        self.up = threading.Event()
        self.refused = threading.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"{login[0]}-test")
        self.client.username_pw_set(*login)
        if authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(authority.ca)
            self.client.tls_set_context(context)
        if will:
            self.client.will_set(*will)
        self.client.on_message = lambda _c, _d, m: self.heard.append((m.topic, bytes(m.payload)))
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda *_: self.up.clear()
        self.client.connect("localhost" if authority else "127.0.0.1", port)
        self.client.loop_start()

    def _on_connect(self, _client, _data, _flags, reason, _properties):
        (self.refused if reason.is_failure else self.up).set()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Room:
    """Broker, authority and access of a site."""

    def __init__(self, folder):
        self.authority = Authority(folder / "access", SITE, NOW_MS)
        self.access = Access(folder / "access", SITE)
        self.logins = {m: (m, self.access.give(m)) for m in ("printer-1", "printer-2")}
        self.guarded = Guarded("127.0.0.1", free_port(), self.authority, self.access)
        self.broker = open_guarded(folder / "broker", self.guarded)
        self.controller = Peer(self.broker.port, self.access.login(), None)
        assert self.controller.up.wait(60)
        self.controller.client.subscribe("fab/1/#", 1)
        self.peers = [self.controller]

    def machine(self, name, login=None, will=None):
        peer = Peer(self.guarded.port, login or self.logins[name], self.authority, will)
        self.peers.append(peer)
        return peer

    def said(self):
        """Everything that reached the controller so far; waits for a word of its own to pass."""
        mark = f"fab/1/{SITE}/_ctl/state"
        text = os.urandom(8)
        self.controller.client.publish(mark, text, 1)
        until(lambda: (mark, text) in self.controller.heard, 60, "the mark")
        return [found for found in self.controller.heard if found[0] != mark]

    def close(self):
        for peer in self.peers:
            peer.close()
        self.broker.close()


@pytest.fixture
def room(tmp_path):
    start_mosquitto(tmp_path / "probe").close()  # skips where there is none
    made = Room(tmp_path)
    yield made
    made.close()


def topic(machine, leaf):
    return f"fab/1/{SITE}/{machine}/{leaf}"


def test_a_machine_speaks_only_as_itself(room):
    one = room.machine("printer-1")
    assert one.up.wait(60)
    for name in (
        topic("printer-2", "up/state"),
        topic("printer-2", "up/ev"),
        topic("printer-1", "dn/want"),
        topic("printer-2", "dn/cmd"),
        f"fab/1/{SITE}/_ctl/state2",
        "fab/1/other/printer-1/up/ev",
    ):
        one.client.publish(name, b"forged", 1).wait_for_publish(60)
    one.client.publish(topic("printer-1", "up/ev"), b"own", 1).wait_for_publish(60)
    until(room.said, 60, "its own word")
    assert room.said() == [(topic("printer-1", "up/ev"), b"own")]


def test_a_machine_hears_only_what_is_for_it(room):
    one, two = room.machine("printer-1"), room.machine("printer-2")
    assert one.up.wait(60) and two.up.wait(60)
    for peer in (one, two):
        for name in ("#", "fab/1/#", topic("+", "dn/#"), topic("printer-2", "dn/want")):
            peer.client.subscribe(name, 1)
    done = threading.Event()
    two.client.on_subscribe = lambda *_: done.set()
    two.client.subscribe(topic("printer-2", "dn/#"), 1)
    assert done.wait(60)
    room.controller.client.publish(topic("printer-2", "dn/cmd"), b"for two", 1)
    room.controller.client.publish(topic("printer-1", "dn/cmd"), b"for one", 1)
    until(lambda: one.heard and two.heard, 60, "both")
    assert {name for name, _ in one.heard} == {topic("printer-1", "dn/cmd")}
    assert {name for name, _ in two.heard} == {topic("printer-2", "dn/cmd")}


def test_a_will_cannot_speak_for_another(room):
    will = (topic("printer-2", "up/state"), b"forged will", 1, True)
    one = room.machine("printer-1", will=will)
    assert one.up.wait(60)
    one.client.socket().close()  # gone without a word
    own = room.machine("printer-2")
    assert own.up.wait(60)
    own.client.publish(topic("printer-2", "up/ev"), b"own", 1).wait_for_publish(60)
    until(room.said, 60, "its word")
    assert {text for _, text in room.said()} == {b"own"}


def test_who_has_no_credentials_is_refused(room):
    for login in (
        ("printer-1", "wrong"),
        ("printer-1", room.logins["printer-2"][1]),
        ("printer-3", "none"),
        ("_controller", ""),
    ):
        peer = room.machine("printer-1", login)
        assert peer.refused.wait(60)


def test_a_revoked_machine_is_put_out_and_stays_out(room):
    one, two = room.machine("printer-1"), room.machine("printer-2")
    assert one.up.wait(60) and two.up.wait(60)
    room.access.revoke("printer-1")
    until(lambda: not one.up.is_set(), 60, "the revoked machine put out")
    assert one.refused.wait(60)
    assert two.up.is_set()


def test_a_rotated_password_replaces_the_old_one(room):
    one = room.machine("printer-1")
    assert one.up.wait(60)
    new = room.access.give("printer-1")
    until(lambda: not one.up.is_set(), 60, "the old password put out")
    assert room.machine("printer-1", ("printer-1", new)).up.wait(60)


def test_a_renewed_certificate_needs_no_visit_to_a_machine(room):
    room.authority.renew()
    room.broker.reload()
    assert room.machine("printer-1").up.wait(60)


@pytest.mark.parametrize("interpreter", ["micropython", "cpython"])
@pytest.mark.parametrize("trusted", [True, False])
def test_the_firmware_speaks_tls_and_trusts_its_own_site_only(room, tmp_path, interpreter, trusted):
    other = Authority(tmp_path / "other", SITE, NOW_MS)
    user, password = room.logins["printer-1"]
    config = {
        "site": SITE,
        "machine": "printer-1",
        "broker": {
            "host": "127.0.0.1",
            "port": room.guarded.port,
            "user": user,
            "password": password,
            "ca": (room.authority if trusted else other).ca_text(),
        },
        "serial": {"port": str(tmp_path / "nothing"), "baud": 115200},
        "dialect": "marlin",
        "flash": str(tmp_path / "flash"),
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    command = [sys.executable] if interpreter == "cpython" else [MICROPYTHON, "-X", "heapsize=512k"]
    environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
    log = room.broker.log
    with process([*command, "-m", "firmware", str(path)], env=environment, stderr=subprocess.PIPE):
        if trusted:
            state = topic("printer-1", "up/state")
            until(lambda: any(name == state for name, _ in room.said()), 90, "its state")
            return
        # it comes, sees the wrong certificate, and leaves: again and again
        until(lambda: log.read_text().count("New connection") > 4, 90, "attempts")
        assert room.said() == []


def test_the_name_is_the_sites_not_the_address(room):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=base64.b64decode(room.authority.ca_text()))
    place = ("127.0.0.1", room.guarded.port)
    with (
        socket.create_connection(place, 60) as sock,
        context.wrap_socket(sock, server_hostname=server_name(SITE)) as wrapped,
    ):
        assert wrapped.version() in ("TLSv1.2", "TLSv1.3")
    with (
        socket.create_connection(place, 60) as sock,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(sock, server_hostname=server_name("elsewhere"))

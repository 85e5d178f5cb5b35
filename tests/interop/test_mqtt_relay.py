"""The relay of the fault campaign, between the firmware's packets and a real mosquitto."""

from __future__ import annotations

import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from protocols import mqtt
from support.broker import start_mosquitto
from support.chaos_broker import Weather
from support.mqtt_relay import Courier, Relay, again, cut_packets, read
from support.waiting import until

HELLO = mqtt.connect("s-m", 60)
WORD = mqtt.publish("fab/x", b"word", 7)


class Talker:
    """One MQTT client: blocking, for tests."""

    def __init__(self, port: int, name: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.held = bytearray()
        self.heard: list[tuple[Any, ...]] = []
        self.say(mqtt.connect(name, 60))
        self.hear("connack")

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hear(self, kind: str) -> tuple[Any, ...]:
        """Next packet of a kind."""
        while True:
            for at, packet in enumerate(self.heard):
                if packet[0] == kind:
                    return self.heard.pop(at)
            data = self.socket.recv(4096)
            assert data, f"closed while waiting for {kind}"
            self.held += data
            self.heard += [read(one) for one in cut_packets(self.held)]

    def subscribe(self) -> None:
        self.say(mqtt.subscribe(1, [("fab/#", 1)]))
        self.hear("suback")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    started = start_mosquitto(tmp_path_factory.mktemp("broker"))
    yield started
    started.close()


@contextmanager
def talk(broker: Any, weather: Weather) -> Generator[tuple[Relay, Talker, Talker]]:
    """A machine behind a relay, somebody who listens at the broker itself."""
    with Relay((broker.host, broker.port), "s", 1) as relay:
        listener = Talker(broker.port, "listener")
        listener.subscribe()
        machine = Talker(relay.port, "s-m")
        relay.courier.weather = weather
        yield relay, machine, listener
        for one in (machine, listener):
            one.socket.close()


def test_a_stream_is_cut_into_whole_packets() -> None:
    long = mqtt.publish("t", b"x" * 300, 1)
    stream, held = HELLO + long + mqtt.PINGREQ, bytearray()
    out: list[bytes] = []
    for at in range(len(stream)):
        held += stream[at : at + 1]
        out += cut_packets(held)
    assert out == [HELLO, long, mqtt.PINGREQ]


def test_fates_are_drawn_by_seed_and_only_for_publish() -> None:
    one, two = Courier(5), Courier(5)
    one.weather = two.weather = Weather(0.2, 0.2, 0.2, 0.2, 1000, 0.2)
    assert [one.fate(WORD) for _ in range(50)] == [two.fate(WORD) for _ in range(50)]
    assert set(one.counts) == {"dropped", "acknowledged and dropped", "doubled", "delayed",
                               "reordered"}  # fmt: skip
    one.weather = Weather(drop=1.0)
    assert one.fate(HELLO).after_s == (0.0,)
    assert read(again(WORD))[5], "a second copy says that it is one"


def test_what_is_lied_about_is_acknowledged_and_gone(broker: Any) -> None:
    with talk(broker, Weather(lie=1.0)) as (relay, machine, listener):
        machine.say(WORD)
        assert machine.hear("puback") == ("puback", 7)
        relay.courier.weather = Weather()
        machine.say(mqtt.publish("fab/x", b"next", 8))
        assert listener.hear("publish")[2] == b"next"


def test_what_is_doubled_comes_twice(broker: Any) -> None:
    with talk(broker, Weather(double=1.0)) as (_, machine, listener):
        machine.say(WORD)
        assert [listener.hear("publish")[2] for _ in range(2)] == [b"word", b"word"]


def test_a_late_word_arrives_on_the_connection_there_is_then(broker: Any) -> None:
    with talk(broker, Weather(late=1.0, late_ms=2000)) as (relay, machine, listener):
        machine.say(WORD)
        until(lambda: relay.courier.counts["delayed"], what="the word is under way")
        relay.cut("m")
        until(lambda: "m" not in relay.speaking(), what="the connection is forgotten")
        machine.socket.close()
        relay.courier.weather = Weather()
        again = Talker(relay.port, "s-m")
        assert listener.hear("publish")[2] == b"word"
        again.socket.close()


def test_a_connection_is_cut_within_a_packet(broker: Any) -> None:
    with talk(broker, Weather()) as (relay, machine, listener):
        relay.cut("m", within=True)
        machine.say(WORD)
        with pytest.raises((AssertionError, OSError)):
            machine.hear("puback")
        until(lambda: "m" not in relay.speaking(), what="the connection is forgotten")
        listener.say(mqtt.publish("fab/x", b"own", 9))
        assert listener.hear("publish")[2] == b"own", "half a packet is nobody's word"


def test_what_is_stalled_arrives_afterwards(broker: Any) -> None:
    with talk(broker, Weather()) as (relay, machine, listener):
        relay.stall("m", 0.3)
        machine.say(WORD)
        assert listener.hear("publish")[2] == b"word"
        assert relay.courier.counts["stalled"] == 1

"""The link takes what is addressed to its machine, counts the rest, and never falls silent."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from firmware.link import Address, Link
from protocols import mqtt
from protocols.mqtt_stream import Reader


class NoEvents:
    """A journal with nothing to send."""

    hi = acked = 0
    lo = 1

    def event_after(self, s: int) -> None:
        return None


class Broker:
    """Accepts one machine after the other and plays what a test says, byte for byte."""

    def __init__(self, publishes: list[tuple[str, bytes]]) -> None:
        self._publishes = publishes
        self.connections = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._play, args=(peer,), daemon=True).start()

    def _play(self, peer: socket.socket) -> None:
        reader = Reader(4096)
        while data := peer.recv(4096):
            for packet in reader.feed(data):
                if packet[0] == "connect":
                    peer.sendall(bytes([0x20, 2, 0, 0]))
                elif packet[0] == "subscribe":
                    peer.sendall(bytes([0x90, 3, *packet[1].to_bytes(2, "big"), 1]))
                    for topic, payload in self._publishes:
                        peer.sendall(mqtt.publish(topic, payload))


def run(publishes: list[tuple[str, bytes]], take: Any, done: Any) -> tuple[Link, Broker]:
    """Run a link against a broker until ``done(link, broker)``."""
    broker = Broker(publishes)

    async def live() -> Link:
        address = Address("s", "m", "127.0.0.1", broker.port)
        journal: Any = NoEvents()
        clock = asyncio.get_running_loop().time
        link = Link(address, journal, lambda: int(clock() * 1000), b"{}", lambda: None, take)
        going = asyncio.create_task(link.run())
        for _ in range(20_000):
            if done(link, broker):
                break
            await asyncio.sleep(0.005)
        else:
            raise AssertionError(f"not in time: {link.counts} {link.why}")
        going.cancel()
        return link

    link = asyncio.run(live())
    broker.server.close()
    return link, broker


@pytest.mark.parametrize(
    "topic",
    ["fab/1/s/m/up/state", "fab/1/s/other/dn/want", "fab/1/t/m/dn/want", "fab/1/s/_ctl/state", "x"],
)
def test_what_is_not_for_this_machine_is_counted_and_dropped(topic: str) -> None:
    got: list[str] = []
    link, _ = run(
        [(topic, b"{}"), ("fab/1/s/m/dn/time", b"{}")],
        lambda leaf, _payload: got.append(leaf),
        lambda _link, _broker: bool(got),
    )
    assert got == ["dn/time"]
    assert link.counts["bad"] == 1


def test_a_fault_of_ours_does_not_leave_the_machine_mute() -> None:
    def take(leaf: str, payload: bytes) -> None:
        raise KeyError(leaf)

    link, broker = run(
        [("fab/1/s/m/dn/time", b"{}")], take, lambda _link, broker: broker.connections > 1
    )
    assert link.counts["failed"] >= 1
    assert broker.connections > 1

"""Both brokers carry a message from a publisher to a subscriber and end when told."""

from __future__ import annotations

import os
import queue
import socket
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from controller.adapters.broker import BrokerError, External, find_mosquitto, open_broker


def _echo(host: str, port: int) -> bytes:
    got: queue.Queue[bytes] = queue.Queue()
    ready: queue.Queue[int] = queue.Queue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "t", protocol=mqtt.MQTTv311)
    client.on_connect = lambda *_: client.subscribe("a/#", 1)
    client.on_subscribe = lambda *_: ready.put(1)
    client.on_message = lambda _c, _u, message: got.put(message.payload)
    client.connect(host, port)
    client.loop_start()
    try:
        ready.get(timeout=60)
        client.publish("a/b", b"word", 1)
        return got.get(timeout=60)
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
def test_a_started_broker_carries_messages(kind: str, tmp_path: Path) -> None:
    if kind == "mosquitto" and find_mosquitto() is None:
        reason = "mosquitto is not installed (make servers)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    broker = open_broker(kind, tmp_path)
    try:
        assert broker.kind == kind
        assert _echo(broker.host, broker.port) == b"word"
    finally:
        broker.close()
    with pytest.raises(OSError), socket.create_connection((broker.host, broker.port), 1):
        pass


def test_a_port_in_use_is_an_error_in_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BrokerError, match="amqtt did not start"):
            open_broker("amqtt", tmp_path, port=taken.getsockname()[1])


def test_an_external_broker_is_only_named(tmp_path: Path) -> None:
    assert open_broker("broker.local:1883", tmp_path) == External("broker.local", 1883)
    with pytest.raises(BrokerError, match="HOST:PORT"):
        open_broker("rabbit", tmp_path)

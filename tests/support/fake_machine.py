"""A scripted machine on MQTT: keeps a journal, sends what a test says, remembers what it hears."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt

from protocols.messages import decode, encode
from protocols.topics import down_filter, machine_topic, parse_topic
from support.small_floor import Journal, hello, state_report

WAIT_S = 60.0


class FakeMachine:
    """One machine; ``journal`` numbers its events, ``events`` keeps those not acknowledged."""

    def __init__(
        self, broker: Any, site: str, name: str, jid: str | None = None, **entry: Any
    ) -> None:
        """``entry``: ``login`` (user, password) and ``tls``, a context, where the broker asks."""
        self.name = name
        self.site = site
        self.bn = f"b-{name}"
        self.journal = Journal(jid or f"j-{name}")
        self.events: list[dict[str, Any]] = []
        self.acked = 0
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._news = threading.Condition()
        self._subscribed = threading.Event()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, f"m-{name}", protocol=mqtt.MQTTv311)
        client.on_connect = lambda c, *_: c.subscribe(down_filter(site, name), 1)
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_message = self._on_message
        if "login" in entry:
            client.username_pw_set(*entry["login"])
        if "tls" in entry:
            client.tls_set_context(entry["tls"])
        client.connect(broker.host, broker.port)
        client.loop_start()
        self.client = client
        assert self._subscribed.wait(WAIT_S)

    def _on_message(self, _c: Any, _d: Any, message: Any) -> None:
        leaf = parse_topic(message.topic)[2]
        document = decode(leaf, message.payload)
        with self._news:
            if leaf == "dn/ack" and document["jid"] == self.journal.jid:
                self.acked = max(self.acked, document["s"])
                self.events = [e for e in self.events if e["s"] > self.acked]
            self.heard.append((leaf, document))
            self._news.notify_all()

    def send(self, leaf: str, document: dict[str, Any]) -> None:
        """Publish a message of ours."""
        self.raw(machine_topic(self.site, self.name, leaf), encode(leaf, document))

    def raw(self, topic: str, payload: bytes) -> None:
        """Publish bytes anywhere."""
        self.client.publish(topic, payload, 1).wait_for_publish(WAIT_S)

    def event(self, ty: str, **body: Any) -> dict[str, Any]:
        """Journal an event and send it."""
        return self.emit(self.journal.event(ty, **body))

    def emit(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send an event that the journal wrote."""
        self.events.append(event)
        self.send("up/ev", event)
        return event

    def resend(self) -> None:
        """Send every event that was not acknowledged, as after a reconnect."""
        for event in list(self.events):
            self.send("up/ev", event)

    def state(self, **fields: Any) -> None:
        """Report our state."""
        self.send("up/state", state_report(self.bn, self.journal.jid, **fields))

    def hello(self, **fields: Any) -> None:
        """Say hello."""
        low = self.acked + 1
        self.send("up/hello", hello(self.bn, self.journal.jid, low, self.journal.s, **fields))

    def until(self, test: Callable[[], Any]) -> Any:
        """Wait until ``test`` gives something true, looking again after each message heard."""
        with self._news:
            found = self._news.wait_for(test, WAIT_S)
        assert found, f"{self.name} waited in vain; heard {self.heard[-5:]}"
        return found

    def until_want(self, ph: str, ep: int = 0) -> dict[str, Any]:
        """Wait until the desired document is ``ph`` (of epoch ``ep`` if given); return it."""

        def wanted() -> Any:
            docs = [d for leaf, d in self.heard if leaf == "dn/want"]
            good = docs and docs[-1]["ph"] == ph and ep in (0, docs[-1].get("ep"))
            return docs[-1] if good else None

        return self.until(wanted)

    def until_acked(self) -> None:
        """Wait until every event is acknowledged."""
        self.until(lambda: self.acked >= self.journal.s)

    def until_command(self, do: str) -> dict[str, Any]:
        """Wait for a command; return it."""
        return self.until(
            lambda: next((d for x, d in self.heard if x == "dn/cmd" and d["do"] == do), None)
        )

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()

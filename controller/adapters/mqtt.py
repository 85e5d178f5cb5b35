"""MQTT through paho: manual acknowledgement after commit, nothing queued that can be sent again.

The network thread only hands messages on. A PUBACK is sent for a message of the connection it
came on, never for one of an earlier connection (the broker sends those again).
"""

import logging
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from controller.values import Json
from protocols.errors import WireError
from protocols.messages import encode
from protocols.topics import LEAVES, controller_topic, machine_topic, up_filter

MAX_INFLIGHT = 200
KEEPALIVE_S = 30
_REFUSES = "refuses us"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who we are there; TLS when there is a context for it."""

    host: str
    port: int = 1883
    user: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came; ``connection`` counts connections, ``mid`` is the packet's number."""

    topic: str
    payload: bytes
    qos: int
    retained: bool
    mid: int
    connection: int


def _always() -> bool:
    return True


def _unheard(_error: OSError) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told, on the network thread; must return at once.

    ``may`` says whether we may speak: one that no longer leads its site never connects again, for
    that would put out the one who does.
    """

    message: Callable[[Incoming], None]
    connected: Callable[[], None]
    may: Callable[[], bool] = _always


class _Client(paho.Client):
    """Connects, and connects again, only while ``may`` says so."""

    may: Callable[[], bool] = staticmethod(_always)
    failed: Callable[[OSError], None] = staticmethod(_unheard)

    def reconnect(self) -> MQTTErrorCode:
        if not self.may():
            raise ConnectionError("another replica leads this site")  # tried again, later and later
        try:
            return super().reconnect()
        except OSError as error:  # TLS included
            self.failed(error)
            raise


class MqttLink:
    """One connection to the broker; ``dropped`` counts documents not sent while it was down."""

    def __init__(
        self, broker: Broker, site: str, term: Callable[[], int], listener: Listener
    ) -> None:
        self._site = site
        self._term = term
        self._broker = broker
        self._listener = listener
        self._connection = 0
        self._connected = threading.Event()
        self._client = self._build()
        self.dropped = 0
        self.reason = "not connected yet"

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us."""
        return self._connected.is_set()

    def start(self) -> None:
        """Connect and stay connected, from a thread of its own."""
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S)
        self._client.loop_start()

    def puback(self, message: Incoming) -> None:
        """Acknowledge a message to the broker, if it came on this connection."""
        if message.qos and message.connection == self._connection and self.connected:
            self._client.ack(message.mid, message.qos)

    def want(self, machine: str, document: Json) -> None:
        """Publish the desired document, retained."""
        self._send(machine, "dn/want", document)

    def acknowledge(self, machine: str, document: Json) -> None:
        """Publish how far a machine's journal is committed."""
        self._send(machine, "dn/ack", document)

    def command(self, machine: str, document: Json) -> bool:
        """Publish a command; False when there is no connection."""
        return self._send(machine, "dn/cmd", document)

    def time(self, machine: str, t: int, rate: int) -> None:
        """Publish the floor's time."""
        self._send(machine, "dn/time", {"v": 1, "t": t, "rate": rate, "term": self._term()})

    def close(self) -> None:
        """Say that the controller goes, then disconnect."""
        if self.connected:
            self._client.publish(*self._own(on=False)).wait_for_publish(1.0)
        self._client.disconnect()
        self._client.loop_stop()
        self._connected.clear()

    def drop(self) -> None:
        """Cut the connection without a word, as a crash would."""
        self._connected.clear()
        self._connection += 1
        sock = self._client.socket()
        self._client.on_disconnect = None
        self._client.reconnect_delay_set(3600, 3600)
        if sock is not None:
            sock.close()
        self._client.loop_stop()

    def _build(self) -> paho.Client:
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"fab-{self._site}",
            clean_session=False,
            protocol=paho.MQTTv311,
            manual_ack=True,
        )
        client.may = self._listener.may
        client.failed = self._on_failure
        client.max_inflight_messages_set(MAX_INFLIGHT)
        client.max_queued_messages_set(10_000)
        client.reconnect_delay_set(1, 15)
        if self._broker.user is not None:
            client.username_pw_set(self._broker.user, self._broker.password)
        if self._broker.tls is not None:
            untyped: Any = client
            untyped.tls_set_context(self._broker.tls)
        topic, payload, qos, retain = self._own(on=False)
        client.will_set(topic, payload, qos, retain)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = _no_delay
        return client

    def _own(self, *, on: bool) -> tuple[str, bytes, int, bool]:
        document = {"v": 1, "on": on, "term": self._term()}
        return controller_topic(self._site), encode("state", document), 1, True

    def _send(self, machine: str, leaf: str, document: Json) -> bool:
        if not self.connected:
            self.dropped += 1
            return False
        qos, retain, _ = LEAVES[leaf]
        try:
            topic = machine_topic(self._site, machine, leaf)
            payload = encode(leaf, document)
        except WireError as error:
            _log.error("%s for %s cannot be sent: %s", leaf, machine, error)
            self.dropped += 1
            return False
        return self._client.publish(topic, payload, qos, retain).rc == paho.MQTT_ERR_SUCCESS

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _p: Any
    ) -> None:
        if reason.is_failure:
            self._tell(f"{_REFUSES}: {reason}")
            return
        self._connection += 1
        self.reason = ""
        client.subscribe(up_filter(self._site), 1)
        self._connected.set()
        client.publish(*self._own(on=True))
        self._listener.connected()

    def _on_failure(self, error: OSError) -> None:
        self._tell(f"does not connect: {error}")

    def _tell(self, reason: str) -> None:
        """Say why there is no connection, once for each reason."""
        if reason != self.reason:
            _log.warning("broker %s:%d %s", self._broker.host, self._broker.port, reason)
        self.reason = reason

    def _on_disconnect(self, _c: Any, _data: Any, _flags: Any, reason: Any, _p: Any) -> None:
        self._connected.clear()
        if not self.reason.startswith(_REFUSES):  # after which it hangs up, of course
            self._tell(f"hung up: {reason}")

    def _on_message(self, _c: Any, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "?"
        self._listener.message(
            Incoming(
                topic,
                bytes(message.payload),
                message.qos,
                message.retain,
                message.mid,
                self._connection,
            )
        )


def _no_delay(_client: Any, _data: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

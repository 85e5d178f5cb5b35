"""A broker that may do everything brokers were seen to do: lose what it acknowledged, repeat.

Machines speak MQTT packets made by the firmware's own ``Link``; the controller speaks through
``SiteLink``, a stand-in for ``controller.adapters.mqtt.MqttLink``. Time is the world's.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from controller.adapters.mqtt import Incoming
from protocols.errors import WireError
from protocols.messages import encode
from protocols.mqtt_stream import Reader
from protocols.topics import LEAVES, machine_topic

Later = Callable[[float, Callable[[], None]], None]


@dataclass
class Weather:
    """Shares of messages that meet a fault now; delays are ms."""

    drop: float = 0.0
    lie: float = 0.0  # acknowledged, then dropped (ACL denial, full queue, amqtt)
    double: float = 0.0
    late: float = 0.0
    late_ms: int = 60_000
    reorder: float = 0.0


@dataclass
class Session:
    """One machine's connection; ``lost`` tells it that the connection is gone."""

    machine: str
    take: Callable[[tuple[Any, ...]], None]
    lost: Callable[[], None]
    will: bytes = b""
    up: bool = True
    reader: Reader = field(default_factory=lambda: Reader(1 << 20))
    next_at: float = 0.0
    pid: int = 0


class SimBroker:
    """The broker; ``counts`` is what it did to messages."""

    def __init__(self, site: str, later: Later, now: Callable[[], float], seed: int) -> None:
        self.site = site
        self.weather = Weather()
        self.counts: dict[str, int] = {}
        self.rng = random.Random(seed)
        self.up = True
        self.frozen = False
        self.link: SiteLink | None = None
        self._later, self._now = later, now
        self._sessions: dict[str, Session] = {}
        self._retained: dict[str, bytes] = {}
        self._saved: dict[str, bytes] = {}
        self._queued: list[tuple[str, bytes, bool]] = []  # for the controller while it is away
        self._unacked: dict[int, tuple[str, bytes]] = {}
        self._mid = 0
        self._site_next = 0.0

    # faults ------------------------------------------------------------------------------------
    def kill(self) -> None:
        """End as kill -9 does: sessions and queues are gone, retained as last saved, or lost."""
        self.up = False
        self._queued, self._unacked = [], {}
        choice = self.rng.random()
        self._retained = {} if choice < 0.4 else dict(self._saved)
        for session in list(self._sessions.values()):
            self._cut(session, tell=False)
        if self.link is not None:
            self.link.lose()

    def start(self) -> None:
        self.up, self.frozen = True, False

    def save(self) -> None:
        """Autosave of what is retained."""
        self._saved = dict(self._retained)

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    # machines ----------------------------------------------------------------------------------
    def connect(self, session: Session) -> bool:
        """Take a machine in; one of the same name is thrown out, as MQTT says."""
        if not self.up or self.frozen:
            return False
        old = self._sessions.get(session.machine)
        if old is not None:
            self._cut(old)
        self._sessions[session.machine] = session
        return True

    def cut(self, machine: str) -> None:
        """The network of a machine breaks."""
        session = self._sessions.get(machine)
        if session is not None:
            self._cut(session)

    def _cut(self, session: Session, *, tell: bool = True) -> None:
        session.up = False
        if self._sessions.get(session.machine) is session:
            del self._sessions[session.machine]
            if tell and session.will:
                self._publish(machine_topic(self.site, session.machine, "up/state"), session.will)
        self._later(5, session.lost)

    def from_machine(self, session: Session, data: bytes) -> None:
        """Bytes of a machine."""
        if not session.up or self.frozen or not self.up:
            return
        for packet in session.reader.feed(data):
            self._packet(session, packet)

    def _packet(self, session: Session, packet: tuple[Any, ...]) -> None:
        kind = packet[0]
        if kind == "connect":
            session.will = packet[5][1] if packet[5] else b""
            self._to_machine(session, ("connack", False, 0))
        elif kind == "subscribe":
            self._to_machine(session, ("suback", packet[1], [1]))
            topic = machine_topic(self.site, session.machine, "dn/want")
            if topic in self._retained:
                self._deliver(session, topic, self._retained[topic], retained=True)
        elif kind == "publish":
            if packet[6]:
                self._to_machine(session, ("puback", packet[6]))
            self._publish(packet[1], packet[2])

    def _publish(self, topic: str, payload: bytes) -> None:
        """A machine's message towards the controller."""
        leaf = topic.split("/", 4)[4]
        if leaf == "up/state":
            self._retained[topic] = payload
        for _ in range(self._copies()):
            self._later(self._transit_site(), lambda: self._to_site(topic, payload))

    def _copies(self) -> int:
        weather = self.weather
        if weather.lie and self.rng.random() < weather.lie:
            self._count("acknowledged and dropped")
            return 0
        if weather.drop and self.rng.random() < weather.drop:
            self._count("dropped")
            return 0
        if weather.double and self.rng.random() < weather.double:
            self._count("doubled")
            return 2
        return 1

    def _transit(self) -> tuple[float, bool]:
        """How long a message is under way, and whether others may overtake it."""
        weather = self.weather
        if weather.late and self.rng.random() < weather.late:
            self._count("delayed")
            return self.rng.random() * weather.late_ms, True
        if weather.reorder and self.rng.random() < weather.reorder:
            self._count("reordered")
            return self.rng.random() * 3000, True
        return 5 + self.rng.random() * 40, False

    def _transit_site(self) -> float:
        wait, free = self._transit()
        if free:
            return wait
        self._site_next = max(self._site_next, self._now() + wait)
        return self._site_next - self._now()

    def _to_machine(self, session: Session, packet: tuple[Any, ...]) -> None:
        wait, free = self._transit() if packet[0] == "publish" else (5.0, False)
        if not free:
            session.next_at = max(session.next_at, self._now() + wait)
            wait = session.next_at - self._now()

        def arrive() -> None:
            if session.up and not self.frozen:
                session.take(packet)

        self._later(wait, arrive)

    def _deliver(
        self, session: Session, topic: str, payload: bytes, *, retained: bool = False
    ) -> None:
        for _ in range(self._copies()):
            session.pid = session.pid % 60000 + 1
            packet = ("publish", topic, payload, 1, retained, False, session.pid)
            self._to_machine(session, packet)

    # controller --------------------------------------------------------------------------------
    def from_site(self, machine: str, leaf: str, payload: bytes) -> None:
        """A document of the controller."""
        topic = machine_topic(self.site, machine, leaf)
        if LEAVES[leaf][1]:
            self._retained[topic] = payload
        session = self._sessions.get(machine)
        if session is not None:
            self._deliver(session, topic, payload)

    def _to_site(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        link = self.link
        if link is None or not link.connected or self.frozen:
            if len(self._queued) < 1000:  # a full queue drops without a word
                self._queued.append((topic, payload, retained))
            else:
                self._count("queue full")
            return
        self._mid = self._mid % 60000 + 1
        self._unacked[self._mid] = (topic, payload)
        link.take(topic, payload, retained, self._mid)

    def from_site_puback(self, mid: int) -> None:
        self._unacked.pop(mid, None)

    def connect_site(self, link: SiteLink) -> bool:
        """The controller is back: what it did not acknowledge, what waited, what is retained."""
        if not self.up or self.frozen:
            return False
        self.link = link
        again, self._unacked = list(self._unacked.values()), {}
        waited, self._queued = self._queued, []
        link.connected = True
        for topic, payload in again:
            self._to_site(topic, payload)
        for topic, payload, retained in waited:
            self._to_site(topic, payload, retained=retained)
        for topic, payload in list(self._retained.items()):
            if topic.endswith("/up/state"):
                self._to_site(topic, payload, retained=True)
        return True


class SiteLink:
    """The controller's link over the simulated broker; the interface of ``MqttLink``."""

    def __init__(self, broker: SimBroker, heard: Callable[[Incoming], None]) -> None:
        self.connected = False
        self.dropped = 0
        self.connection = 0
        self.sends: Callable[[], None] = lambda: None  # a fault point before each document
        self._broker = broker
        self._heard = heard

    def connect(self) -> bool:
        self.connection += 1
        return self._broker.connect_site(self)

    def lose(self) -> None:
        self.connected = False
        self.connection += 1

    def take(self, topic: str, payload: bytes, retained: bool, mid: int) -> None:
        self._heard(Incoming(topic, payload, 1, retained, mid, self.connection))

    def puback(self, message: Incoming) -> None:
        if self.connected and message.connection == self.connection:
            self._broker.from_site_puback(message.mid)

    def want(self, machine: str, document: dict[str, Any]) -> None:
        self._send(machine, "dn/want", document)

    def acknowledge(self, machine: str, document: dict[str, Any]) -> None:
        self._send(machine, "dn/ack", document)

    def command(self, machine: str, document: dict[str, Any]) -> bool:
        return self._send(machine, "dn/cmd", document)

    def time(self, machine: str, t: int, rate: int) -> None:
        self._send(machine, "dn/time", {"v": 1, "t": t, "rate": rate})

    def close(self) -> None:
        self.connected = False

    def _send(self, machine: str, leaf: str, document: dict[str, Any]) -> bool:
        self.sends()
        if not self.connected:
            self.dropped += 1
            return False
        try:
            payload = encode(leaf, document)
        except WireError:
            self.dropped += 1
            return False
        self._broker.from_site(machine, leaf, payload)
        return True

"""MQTT session of one machine: journal events up, wants and commands down, for ever.

The broker is not trusted: its acknowledgement only opens the window for more. What counts is the
controller's ``dn/ack``, which trims the journal; everything after it is sent again after each
connect and when nothing was acknowledged for a while. The session is clean, so nothing old waits
at the broker: the controller's last want is retained, all else is repeated.

What goes out, in this order, so that telemetry never delays events:

    control packets, answers and hello (a short queue), state (the newest), events, telemetry

Three tasks share a connection: one reads, one writes (alone, see ``net``), one keeps it alive. The
first that fails ends the session; it begins again after a pause that doubles, with jitter.
"""

import asyncio
import random

from firmware.net import connect
from protocols import mqtt
from protocols.errors import WireError
from protocols.messages import MAX_DOWN_BYTES
from protocols.mqtt_stream import PacketIds, Reader
from protocols.topics import LEAVES, down_filter, machine_topic, parse_topic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Coroutine

    from firmware.journal import Journal
    from firmware.net import Connection

WINDOW = 8  # events on their way to the broker
QUEUE = 16  # answers and hellos waiting
STALLED_MS = 30000  # without an acknowledgement events are sent again
_FIRST_PAUSE_MS, _LAST_PAUSE_MS = 250, 30000
_READ_BYTES = 256  # a burst of commands is done piece by piece: a used heap has no large holes


class Address:
    """Who this machine is and where its broker is."""

    def __init__(self, site: str, machine: str, host: str, port: int) -> None:
        self.site = site
        self.machine = machine
        self.host = host
        self.port = port
        self.login: "tuple[str, bytes] | None" = None
        self.keepalive_s = 20
        self.tls: "tuple[bytes, str] | None" = None


class Link:
    """Link to the broker; on_up() is called after each connect, on_message(leaf, payload) often."""

    def __init__(
        self,
        address: Address,
        journal: "Journal",
        now_ms: "Callable[[], int]",
        will: bytes,
        on_up: "Callable[[], None]",
        on_message: "Callable[[str, bytes], None]",
    ) -> None:
        self.up = False
        self.why = "not connected yet"
        self.counts = {"connects": 0, "bad": 0, "dropped": 0, "stalls": 0, "events": 0, "failed": 0}
        self._address = address
        self._journal = journal
        self._now_ms = now_ms
        self._will = will
        self._on_up = on_up
        self._on_message = on_message
        self._control: "list[bytes]" = []
        self._queue: "list[tuple[str, bytes]]" = []
        self._newest: "dict[str, bytes]" = {}
        self._in_flight: "dict[int, int]" = {}
        self._ids = PacketIds()
        self._sent_s = 0
        self._acked_s = 0
        self._acked_ms = 0
        self._heard_ms = 0
        self._told_ms = 0
        self.turned_ms = now_ms()  # when this link last did anything: it must, whatever the network
        self._pause_ms = _FIRST_PAUSE_MS
        self._wake = asyncio.Event()
        self._down = asyncio.Event()
        self._packets: "dict[str, Callable[[tuple[Any, ...]], None]]" = {
            "connack": self._take_connack,
            "suback": self._take_suback,
            "publish": self._take_publish,
            "puback": self._take_puback,
        }

    # what to say ---------------------------------------------------------------------------------
    def say(self, leaf: str, payload: bytes) -> None:
        """Send once when connected; the oldest of too many is dropped and counted."""
        if len(self._queue) >= QUEUE:
            self._queue.pop(0)
            self.counts["dropped"] += 1
        self._queue.append((leaf, payload))
        self._wake.set()

    def newest(self, leaf: str, payload: bytes) -> None:
        """Send the newest of this leaf; one not sent yet is replaced."""
        if self.up:
            self._newest[leaf] = payload
            self._wake.set()

    def poke(self) -> None:
        """The journal has more, or an acknowledgement came."""
        self._wake.set()

    # session -------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Keep a session up for ever."""
        while True:
            self.turned_ms = self._now_ms()
            try:
                await self._session()
            except OSError as error:
                self.why = str(error)
            self.up = False
            await asyncio.sleep(self._pause_ms * (0.5 + random.random()) / 1000)
            self._pause_ms = min(_LAST_PAUSE_MS, self._pause_ms * 2)

    async def _session(self) -> None:
        connection = await connect(self._address.host, self._address.port, self._address.tls)
        self._begin()
        tasks = [
            asyncio.create_task(self._guard(self._write_loop(connection))),
            asyncio.create_task(self._guard(self._read_loop(connection))),
            asyncio.create_task(self._guard(self._keep_alive())),
        ]
        try:
            await self._down.wait()
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                try:
                    await task
                except asyncio.CancelledError:
                    pass
            await connection.close()

    async def _guard(self, loop: "Coroutine[Any, Any, None]") -> None:
        try:
            await loop
        except (OSError, WireError) as error:
            self.why = str(error)
            self._down.set()
        except Exception as error:  # noqa: BLE001  (top of a loop: a dead one would leave us mute)
            self.why = repr(error)
            self.counts["failed"] += 1
            self._down.set()

    def _begin(self) -> None:
        address = self._address
        self._down.clear()
        self._queue = []
        self._newest = {}
        self._in_flight = {}
        self._heard_ms = self._told_ms = self._now_ms()
        will = (machine_topic(address.site, address.machine, "up/state"), self._will, 1, True)
        client_id = address.site + "-" + address.machine
        packet = mqtt.connect(client_id, address.keepalive_s, True, will, address.login)
        self._control = [packet]
        self._wake.set()

    # read ----------------------------------------------------------------------------------------
    async def _read_loop(self, connection: "Connection") -> None:
        buffer = bytearray(_READ_BYTES)
        reader = Reader(MAX_DOWN_BYTES + 256)
        while True:
            size = await connection.read_into(buffer)
            if not size:
                raise OSError("broker closed the connection")
            self._heard_ms = self._now_ms()
            for packet in reader.feed(memoryview(buffer)[:size]):
                take = self._packets.get(packet[0])
                if take is not None:
                    take(packet)
            self.counts["bad"] += reader.dropped
            reader.dropped = 0

    def _take_connack(self, packet: "tuple[Any, ...]") -> None:
        if packet[2]:
            raise OSError("broker refused, code {}".format(packet[2]))
        wanted = [(down_filter(self._address.site, self._address.machine), 1)]
        self._control.append(mqtt.subscribe(self._ids.next(self._in_flight), wanted))
        self._wake.set()

    def _take_suback(self, packet: "tuple[Any, ...]") -> None:
        if mqtt.SUBACK_FAILURE in packet[2]:
            raise OSError("broker refused the subscription")
        self.up = True
        self.why = ""
        self.counts["connects"] += 1
        self._pause_ms = _FIRST_PAUSE_MS
        self._rewind()
        self._on_up()
        self._wake.set()

    def _take_publish(self, packet: "tuple[Any, ...]") -> None:
        address = self._address
        try:
            site, machine, leaf = parse_topic(packet[1])
            # A broker may deliver what was never subscribed to (amqtt does); it is not for us.
            if site != address.site or machine != address.machine or not leaf.startswith("dn/"):
                raise WireError("topic", "", "is not for this machine")
            self._on_message(leaf, packet[2])
        except WireError:
            self.counts["bad"] += 1
        if packet[6]:
            self._control.append(mqtt.puback(packet[6]))
            self._wake.set()

    def _take_puback(self, packet: "tuple[Any, ...]") -> None:
        self._in_flight.pop(packet[1], None)
        self._wake.set()

    # write ---------------------------------------------------------------------------------------
    async def _write_loop(self, connection: "Connection") -> None:
        while True:
            data = self._next_packet()
            if data:
                self._told_ms = self._now_ms()
                await connection.write(data)
            else:
                self._wake.clear()
                await self._wake.wait()

    def _next_packet(self) -> bytes:
        if self._control:
            return self._control.pop(0)
        if not self.up:
            return b""
        if self._queue:
            leaf, payload = self._queue.pop(0)
            return self._publish(leaf, payload)
        if "up/state" in self._newest:
            return self._publish("up/state", self._newest.pop("up/state"))
        return self._next_event() or self._next_newest()

    def _next_newest(self) -> bytes:
        for leaf in self._newest:
            return self._publish(leaf, self._newest.pop(leaf))
        return b""

    def _next_event(self) -> bytes:
        if len(self._in_flight) >= WINDOW:
            return b""
        if self._sent_s > self._journal.hi:  # a journal begun anew
            self._rewind()
        found = self._journal.event_after(self._sent_s)
        if found is None:
            return b""
        self._sent_s = found[0]
        self.counts["events"] += 1
        return self._publish("up/ev", found[1])

    def _publish(self, leaf: str, payload: bytes) -> bytes:
        qos, retain = LEAVES[leaf][:2]
        pid = 0
        if qos:
            pid = self._ids.next(self._in_flight)
            self._in_flight[pid] = self._now_ms()
        topic = machine_topic(self._address.site, self._address.machine, leaf)
        return mqtt.publish(topic, payload, pid, retain)

    def _rewind(self) -> None:
        self._sent_s = self._acked_s = self._journal.acked
        self._acked_ms = self._now_ms()

    # keep alive ----------------------------------------------------------------------------------
    async def _keep_alive(self) -> None:
        keepalive_ms = self._address.keepalive_s * 1000
        while True:
            await asyncio.sleep(1)
            self.turned_ms = now_ms = self._now_ms()
            if now_ms - self._heard_ms > keepalive_ms * 3 // 2:
                raise OSError("broker is silent")
            if now_ms - self._told_ms > keepalive_ms // 2 and self.up:
                self._control.append(mqtt.PINGREQ)
                self._wake.set()
            self._watch_acks(now_ms)

    def _watch_acks(self, now_ms: int) -> None:
        if self._journal.acked != self._acked_s or self._sent_s <= self._journal.acked:
            self._acked_s = self._journal.acked
            self._acked_ms = now_ms
        elif now_ms - self._acked_ms > STALLED_MS:
            self.counts["stalls"] += 1
            self._in_flight = {}  # the broker owes these for too long
            self._rewind()
            self._wake.set()

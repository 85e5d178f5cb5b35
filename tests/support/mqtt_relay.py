"""Stands between machines and a real broker and does to packets what networks and brokers do.

``Courier`` decides by seed what becomes of a PUBLISH; its ``Weather`` means what it means on
virtual time (``support.chaos_broker``), with one difference: what is dropped here nobody
acknowledges, what is lied about the relay acknowledges itself. ``Relay`` carries the bytes on a
thread of its own; it keeps packets whole but where it is told to cut one.

A late word of a machine arrives on whatever connection the machine has by then; a late word to a
machine is lost with the connection it was meant for.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocols.mqtt import decode, puback
from support.chaos_broker import Weather

CONNECT, CONNACK, PUBLISH = 1, 2, 3
REORDER_S = 3.0
WAITS_S = 120.0  # for a connection on which a late word may still arrive
_DUP = 8


def cut_packets(held: bytearray) -> list[bytes]:
    """Take the whole packets off the front of a stream (MQTT 3.1.1, 2.2.3)."""
    out: list[bytes] = []
    while size := _whole(held):
        out.append(bytes(held[:size]))
        del held[:size]
    return out


def _whole(held: bytearray) -> int:
    """Length of the first packet; 0 while it is not all there."""
    size = 0
    for at in range(1, min(5, len(held))):
        size |= (held[at] & 127) << 7 * (at - 1)
        if not held[at] & 128:
            return at + 1 + size if len(held) > at + size else 0
    return 0


def read(packet: bytes) -> tuple[Any, ...]:
    """What a whole packet says, as ``protocols.mqtt.decode`` names it."""
    at = 1
    while packet[at] & 128:
        at += 1
    return decode(packet[0], packet[at + 1 :])


@dataclass(frozen=True)
class Fate:
    """What becomes of a packet: when each copy goes on (seconds), what its sender is told."""

    after_s: tuple[float, ...] = (0.0,)
    answer: bytes = b""


class Courier:
    """Decides about packets; ``counts`` is what it did."""

    def __init__(self, seed: int) -> None:
        self.weather = Weather()
        self.counts: Counter[str] = Counter()
        self._rng = random.Random(seed)

    def fate(self, packet: bytes) -> Fate:
        """What becomes of a packet; only a PUBLISH meets faults."""
        if packet[0] >> 4 != PUBLISH or self.weather == Weather():
            return Fate()
        if self._chance(self.weather.lie, "acknowledged and dropped"):
            _, _, _, _, _, _, pid = read(packet)
            return Fate((), puback(pid) if pid else b"")
        if self._chance(self.weather.drop, "dropped"):
            return Fate(())
        copies = 2 if self._chance(self.weather.double, "doubled") else 1
        return Fate(tuple(self._transit_s() for _ in range(copies)))

    def _chance(self, share: float, name: str) -> bool:
        hit = share > 0 and self._rng.random() < share
        self.counts[name] += hit
        return hit

    def _transit_s(self) -> float:
        if self._chance(self.weather.late, "delayed"):
            return self._rng.random() * self.weather.late_ms / 1000
        if self._chance(self.weather.reorder, "reordered"):
            return self._rng.random() * REORDER_S
        return 0.0


@dataclass(eq=False)
class _Wire:
    """One machine's connection through the relay."""

    to_machine: asyncio.StreamWriter
    to_broker: asyncio.StreamWriter
    machine: str = ""
    speaks: bool = False  # the broker accepted it
    cut_next: bool = False
    cut: bool = False  # nothing passes any more

    def close(self) -> None:
        """Break off on both sides, as a network does: without a word."""
        self.cut = True
        for writer in (self.to_machine, self.to_broker):
            writer.transport.abort()

    def tell_machine(self, data: bytes) -> None:
        if data and not self.cut:
            self.to_machine.write(data)

    def tell_broker(self, data: bytes) -> None:
        if data and not self.cut:
            self.to_broker.write(data)


class Relay:
    """A context manager; machines connect to ``port``. Its verbs may be called from any thread."""

    def __init__(self, broker: tuple[str, int], site: str, seed: int) -> None:
        self._site = f"{site}-"  # a client id is site-machine
        self.courier = Courier(seed)
        self.port = 0
        self._broker = broker
        self._wires: dict[str, _Wire] = {}  # machine: its connection that speaks
        self._open: set[_Wire] = set()
        self._stalled: dict[str, float] = {}  # machine: until when nothing passes
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()
        assert self._ready.wait(60), "the relay did not open"

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)

    # verbs -------------------------------------------------------------------------------------
    def cut(self, machine: str, *, within: bool = False) -> None:
        """Break a machine's connection: now, or ``within`` the next packet that it sends."""
        self._loop.call_soon_threadsafe(self._cut, machine, within)

    def stall(self, machine: str, for_s: float) -> None:
        """Nothing of a machine passes for a while; what it sends waits."""
        self._loop.call_soon_threadsafe(self._stall, machine, for_s)

    def speaking(self) -> set[str]:
        """Machines whose connection the broker has accepted."""
        return set(self._wires)

    def _cut(self, machine: str, within: bool) -> None:
        wire = self._wires.get(machine)
        if wire is not None and within:
            wire.cut_next = True
        elif wire is not None:
            self.courier.counts["connections cut"] += 1
            wire.close()

    def _stall(self, machine: str, for_s: float) -> None:
        self.courier.counts["stalled"] += 1
        self._stalled[machine] = self._loop.time() + for_s

    # carrying ----------------------------------------------------------------------------------
    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 20)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for wire in self._open:
            wire.close()
        tasks = asyncio.all_tasks(self._loop)
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_broker, to_broker = await asyncio.open_connection(*self._broker)
        except OSError:
            writer.transport.abort()
            return
        wire = _Wire(writer, to_broker)
        self._open.add(wire)
        pumps = (self._pump(wire, reader, self._up), self._pump(wire, from_broker, self._down))
        try:
            await asyncio.gather(*pumps)
        finally:
            wire.close()
            self._open.discard(wire)
            if self._wires.get(wire.machine) is wire:
                del self._wires[wire.machine]

    async def _pump(
        self, wire: _Wire, reader: asyncio.StreamReader, carry: Callable[[_Wire, bytes], None]
    ) -> None:
        held = bytearray()
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                held += data
                for packet in cut_packets(held):
                    while self._holds(wire):
                        await asyncio.sleep(0.1)
                    carry(wire, packet)
        wire.close()

    def _holds(self, wire: _Wire) -> bool:
        return not wire.cut and self._loop.time() < self._stalled.get(wire.machine, 0)

    def _up(self, wire: _Wire, packet: bytes) -> None:
        """A packet of a machine."""
        if packet[0] >> 4 == CONNECT:
            wire.machine = read(packet)[1].removeprefix(self._site)
        if wire.cut_next and wire.speaks:
            self.courier.counts["cut within a packet"] += 1
            wire.tell_broker(packet[: max(1, len(packet) // 2)])
            wire.cut = True
            self._loop.call_later(0.05, wire.close)
            return
        fate = self.courier.fate(packet)
        wire.tell_machine(fate.answer)
        for number, after_s in enumerate(fate.after_s):
            copy = again(packet) if number else packet
            if after_s:
                until = self._loop.time() + WAITS_S
                self._loop.call_later(after_s, self._late_up, wire.machine, copy, until)
            else:
                wire.tell_broker(copy)

    def _late_up(self, machine: str, packet: bytes, until: float) -> None:
        wire = self._wires.get(machine)
        if wire is not None and not wire.cut:
            wire.tell_broker(packet)
        elif self._loop.time() < until:
            self._loop.call_later(0.5, self._late_up, machine, packet, until)

    def _down(self, wire: _Wire, packet: bytes) -> None:
        """A packet of the broker."""
        if packet[0] >> 4 == CONNACK and read(packet)[2] == 0:
            wire.speaks = True
            self._wires[wire.machine] = wire
        fate = self.courier.fate(packet)
        wire.tell_broker(fate.answer)
        for number, after_s in enumerate(fate.after_s):
            copy = again(packet) if number else packet
            if after_s:
                self._loop.call_later(after_s, wire.tell_machine, copy)
            else:
                wire.tell_machine(copy)


def again(packet: bytes) -> bytes:
    """The packet as it is sent a second time (3.3.1.1: DUP with QoS 1)."""
    first = packet[0] | _DUP if packet[0] & 6 else packet[0]
    return bytes((first,)) + packet[1:]

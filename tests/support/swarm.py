"""Many light machines in one process: our wire over real MQTT connections, no motion behind it.

``python swarm.py HOST:PORT SITE COUNT [FIRST]``; then JSON lines on standard input, each answered:
{"do": "open"} connects all; {"do": "load", "tele_s", "state_s", "event_s"} sets how often each
speaks (0 = never), spread evenly; {"do": "flip", "machine"} pauses or resumes one, answers when it
was sent; {"do": "counts"}. Machine n is ``m-n`` and runs order ``o-n`` of epoch n + 1, its journal
counts one spool down; every message is counted.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from protocols import mqtt  # noqa: E402  # found by the path above
from protocols.messages import encode  # noqa: E402  # found by the path above
from protocols.topics import down_filter, machine_topic  # noqa: E402  # found by the path above

CONNECTING = 100  # at once
MG_PER_REPORT = 500
PPM_PER_READING = 500
SLICE_S = 0.01


class Counts:
    """Messages of the whole swarm, by leaf; bytes both ways."""

    def __init__(self) -> None:
        self.sent: dict[str, int] = {}
        self.heard: dict[str, int] = {}
        self.bytes_sent = 0
        self.bytes_heard = 0


class LightMachine(asyncio.Protocol):
    """One connection of one machine."""

    def __init__(self, site: str, number: int, counts: Counts) -> None:
        self.site, self.number, self.counts = site, number, counts
        self.name = f"m-{number}"
        self.up = asyncio.get_running_loop().create_future()
        self.s = self.n = self.acked = 0
        self.ppm = number * 7919 % 500_000
        self.paused = False
        self._pids = itertools.cycle(range(1, mqtt.MAX_PID))
        self._buffer = bytearray()
        self._line: Any = None
        self._topics = {leaf: machine_topic(site, self.name, leaf) for leaf in
                        ("up/state", "up/hello", "up/ev", "up/tele")}  # fmt: skip

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line = transport
        line: Any = transport.get_extra_info("socket")
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gone = {**self._state(), "on": False}
        will = (self._topics["up/state"], encode("up/state", gone), 1, True)
        self._write(mqtt.connect(f"swarm-{self.site}-{self.name}", 300, True, will))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.up.done():
            self.up.set_exception(exc or ConnectionError("the broker hung up"))

    def data_received(self, data: bytes) -> None:
        self.counts.bytes_heard += len(data)
        self._buffer += data
        while (packet := self._packet()) is not None:
            first, body = packet
            self._take(first, body)

    def _packet(self) -> tuple[int, bytes] | None:
        """The next whole packet of the stream."""
        held, size, shift, at = self._buffer, 0, 0, 1
        while True:
            if at >= len(held):
                return None
            size |= (held[at] & 127) << shift
            shift += 7
            at += 1
            if held[at - 1] < 128:
                break
        if len(held) < at + size:
            return None
        first, body = held[0], bytes(held[at : at + size])
        del held[: at + size]
        return first, body

    def _take(self, first: int, body: bytes) -> None:
        packet = mqtt.decode(first, body)
        if packet[0] == "connack":
            assert packet[2] == 0, f"the broker refuses: {packet[2]}"
            self._write(mqtt.subscribe(next(self._pids), [(down_filter(self.site, self.name), 1)]))
        elif packet[0] == "suback":
            self.say_state()
            self._say("up/hello", self._hello(), 1)
            self.up.set_result(None)
        elif packet[0] == "publish":
            if packet[3]:
                self._write(mqtt.puback(packet[6]))
            leaf = packet[1].split("/", 4)[4]
            self.counts.heard[leaf] = self.counts.heard.get(leaf, 0) + 1
            if leaf == "dn/ack":
                self.acked = max(self.acked, json.loads(packet[2])["s"])

    def _write(self, data: bytes) -> None:
        self.counts.bytes_sent += len(data)
        self._line.write(data)

    def _say(self, leaf: str, record: dict[str, Any], qos: int, *, retain: bool = False) -> None:
        pid = next(self._pids) if qos else 0
        self.counts.sent[leaf] = self.counts.sent.get(leaf, 0) + 1
        self._write(mqtt.publish(self._topics[leaf], encode(leaf, record), pid, retain))

    def _held(self) -> dict[str, Any]:
        word = "paused" if self.paused else "running"
        held = {"order": f"o-{self.number}", "ep": self.number + 1, "st": word}
        return {**held, "done_ppm": self.ppm}

    def _state(self) -> dict[str, Any]:
        return {
            "v": 1, "on": True, "bn": f"b-{self.number}", "jid": f"j-{self.number}",
            "st": "paused" if self.paused else "busy", "ready": False,
            "order": self._held(), "fw": "1.0.0", "tq": "none",
        }  # fmt: skip

    def _hello(self) -> dict[str, Any]:
        return {
            "v": 1, "bn": f"b-{self.number}", "jid": f"j-{self.number}", "lo": 1, "hi": self.s,
            "last_ep": self.number + 1, "term": 0, "ctr": [], "fw": "1.0.0", "boot": "power",
            "order": self._held(),
        }  # fmt: skip

    def say_state(self) -> None:
        """Report state, as firmware does on every change and every 15 s."""
        self._say("up/state", self._state(), 1, retain=True)

    def say_reading(self) -> None:
        """Telemetry of a machine at work."""
        self.n += 1
        self.ppm = min(self.ppm + PPM_PER_READING, 999_000)
        noise = (self.n + self.number) * 7919 % 601 - 300
        values = {
            "nozzle_mc": 215_000 + noise, "bed_mc": 60_000 + noise // 3, "done_ppm": self.ppm,
            "x_um": noise * 300 % 200_000, "y_um": noise * 170 % 200_000, "z_um": self.n * 3,
            "lines_n": self.n * 40, "planner_n": 12,
        }  # fmt: skip
        record = {"v": 1, "bn": f"b-{self.number}", "n": self.n, "tq": "none", "m": values}
        self._say("up/tele", record, 0)

    def say_event(self) -> None:
        """A journalled event: material drawn."""
        self.s += 1
        record = {
            "v": 1, "jid": f"j-{self.number}", "s": self.s, "tq": "none", "ty": "material",
            "ch": 0, "lot": f"lot-{self.number}", "cum_mg": MG_PER_REPORT * self.s, "unc_mg": 0,
            "order": f"o-{self.number}", "ep": self.number + 1, "src": "lines",
        }  # fmt: skip
        self._say("up/ev", record, 1)

    def flip(self) -> str:
        """Pause or resume; the state's word."""
        self.paused = not self.paused
        self.say_state()
        return "paused" if self.paused else "running"


class Swarm:
    """All machines and the calendar of who speaks next; ``late_s`` is how far it is behind."""

    def __init__(self, host: str, port: int, site: str, numbers: range) -> None:
        self._place, self._site, self._numbers = (host, port), site, numbers
        self.counts = Counts()
        self.machines: dict[str, LightMachine] = {}
        self._calendar: list[tuple[float, int, float, Callable[[], None]]] = []
        self._load = 0
        self.late_s = 0.0

    async def open(self) -> None:
        """Connect every machine."""
        gate = asyncio.Semaphore(CONNECTING)

        async def one(number: int) -> None:
            async with gate:
                loop = asyncio.get_running_loop()
                machine = LightMachine(self._site, number, self.counts)
                self.machines[machine.name] = machine
                await loop.create_connection(lambda: machine, *self._place)
                await machine.up

        await asyncio.gather(*(one(number) for number in self._numbers))

    def set_load(self, tele_s: float, state_s: float, event_s: float) -> None:
        """How often each machine says what, s; 0 for never."""
        self._load += 1
        now = time.monotonic()
        self._calendar = []
        ties = itertools.count()
        for place, machine in enumerate(self.machines.values()):
            share = place / len(self.machines)
            speech = (
                (tele_s, machine.say_reading),
                (state_s, machine.say_state),
                (event_s, machine.say_event),
            )
            for every_s, say in speech:
                if every_s:
                    self._calendar.append((now + every_s * share, next(ties), every_s, say))
        heapq.heapify(self._calendar)

    async def run(self) -> None:
        """Let everybody speak in time, for ever."""
        while True:
            now = time.monotonic()
            while self._calendar and self._calendar[0][0] <= now:
                due, tie, every_s, say = self._calendar[0]
                say()
                self.late_s = now - due
                heapq.heapreplace(self._calendar, (due + every_s, tie, every_s, say))
            await asyncio.sleep(SLICE_S)  # the swarm's own beat: it makes load, it is no test

    def answer(self, ask: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked that needs no waiting."""
        if ask["do"] == "load":
            self.set_load(ask["tele_s"], ask["state_s"], ask["event_s"])
        elif ask["do"] == "flip":
            at, wall = time.monotonic(), time.time()  # a browser's clock is wall time
            state = self.machines[ask["machine"]].flip()
            return {"machine": ask["machine"], "state": state, "at": at, "wall": wall}
        machines = self.machines.values()
        return {
            "sent": self.counts.sent, "heard": self.counts.heard,
            "bytes_sent": self.counts.bytes_sent, "bytes_heard": self.counts.bytes_heard,
            "events": sum(m.s for m in machines), "acked": sum(m.acked for m in machines),
            "late_s": round(self.late_s, 3),
        }  # fmt: skip


async def main() -> None:
    """Serve standard input until it ends."""
    host, _, port = sys.argv[1].rpartition(":")
    first = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    swarm = Swarm(host, int(port), sys.argv[2], range(first, first + int(sys.argv[3])))
    loop = asyncio.get_running_loop()
    speaking = asyncio.create_task(swarm.run())
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        ask = json.loads(line)
        if ask["do"] == "open":
            await swarm.open()
        print(json.dumps(swarm.answer(ask)), flush=True)
        assert not speaking.done(), speaking.exception()
    speaking.cancel()


if __name__ == "__main__":
    asyncio.run(main())

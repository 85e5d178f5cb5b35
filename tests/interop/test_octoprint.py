"""Our Marlin driver against OctoPrint's virtual printer: a peer nobody here wrote, apart.

Each fault alone over 300 lines, and all of them at once over 2,000: 100,000 in the long run
(``make test-octoprint``).
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.drivers.marlin import Marlin
from support.peers import environment
from support.rigs import streamer

ROOT = Path(__file__).resolve().parents[2]
PEER = Path(__file__).with_name("octoprint_printer.py")
LINES = int(os.environ.get("OCTOPRINT_LINES", "2000"))
QUICK = {"waitInterval": 0.1, "okFormatString": "ok N{lastN} P15 B{buffer}", "simulated_errors": []}
FEW = 300
LIMIT_S = 120 + LINES * 0.05


@pytest.fixture(scope="module")
def python() -> str:
    """Interpreter of the environment with OctoPrint in it."""
    programs = environment("octoprint", "OctoPrint")
    return str(programs / "python")


class Peer:
    """A virtual printer and a driver joined to it, in real time."""

    def __init__(self, server: Any, settings: dict[str, Any], triggers: dict[str, str]) -> None:
        self.said = server.process.stdout
        self.wire = socket.create_connection(("127.0.0.1", server.port))
        self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wanted = {"settings": {**QUICK, **settings}, "triggers": triggers}
        self.wire.sendall(json.dumps(wanted).encode() + b"\n")
        self.driver = Marlin()
        self.events: list[Any] = []
        self.pauses = 0

    def turn(self) -> None:
        now = int(time.monotonic() * 1000)
        if select.select([self.wire], [], [], 0.01)[0]:
            try:
                data = self.wire.recv(4096)
            except OSError:
                data = b""
            if data:
                self.driver.feed(data, now)
            else:
                self.driver.close("connection dropped")
        self.driver.step(now)
        if self.driver.out:
            data, self.driver.out = bytes(self.driver.out), bytearray()
            try:
                self.wire.sendall(data)
            except OSError:
                self.driver.close("connection dropped")
        for event in self.driver.events:
            if event[0] == "paused":
                self.pauses += 1
                self.driver.resume()
        self.events += self.driver.events
        self.driver.events = []

    def print(self, lines: int) -> Any:
        """Print moves, each with a text of its own; the event that ends it."""
        end = time.monotonic() + LIMIT_S
        while self.driver.state != "idle":
            assert time.monotonic() < end, self.driver.state
            self.turn()
        program = "".join([f"G1 X{n % 200} Y{n // 200} F60000\n" for n in range(lines)])
        self.driver.run(streamer(program), "label")
        while True:
            assert time.monotonic() < end, (self.driver.state, self.driver.values)
            self.turn()
            for event in self.events:
                if event[0] in ("ended", "lost"):
                    return event

    def counts(self) -> dict[str, Any]:
        self.wire.close()
        return json.loads(self.said.readline())


class Server:
    """The process with the virtual printer in it."""

    def __init__(self, python: str) -> None:
        self.process = subprocess.Popen(
            [python, str(PEER)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[1])

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def server(python: str) -> Iterator[Server]:
    made = Server(python)
    yield made
    made.close()


@pytest.fixture
def peers(server: Server) -> Any:
    def start(
        settings: dict[str, Any] | None = None, triggers: dict[str, str] | None = None
    ) -> Peer:
        return Peer(server, settings or {}, triggers or {})

    return start


def errors(*kinds: str, every: int = 37, lines: int = FEW) -> dict[str, Any]:
    at = range(5, lines, every)
    return {"simulated_errors": [f"{n}:{kinds[i % len(kinds)]}" for i, n in enumerate(at)]}


DEBUG = ("dont_answer", "prepare_ok okok N7", "prepare_ok o", "sleep 0.3", "action_pause")
MANY = {
    **errors("resend", "checksum_mismatch", "resend", "missing_lineno", every=61, lines=LINES),
    **{"sendBusy": True, "busyInterval": 0.1},
}
EXACT: dict[str, Any] = {
    "clean": ({}, {}),
    "plain ok": ({"okFormatString": "ok"}, {}),
    "resend ratio 10 %": ({"resend_ratio": 10}, {}),
    "asked again": (errors("resend"), {}),
    "bad checksum": (errors("checksum_mismatch"), {}),
    "resend without ok": ({**errors("resend"), "brokenResend": True}, {}),
    "no line number, no resend, no ok": (errors("missing_lineno", every=90), {}),
    "no answer": ({}, {str(n): "dont_answer" for n in range(50, FEW, 70)}),
    "broken ok": (
        {},
        {"50": "prepare_ok okok N5", "90": "prepare_ok ok T:2", "130": "prepare_ok o"},
    ),
    "busy": ({"sendBusy": True, "busyInterval": 0.1}, {"60": "sleep 1.5"}),
    "asked to pause": ({}, {"100": "action_pause"}),
    "all at once": (MANY, {str(n): DEBUG[n // 211 % 5] for n in range(211, LINES, 211)}),
}


@pytest.mark.parametrize("name", EXACT)
def test_every_line_exactly_once(peers: Any, name: str) -> None:
    settings, triggers = EXACT[name]
    peer = peers(settings, triggers)
    lines = LINES if name == "all at once" else FEW
    event = peer.print(lines)
    assert event == ("ended", True, "", True)
    values = peer.driver.values
    counts = peer.counts()
    print(f"\n{name}: {counts}, resends {values['resend_n']}, time-outs {values['timeout_n']}")
    assert (counts["ran"], counts["different"], counts["twice"]) == (lines, lines, [])
    assert values["lines_n"] == lines
    if name.startswith(("resend", "asked again", "bad", "all")):
        assert counts["asked_again"] > 0
    assert (peer.pauses > 0) is (name in ("asked to pause", "all at once"))


def test_a_line_asked_for_twice_is_the_only_one_run_twice(peers: Any) -> None:
    """``trigger_resend_*`` asks for a line that it has run: it gets that one, nothing more."""
    peer = peers({}, {"40": "trigger_resend_lineno", "80": "trigger_resend_checksum"})
    assert peer.print(300) == ("ended", True, "", True)
    counts = peer.counts()
    assert counts["different"] in (298, 299, 300)  # the line that came with it is dropped unasked
    assert len(counts["twice"]) <= 2


ENDS: dict[str, Any] = {
    "drop_connection": ("lost", "connection dropped"),
    "trigger_fatal_error_marlin": ("ended", False),
    "reset": ("ended", False, "machine was reset", False),
    "maxtemp_error": ("ended", False),
}


@pytest.mark.parametrize("trigger", ENDS)
def test_trouble_ends_the_order_in_words(peers: Any, trigger: str) -> None:
    peer = peers({}, {"60": trigger})
    event = peer.print(400)
    assert event[: len(ENDS[trigger])] == ENDS[trigger], event
    assert event[2] if event[0] == "ended" else event[1]
    counts = peer.counts()
    assert counts["twice"] == [] and counts["ran"] < 400

"""Our Marlin driver against OctoPrint's virtual printer: a peer nobody here wrote, apart.

2,000 lines by default; OCTOPRINT_LINES=100000 (``make test-octoprint``) for the long run.
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
from support.rigs import streamer

ROOT = Path(__file__).resolve().parents[2]
PEER = Path(__file__).with_name("octoprint_printer.py")
LINES = int(os.environ.get("OCTOPRINT_LINES", "2000"))
QUICK = {"waitInterval": 0.1, "okFormatString": "ok N{lastN} P15 B{buffer}", "simulated_errors": []}
LIMIT_S = 120 + LINES * 0.02


@pytest.fixture(scope="module")
def python() -> str:
    """Interpreter of the environment with OctoPrint in it."""
    made = subprocess.run(
        ["scripts/octoprint"], check=False, cwd=ROOT, capture_output=True, text=True
    )
    if made.returncode:
        why = f"OctoPrint cannot be installed here: {made.stderr[-300:]}"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return str(ROOT / ".cache/octoprint/bin/python")


class Peer:
    """The virtual printer's process and a driver joined to it, in real time."""

    def __init__(self, python: str, settings: dict[str, Any], triggers: dict[str, str]) -> None:
        wanted = json.dumps({"settings": {**QUICK, **settings}, "triggers": triggers})
        self.process = subprocess.Popen(
            [python, str(PEER), wanted],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline().split()[1])
        self.wire = socket.create_connection(("127.0.0.1", port))
        self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.driver = Marlin()
        self.events: list[Any] = []

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
        said, _ = self.process.communicate(timeout=60)
        return json.loads(said.splitlines()[-1])

    def close(self) -> None:
        self.wire.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def peers(python: str) -> Iterator[Any]:
    made: list[Peer] = []

    def start(
        settings: dict[str, Any] | None = None, triggers: dict[str, str] | None = None
    ) -> Peer:
        made.append(Peer(python, settings or {}, triggers or {}))
        return made[-1]

    yield start
    for peer in made:
        peer.close()


def errors(kind: str, every: int = 97) -> dict[str, Any]:
    return {"simulated_errors": [f"{n}:{kind}" for n in range(5, LINES, every)]}


EXACT: dict[str, Any] = {
    "clean": ({}, {}),
    "plain ok": ({"okFormatString": "ok"}, {}),
    "resend ratio 10 %": ({"resend_ratio": 10}, {}),
    "asked again": (errors("resend"), {}),
    "bad checksum": (errors("checksum_mismatch"), {}),
    "resend without ok": ({**errors("resend"), "brokenResend": True}, {}),
    "no line number, no resend, no ok": (errors("missing_lineno", LINES // 3), {}),
    "no answer": ({}, {str(n): "dont_answer" for n in range(50, LINES, LINES // 4)}),
    "broken ok": (
        {},
        {"50": "prepare_ok okok N50", "90": "prepare_ok ok T:20", "130": "prepare_ok o"},
    ),
    "busy": ({"sendBusy": True, "busyInterval": 0.1}, {"60": "sleep 1.5"}),
    "asked to pause and resume": ({}, {"100": "action_pause"}),
}


@pytest.mark.parametrize("name", EXACT)
def test_every_line_exactly_once(peers: Any, name: str) -> None:
    settings, triggers = EXACT[name]
    peer = peers(settings, triggers)
    lines = LINES if name in ("clean", "resend ratio 10 %") else min(LINES, 2000)
    if name.startswith("asked to pause"):
        driver = peer.driver
        driver._pause_done = lambda: (driver.__class__._pause_done(driver), driver.resume())
    event = peer.print(lines)
    assert event == ("ended", True, "", True)
    values = peer.driver.values
    counts = peer.counts()
    print(f"\n{name}: {counts}, resends {values['resend_n']}, time-outs {values['timeout_n']}")
    assert (counts["ran"], counts["different"], counts["twice"]) == (lines, lines, [])
    assert values["lines_n"] == lines
    if name.startswith(("resend", "asked again", "bad")):
        assert counts["asked_again"] > 0


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

"""A simulated technician: does what the floor page asks of a person, by the page's own HTTP API.

Clears beds and fixtures, judges parts, swaps empty spools and plates, decides orders nobody can
know the end of, resets machines with a fault by their button. Deterministic by seed; takes
``delay_s`` of floor time for each act, as a person would. It knows only what the page shows.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import threading
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "simulated technician"
_POLL_S = 0.25
_ROBOT_PATIENCE = 40  # times the delay a card of a robot's machine waits
_SILENT_PATIENCE = 40  # and one of a machine that is not heard of: most come back by themselves
_TIMEOUT_S = 10.0

Card = dict[str, Any]
Post = Callable[[str, dict[str, Any]], bool]
Press = Callable[[str], None]
Snap = Callable[[str], bool]


@dataclass(frozen=True)
class Bench:
    """What a technician can do at a station: look at its card, take a photo of what lies there."""

    look: Callable[[str], Card] = lambda machine: {}
    snap: Snap = lambda machine: False


def _value(measure: Card, *, off: bool) -> int:
    middle = (measure["low"] + measure["high"]) // 2
    return measure["high"] + 1 + abs(middle) // 50 if off else middle


class Technician:
    """Decides what to do about each card of the attention strip, and when.

    ``act(cards, now_ms)`` posts what is due and returns how many acts succeeded. Machines whose
    id begins with ``leave`` are a robot's to clear; a person looks after them only much later.
    """

    leave = ""

    def __init__(
        self,
        post: Post,
        delay_s: float,
        reject_share: float,
        seed: int,
        press: Press = lambda machine: None,
        bench: Bench | None = None,
    ) -> None:
        self._post = post
        self._press = press
        self._bench = bench or Bench()
        self._delay_ms = round(delay_s * 1000)
        self._reject_share = reject_share
        self._random = random.Random(seed)
        self._seen: dict[str, int] = {}

    def act(self, cards: dict[str, Card], now_ms: int) -> int:
        """Do every act whose card has been there for the delay; forget cards that went away."""
        self._seen = {key: at for key, at in self._seen.items() if key in cards}
        done = 0
        for key in sorted(cards):
            first = self._seen.setdefault(key, now_ms)
            if now_ms - first >= self._delay_of(cards[key]) and self._do(cards[key]):
                del self._seen[key]
                done += 1
        return done

    def _delay_of(self, card: Card) -> int:
        """Floor ms that a card waits; some are left alone for a while."""
        if card["kind"] == "silent":
            return self._delay_ms * _SILENT_PATIENCE
        robots = self.leave and card["kind"] == "clear" and card["machine"].startswith(self.leave)
        return self._delay_ms * (_ROBOT_PATIENCE if robots else 1)

    def _do(self, card: Card) -> bool:
        verb = _VERBS.get(card["kind"])
        return verb is not None and verb(self, card)

    def _clear(self, card: Card) -> bool:
        station = self._bench.look(card["machine"])
        if any(name in station for name in ("checks", "measures", "photo")):
            return self._sign(card, station)
        if station.get("left_s"):
            return False  # glue is not dry
        bad = self._random.random() < self._reject_share
        pieces = 0 if bad else card.get("pieces", 1)
        body = {"result": "bad" if bad else "good", "pieces": pieces, "saw": card["saw"]}
        return self._post(f"/api/machines/{card['machine']}/clear", {**body, "who": NAME})

    def _sign(self, card: Card, station: Card) -> bool:
        """Measure, tick, photograph, sign: what the station's card asks for."""
        if station.get("left_s"):
            return False
        machine = card["machine"]
        if station.get("photo") and not station.get("photos") and not self._bench.snap(machine):
            return False
        bad = self._random.random() < self._reject_share
        values = {m["name"]: _value(m, off=bad) for m in station.get("measures", ())}
        body = {
            "result": "good" if values or not bad else "bad",  # values decide by themselves
            "checks": station.get("checks", []),
            "values": values,
            "saw": station["saw"],
        }
        return self._post(f"/api/stations/{machine}/sign-off", {**body, "who": NAME})

    def _repair(self, card: Card) -> bool:
        """A machine with a fault, or stopped: press its reset button, scrap what lies on it."""
        self._press(card["machine"])
        body = {"result": "bad", "pieces": 0, "saw": card["saw"], "who": NAME}
        return self._post(f"/api/machines/{card['machine']}/clear", body)

    def _wake(self, card: Card) -> bool:
        """A machine not heard of that holds no order: press its reset button."""
        if "label" in card or "order" in card:
            return False
        self._press(card["machine"])
        return True

    def _retry(self, card: Card) -> bool:
        return self._post(f"/api/operations/{card['operation']}/retry", {"who": NAME})

    def _resolve(self, card: Card) -> bool:
        body = {"result": "bad", "pieces": 0, "who": NAME}
        return self._post(f"/api/orders/{card['order']}/resolve", body)

    def _resume(self, card: Card) -> bool:
        body = {"saw": card["saw"], "who": NAME}
        return self._post(f"/api/machines/{card['machine']}/resume", body)

    def _load(self, card: Card) -> bool:
        if "lot" not in card:
            return False
        body = {"ch": card.get("ch", 0), "lot": card["lot"], "saw": card["saw"], "who": NAME}
        return self._post(f"/api/machines/{card['machine']}/load", body)


_VERBS: dict[str, Callable[[Technician, Card], bool]] = {
    "clear": Technician._clear,  # pyright: ignore[reportPrivateUsage]  (table of this class)
    "person": Technician._clear,  # pyright: ignore[reportPrivateUsage]
    "unknown": Technician._resolve,  # pyright: ignore[reportPrivateUsage]
    "paused": Technician._resume,  # pyright: ignore[reportPrivateUsage]
    "fault": Technician._repair,  # pyright: ignore[reportPrivateUsage]
    "stopped": Technician._repair,  # pyright: ignore[reportPrivateUsage]
    "silent": Technician._wake,  # pyright: ignore[reportPrivateUsage]
    "held": Technician._retry,  # pyright: ignore[reportPrivateUsage]
    "material": Technician._load,  # pyright: ignore[reportPrivateUsage]
}


def poster(url: str) -> Post:
    """A function that posts to the controller and says whether it was accepted."""

    def post(path: str, body: dict[str, Any]) -> bool:
        request = urllib.request.Request(
            url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-Fabcommons": "1"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
                return True
        except urllib.error.HTTPError as error:
            print(f"{path}: refused ({error.code}): {error.read(300)!r}", flush=True)
            return False

    return post


def photo() -> bytes:
    """A grey picture of 16 x 16 pixels, PNG."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = zlib.crc32(name + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + name + body + check

    head = (16).to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\x80" * 16) * 16)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def bench(url: str) -> Bench:
    """Stations of a controller, by its API."""

    def look(machine: str) -> Card:
        try:
            with urllib.request.urlopen(
                f"{url}/api/stations/{machine}", timeout=_TIMEOUT_S
            ) as told:
                return json.load(told)
        except urllib.error.HTTPError:
            return {}

    def snap(machine: str) -> bool:
        path = f"/api/stations/{machine}/photo"
        headers = {"Content-Type": "image/png", "X-Fabcommons": "1"}
        request = urllib.request.Request(url + path, photo(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
                return True
        except urllib.error.HTTPError as error:
            print(f"{path}: refused ({error.code}): {error.read(300)!r}", flush=True)
            return False

    return Bench(look, snap)


def presser(folder: Path | None) -> Press:
    """A function that presses the reset button of a simulated machine; its pid is in a file."""

    def press(machine: str) -> None:
        path = None if folder is None else folder / f"{machine}.pid"
        if path is not None and path.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(path.read_text()), signal.SIGUSR1)

    return press


def run(url: str, technician: Technician, stop: threading.Event) -> None:
    """Look at the floor and act until told to stop; a controller that is away is waited for."""
    while not stop.wait(_POLL_S):
        try:
            with urllib.request.urlopen(f"{url}/api/floor", timeout=_TIMEOUT_S) as answer:
                view = json.load(answer)
            technician.act(view["floor"]["attention"], view["at"])
        except OSError as error:
            print(f"controller away: {error}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the simulated technician."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators technician",
        description="Does what the floor page asks of a person.",
        epilog="example: python -m simulators technician --url http://127.0.0.1:8010 --delay 120",
    )
    parser.add_argument("--url", required=True, help="address of the controller")
    parser.add_argument("--delay", type=float, default=60.0, help="seconds of floor time per act")
    parser.add_argument("--reject", type=float, default=0.0, help="share of parts judged bad, 0-1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--buttons", type=Path, help="folder with a MACHINE.pid for each machine")
    parser.add_argument("--leave", default="", help="beginning of the ids that a robot clears")
    options = parser.parse_args(arguments)
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, on_signal)
    technician = Technician(
        poster(options.url.rstrip("/")),
        options.delay,
        options.reject,
        options.seed,
        presser(options.buttons),
        bench(options.url.rstrip("/")),
    )
    technician.leave = options.leave
    run(options.url.rstrip("/"), technician, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a machine of the campaign is made of: iron that moves by itself, and a driver over it.

``Iron`` is the physical truth: it executes lines in its own time, keeps what lies on its bed, draws
material, and survives whatever happens to the firmware. ``Drive`` is what a firmware life sees of
it: the events and methods of ``firmware.drivers``, lines acknowledged when planned, not when done.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PLANNED = 16  # lines a machine takes before they are executed
_E = re.compile(r"E(-?[\d.]+)")


def _nothing() -> None: ...


@dataclass
class Run:
    """One physical run of an order: which board sent it, how far it came."""

    order: str
    ep: int
    began_at: float
    whole: bool = False  # every line of the program was executed
    lines: int = 0


@dataclass
class Iron:
    """One physical machine. ``on_start(run)`` is called when the first line of a run moves it."""

    name: str
    kind: str
    rng: random.Random
    on_start: Callable[[Iron, Run], None]
    now: float = 0.0
    net_nm: int = 0  # filament pushed since ever
    high_nm: int = 0  # its high-water mark: what was really drawn
    pieces: int = 0
    bed: Run | None = None  # what lies on it
    runs: list[Run] = field(default_factory=list)
    halted: str = ""
    lost_lines: int = 0
    line_ms: tuple[int, int] = (400, 1600)
    _queue: deque[tuple[str, Run, Callable[[], None]]] = field(default_factory=deque)
    _due: float = 0.0
    _e_nm: int = 0

    def room(self) -> bool:
        return len(self._queue) < PLANNED and not self.halted

    def idle(self) -> bool:
        return not self._queue

    def push(self, code: str, run: Run, acknowledge: Callable[[], None]) -> None:
        """Plan a line. A spindle start is acknowledged when it is done, all else at once."""
        if not self._queue:
            self._due = self.now + self.rng.randint(*self.line_ms)
        waits = code.startswith("M3")
        self._queue.append((code, run, acknowledge if waits else _nothing))
        if not waits:
            acknowledge()

    def advance(self, now: float) -> None:
        """Execute everything that is due."""
        while self._queue and self._due <= now:
            self.now = self._due
            self._execute(*self._queue.popleft())
            self._due += self.rng.randint(*self.line_ms)
        self.now = now

    def next_due(self) -> float | None:
        return self._due if self._queue else None

    def halt(self, why: str) -> None:
        """Stand still for good: what was planned is forgotten."""
        self.lost_lines += len(self._queue)
        self._queue.clear()
        if why:
            self.halted = why

    def answered(self) -> bool:
        """Say whether no line waits for its answer."""
        return all(acknowledge is _nothing for _, _, acknowledge in self._queue)

    def moving(self) -> bool:
        return bool(self._queue)

    def _execute(self, code: str, run: Run, acknowledge: Callable[[], None]) -> None:
        acknowledge()
        if run.lines == 0:
            self.runs.append(run)
            self.on_start(self, run)
            self.bed = run
        run.lines += 1
        if code.startswith("M3"):
            self.pieces += 1  # a piece of stock is drawn whole once the tool turns
        found = _E.search(code)
        if found is not None:
            self._extrude(code, round(float(found[1]) * 1_000_000))
        if code in ("M84", "M5"):
            run.whole = True

    def _extrude(self, code: str, e_nm: int) -> None:
        if code.startswith("G1"):
            self.net_nm += e_nm - self._e_nm
            self.high_nm = max(self.high_nm, self.net_nm)
        self._e_nm = e_nm


class Drive:
    """Driver of one firmware life over an Iron."""

    def __init__(self, iron: Iron) -> None:
        self.iron = iron
        self.events: list[tuple[Any, ...]] = [("online",)]
        self.out = bytearray()
        self.values: dict[str, int] = {}
        self.state = "idle"
        self.order_of: Callable[[], dict[str, Any] | None] = lambda: None
        self._source: Any = None
        self._run: Run | None = None
        self._why = ""
        self._held = False  # the line is out: nothing passes

    @property
    def running(self) -> bool:
        return self._source is not None

    def is_quiet(self) -> bool:
        return self.iron.answered()

    def run(self, source: Any, label: str) -> None:
        order = self.order_of() or {"order": "?", "ep": 0}
        self._source = source
        self._run = Run(order["order"], order["ep"], self.iron.now)
        self.state = "running"

    def pause(self) -> None:
        if self.state == "running":
            self.state = "pausing"

    def resume(self) -> None:
        if self.state in ("paused", "pausing"):
            self.state = "running"
            self.events.append(("resumed",))

    def cancel(self) -> None:
        if self._source is not None and self.state != "ending":
            self.state, self._why = "cancelling", "cancelled"

    def stop(self) -> None:
        self.halt("stopped", fault=False)

    def safe(self) -> None:
        pass

    def recover(self) -> None:
        self.iron.halted = ""
        if self.state == "halted":
            self.state = "idle"
            self.events.append(("online",))

    def identify(self) -> None:
        pass

    def console(self, *_: Any) -> None:
        pass

    def feed(self, data: bytes, now_ms: int) -> None:
        pass

    def close(self, why: str) -> None:
        """The line is gone; what the iron has planned it still does."""
        self._drop(("lost", why))
        self.events.append(("offline", why))
        self.state = "silent"

    def found(self) -> None:
        """The line is back."""
        if self.state == "silent":
            self.state = "idle"
            self.events.append(("online",))

    def halt(self, why: str, *, fault: bool = True) -> None:
        """The machine stopped for good (thermal runaway, reset, emergency stop)."""
        self.iron.halt(why)
        if fault:
            self.events.append(("fault", why, why))
        self._drop(("ended", False, why, False))
        self.events.append(("offline", why))
        self.state = "halted"

    def _drop(self, event: tuple[Any, ...]) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None
            self.events.append(event)

    def step(self, now_ms: int) -> None:
        """Let time pass: the iron moves, lines are taken, ends are told."""
        if self.state == "running":
            self._take()
        elif self.iron.idle():
            self._settle()

    def _take(self) -> None:
        while self.state == "running" and self.iron.room():
            code = self._source.take()
            if code == "":
                return
            if code is None:
                self.state = "ending"
                if self.iron.idle():
                    self._settle()
                return
            assert self._run is not None
            self.iron.push(code, self._run, self._source.acknowledge)

    def _settle(self) -> None:
        if self.state == "pausing":
            self.state = "paused"
            self.events.append(("paused", "a person asked"))
        elif self.state in ("ending", "cancelling"):
            ok = self.state == "ending"
            self.state = "idle"
            self._drop(("ended", ok, "" if ok else self._why, True))


def print_program(rng: random.Random) -> str:
    """A small printing program: absolute E, filament pulled back at its end."""
    lines = ["G92 E0", "G1 E2.0"]
    e = 2.0
    for x in range(rng.randint(3, 9)):
        e += rng.randint(20, 120)
        lines.append(f"G1 X{x} E{e:.1f}")
    lines += [f"G1 E{e - 2:.1f}", "M84"]
    return "\n".join(lines) + "\n"


def mill_program(rng: random.Random) -> str:
    """A small milling program: one piece of stock is begun by its first cut."""
    cuts = [f"G1 X{x} Y1 F300" for x in range(rng.randint(3, 9))]
    return "\n".join(["M3 S1000", *cuts, "M5"]) + "\n"

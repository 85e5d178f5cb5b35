"""A machine of the campaign: the real firmware, turned by hand, on flash that tears.

A ``Board`` is what survives (iron, flash); a ``Life`` is one start of the firmware: the product's
own ``App`` with its agent, journal, meter, streamer and MQTT link. Only sockets, the serial line
and the driver are stand-ins.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from firmware import health
from firmware.app import App, Platform
from firmware.streamer import spooled
from support.chaos_broker import Session, SimBroker
from support.chaos_press import Drive, Iron
from support.cutflash import CutFlash, PowerCut

BUSY_MS, IDLE_MS = 1000, 5000
SILENT_MS = 30_000
Event = tuple[str, int, bytes]


class Floor:
    """What boards ask of their world."""

    site: str
    now: float
    rng: random.Random
    broker: SimBroker
    programs: dict[str, bytes]
    durable: dict[str, dict[tuple[str, int], bytes]]  # machine: (jid, s): event
    boards: dict[str, Board]
    trouble: list[str]

    def later(self, ms: float, run: Callable[[], None]) -> None: ...

    def new_id(self) -> str: ...

    def new_flash(self) -> CutFlash: ...

    def on_life(self, life: Life) -> None: ...


class Wire:
    """Serial line of the stand-in driver: nothing passes over it."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Board:
    """One machine with its flash; ``life`` is None while it is off."""

    def __init__(self, floor: Floor, name: str, kind: str, iron: Iron) -> None:
        self.floor = floor
        self.name, self.kind = name, kind
        self.iron = iron
        self.flash = floor.new_flash()
        self.life: Life | None = None
        self.boots = 0
        self.gone = False  # taken off the floor
        self.weigh_me = False
        self.ref = (0, 0, 0)  # (drawn, in the ledger, uncertain of it) when last weighed, mg

    def boot(self) -> None:
        """Switch on; a cut during the start is the next life's concern."""
        if self.life is not None or self.gone:
            return
        self.boots += 1
        try:
            life = Life(self)
        except PowerCut:
            self.flash = self.flash.after_cut(kept=self.floor.rng.random())
            self.floor.later(2000, self.boot)
            return
        except OSError:  # flash is full: it ends, and is started again
            self.floor.later(2000, self.boot)
            return
        self.life = life
        life.begin()

    def cut(self, *, iron_too: bool, off_ms: float) -> None:
        """Power fails: what was not synced may be torn, what moves stands still if it shares it."""
        life, self.life = self.life, None
        self.flash = self.flash.after_cut(kept=self.floor.rng.choice((0.0, 0.5, 1.0)))
        if iron_too:
            self.iron.halt("")
        if life is not None:
            session = life.session
            if session is not None:
                session.take = lambda packet: None
                silent = self.floor.rng.choice((50, SILENT_MS))
                self.floor.later(silent, lambda: life.socket_dies(session))
        self.floor.later(off_ms, self.boot)

    def order(self) -> dict[str, Any] | None:
        """Order its firmware holds, None when none or off."""
        return self.life.app.journal.memory.order if self.life is not None else None

    def quiet(self) -> bool:
        """On, holding nothing, everything it had to say acknowledged."""
        if self.life is None or self.iron.moving():
            return False
        journal = self.life.app.journal
        return journal.memory.order is None and journal.acked == journal.hi


class Life:
    """One start of the firmware."""

    def __init__(self, board: Board) -> None:
        self.board, self.floor = board, board.floor
        self.began = self.floor.now
        self.frozen_until = 0.0
        self.drive = Drive(board.iron)
        self.session: Session | None = None
        if board.iron.halted:
            self.drive.state, self.drive.events = "halted", []
        platform = Platform(self.now_ms, self.floor.new_id, lambda settings: None, "power on")
        dialect = "marlin" if board.kind == "printer" else "grbl"
        config = {
            "site": self.floor.site, "machine": board.name, "dialect": dialect, "flash": "x",
            "broker": {"host": "h", "port": 1}, "journal_bytes": 65536, "spool_bytes": 4096,
            "auto_ready": False, "heartbeat_s": 15, "serial": {"port": "x"},
        }  # fmt: skip
        self.app: Any = App(config, board.flash, self.drive, platform)
        self.app._serial = Wire()
        self.app._collect = self.app._tell_telemetry = lambda: None
        self.app._acts["fetch"] = self._fetch
        self.drive.order_of = lambda: self.app.journal.memory.order
        self._remember()
        self.floor.on_life(self)

    def _remember(self) -> None:
        """Keep every event that was ever durable, to compare with what the controller has."""
        journal, name = self.app.journal, self.board.name
        stays = self.floor.boards.get(name) is self.board  # not a twin that will be taken away
        known = self.floor.durable.setdefault(name, {}) if stays else {}
        commit = journal._commit

        def remembering(*arguments: Any) -> Any:
            before, of = journal.hi, journal.jid
            done = commit(*arguments)
            for s in range((before if of == journal.jid else 0) + 1, journal.hi + 1):
                known[(journal.jid, s)] = journal.event_after(s - 1)[1]
            return done

        journal._commit = remembering

    def now_ms(self) -> int:
        return int(self.floor.now - self.began) + 1

    def alive(self) -> bool:
        return self.board.life is self

    def begin(self) -> None:
        """What ``App.run`` does before its tasks."""
        self.guarded(lambda: self.app.agent.boot(self.now_ms()))
        if self.alive():
            self.floor.later(500, self.connect)
            self._next_turn(100)

    def guarded(self, act: Callable[[], None]) -> None:
        """Do something that power may cut short, or that may fail as a task of it does."""
        if not self.alive() or self.floor.now < self.frozen_until:
            return
        try:
            act()
            self._flush()
        except PowerCut:
            self.board.cut(iron_too=self.floor.rng.random() < 0.5, off_ms=3000)
        except Exception as error:  # noqa: BLE001  # top of a task: the firmware starts anew
            self.floor.trouble.append(f"firmware of {self.board.name} failed: {error!r}")
            health.keep_panic(self.board.flash, "chaos", error)
            self.board.cut(iron_too=False, off_ms=1000)

    def _next_turn(self, ms: float) -> None:
        self.floor.later(ms, self.turn)

    def turn(self) -> None:
        """A tick of the main loop and of the link's keep-alive."""
        if not self.alive():
            return
        self.board.iron.advance(self.floor.now)
        self.guarded(self._tick)
        busy = self.drive.running or self.board.iron.moving()
        self._next_turn(BUSY_MS if busy else IDLE_MS)

    def _tick(self) -> None:
        self.app._tick()
        if self.session is not None:
            self.app.link._watch_acks(self.now_ms())
            broker = self.floor.broker
            silent = self.now_ms() - self.app.link._heard_ms > SILENT_MS
            if (broker.frozen or not broker.up) and silent:
                self.drop()

    def _fetch(self, ep: int, program: dict[str, Any]) -> None:
        took = self.floor.rng.randint(100, 3000)
        self.floor.later(took, lambda: self.guarded(lambda: self._fetched(ep, program)))

    def _fetched(self, ep: int, program: dict[str, Any]) -> None:
        flash, why = self.board.flash, ""
        name = spooled(program)
        try:
            if name not in flash.names():
                for old in [n for n in flash.names() if n.startswith("p-")]:
                    flash.remove(old)
                with flash.open(name + ".tmp", "wb") as file:
                    file.write(self.floor.programs[program["sha"]])
                    flash.sync(file)
                flash.rename(name + ".tmp", name)
        except OSError as error:
            why = f"program cannot be fetched: {error}"
        self.app.agent.fetched(ep, why, self.now_ms())
        self.app.pump()

    # broker ------------------------------------------------------------------------------------
    def connect(self) -> None:
        """Try to reach the broker; again later when that fails."""
        if not self.alive() or self.session is not None:
            return
        session = Session(self.board.name, self._take, lambda: self._lost(session))
        if self.floor.now >= self.frozen_until and self.floor.broker.connect(session):
            self.session = session
            self.app.link._begin()
            self._flush()
        else:
            self._again()

    def _again(self) -> None:
        link = self.app.link
        wait = link._pause_ms * (0.5 + self.floor.rng.random())
        link._pause_ms = min(30_000, link._pause_ms * 2)
        self.floor.later(wait, self.connect)

    def _lost(self, session: Session) -> None:
        if self.session is session:
            self.session = None
            self.app.link.up = False
            if self.alive():
                self._again()

    def drop(self) -> None:
        """End the connection from this side."""
        session = self.session
        if session is not None:
            self.floor.broker.cut(self.board.name)
            self._lost(session)

    def socket_dies(self, session: Session) -> None:
        """The broker notices that a switched-off machine is gone, unless it is back already."""
        if self.floor.broker._sessions.get(self.board.name) is session:
            self.floor.broker.cut(self.board.name)

    def _take(self, packet: tuple[Any, ...]) -> None:
        def act() -> None:
            link = self.app.link
            link._heard_ms = self.now_ms()
            take = link._packets.get(packet[0])
            if take is not None:
                take(packet)

        self.guarded(act)

    def _flush(self) -> None:
        session = self.session
        while session is not None and session is self.session and session.up:
            data = self.app.link._next_packet()
            if not data:
                return
            self.floor.broker.from_machine(session, data)

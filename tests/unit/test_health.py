"""Self-care: heartbeats, a failed task, last words to the machine, the radio."""

import asyncio
import contextlib
import itertools

import pytest

from firmware import config, health
from firmware.app import App, Platform
from firmware.board.pins import PINS
from firmware.wifi import DEAF_MS, FIRST_PAUSE_MS, LAST_PAUSE_MS, Wifi
from protocols.messages import decode, encode
from support.cutflash import CutFlash
from support.machine import Machine

CONFIG = (
    b'{"site":"s","machine":"m1","broker":{"host":"127.0.0.1","port":1},'
    b'"serial":{"port":"x"},"dialect":"marlin","flash":"f"}'
)


class Task:
    def __init__(self):
        self.ended = False

    def done(self):
        return self.ended


def test_a_loop_is_well_while_every_task_lives_and_turns():
    hearts, task = health.Heartbeats(), Task()
    hearts.watch("serial", task)
    hearts.watch("link", Task(), 1000)
    assert hearts.missing(1000 + health.LATE_MS) == ""
    assert hearts.missing(1001 + health.LATE_MS) == "link"
    hearts.seen("link", 2000)
    assert hearts.missing(1001 + health.LATE_MS) == ""
    task.ended = True
    assert hearts.missing(2000) == "serial"


def test_why_a_life_ended_is_told_once_by_the_next():
    flash = CutFlash()
    assert health.take_panic(flash) == ""
    health.keep_panic(flash, "link", MemoryError("none left"))
    assert health.take_panic(flash) == "link: MemoryError('none left')"
    assert health.take_panic(flash) == ""


def test_a_flash_that_fails_or_kept_half_of_the_words_stops_no_start(monkeypatch):
    flash = CutFlash()
    with flash.open("panic.txt", "wb") as file:
        file.write(b"link: " + "\u00e9".encode()[:1])
        flash.sync(file)
    assert health.boot_cause(flash, "power") == "failed: of its words only part was kept"
    health.keep_panic(flash, "link", MemoryError("none left"))

    def fails(name):
        raise OSError(5, name)

    monkeypatch.setattr(flash, "remove", fails)
    assert health.boot_cause(flash, "power") == "power"


class Serial:
    """A serial line of a machine that answers as told and then breaks the firmware."""

    def __init__(self, error):
        self.error, self.written, self.closed = error, b"", False

    async def read(self):
        raise self.error

    def write(self, data):
        self.written += data

    def close(self):
        self.closed = True


class Driver:
    """A driver with an order on its machine."""

    running = True

    def __init__(self):
        self.out, self.events, self.values = bytearray(), [], {}

    def is_quiet(self):
        return True

    def __getattr__(self, name):
        return lambda *_: None


class Restarted(Exception):
    pass


def a_life(flash, serial, cause="power on", cares=None):
    def restart():
        raise Restarted

    def care(*told):
        if cares is not None:
            cares.append(told)

    ticks = iter(range(0, 10**9, 10))
    platform = Platform(
        lambda: next(ticks), lambda: "boot-1", lambda _: serial, cause, restart, care
    )
    return App(config.read(CONFIG), flash, Driver(), platform)


def test_a_task_that_fails_makes_the_machine_safe_and_starts_the_firmware_anew():
    flash, serial = CutFlash(), Serial(MemoryError("no room"))
    with pytest.raises(Restarted):
        asyncio.run(a_life(flash, serial).run())
    assert serial.written.endswith(b"M104 S0\nM140 S0\nM107\n") and serial.closed
    life = a_life(flash, Serial(OSError("gone")))
    life.agent.boot(0)
    event = decode("up/ev", life.journal.event_after(0)[1])
    assert event["ty"] == "fault" and "no room" in event["msg"] and event["code"] == "restarted"


def test_ending_orderly_makes_the_machine_safe_too():
    serial = Serial(OSError("later"))
    life = a_life(CutFlash(), serial)
    life._serial = serial
    life.leave()
    life.leave()
    assert serial.written.count(b"M104 S0") == 1 and serial.closed


def test_a_stop_is_on_the_wire_before_flash_is_touched():
    flash = CutFlash()
    life = a_life(flash, Serial(OSError("gone")))
    order = {"order": "o-1", "ep": 1}
    life.agent.boot(0)
    for ty, more in (("claim", {"bn": "b"}), ("started", {"sha": "0" * 64})):
        assert life.agent.tell(ty, {**order, **more})
    life.driver.stop = lambda: (
        life.driver.out.extend(b"M112\n"),
        life.driver.events.append(("ended", False, "stopped", False)),
    )
    untouched = flash.operations
    life._serial = serial = Serial(None)
    serial.write = lambda data: said.append((bytes(data), flash.operations - untouched))
    said = []
    stop = {"v": 1, "term": 1, "id": "c-1", "bn": "boot-1", "do": "stop", "ttl_ms": 1, "who": "mia"}
    life.agent.memory.term = 1
    life._on_message("dn/cmd", encode("dn/cmd", stop))
    assert said == [(b"M112\n", 0)]
    told, s = [], 0
    while found := life.journal.event_after(s):
        s = found[0]
        told.append(decode("up/ev", found[1])["ty"])
    assert told[-2:] == ["op", "finished"]


def test_care_is_told_whether_all_is_well():
    async def some_turns():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(life.run(), 0.2)

    cares = []
    life = a_life(CutFlash(), Serial(OSError("gone")), cares=cares)
    asyncio.run(some_turns())
    assert cares and cares[0][1:] == (True, False)


def test_a_watchdog_reset_is_journalled_and_a_power_on_is_not():
    for cause, told in (("watchdog", 1), ("brown-out", 1), ("power on", 0)):
        life = a_life(CutFlash(), Serial(OSError("gone")), cause)
        life.agent.boot(0)
        assert life.journal.hi == told, cause


def test_a_stop_is_never_too_late():
    machine = Machine(CutFlash())
    machine.hear("dn/time", {"v": 1, "t": 10**9, "rate": 1})
    assert machine.command("identify", t=1)["code"] == "expired"
    assert machine.command("stop", t=1)["code"] == "done"


class Station:
    def __init__(self):
        self.joined, self.calls = False, []

    def isconnected(self):
        return self.joined

    def active(self, on):
        self.calls.append(on)

    def connect(self, ssid, password):
        self.calls.append((ssid, password))


def test_the_radio_joins_again_with_a_growing_pause():
    station = Station()
    wifi = Wifi(station, {"ssid": "net", "password": "key"})
    tries = []
    for now_ms in range(0, 400_000, 100):
        before = wifi.joins_n
        wifi.tick(now_ms, False)
        if wifi.joins_n > before:
            tries.append(now_ms)
    gaps = [b - a for a, b in itertools.pairwise(tries)]
    assert gaps[0] == FIRST_PAUSE_MS and max(gaps) == LAST_PAUSE_MS
    assert gaps == sorted(gaps)
    assert station.calls[:3] == [False, True, ("net", "key")]


def test_a_radio_that_is_joined_but_deaf_is_switched_off_and_on():
    station = Station()
    wifi = Wifi(station, {"ssid": "net", "password": "key"})
    wifi.tick(0, False)
    station.joined = True
    for now_ms in range(100, 200_000, 100):
        wifi.tick(now_ms, True)
    assert wifi.joins_n == 1
    for now_ms in range(200_000, 200_000 + DEAF_MS + 1000, 100):
        wifi.tick(now_ms, False)
    assert wifi.joins_n == 2


def test_every_pin_map_is_whole():
    for name, (uart, tx, rx, buffer_bytes) in PINS.items():
        assert uart in (0, 1, 2) and tx != rx and buffer_bytes >= 2048, name

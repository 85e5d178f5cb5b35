"""Joins the parts of one machine's firmware into tasks.

Straight lines between parts: bytes of the machine -> driver -> events -> agent -> actions ->
driver, link or spool. ``pump`` runs that circle until nothing is left; tasks only feed it:

    read     bytes of the serial line          tick     50 ms: time-outs, counters, heartbeats
    link     the broker                        fetch    one program at a time
"""

import asyncio
import gc
import sys
from binascii import a2b_base64

from firmware import health, reports
from firmware.agent import Agent
from firmware.clock import FloorTime
from firmware.journal import Journal
from firmware.link import Address, Link
from firmware.memory import Memory
from firmware.meter import Meter
from firmware.overlay import forget
from firmware.streamer import Streamer, spooled
from protocols.errors import WireError
from protocols.messages import decode, encode
from protocols.records import cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.sensors import Sensors
    from firmware.underrun import Underrun
    from firmware.update import Update
    from protocols.records import Record

TICK_S = 0.05
BUSY_TELE_MS = 2000
IDLE_TELE_MS = 10000
COLLECT_MS = 1000
COLLECT_B = 8192  # garbage is collected after so much, so that it does not scatter what stays,
COLLECT_SHARE = 4  # or after this part of what is free: collecting is half of a roomy board's work
REOPEN_S = 1
_FETCHING = ("firmware.spool", "firmware.ring", "firmware.fetch", "protocols.forbidden")
RESTART = 64  # exit code of a process that is to be started again


def _leave() -> None:
    """Restart of a process: whoever started it does so again."""
    raise SystemExit(RESTART)


def _no_care(now_ms: int, well: bool, broker_up: bool) -> None:
    """A PC needs none."""


def _sensors(settings: "list[Record]") -> "Sensors | None":
    if not settings:
        return None
    from firmware.sensors import Sensors  # for those that have some

    return Sensors(settings)


class Platform:
    """What differs between boards, MicroPython on a PC and CPython; see ``firmware.start``."""

    def __init__(
        self,
        now_ms: "Callable[[], int]",
        new_id: "Callable[[], str]",
        open_serial: "Callable[[Record], Any]",
        boot_cause: str,
        restart: "Callable[[], None]" = _leave,
        care: "Callable[[int, bool, bool], None]" = _no_care,
    ) -> None:
        self.now_ms = now_ms
        self.new_id = new_id
        self.open_serial = open_serial
        self.boot_cause = boot_cause
        self.restart = restart
        self.wrap_flash: "Callable[[Any], Any] | None" = None  # of a fault campaign
        self.care = care  # each turn: (now_ms, every task is well, the broker is there)


class App:
    """One machine."""

    def __init__(self, config: "Record", flash: "Any", driver: "Any", platform: Platform) -> None:
        self.config = config
        self.driver = driver
        self.floor = FloorTime()
        self._platform = platform
        self._flash = flash
        self.hearts = health.Heartbeats()
        self.panic = ""  # why this life ends by itself
        self.journal = Journal(flash, Memory(), platform.new_id, config["journal_bytes"])
        self.journal.is_quiet = driver.is_quiet
        self.meter = Meter(self.journal, self._stamp)
        self.sensors = _sensors(config.get("sensors", []))
        boot = (platform.new_id(), health.boot_cause(flash, platform.boot_cause))
        self.agent = Agent(self.journal, self.meter, self.floor, config, boot)
        will = encode("up/state", reports.will(boot[0], self.journal.jid))
        address = self._address()
        self.link = Link(
            address, self.journal, platform.now_ms, will, self._on_up, self._on_message
        )
        self.update: "Update | None" = None  # where there are slots
        self._serial: "Any" = None
        self._streamer: "Streamer | None" = None
        self._underrun: "Underrun | None" = None
        self._fetching: "asyncio.Task[None] | None" = None
        self._updating: "asyncio.Task[None] | None" = None
        self._told_ms = 0
        self._tele_ms = 0
        self._tele_n = 0
        self._collected_ms = -COLLECT_MS
        self._told_hi = 0
        self._free_b = 0  # of the heap, right after garbage was collected; 0 = not known
        self._least_b = 2**30
        self._acts: "dict[str, Callable[..., object]]" = {
            "fetch": self._fetch,
            "run": self._run_order,
            "pause": driver.pause,
            "resume": driver.resume,
            "cancel": driver.cancel,
            "stop": self._stop,
            "note": self.agent.note,
            "recover": driver.recover,
            "identify": driver.identify,
            "console": driver.console,
            "update": self._install,
            "say": self._say,
            "hello": self._hello,
        }

    def _address(self) -> Address:
        broker = self.config["broker"]
        value = Address(self.config["site"], self.config["machine"], broker["host"], broker["port"])
        if "user" in broker:
            value.login = (broker["user"], broker.get("password", "").encode())
        if "ca" in broker:
            value.tls = (a2b_base64(broker["ca"]), self.config["site"] + ".fabcommons")
        return value

    def _stamp(self) -> "Record":
        return self.floor.stamp(self._platform.now_ms())

    # tasks ---------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Run until cancelled, or until a task failed; then restart."""
        had_order = self.journal.memory.order_state in ("running", "paused")
        self.agent.boot(self._platform.now_ms())
        if had_order:
            self.driver.safe()
        tasks = [
            asyncio.create_task(self._guard("link", self.link.run())),
            asyncio.create_task(self._guard("serial", self._read_serial())),
        ]
        self.hearts.watch("link", tasks[0], self.link.turned_ms)
        self.hearts.watch("serial", tasks[1])
        try:
            await self._guard("main", self._turn_for_ever())
        finally:
            for task in tasks:
                task.cancel()
            self.leave()
        self._platform.restart()

    async def _turn_for_ever(self) -> None:
        while not self.panic:
            self._tick()
            await asyncio.sleep(TICK_S)

    async def _guard(self, name: str, task: "Any") -> None:
        """Run a task; one that fails ends the firmware, which is started anew."""
        try:
            await task
        except Exception as error:  # noqa: BLE001  (top of a task: told by the next life)
            self.panic = health.keep_panic(self._flash, name, error)
            sys.stderr.write("firmware: " + self.panic + "\n")

    def leave(self) -> None:
        """Last act of a life: make a machine safe that an order moves; may be called again."""
        serial, self._serial = self._serial, None
        self.journal.flush()
        self.journal.close()
        if serial is None:
            return
        try:
            if self.driver.running:
                serial.write(health.LAST_WORDS[self.config["dialect"]])
        except OSError:
            pass
        serial.close()

    async def _read_serial(self) -> None:
        while True:
            try:
                self._serial = self._platform.open_serial(self.config["serial"])
                while True:
                    data = await self._serial.read()
                    self.driver.feed(data, self._platform.now_ms())
                    self.pump()
            except OSError as error:
                self._close_serial(str(error))
            await asyncio.sleep(REOPEN_S)

    def _close_serial(self, why: str) -> None:
        if self._serial is not None:
            self._serial.close()
            self._serial = None
        self.driver.close("serial line is gone: " + why)
        self.agent.need = "serial line cannot be opened: " + why
        self.pump()

    def _tick(self) -> None:
        now_ms = self._platform.now_ms()
        self.hearts.seen("link", self.link.turned_ms)
        self._platform.care(now_ms, not self.hearts.missing(now_ms), self.link.up)
        if self._serial is not None:
            self.driver.step(now_ms)
        self.agent.tick(now_ms)
        self._beside(now_ms)
        self.pump()
        if now_ms - self._told_ms > self.config["heartbeat_s"] * 1000:
            self._tell_state()
        busy = self.driver.running
        if now_ms - self._tele_ms > (BUSY_TELE_MS if busy else IDLE_TELE_MS):
            self._tele_ms = now_ms
            self._tell_telemetry()
        if now_ms - self._collected_ms >= COLLECT_MS:
            self._collected_ms = now_ms
            self._collect()

    def _collect(self) -> None:
        gc.collect()
        mem_free: "Any" = getattr(gc, "mem_free", None)
        if mem_free is not None:
            self._free_b = mem_free()
            self._least_b = min(self._least_b, self._free_b)
            board: "Any" = gc  # CPython's knows none of this
            board.threshold(max(COLLECT_B, self._free_b // COLLECT_SHARE))
            if self._free_b < health.LEAST_FREE_B and self.agent.memory.order is None:
                raise MemoryError("little heap is left")  # better now than while an order runs

    # circle --------------------------------------------------------------------------------------
    def pump(self) -> None:
        """Carry events and actions round until there are none; write what the driver wants out."""
        now_ms = self._platform.now_ms()
        streamer = self._streamer
        if streamer is not None:
            self.meter.lines = streamer.acknowledged_n
            self.agent.done_ppm = streamer.done_ppm
        while self.driver.events or self.agent.actions:
            while self.driver.events:
                self.agent.drive(self.driver.events.pop(0), now_ms)
            while self.agent.actions:
                action = self.agent.actions.pop(0)
                self._acts[action[0]](*action[1:])
            self.driver.step(now_ms)
        self._write_serial()
        if self.agent.changed:
            self._tell_state()
        if self.journal.hi != self._told_hi:
            self._told_hi = self.journal.hi
            self.link.poke()

    def _beside(self, now_ms: int) -> None:
        """What goes on beside the order."""
        if self._underrun is not None and self._streamer is not None:
            self._underrun.tick(self._streamer.starved, now_ms)
            if not self.driver.running:
                self._underrun = None
                forget("firmware.underrun", *_FETCHING)
        if self.sensors is not None:
            self._sense(self.sensors)
        if self.update is not None:
            self.update.tick(now_ms, self.link.up and self._serial is not None)

    def _sense(self, sensors: "Sensors") -> None:
        """Filament ran out or does not follow: stand still and ask for a person."""
        sensors.push(self.meter.used_um())
        while sensors.events:
            event, ch = sensors.events.pop(0)
            if self.driver.running:
                self.driver.pause()
                words = "filament ran out" if event == "runout" else "filament does not follow"
                self.driver.events.append(("need", "{} on channel {}".format(words, ch)))

    def _stop(self) -> None:
        """Stop the machine at once; who did it and what became of the order is journalled after."""
        self.driver.stop()
        self._write_serial()

    def _write_serial(self) -> None:
        if not self.driver.out or self._serial is None:
            return
        data, self.driver.out = self.driver.out, bytearray()
        try:
            self._serial.write(data)
        except OSError:
            pass  # the reading side finds out and opens the line anew

    def _fetch(self, ep: int, program: "Record") -> None:
        if self._fetching is not None:
            self._fetching.cancel()
        self._fetching = asyncio.create_task(self._fetch_program(ep, program))

    async def _fetch_program(self, ep: int, program: "Record") -> None:
        from firmware.spool import Spool  # between orders only

        try:
            spool = Spool(self._flash, self.config["dialect"], self.config["spool_bytes"])
            why = await spool.fetch(program)
        except Exception as error:  # noqa: BLE001  (top of a task: a dead one would leave us mute)
            why = "program cannot be fetched: " + repr(error)
        forget(*_FETCHING)
        self._fetching = None
        self.agent.fetched(ep, cut(why, 160), self._platform.now_ms())
        self.pump()

    def _install(self, release: "Record") -> None:
        if self.update is not None:
            self._updating = asyncio.create_task(self.update.run(release))

    def _run_order(self, want: "Record") -> None:
        program = want["prog"]
        if program["size"] > self.config["spool_bytes"]:
            file = self._open_ring(program)
        else:
            file = self._flash.open(spooled(program), "rb")
        self._streamer = Streamer(file, program["size"], self.meter.before)
        self.driver.run(self._streamer, want.get("label", want["order"]))

    def _open_ring(self, program: "Record") -> "Any":
        """A program larger than the spool, streamed through it."""
        from firmware.ring import Ring
        from firmware.underrun import Underrun

        ring = Ring(self._flash, program, self.config["spool_bytes"])
        settings = self.config.get("underrun", {})
        self._underrun = Underrun(settings, self.driver, ring, self.meter.modes)
        return ring

    # broker --------------------------------------------------------------------------------------
    def _on_up(self) -> None:
        self._hello()
        self._tell_state()

    def _on_message(self, leaf: str, payload: bytes) -> None:
        message = decode(leaf, payload)
        self.agent.receive(leaf, message, self._platform.now_ms())
        self.pump()

    def _hello(self) -> None:
        self._say("up/hello", reports.hello(self.agent))

    def _say(self, leaf: str, message: "Record") -> None:
        self.link.say(leaf, encode(leaf, message))

    def _tell_state(self) -> None:
        self.agent.changed = False
        self._told_ms = self.agent.now_ms = self._platform.now_ms()
        self.link.newest("up/state", encode("up/state", reports.state(self.agent)))

    def _tell_telemetry(self) -> None:
        values: "dict[str, int]" = {}
        values.update(self.driver.values)
        values.pop("timeout_n", None)
        if self.sensors is not None:
            values.update(self.sensors.values())
        values["journal_n"] = self.journal.hi - self.journal.acked
        if self.agent.dropped_n:
            values["faults_dropped_n"] = self.agent.dropped_n
        if self.driver.running:
            values["done_ppm"] = self.agent.done_ppm
        if self._free_b:
            values["heap_free_b"] = self._free_b
            values["heap_least_b"] = self._least_b
        self._tele_n += 1
        message: "Record" = {"v": 1, "bn": self.agent.bn, "n": self._tele_n, "m": values}
        message.update(self._stamp())
        try:
            self.link.newest("up/tele", encode("up/tele", message))
        except WireError:
            self.link.counts["bad"] += 1

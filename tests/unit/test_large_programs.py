"""Programs larger than the spool: constant memory, nothing unverified, underruns by policy."""

import asyncio
import io
import tracemalloc

import pytest

from firmware.drivers.marlin import Marlin
from firmware.flash import Flash
from firmware.ring import CHUNK_BYTES, Ring, sums_name
from firmware.spool import Spool
from firmware.streamer import HOLD, Streamer
from firmware.underrun import GRACE_MS, WHY, Underrun
from protocols.filament import Accountant
from simulators.printer import Printer, PrinterConfig
from support.big_program import LINE_BYTES, Server, piece, program

LIMIT = 4 * CHUNK_BYTES
SIZE = 2_000_000
MEMORY_BYTES = 700_000  # of Python objects, whatever the size


def used(flash):
    return sum(flash.size(name) for name in flash.names())


async def stream(flash, wanted, server=None, on_line=None):
    """Run the lines of a program through its ring; (lines, most bytes on flash, why it failed)."""
    ring = Ring(flash, wanted, LIMIT)
    source = Streamer(ring, wanted["size"], lambda code: True)
    count = most = 0
    try:
        while (code := source.take()) is not None:
            if code is HOLD:
                assert source.starved
                if ring.failed:
                    break
                most = max(most, used(flash))
                await asyncio.sleep(0.001)
                continue
            x = count % 200
            assert code == f"G1 X{x:03d} Y{count % 190:03d} E1"
            count += 1
            if on_line:
                on_line(count)
    finally:
        source.close()
    return count, most, ring.failed


async def fetched(flash, wanted):
    return await Spool(flash, "marlin", LIMIT).fetch(wanted)


def test_a_large_program_runs_in_constant_memory_and_flash(tmp_path):
    async def life():
        server, flash = Server(), Flash(str(tmp_path))
        wanted = program(SIZE, await server.open())
        tracemalloc.start()
        assert await fetched(flash, wanted) == ""
        sums = flash.size(sums_name(wanted))
        count, most, failed = await stream(flash, wanted)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        server.close()
        print(f"{SIZE} B: {count} lines, {most} B of flash, {sums} B of sums, {peak} B of memory")
        assert (count, failed) == (wanted["size"] // LINE_BYTES, "")
        assert most <= LIMIT + sums
        assert peak < MEMORY_BYTES
        assert [name for name in flash.names() if name[:2] == "r-"] == []

    asyncio.run(life())


def test_a_broken_connection_goes_on_at_the_byte_where_it_stopped(tmp_path):
    async def life():
        server, flash = Server(), Flash(str(tmp_path))
        wanted = program(600_000, await server.open())
        server.breaks = 3
        assert await fetched(flash, wanted) == ""
        surveyed = len(server.firsts)
        count, _, failed = await stream(flash, wanted)
        server.close()
        assert (count, failed) == (wanted["size"] // LINE_BYTES, "")
        assert any(first % CHUNK_BYTES for first in server.firsts[:surveyed])
        assert any(first % CHUNK_BYTES for first in server.firsts[surveyed:])

    asyncio.run(life())


def test_a_server_that_gives_other_bytes_later_is_found_before_a_line_of_them_runs(tmp_path):
    async def life():
        server, flash = Server(), Flash(str(tmp_path))
        wanted = program(600_000, await server.open())
        assert await fetched(flash, wanted) == ""
        server.lies_after = len(server.firsts) + 3
        count, _, failed = await stream(flash, wanted)  # asserts the bytes of every line
        server.close()
        assert failed == "program on the server is another one now"
        assert count == 3 * CHUNK_BYTES // LINE_BYTES

    asyncio.run(life())


@pytest.mark.parametrize(
    ("size", "limit", "why"),
    [
        (600_000, 100_000, "program is too large for a spool of 100000 B"),
        (600_000, LIMIT, "program.gcode does not match its hash"),
    ],
)
def test_what_cannot_be_streamed_is_refused_before_the_claim(tmp_path, size, limit, why):
    async def life():
        server, flash = Server(), Flash(str(tmp_path))
        wanted = program(size, (await server.open()).replace("big", "program"))
        wanted["sha"] = "0" * 64 if "hash" in why else wanted["sha"]
        assert await Spool(flash, "marlin", limit).fetch(wanted) == why
        server.close()

    asyncio.run(life())


def test_a_forbidden_line_anywhere_is_refused_with_its_number(tmp_path):
    async def life():
        server, flash = Server(), Flash(str(tmp_path))
        wanted = program(600_000, await server.open())
        server.swap = (piece(20000 * LINE_BYTES, 20001 * LINE_BYTES - 1), b"M112")
        assert (await fetched(flash, wanted)).startswith("line 20001 M112 is an emergency command")
        server.close()

    asyncio.run(life())


# underrun ----------------------------------------------------------------------------------------
class Faucet:
    """A ring whose lines come when the test says so."""

    def __init__(self, lines):
        self.file = io.BytesIO()
        self.lines = list(lines)
        self.failed = ""
        self.ahead = False

    def give(self, count):
        text = "".join(line + "\n" for line in self.lines[:count]).encode()
        del self.lines[:count]
        place = self.file.tell()
        self.file.seek(0, 2)
        self.file.write(text)
        self.file.seek(place)

    def read(self, most):
        data = self.file.read(most)
        return data or (None if self.lines else b"")

    def is_ahead(self):
        return self.ahead

    def close(self):
        pass


class Print:
    """Driver, simulated printer, underrun policy, in virtual time."""

    def __init__(self, settings):
        self.printer = Printer(PrinterConfig())
        self.driver = Marlin()
        moves = [f"G1 X{i % 40} E{i * 0.1:.2f} F6000" for i in range(1, 41)]
        self.ring = Faucet(["M82", "G28", "M109 S200", "G92 E0", *moves])
        self.accountant = Accountant()
        self.source = Streamer(self.ring, 10000, self.before)
        self.underrun = Underrun(settings, self.driver, self.ring, self.accountant.modes)
        self.now, self.sent, self.events = 0, "", []
        self.until(lambda: self.driver.state == "idle")
        self.driver.run(self.source, "test part")

    def before(self, code):
        self.accountant.feed(code)
        return True

    def until(self, done, limit_ms=7_200_000):
        end = self.now + limit_ms
        while not done():
            assert self.now < end
            self.now += 10
            said = self.printer.step(self.now)
            if said:
                self.driver.feed(bytes(said), self.now)
            self.driver.step(self.now)
            if self.driver.running:
                self.underrun.tick(self.source.starved, self.now)
            data, self.driver.out = bytes(self.driver.out), bytearray()
            self.sent += data.decode()
            if data:
                self.printer.feed(data, self.now)
            self.events += self.driver.events
            self.driver.events = []

    def ended(self):
        return [event for event in self.events if event[0] == "ended"]


def test_an_underrun_pauses_parks_and_goes_on_by_itself():
    job = Print({"park": "G91 | G0 Z5", "back": "G91|G0 Z-5", "heat": "drop", "drop_s": 30})
    job.ring.give(20)
    job.until(lambda: job.driver.state == "paused")
    assert ("paused", WHY) in job.events
    job.until(lambda: "M104 S0" in job.sent)
    assert "G0 Z5" in job.sent and job.sent.index("G0 Z5") < job.sent.index("M104 S0")
    job.ring.give(100)
    job.ring.ahead = True
    job.until(job.ended)
    assert job.ended()[0][1] is True
    back = job.sent.index("M109 S200", job.sent.index("M104 S0"))
    assert back < job.sent.index("G0 Z-5") < job.sent.index("G1 X17 ")
    restored = [line.split(" ", 1)[1] for line in job.sent[back:].split("\n")[1:6]]
    assert [line.split("*")[0] for line in restored] == ["G91", "G0 Z-5", "G21", "G90", "M82"]
    assert job.printer.truth()["extruded_nm_by_tool"][0] == 4_000_000


def test_an_underrun_shorter_than_the_grace_changes_nothing():
    job = Print({})
    job.ring.give(20)
    job.until(lambda: job.source.starved)
    job.until(lambda now=job.now: job.now > now + GRACE_MS // 2)
    job.ring.give(100)
    job.until(job.ended)
    assert [event[0] for event in job.events if event[0] == "paused"] == []


def test_an_underrun_that_lasts_ends_the_order_cold_and_says_why():
    job = Print({"timeout_s": 60})
    job.ring.give(20)
    job.until(job.ended)
    assert job.ended()[0][1:] == (False, WHY, True)
    assert "M104 S0" in job.sent and "M140 S0" in job.sent


def test_a_program_that_turned_out_to_be_another_ends_the_order():
    job = Print({})
    job.ring.give(20)
    job.until(lambda: job.source.starved)
    job.ring.failed = "program on the server is another one now"
    job.until(job.ended)
    assert job.ended()[0][1:3] == (False, "program on the server is another one now")


def test_a_pause_of_a_person_is_left_to_the_person():
    job = Print({})
    job.ring.give(20)
    job.until(lambda: job.source.acknowledged_n > 6)
    job.driver.pause()
    job.until(lambda: job.driver.state == "paused")
    job.ring.give(100)
    job.ring.ahead = True
    job.until(lambda now=job.now: job.now > now + 60000)
    assert job.driver.state == "paused"

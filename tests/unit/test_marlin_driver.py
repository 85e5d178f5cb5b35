"""The Marlin driver in dialogues, and against the simulated printer with faults, in fake time."""

import io

import pytest

from firmware.drivers.marlin import Marlin
from firmware.streamer import Streamer
from protocols.filament import Accountant
from simulators.printer import Printer, PrinterConfig


def streamer(text, before=lambda code: True):
    data = text.encode()
    return Streamer(io.BytesIO(data), len(data), before)


class Bench:
    """Driver and simulated printer joined by a wire, in virtual time."""

    def __init__(self, *faults):
        self.printer = Printer(PrinterConfig(faults=faults))
        self.driver = Marlin()
        self.now = 0
        self.events = []

    def run(self, until, limit_ms=3_600_000):
        end = self.now + limit_ms
        while not until() and self.now < end:
            self.now += 10
            said = self.printer.step(self.now)
            if said:
                self.driver.feed(bytes(said), self.now)
            self.driver.step(self.now)
            if self.driver.out:
                data, self.driver.out = bytes(self.driver.out), bytearray()
                self.printer.feed(data, self.now)
            self.events += self.driver.events
            self.driver.events = []

    def has(self, kind):
        return any(event[0] == kind for event in self.events)

    def print(self, text):
        self.run(lambda: self.driver.state == "idle")
        self.driver.run(streamer(text), "test part")
        self.run(lambda: self.has("ended") or self.has("lost"))
        return [event for event in self.events if event[0] in ("ended", "lost")]


def program(moves=60):
    lines = [f"G1 X{i % 40} Y{i % 30} E{i * 0.1:.4f} F6000" for i in range(1, moves + 1)]
    return "\n".join(["M82", "M109 S200", "G28", "G92 E0", *lines, "M104 S0"])


FAULTS = [
    (),
    ("drop_ok:20",),
    ("bad_checksum:0.05",),
    ("drop_ok:15", "bad_checksum:0.03"),
    ("tx_drop:0.002",),
    ("rx_drop:0.001",),
]


@pytest.mark.parametrize("faults", FAULTS, ids=["none", "ok", "sum", "both", "tx", "rx"])
def test_each_line_runs_once_whatever_the_wire_does(faults):
    try:
        bench = Bench(*faults)
    except ValueError:
        pytest.skip("the simulator has no such fault")
    ended = bench.print(program())
    assert ended == [("ended", True, "", True)]
    truth = bench.printer.truth()
    assert truth["moves"] == 60
    accountant = Accountant()
    for line in program().splitlines():
        accountant.feed(line)
    assert truth["extruded_nm_by_tool"][0] == accountant.used_nm(0)


def test_a_reset_in_mid_order_ends_it_and_needs_a_person():
    bench = Bench("reset:40")
    ended = bench.print(program())
    assert ended == [("ended", False, "machine was reset", False)]
    assert bench.has("fault")


def test_a_thermal_fault_ends_the_order():
    bench = Bench("thermal:40")
    ended = bench.print(program(400))
    assert (ended[0][0], ended[0][1]) == ("ended", False)
    assert bench.has("fault")


def test_cold_extrusion_is_a_failure():
    bench = Bench()
    ended = bench.print("M82\nG28\nG92 E0\nG1 X5 E5 F600\nG1 X9 E9\n")
    assert ended[0][1] is False
    assert "cold" in ended[0][2]


def online():
    driver = Marlin()
    driver.step(2000)
    driver.feed(b"ok\n", 2001)
    driver.step(2400)
    driver.feed(b"Cap:EMERGENCY_PARSER:1\nok\n", 2410)
    driver.feed(b"ok\n", 2411)  # M413
    driver.out = bytearray()
    return driver


def test_it_greets_a_silent_machine_with_its_line_number():
    driver = Marlin()
    driver.step(0)
    assert bytes(driver.out).endswith(b"N0 M110 N0*125\n")


def test_a_resend_of_the_next_line_is_the_acknowledgement_that_was_lost():
    driver = online()
    driver.run(streamer("G28\nG1 X1\n"), "x")
    driver.step(2500)
    assert b"M117 x" in driver.out
    driver.out = bytearray()
    driver.step(2500 + 30001)
    assert b"M117 x" in driver.out  # the same line once more
    driver.out = bytearray()
    driver.feed(
        b"Error:Line Number is not Last Line Number+1, Last Line: 3\nResend: 4\nok\n", 32600
    )
    driver.feed(b" T:20.0 /0.0\n", 33000)
    driver.step(33100)
    assert b"N4 " in driver.out
    assert driver.values["lines_n"] == 0


def test_three_probes_without_an_answer_lose_the_order():
    driver = online()
    driver.run(streamer("G1 X1\n"), "x")
    now = 2500
    for _ in range(6):
        driver.step(now)
        now += 31000
    assert ("lost", "machine does not answer") in driver.events
    assert driver.state == "silent"


def test_stop_goes_past_all_queues_and_ends_the_order():
    driver = online()
    driver.run(streamer("G1 X1\n"), "x")
    driver.stop()
    assert bytes(driver.out) == b"M112\n"
    assert driver.events[-2][:3] == ("ended", False, "stopped")


def test_a_line_that_must_wait_for_the_journal_is_not_sent():
    allowed = []
    driver = online()
    driver.run(streamer("G1 X1\nG1 X2\n", lambda code: bool(allowed)), "x")
    driver.step(2500)
    driver.out = bytearray()
    driver.feed(b"ok\n", 2501)
    assert not driver.out
    allowed.append(1)
    driver.step(2600)
    assert b"G1 X1" in driver.out


def test_a_line_that_takes_long_is_waited_for_with_others_behind_it_in_the_window():
    bench = Bench()
    moves = [f"G1 X{i % 40} E{i * 0.1:.4f} F6000" for i in range(1, 30)]
    ended = bench.print("\n".join(["M82", "G28", "M109 S200", "G92 E0", *moves, "M104 S0"]))
    assert ended[0][:2] == ("ended", True)

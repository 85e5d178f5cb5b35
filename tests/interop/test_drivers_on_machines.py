"""The firmware's drivers against the simulated machines, over a clean and over a damaged wire.

A printer runs every line of the program exactly once and in order, whatever the wire loses, and
pushes as much filament as the program's own figure; a mill ends with its program.
"""

from __future__ import annotations

import io
from typing import Any

import pytest

from firmware.drivers.grbl import Grbl
from firmware.drivers.marlin import Marlin
from firmware.streamer import Streamer
from simulators.core import Core, Work
from simulators.mill import Mill, MillConfig
from simulators.printer import Printer, PrinterConfig

TURNS = [f"G1 X{10 + n % 50} Y{n % 7} E{n * 0.05:.2f} F3000" for n in range(1, 300)]
PRINT = ["M109 S200", "G28", "M82", "G92 E0", *TURNS, "G1 E12.95", "M104 S0"]
CUTS = [f"G1 X{n % 50} Y{n % 7} F1200" for n in range(200)]
CUT = ["G21 G90 G17", "M3 S10000", "G0 Z5", "G4 P1", "G1 Z-1 F300", *CUTS, "G0 Z5", "M5", "M30"]


class Witness(Printer):
    """A printer that remembers the commands it ran."""

    def __init__(self, config: PrinterConfig) -> None:
        self.ran: list[str] = []
        super().__init__(config)

    def _start(self, command: str) -> Work | None:
        self.ran.append(command)
        return super()._start(command)


def run(core: Core, driver: Any, program: list[str], limit_s: int = 3000) -> tuple[Any, ...]:
    """Let the driver run the program; its last event."""
    text = "\n".join(program).encode() + b"\n"
    now, began = 0.0, False
    while now < limit_s * 1000:
        driver.step(int(now))
        core.feed(bytes(driver.out), now)
        driver.out[:] = b""
        driver.feed(core.step(now), int(now))
        for event in driver.events:
            if event[0] in ("ended", "lost"):
                return event
            if event[0] == "online" and not began:
                began = True
                driver.run(Streamer(io.BytesIO(text), len(text), lambda _: True), "label")
        driver.events.clear()
        now += 5 if driver.out else min(20.0, max(1.0, core.next_ms() - now))
    raise AssertionError(f"no end after {limit_s} s: {driver.state}")


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize(
    "faults",
    [
        (),
        ("drop_ok:50", "drop_ok:200"),
        ("bad_checksum:0.03",),
        ("tx_drop:0.001", "tx_flip:0.001", "tx_dup:0.001"),
        ("rx_dup:0.001",),
        ("stall:100:5s", "unplug:200:4s"),
    ],
    ids=lambda f: ",".join(f) or "clean",
)
def test_every_line_exactly_once(faults: tuple[str, ...], window: int) -> None:
    printer = Witness(PrinterConfig(seed=5, faults=faults))
    event = run(printer, Marlin(window), PRINT)
    assert event[:2] == ("ended", True), event
    begin = printer.ran.index("M117 label") + 1
    ran = [line for line in printer.ran[begin:] if line in PRINT or line.startswith("G")]
    assert ran[: len(PRINT)] == PRINT
    truth: Any = printer.truth()
    assert truth["extruded_nm_by_tool"] == [14_950_000]


@pytest.mark.parametrize("faults", [(), ("stall:100:5s",)], ids=["clean", "stall"])
def test_a_mill_ends_with_its_program(faults: tuple[str, ...]) -> None:
    mill = Mill(MillConfig(faults=faults))
    assert run(mill, Grbl(), CUT)[:2] == ("ended", True)
    truth = mill.truth()
    assert (truth["programs_ended"], truth["spindle_starts"]) == (1, 1)
    assert mill.state == ("Idle", None)


@pytest.mark.parametrize("fault", ["hard_limit:60", "reset:60"])
def test_a_mill_in_trouble_never_ends_well(fault: str) -> None:
    mill = Mill(MillConfig(faults=(fault,)))
    assert run(mill, Grbl(), CUT)[:2] != ("ended", True)
    assert mill.truth()["programs_ended"] == 0


def run_with_a_person(mill: Mill, program: list[str], turns: dict[str, Any]) -> list[Any]:
    """Run a program; ``turns`` maps the kind of an event to what a person does then."""
    driver, seen = Grbl(), list[Any]()
    text = "\n".join(program).encode() + b"\n"
    now = 0.0
    while now < 600_000 and not any(event[0] == "ended" for event in seen):
        driver.step(int(now))
        mill.feed(bytes(driver.out), now)
        driver.out[:] = b""
        driver.feed(mill.step(now), int(now))
        events, driver.events[:] = list(driver.events), []
        for event in events:
            if event[0] == "online" and not seen:
                driver.run(Streamer(io.BytesIO(text), len(text), lambda _: True), "label")
            elif event[0] in turns:
                turns[event[0]](driver, now)
        seen += events
        now += 20
    return seen


LAST_STOP = ["G21 G90", "M3 S10000", "G1 X5 F600", "M0"]
EARLY_STOP = ["G21 G90", "M0", *CUTS, "M30"]


@pytest.mark.parametrize("program", [LAST_STOP, [*LAST_STOP, "M30"], EARLY_STOP])
@pytest.mark.parametrize("by_hand", [False, True], ids=["by resume", "by the mill's button"])
def test_a_program_stop_asks_for_a_person_and_goes_on(program: list[str], by_hand: bool) -> None:
    mill = Mill(MillConfig())

    def go_on(driver: Grbl, now: float) -> None:
        if by_hand:
            mill.press(now)
        else:
            driver.resume()

    kinds = [event[:2] for event in run_with_a_person(mill, program, {"need": go_on})]
    assert ("paused", "program stop") in kinds
    assert ("need", "machine waits: program stop") in kinds
    assert ("resumed",) in kinds
    assert kinds[-1] == ("ended", True)


def test_a_pause_near_the_end_holds_and_goes_on() -> None:
    """All lines are in the mill's buffer already: it is held there, and ends well after."""
    mill = Mill(MillConfig())
    program = ["G21 G90", "G1 X50 F300", "M30"]
    driver, text = Grbl(), "\n".join(program).encode()
    now, asked, stood = 0.0, False, False
    seen: list[Any] = []
    while now < 120_000 and not any(event[0] == "ended" for event in seen):
        driver.step(int(now))
        mill.feed(bytes(driver.out), now)
        driver.out[:] = b""
        driver.feed(mill.step(now), int(now))
        seen += driver.events
        if ("online",) in driver.events:
            driver.run(Streamer(io.BytesIO(text), len(text), lambda _: True), "label")
        driver.events.clear()
        if driver.state == "ending" and not asked:
            asked = True
            driver.pause()
        elif driver.state == "paused" and not stood:
            stood = mill.state == ("Hold", 0)
            driver.resume()
        now += 20
    assert stood and ("paused", "a person asked") in seen
    assert seen[-1][:2] == ("ended", True)

"""The GRBL driver against the simulated mill: every way through an order, and out of it."""

from __future__ import annotations

from typing import Any

import pytest

from firmware.drivers.grbl import Grbl
from protocols import grbl
from simulators.mill import Mill, MillConfig
from support.rigs import Rig, streamer

CUT = "G21 G90\nM3 S10000\nG1 X{} F600\nM5\nM30\n"


def rig(*faults: str, homing: bool = False, late_ms: float = 0) -> Rig:
    return Rig(Grbl(), Mill(MillConfig(homing=homing, faults=faults)), late_ms)


def cutting(*faults: str, to: int = 100) -> Rig:
    """A mill in the middle of a cut."""
    made = rig(*faults)
    made.begin(CUT.format(to))
    made.until(lambda: made.core.planner.where(made.now)[0] > 5)
    return made


def test_a_machine_is_read_when_it_is_found() -> None:
    made = rig()
    made.idle()
    identity = next(e[1] for e in made.events if e[0] == "identity")
    assert identity == {
        "firmware": "grbl 1.1h.20190830",
        "caps": "blocks 15, rx 128",
        "dialect": "grbl",
    }
    assert made.driver.machine.settings[130] == 400_000
    assert made.driver.machine.offsets["G54"] == [0, 0, 0]


def test_a_machine_found_moving_is_held_and_reset() -> None:
    mill = Mill()
    mill.step(0)
    mill.feed(b"M3 S9000\nG1 X50 F600\n", 0)
    made = Rig(Grbl(), mill)
    made.now = 1000
    made.idle()
    assert mill.spindle == 5 and not mill.alarm
    assert 5 < mill.planner.position[0] < 50
    assert made.has("online")


def test_a_machine_locked_without_a_word_is_found() -> None:
    mill = Mill()
    mill.step(0)
    mill.lock(1)
    mill.step(1)
    made = Rig(Grbl(), mill)
    made.until(lambda: made.driver.state == "locked")
    assert made.has("fault", "locked")
    made.driver.recover()
    made.idle()


def test_a_pause_stops_the_spindle_and_starts_it_before_moving() -> None:
    made = cutting()
    made.driver.pause()
    made.until(lambda: made.driver.state == "paused")
    made.wait(500)
    assert made.core.spindle == 5
    made.driver.resume()
    made.wait(1000)
    assert made.core.spindle == 3 and made.core.state == ("Hold", 0)
    assert made.end()[:2] == ("ended", True)
    assert made.core.truth()["early_moves"] == 0
    assert made.kinds().count("resumed") == 1


def test_going_on_at_the_machine_gives_the_spindle_time_too() -> None:
    made = cutting()
    made.driver.pause()
    made.until(lambda: made.driver.state == "paused")
    made.wait(1000)
    made.core.press(made.now)
    made.wait(1000)
    assert made.core.state == ("Hold", 0) and made.core.spindle == 3
    assert made.end()[:2] == ("ended", True)


def test_an_open_door_waits_for_a_person() -> None:
    made = cutting("door:20s:20s", to=390)
    made.until(lambda: made.has("paused"))
    assert made.has("need", "machine waits: door")
    made.until(lambda: made.core.state == ("Door", 1))
    made.driver.resume()  # still open: stays paused, asks again
    made.until(lambda: made.kinds().count("need") == 2)
    assert made.core.spindle == 5
    made.until(lambda: made.core.state == ("Door", 0))
    made.driver.resume()
    assert made.end()[:2] == ("ended", True)
    assert made.core.truth()["early_moves"] == 0


def test_a_tool_change_is_a_step_for_a_person() -> None:
    made = rig()
    made.begin("G21 G90\nM3 S9000\nG1 X5 F600\nT2 M6\nM3 S9000\nG1 X9\nM30\n")
    made.until(lambda: made.has("paused"))
    assert made.has("need", "machine waits: put in tool 2")
    assert made.core.spindle == 5 and not made.core.planner.blocks
    made.wait(30_000)
    assert made.driver.state == "paused"
    made.driver.resume()
    assert made.end()[:2] == ("ended", True)
    assert made.core.modes.tool == 2
    assert made.driver.values["lines_n"] == 7


def test_a_tool_change_alone_on_its_line_counts_as_a_line() -> None:
    made = rig()
    made.begin("G21 G90\nM6\nG0 X1\n")
    made.until(lambda: made.has("paused", "change the tool"))
    made.driver.resume()
    assert made.end()[:2] == ("ended", True)
    assert made.driver.values["lines_n"] == 2  # as sent
    assert b"M6" not in made.sent


REFUSED = {
    "too big": ("G0 X500\n", False, "X 500.0 mm is the size"),
    "too far down": ("G0 Z-101\n", True, "Z -101.0 mm is where"),
    "above the top": ("G21 G90 G53 G0 Z5\n", True, "Z 5.0 mm"),
    "an arc reaches further than its ends": ("G2 X0 Y0 I210 F100\n", False, "X 420"),
    "a line it does not know": ("G0 X1\nG5 X1\n", False, "line refused: "),
    "inches": ("G20 G0 X20\n", False, "X 508.0 mm"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_program_that_does_not_fit_moves_nothing(name: str) -> None:
    program, homing, why = REFUSED[name]
    made = rig(homing=homing)
    if homing:
        made.until(lambda: made.driver.state == "locked")
        made.driver.recover()
        made.idle()
    before = list(made.core.planner.position)
    made.begin(program)
    event = made.end()
    assert event[:2] == ("ended", False) and event[3] is True
    assert event[2].startswith(why), event
    assert made.core.planner.position == before
    made.begin("G91 G0 X-1\n")  # and the next one runs
    assert made.end()[:2] == ("ended", True)


def test_modes_the_program_leaves_to_the_machine_are_checked() -> None:
    made = rig()
    made.core.settings.startup[0] = "G20"
    made.begin("G0 X1\n")
    assert made.end()[2] == "machine starts with G20, the program does not set its units"
    made.begin("G21 G0 X1\n")
    assert made.end()[:2] == ("ended", True)


def test_nothing_starts_with_an_open_door() -> None:
    made = rig("door:8s:100s")
    made.idle()
    made.until(lambda: made.core.held.door == "open")
    made.wait(2000)
    made.begin("G0 X1\n") if made.driver.state == "idle" else None
    assert made.end()[2] == "the safety door is open"


def test_a_reset_while_lines_are_checked_only_checks_again() -> None:
    made = rig()
    made.begin("G0 X1\n" * 300)
    made.until(lambda: made.driver.state == "checking")
    made.core.reset(made.now)
    assert made.end()[:2] == ("ended", True)
    assert not made.has("fault")


def test_a_reset_while_lines_run_ends_the_order() -> None:
    made = cutting()
    made.core.reset(made.now)
    assert made.end() == ("ended", False, "machine was reset", False)
    assert made.driver.state == "locked"


ABORTS: dict[str, Any] = {
    "cancel": lambda r: r.driver.cancel(),
    "cancel while paused": lambda r: (r.driver.pause(), r.wait(2000), r.driver.cancel()),
    "stop": lambda r: r.driver.stop(),
    "limit switch": lambda r: r.core.lock(1),
    "door, then cancel": lambda r: (r.core.held.open_door(9e9), r.wait(2000), r.driver.cancel()),
    "the line is gone": lambda r: r.driver.close("unplugged"),
    "a refused line": lambda r: r.core._reply("error:1"),
}


@pytest.mark.parametrize("name", ABORTS)
def test_the_spindle_is_off_after_every_abort(name: str) -> None:
    made = cutting()
    assert made.core.spindle == 3
    ABORTS[name](made)
    event = made.end()
    assert event[:2] != ("ended", True)
    made.until(lambda: made.core.spindle == 5, limit_s=60)
    made.wait(30_000)
    assert made.core.spindle == 5
    if name.startswith(("cancel", "door", "a ref")):
        assert not made.core.alarm and 5 < made.core.planner.position[0] < 100


def test_a_stop_works_while_lines_are_checked() -> None:
    made = rig()
    made.begin("G0 X1\n" * 300)
    made.until(lambda: made.driver.state == "checking")
    made.driver.stop()
    assert made.end() == ("ended", False, "stopped", True)


@pytest.mark.parametrize("late_ms", [0, 60, 400, 1500])
def test_orders_follow_each_other_on_a_slow_wire(late_ms: float) -> None:
    """A banner that comes late never looks like a reset of the next order."""
    made = rig(late_ms=late_ms)
    for turn in range(6):
        made.begin("G21 G90\nM3 S9000\nG1 X20 F600\nG1 X0\n")
        if turn % 2:
            made.wait(40 * turn)
            made.driver.cancel()
        event = made.end()
        assert event[2] in ("", "cancelled"), event
        assert not made.has("fault"), made.events


def test_only_bytes_every_dialect_has_are_sent() -> None:
    made = cutting()
    made.driver.pause()
    made.wait(2000)
    made.driver.resume()
    made.end()
    known = {*grbl.STATUS, *grbl.HOLD, *grbl.RESUME, *grbl.RESET, grbl.SPINDLE_STOP}
    assert {b for b in made.sent if grbl.is_realtime(b)} <= known


def test_an_alarm_is_told_in_the_words_of_its_firmware() -> None:
    for banner, words in (
        (b"Grbl 1.1h ['$' for help]", "unknown code 10 of grbl"),
        (b"GrblHAL 1.1f ['$' or '$HELP' for help]", "the emergency stop is engaged"),
        (b"Grbl 3.7 [FluidNC v3.7.8 (wifi) '$' for help]", "the spindle does not answer"),
    ):
        driver = Grbl()
        driver.state = "idle"
        driver.feed(banner + b"\r\nALARM:10\r\n", 1)
        assert ("fault", "alarm-10", words) in driver.events


def test_check_mode_is_left_whatever_comes_first() -> None:
    """GRBL 1.1h: ok, banner; others: banner, ok; FluidNC: no banner at all."""
    for said in (
        b"ok\r\nGrbl 1.1h ['$' for help]\r\n",
        b"Grbl 1.1h ['$' for help]\r\nok\r\n",
        b"ok\r\n",
    ):
        driver = Grbl()
        driver.state = "idle"
        driver.run(streamer("G0 X1\n"), "label")
        driver.step(10)
        driver.feed(b"ok\r\n", 20)
        driver.feed(b"[MSG:Enabled]\r\nok\r\n", 25)
        driver.feed(b"ok\r\n", 30)
        driver.feed(b"[MSG:Disabled]\r\n" + said, 40)
        driver.step(4000)
        driver.feed(b"[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]\r\nok\r\n", 4010)
        assert driver.state == "ending", said
        assert bytes(driver.out).replace(b"?", b"").endswith(b"$G\nG0 X1\nM30\nG4 P0.01\n")

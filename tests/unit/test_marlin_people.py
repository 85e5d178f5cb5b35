"""What a printer asks of its host and of people, in every dialect, and what a person can do."""

from __future__ import annotations

from typing import Any

import pytest

from firmware.drivers.marlin import Marlin
from simulators.printer import Printer, PrinterConfig
from support.rigs import Rig, streamer

HEAT = "M109 S200\nG28\nM82\nG92 E0\n"
MOVES = "".join([f"G1 X{10 + n % 50} E{n * 0.05:.2f} F3000\n" for n in range(1, 200)])
PRINT = HEAT + MOVES


def rig(window: int = 0, **config: Any) -> Rig:
    return Rig(Marlin(window), Printer(PrinterConfig(**config)))


def printing(program: str = PRINT, lines: int = 40, **config: Any) -> Rig:
    made = rig(**config)
    made.begin(program)
    made.until(lambda: made.driver.values["lines_n"] >= lines)
    return made


def drawn(made: Rig) -> int:
    return made.core.truth()["extruded_nm_by_tool"][0]


def test_the_machine_says_what_it_is() -> None:
    made = rig()
    made.idle()
    identity = next(e[1] for e in made.events if e[0] == "identity")
    assert identity["firmware"] == "Marlin 2.1.2 (simulated)"
    assert identity["dialect"] == "marlin"
    assert {"AUTOREPORT_TEMP", "EMERGENCY_PARSER"} <= set(identity["caps"].split())
    made.wait(10_000)
    assert b"M155 S2" in made.sent and b"M105" not in made.sent
    assert made.driver.values["nozzle_mc"] == 21000


@pytest.mark.parametrize("on", [True, False])
def test_power_loss_recovery_is_switched_off_where_it_is_on(on: bool) -> None:
    made = rig(power_loss=on)
    made.idle()
    made.wait(2000)
    assert (b"M413 S0" in made.sent) is on and not made.core.recovery


def test_temperatures_are_asked_for_where_none_are_told() -> None:
    made = printing(firmware="klipper", lines=150)
    assert 1 <= bytes(made.sent).count(b"M105") <= 30
    assert made.driver.values["nozzle_mc"] > 150_000


def test_an_advanced_ok_opens_the_window_and_a_resend_closes_it() -> None:
    made = printing(MOVES.replace(" E", " ;E"), lines=20)
    assert made.driver._flow.window == 3
    made.core._damage_next = True
    made.until(lambda: made.driver.values["resend_n"] > 0)
    assert made.driver._flow.window == 1
    assert made.end()[:2] == ("ended", True)
    made = rig(advanced_ok=False)
    made.begin(MOVES.replace(" E", " ;E"))
    assert made.end()[:2] == ("ended", True) and made.driver._flow.window == 1


@pytest.mark.parametrize("by_button", [True, False])
def test_a_change_of_filament_waits_for_a_person(by_button: bool) -> None:
    made = rig()
    made.begin(HEAT + "G1 X5 E1\nM600\n" + "G1 X9 E2\n")
    for asked in (1, 2):  # filament in, then enough purged
        made.until(lambda: made.driver.state == "held" and made.core._wait[0] == "person")
        made.wait(3000)
        assert len([e for e in made.events if e[0] == "paused"]) == 1
        if by_button:
            made.core.press(made.now)
        else:
            made.driver.resume()
        made.wait(500 * asked)
    assert made.end()[:2] == ("ended", True)
    assert made.kinds().count("resumed") == 1
    assert any("Nozzle Parked [Continue]" in e[1] for e in made.events if e[0] == "need")
    assert drawn(made) == 2_000_000


def test_filament_that_ran_out_is_named() -> None:
    made = printing(faults=("runout:3mm",))
    made.until(lambda: made.has("paused"))
    assert made.has("paused", "filament ran out on T0")
    made.until(lambda: made.core._wait[0] == "person")
    made.driver.resume()
    made.wait(20_000)
    made.driver.resume()
    assert made.end()[:2] == ("ended", True)


def test_m0_waits_for_a_person_and_goes_on() -> None:
    made = rig()
    made.begin("G28\nM0 look\nG1 X5 F600\n")
    made.until(lambda: made.driver.state == "held")
    assert made.has("need", "machine asks: look [Continue]")
    made.driver.resume()
    assert made.end()[:2] == ("ended", True)


def test_cancel_ends_a_wait_for_a_person() -> None:
    made = rig()
    made.begin("G28\nM0\nG1 X5 F600\n")
    made.until(lambda: made.driver.state == "held")
    made.driver.cancel()
    assert made.end() == ("ended", False, "cancelled", True)


def test_without_an_emergency_parser_a_person_must_press() -> None:
    made = rig(emergency_parser=False)
    made.begin("G28\nM0\nG1 X5 F600\n")
    made.until(lambda: made.driver.state == "held")
    made.driver.resume()
    made.wait(1000)
    assert b"M108" not in made.sent
    assert made.has("need", "press the button of the machine to go on")
    made.core.press(made.now)
    assert made.end()[:2] == ("ended", True)
    made.begin(PRINT)
    made.wait(3000)
    made.driver.stop()
    assert "use its own switch" in made.driver.events[-1][1]


SAID = {
    "//action:pause": ("paused", "machine asked"),
    "//action:cancel": ("ended", False, "cancelled at the machine", True),
    "echo:busy: paused for user": ("paused", "machine is paused for user"),
    "echo: cold extrusion prevented": (
        "ended",
        False,
        "cold extrusion prevented: nozzle was not hot enough",
        False,
    ),
    "Error:Thermal Runaway, system stopped! Heater_ID: bed": ("fault", "thermal"),
    "Error:Heating failed, system stopped! Heater_ID: 0": ("fault", "heating"),
    "Error:MAXTEMP triggered, system stopped! Heater_ID: 0": ("fault", "maxtemp"),
    "Error:MINTEMP triggered, system stopped! Heater_ID: 0": ("fault", "mintemp"),
    "Error:Homing Failed": ("fault", "homing"),
    "Error:Probing Failed": ("fault", "probing"),
    "Error:Printer halted. kill() called!": ("fault", "kill"),
    "Error:Printer stopped due to errors. Fix the error and use M999": ("fault", "stopped"),
    "start": ("fault", "reset"),
    "!! Must home axis first": ("ended", False, "!! Must home axis first", True),
    "// Klipper state: Shutdown": ("fault", "shutdown"),
}


@pytest.mark.parametrize("said", SAID)
def test_what_a_machine_says_in_mid_print(said: str) -> None:
    made = printing()
    made.core.say(said)
    made.until(lambda: made.has(*SAID[said]))
    if SAID[said][0] == "fault":
        assert made.has("ended", False)
        made.wait(1000)
        assert made.driver.state in ("halted", "silent", "asking", "idle")


def test_a_fault_stops_what_is_planned() -> None:
    made = printing()
    made.core.say("echo: cold extrusion prevented")
    made.end()
    assert b"M410\n" in made.sent


@pytest.mark.parametrize("firmware", ["klipper", "reprapfirmware"])
def test_other_firmware_behind_the_same_contract(firmware: str) -> None:
    made = rig(firmware=firmware)
    made.begin(PRINT)
    assert made.driver.dialect == firmware
    assert made.end() == ("ended", True, "", True)
    assert drawn(made) == 9_950_000
    assert bytes(made.sent).count(b"G1 X11 E0.05") == 1
    assert made.driver.values["resend_n"] == 0


def test_a_line_is_never_sent_twice_to_a_machine_that_would_run_it_twice() -> None:
    made = rig(firmware="klipper")
    made.begin(PRINT)
    made.until(lambda: made.driver.values["lines_n"] > 20)
    made.core._lose_ok = True
    assert made.end() == ("lost", "machine does not answer")
    for n in range(1, 200):
        assert bytes(made.sent).count(f"E{n * 0.05:.2f} F".encode()) <= 1


@pytest.mark.parametrize("stale", [b"", b"ok\n", b"ok T:20 /0\nok\n", b"\xff\x00ok\n"])
@pytest.mark.parametrize("resets", [True, False])
def test_a_board_that_resets_when_its_port_is_opened_or_does_not(
    stale: bytes, resets: bool
) -> None:
    printer = Printer()
    made = Rig(Marlin(), printer)
    if not resets:
        made.core.step(0)  # it has been on for long: no banner
        made.now = 60_000
    made.driver.step(int(made.now))
    made.driver.feed(stale, int(made.now) + 1)
    if resets:
        printer.reset(made.now)
    made.begin("G28\nG1 X5 F600\n")
    assert made.end()[:2] == ("ended", True)
    assert not made.has("fault")


STRANGERS = {
    "a mill": (b"Grbl 1.1h ['$' for help]\r\nok\r\nerror:20\r\nerror:20\r\nerror:20\r\n", "GRBL"),
    "wrong baud": (bytes([0x80 + n % 100 for n in range(3000)]), "baud"),
    "wrong baud, lines": (b"\xfe\xf8\xe0\n" * 20, "baud"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_who_else_may_be_there_is_said_in_words(name: str) -> None:
    said, word = STRANGERS[name]
    driver = Marlin()
    for now in range(0, 20_000, 500):
        driver.step(now)
        driver.feed(said, now)
    told = [e[1] for e in driver.events if e[0] == "offline"]
    assert told and all(word in text for text in told)
    assert not [e for e in driver.events if e[0] == "online"]


def test_a_host_prompt_is_shown_and_taken_back() -> None:
    made = printing()
    made.core.say("//action:prompt_begin Clean the nozzle")
    made.core.say("//action:prompt_button Done")
    made.core.say("//action:prompt_show")
    made.until(lambda: made.has("need", "machine asks: Clean the nozzle [Done]"))
    made.core.say("//action:notification still dirty")
    made.core.say("//action:resumed")
    assert made.end()[:2] == ("ended", True)


def test_an_order_that_waits_for_room_holds_the_line() -> None:
    room: list[int] = []
    made = rig()
    made.idle()
    made.driver.run(streamer("G28\nG1 X1\n", lambda code: bool(room)), "label")
    made.wait(5000)
    assert made.driver.values["lines_n"] == 0
    room.append(1)
    assert made.end()[:2] == ("ended", True)

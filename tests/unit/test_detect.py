"""What a machine at a port is: asked without moving anything, proposed as settings."""

import contextlib
import json
import threading

import pytest
import yaml

from controller.adapters.site_file import read_site
from fabcommons import detecting, machine_detect
from fabcommons.cli import main
from fabcommons.detecting import BAUDS, NotDetected, interview
from fabcommons.machine_detect import Detector
from firmware import config
from simulators.host import Host, Pty, Truth
from simulators.mill import Mill, MillConfig
from simulators.printer import Printer, PrinterConfig

QUESTIONS = {b"$I\n", b"$$\n", b"M115\n"}
GRBLHAL = b"""[VER:1.1f.20220325:big one]
[OPT:VNMZHSL,35,1024,3,0]
[FIRMWARE:grblHAL]
ok
"""
SETTINGS = b"$22=1\n$30=18000.000\n$32=1\n$130=600.000\n$131=500.000\n$132=90.500\nok\n"
PRUSA = (
    b"FIRMWARE_NAME:Prusa-Firmware 3.13.0 based on Marlin FIRMWARE_URL:https://github.com/x/y "
    b"PROTOCOL_VERSION:1.0 MACHINE_TYPE:Prusa i3 MK3S EXTRUDER_COUNT:1 UUID:0\n"
    b"Cap:EMERGENCY_PARSER:0\nok\n"
)
AREA = (
    b"FIRMWARE_NAME:Marlin 2.1.2\narea:{full:{min:{x:-5.0000,y:-2.0000,z:0.0000},max:{x:225.0000,"
    b"y:225.0000,z:250.0000}},work:{min:{x:0.0000,y:0.0000,z:0.0000},"
    b"max:{x:220.0000,y:220.0000,z:250.0000}}}\nok\n"
)


class Clock:
    """Seconds, moved by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Fake:
    """A line that moves its clock: answers by a table; each read takes 0.1 s."""

    def __init__(self, answers, greeting=b"", late=0, clock=None):
        self.answers = answers
        self.asked = []
        self.closed = False
        self.clock = clock or Clock()
        self._waiting = [greeting] if greeting else []
        self._late = late  # reads before an answer comes

    def read(self):
        self.clock.now += 0.1
        return self._waiting.pop(0) if self._waiting else b""

    def write(self, data):
        self.asked.append(data)
        said = self.answers.get(data, self.answers.get("else", b""))
        if said:
            self._waiting += [b""] * self._late + [said]

    def close(self):
        self.closed = True


def told(answers, **how):
    line = Fake(answers, **how)
    found = interview(line, line.clock)
    assert set(line.asked) <= QUESTIONS
    return found


def test_a_mill_tells_travel_and_spindle():
    found = told({b"$I\n": GRBLHAL, b"$$\n": SETTINGS, b"M115\n": b"error:20\n"})
    assert (found.dialect, found.firmware, found.version) == ("grbl", "grblHAL", "1.1f.20220325")
    assert (found.volume_um, found.spindle_rpm) == ((600_000, 500_000, 90_500), 18_000)
    assert found.name == "big one"
    assert any("$32=1" in note for note in found.notes)
    assert not any("$22" in note for note in found.notes)


def test_a_mill_that_tells_no_travel_is_asked_of_people():
    found = told({b"$I\n": b"[VER:3.7 FluidNC v3.7.8:]\nok\n", b"$$\n": b"$10=1\nok\n"})
    assert (found.firmware, found.volume_um, found.spindle_rpm) == ("FluidNC", None, None)
    site = machine_detect.proposal("p", 115200, found, 1)
    lines = machine_detect.words(site)
    assert "# volume_um: [X, Y, Z]" in lines and "# spindle_rpm" in lines


def test_settings_with_words_behind_them_as_of_old_grbl():
    old = b"$130=200.000 (x max travel, mm)\n$131=100 (y)\n$132=x\nok\n"
    assert told({b"$I\n": b"[VER:0.9j:]\nok\n", b"$$\n": old}).volume_um is None


@pytest.mark.parametrize(
    ("answer", "firmware", "version", "name"),
    [
        (PRUSA, "Prusa-Firmware", "3.13.0", "Prusa i3 MK3S"),
        (b"FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.12.0-1\nok\n", "Klipper", "v0.12.0-1", ""),
        (b"ok FIRMWARE_NAME:Odd\nok\n", None, None, None),
    ],
)
def test_a_printer_tells_its_firmware(answer, firmware, version, name):
    answers = {"else": b'echo:Unknown command: "$I"\nok\n', b"M115\n": answer}
    if firmware is None:
        with pytest.raises(NotDetected, match="neither a printer nor a mill"):
            told(answers)
        return
    found = told(answers)
    assert (found.dialect, found.firmware, found.version) == ("marlin", firmware, version)
    assert (found.name, found.volume_um) == (name, None)


def test_a_printer_that_tells_its_reach():
    assert told({b"M115\n": AREA}).volume_um == (220_000, 220_000, 250_000)


@pytest.mark.parametrize("late", [0, 15, 25, 45])
def test_late_answers_are_found(late):
    """Whole with any delay below the answer's time limit; found at all with a longer one."""
    mill = told({b"$I\n": GRBLHAL, b"$$\n": SETTINGS, b"M115\n": b"error:20\n"}, late=late)
    assert mill.dialect == "grbl"
    assert late > 15 or mill.volume_um == (600_000, 500_000, 90_500)
    assert told({"else": b"ok\n", b"M115\n": PRUSA}, late=late).firmware == "Prusa-Firmware"


def test_what_is_no_machine_is_told_within_the_time_limit():
    for answers, why, limit_s in (
        ({}, "nothing answers", 13),
        ({b"$I\n": b"error:8\n", "else": b"error:8\n"}, "it is busy", 30),
        ({"else": b"echo:busy: processing\n"}, "it is busy", 30),
        ({"else": b"login: \n"}, "it last said 'login: '", 30),
    ):
        line = Fake(answers)
        with pytest.raises(NotDetected) as raised:
            interview(line, line.clock)
        assert why.strip("' ") in str(raised.value)
        assert line.clock.now < limit_s


def test_nothing_more_is_sent_where_what_arrives_cannot_be_read():
    line = Fake({"else": b"ok\n"}, greeting=bytes(range(128, 160)))
    with pytest.raises(NotDetected, match="baud"):
        interview(line, line.clock)
    assert line.asked == [] and line.clock.now < 1


def test_baud_rates_are_tried_until_one_is_right():
    opened, clock = [], Clock()

    def opener(port, baud):
        good = {b"M115\n": PRUSA, "else": b"ok\n"} if baud == 250000 else {"else": b"\xf0\x80" * 9}
        opened.append((port, baud, Fake(good, clock=clock)))
        return opened[-1][2]

    found, baud = Detector(BAUDS, 8, opener, clock).detect("COM3")
    assert (found.firmware, baud) == ("Prusa-Firmware", 250000)
    assert [(port, rate) for port, rate, _ in opened] == [("COM3", 115200), ("COM3", 250000)]
    assert all(line.closed for _, _, line in opened)


def test_all_ports_are_asked_one_by_one_and_numbered():
    mill = {b"$I\n": GRBLHAL, b"$$\n": SETTINGS}
    at = {"a": {b"M115\n": PRUSA}, "b": mill, "c": {b"M115\n": AREA}, "e": {}}

    def opener(port, baud):
        if port == "d":
            raise OSError("Could not exclusively lock port d")
        return Fake(at[port], clock=clock)

    clock = Clock()
    found, silent = Detector(BAUDS, 8, opener, clock).survey("abcde")
    assert [one["site"]["id"] for one in found] == ["printer-1", "mill-1", "printer-2"]
    assert [one["port"] for one in silent] == ["d", "e"]
    assert silent[1]["why"].count("nothing answers at") == len(BAUDS)


def test_a_port_in_use_is_left_alone():
    def opener(port, baud):
        raise OSError("Could not exclusively lock port x: [Errno 11]")

    with pytest.raises(NotDetected, match="another program uses it"):
        Detector(BAUDS, 8, opener).detect("x")


def test_a_line_that_goes_away_is_told_and_closed():
    class Gone(Fake):
        def read(self):
            raise OSError("unplugged")

    line = Gone({})
    with pytest.raises(NotDetected, match="went away: unplugged"):
        Detector(BAUDS, 8, lambda port, baud: line).detect("x")
    assert line.closed


@contextlib.contextmanager
def behind_a_terminal(machine):
    """A simulated machine behind a pseudo-terminal of this process; its name."""
    port = Pty(None)
    name = port.name
    host = Host(machine, port, 1, Truth(None, machine))
    thread = threading.Thread(target=host.run)
    thread.start()
    try:
        yield name
    finally:
        host.stop()
        thread.join(60)


def did(machine):
    """What it physically did; the lines it read are no deed."""
    return {name: value for name, value in machine.truth().items() if name != "lines"}


def run_json(capsys, *arguments):
    assert main(["machine", "detect", *arguments, "--json", "--limit-s", "60"]) == 0
    return json.loads(capsys.readouterr().out)["machines"][0]


def test_the_simulated_mill_is_made_out_and_stands_still(capsys):
    mill = Mill(MillConfig("mill", 1, True, ()))
    before = did(mill)
    with behind_a_terminal(mill) as port:
        found = run_json(capsys, port)
    assert did(mill) == before
    assert found["site"] == {
        "id": "mill-1",
        "kind": "mill",
        "link": "mqtt",
        "capability": {
            "process": ["mill"],
            "volume_um": [400_000, 300_000, 100_000],
            "spindle_rpm": 24_000,
        },
    }
    assert found["config"] == {"serial": {"port": port, "baud": 115200}, "dialect": "grbl"}


def test_the_simulated_printer_is_made_out_and_its_lines_are_a_site_file(capsys, tmp_path):
    printer = Printer(PrinterConfig(name="left: one", seed=1))
    before = did(printer)
    with behind_a_terminal(printer) as port:
        assert main(["machine", "detect", port, "--limit-s", "60"]) == 0
    assert did(printer) == before
    said = capsys.readouterr().out
    lines = said[said.index("machines:") : said.index("settings of")]
    (tmp_path / "site.yml").write_text("site: workshop\n" + lines)
    entry = read_site(tmp_path / "site.yml").machines[0]
    assert (entry.kind, entry.name, entry.capability) == (
        "printer",
        "left: one",
        {"process": ["fdm"]},
    )
    part = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    broker = {"broker": {"host": "pi"}, "flash": "x", "site": "s", "machine": "m"}
    assert config.read(json.dumps({**part, **broker}).encode())["serial"]["port"] == port
    assert "Marlin 2.1.2 at 115200 baud" in said and f"--serial {port} --baud 115200" in said


def test_words_of_a_name_cannot_break_the_yaml():
    found = detecting.Told("marlin", "X", name='a": [b # c', volume_um=(1, 2, 3))
    said = machine_detect.words(machine_detect.proposal("tcp:h:23", 115200, found, 2))
    lines = said[said.index("machines:") : said.index("settings of")]
    entry = yaml.safe_load(lines)["machines"][0]
    assert (entry["id"], entry["name"]) == ("printer-2", 'a": [b # c')
    assert entry["capability"]["volume_um"] == [1, 2, 3]
    assert "--tcp h:23" in said and "baud" not in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--tcp", "nowhere"], 2, "must be HOST:PORT"),
        (["/dev/none-such"], 1, "/dev/none-such"),
        (["--limit-s", "0", "x"], 2, "must be above 0"),
    ],
)
def test_errors_say_what_is_wrong(arguments, code, said, capsys):
    assert main(["machine", "detect", *arguments]) == code
    assert said in capsys.readouterr().err

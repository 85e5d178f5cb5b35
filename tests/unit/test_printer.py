"""The simulated printer: truth, planner, faults, determinism."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from protocols import marlin
from simulators.printer import Printer, PrinterConfig

HEAT = ("M104 S200", "M109 S200", "G28", "M83")


def hot(sims: ModuleType, *faults: str, **more: Any) -> Any:
    host = sims.PrintHost(Printer(PrinterConfig(faults=faults, **more)))
    for line in HEAT:
        host.do(line)
    host.lines.clear()
    return host


def high(host: Any) -> Any:
    return host.core.truth()["extruded_nm_by_tool"]


def test_truth_is_the_high_water_of_filament(sims: ModuleType) -> None:
    host = hot(sims)
    for line in ("G1 X10 E5 F3000", "G1 E-2", "G1 X20", "G1 E2", "G1 X30 E1.5", "M400"):
        host.do(line)
    assert high(host) == [6_500_000]
    for line in ("G1 E-3", "G1 E1", "G1 E2"):
        host.do(line)
        host.do("M400")
        assert high(host) == [6_500_000]
    # the second program begins with its own G92, the spool does not forget
    for line in ("G1 E-3", "M82", "G92 E0", "M117 two", "G1 E4 F300", "M400"):
        host.do(line)
    assert high(host) == [7_500_000]
    assert host.core.truth()["net_nm_by_tool"] == [7_500_000]
    assert host.core.truth()["programs"] == [{"label": "two", "lines": 2}]


def test_truth_counts_what_was_moved_not_what_was_sent(sims: ModuleType) -> None:
    host = hot(sims)
    host.do("G1 X100 E10 F600")
    assert high(host) == [0]
    host.wait(5100)
    host.do("M410")
    assert 4_000_000 < high(host)[0] < 5_000_000
    host.wait(60_000)
    assert 4_000_000 < high(host)[0] < 5_000_000


def test_flow_and_modes(sims: ModuleType) -> None:
    host = hot(sims)
    for line in ("M221 S150", "G1 E2 F300", "M221 S100", "G90", "G1 E1", "G91", "G1 E1", "M400"):
        host.do(line)
    # G90 made E absolute again: G1 E1 goes back from 2 to 1
    assert host.core.truth()["net_nm_by_tool"] == [3_000_000]


def test_two_tools(sims: ModuleType) -> None:
    host = hot(sims, tools=2)
    host.do("M109 T1 S200")
    for line in ("G1 E2 F300", "T1", "G1 E3", "T0", "G1 E1", "M400"):
        host.do(line)
    assert high(host) == [3_000_000, 3_000_000]


def test_ok_waits_for_room_in_the_planner(sims: ModuleType) -> None:
    host = hot(sims)
    free: list[int] = []
    for i in range(1, 20):
        said = host.do(f"G1 X{i * 10} F600")
        free.append(marlin.parse_reply(said[-1].encode())[2])
    assert free[:15] == list(range(14, -1, -1))
    assert free[15:] == [0] * 4
    assert "echo:busy: processing" not in free
    assert host.at > 1000


def test_moves_take_the_time_physics_asks_for(sims: ModuleType) -> None:
    host = hot(sims)
    host.do("M204 T1000")
    host.do("G1 X0 F6000")
    began = host.at
    host.do("G1 X100")
    host.do("M400")
    # 100 mm at 100 mm/s with 1000 mm/s2: 1 s and one ramp of 0.1 s, and the wait for look-ahead
    assert host.at - began == pytest.approx(1100 + 100, abs=2)


def test_a_corner_is_taken_slower_than_a_straight(sims: ModuleType) -> None:
    def took(*lines: str) -> float:
        host = hot(sims)
        began = host.at
        for line in (*lines, "M400"):
            host.do(line)
        return host.at - began

    straight = took("G1 X50 F6000", "G1 X100")
    corner = took("G1 X50 F6000", "G1 Y50")
    back = took("G1 X50 F6000", "G1 X0")
    assert straight < corner <= back


def test_dropped_ok_is_silence(sims: ModuleType) -> None:
    host = hot(sims, "drop_ok:6")
    host.do("M105")
    host.n += 1
    host.send(marlin.frame(host.n, "G1 X1 F600"))
    assert host.lines == []
    # the same line again is refused, and says that it was taken
    host.send(marlin.frame(host.n, "G1 X1 F600"))
    assert host.lines[1] == f"Resend: {host.n + 1}"
    assert host.core.truth()["faults"] == ["drop_ok:6"]


def test_damaged_line_is_asked_for_again(sims: ModuleType) -> None:
    host = hot(sims, "bad_checksum:5")
    host.do("M105")
    host.n += 1
    host.send(marlin.frame(host.n, "G1 X1 F600"))
    assert host.lines[:2] == [
        f"Error:checksum mismatch, Last Line: {host.n - 1}",
        f"Resend: {host.n}",
    ]


def test_stall(sims: ModuleType) -> None:
    host = hot(sims, "stall:5:7s")
    host.do("M105")
    began = host.at
    host.do("M105")
    assert host.at - began == pytest.approx(7000)


def test_runout_needs_a_person(sims: ModuleType) -> None:
    host = hot(sims, "runout:10mm")
    host.do("G1 X50 E12 F600")
    host.n += 1
    host.send(marlin.frame(host.n, "M400"))
    said = host.until("//action:out_of_filament", "ok")
    assert said[-1] == "//action:out_of_filament T0"
    host.until("ok")
    host.until("echo:busy: paused for user")
    host.core.press(host.at)
    host.until("//action:prompt_button PurgeMore")
    host.core.press(host.at)
    host.until("//action:resumed")
    host.do("M105")
    assert host.core.truth()["purged_nm_by_tool"] == [50_000_000]
    assert high(host) == [12_000_000]


def test_thermal_fault_kills(sims: ModuleType) -> None:
    host = hot(sims, "thermal:200s")
    host.wait(300_000)
    assert "Error:Thermal Runaway, system stopped! Heater_ID: 0" in host.lines
    assert "Error:Printer halted. kill() called!" in host.lines
    host.lines.clear()
    host.send(b"M105\n")
    host.wait(10_000)
    assert host.lines == []
    host.core.reset(host.at)
    host.wait(1000)
    assert host.lines[0] == "start"
    host.send(b"M105\n")
    assert host.lines[-1].startswith("ok")


def test_reset_in_a_job_forgets_the_line_numbers(sims: ModuleType) -> None:
    host = hot(sims, "reset:6")
    host.do("G1 X100 E5 F600")
    host.send(marlin.frame(host.n + 1, "M400"))
    assert high(host)[0] < 1_000_000
    host.send(marlin.frame(host.n + 2, "M105"))
    assert host.lines == []  # lost while it starts
    host.wait(1000)
    assert host.lines[0] == "start"
    host.lines.clear()
    host.send(marlin.frame(host.n + 2, "M105"))
    assert host.lines[1] == "Resend: 1"


def test_unplugged(sims: ModuleType) -> None:
    host = hot(sims, "unplug:5:3s")
    host.send(b"M105\n")
    host.lines.clear()
    host.send(b"M105\n")
    host.wait(3100)
    host.send(b"M105\n")
    assert len(host.lines) == 1


def noisy(seed: int) -> tuple[bytes, Any]:
    faults = ("rx_flip:0.01", "tx_drop:0.01", "bad_checksum:0.05")
    printer = Printer(PrinterConfig(seed=seed, faults=faults))
    out = b""
    for n in range(1, 300):
        printer.feed(marlin.frame(n % 7, "G1 X1 F600"), n * 50.0)
        out += printer.step(n * 50.0 + 25)
    return out, printer.truth()


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert noisy(3) == noisy(3)
    assert noisy(3) != noisy(4)


def test_receive_buffer_is_bounded(sims: ModuleType) -> None:
    host = sims.Wire(Printer())
    host.send(b"G4 S10\n")
    host.lines.clear()
    host.send(b"M105\n" * 100)
    host.wait(11_000)
    assert sum(line.startswith("ok") for line in host.lines) == 1 + 128 // 5


def test_bad_fault_says_what_is_wrong() -> None:
    for text, part in (("melt:3", "no such fault"), ("stall:x", "WHEN"), ("rx_drop:7", "ratio")):
        with pytest.raises(ValueError, match=part):
            Printer(PrinterConfig(faults=(text,)))

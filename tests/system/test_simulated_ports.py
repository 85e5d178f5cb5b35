"""Simulated machines as processes: pseudo-terminal, TCP, truth file, signals, help."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from protocols import marlin
from simulators.__main__ import main

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.system


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "simulators", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            assert process.wait(10) == 0


def test_printer_behind_a_terminal(tmp_path: Path) -> None:
    link, truth = tmp_path / "printer", tmp_path / "truth.json"
    options = ("printer", "--link", str(link), "--truth", str(truth), "--time-scale", "600")
    with running(*options) as (process, name):
        assert str(link.resolve()) == name
        with serial.Serial(str(link), 115200, timeout=60) as port:
            for n, line in enumerate(["M109 S200", "M83", "G1 E5 F300", "M400"], 1):
                port.write(marlin.frame(n, line))
                while not (said := port.readline()).startswith(b"ok"):
                    assert said
            process.send_signal(signal.SIGUSR1)
            assert port.readline() == b"start\n"
    assert json.loads(truth.read_text())["extruded_nm_by_tool"] == [5_000_000]
    assert not link.exists()
    assert list(tmp_path.iterdir()) == [truth]


def test_mill_behind_tcp() -> None:
    with running("mill", "--tcp", "0") as (_, name):
        host, port = name.split(":")[1:]
        for _ in range(2):  # a second host takes over
            with socket.create_connection((host, int(port)), 10) as wire:
                wire.sendall(b"?$G\n")
                said = b""
                while b"ok\r\n" not in said:
                    part = wire.recv(4096)
                    assert part
                    said += part
                assert b"<Idle|MPos:0.000,0.000,0.000" in said


def test_an_idle_machine_sleeps() -> None:
    with running("mill", "--tcp", "0", "--time-scale", "60") as (process, _):
        stat = Path(f"/proc/{process.pid}/stat")
        before = [int(t) for t in stat.read_text().split()[13:15]]
        deadline = time.monotonic() + 1.0
        with socket.socket() as nobody:
            nobody.settimeout(1.0)
            with contextlib.suppress(OSError):
                nobody.bind(("127.0.0.1", 0))
                nobody.listen()
                nobody.accept()
        assert time.monotonic() >= deadline - 0.1
        after = [int(t) for t in stat.read_text().split()[13:15]]
        assert sum(after) - sum(before) <= 3  # hundredths of a second of CPU in one second


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["printer", "--faults", "melt:3"], "no such fault"),
        (["printer", "--time-scale", "0"], "a number above 0"),
        (["lathe"], "invalid choice"),
    ],
)
def test_bad_command_lines(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


def test_help_shows_examples_and_faults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert "examples:" in said and "runout" in said and "--time-scale" in said

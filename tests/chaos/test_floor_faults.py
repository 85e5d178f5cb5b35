"""Whole floors of real processes with faults and kills, judged by what the machines did."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from controller.adapters.broker import find_mosquitto, free_port

pytestmark = pytest.mark.system
LIMIT_S = 240


def test_faults_and_kills_start_nothing_twice_and_lose_nothing(tmp_path: Path) -> None:
    broker = "mosquitto" if find_mosquitto() else "amqtt"
    command = [sys.executable, "-m", "fabcommons", "demo", "--until-done", "--json"]
    command += ["--http", f"127.0.0.1:{free_port()}", "--folder", str(tmp_path)]
    command += ["--broker", broker, "--faults", "light", "--seed", "1", "--time-scale", "120"]
    command += ["--needs", "3", "--printers", "2", "--mills", "1", "--cells", "0"]
    done = subprocess.run(
        [*command, "--timeout", str(LIMIT_S - 40)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stderr
    summary = json.loads(done.stdout)
    assert summary["findings"] == [], done.stderr
    assert done.returncode == 0
    assert summary["delivered"] == summary["needs"] == 3
    assert done.stderr.count("killed: ") >= 2

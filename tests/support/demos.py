"""Runs the demo to its end as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.broker import find_mosquitto, free_port

LIMIT_S = 280


def demo(folder: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run a demo to its end: exit code, summary, what it said."""
    command = [sys.executable, "-m", "fabcommons", "demo", "--until-done", "--json"]
    command += ["--http", f"127.0.0.1:{free_port()}", "--folder", str(folder)]
    done = subprocess.run(
        [*command, "--timeout", str(LIMIT_S - 30), *options],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    summary = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return done.returncode, summary, done.stderr


def need_broker(kind: str) -> None:
    """Skip where mosquitto is missing, fail where it must be there."""
    if kind == "mosquitto" and find_mosquitto() is None:
        reason = "mosquitto is not installed (make servers)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def check_main_job(broker: str, folder: Path, *options: str) -> dict[str, Any]:
    """Four needs become parts and the ledger is the truth; the summary."""
    need_broker(broker)
    small = ("--needs", "4", "--printers", "2", "--mills", "1", "--seed", "5")
    code, summary, said = demo(
        folder, "--broker", broker, "--firmware", "micropython", *small, *options
    )
    assert summary.get("findings") == [], said
    assert code == 0
    assert f"broker: {broker}" in said
    assert summary["delivered"] == summary["needs"] == 4
    held = summary["round"]
    assert held["ballots"] == 37 and held["accepted"] + held["urgent"] == 4
    assert held["findings"] == []
    assert summary["material"]
    for line in summary["material"]:
        assert line["physical_mg"] == line["ledger_mg"]
        assert line["uncertain_mg"] == 0
    return summary

"""What the values of a robot and a machine mean for taking an order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from controller.adapters.opcua import condition
from protocols.telemetry import split


def check(values: dict[str, Any], state: str, words: str) -> None:
    found = condition.read(values)
    assert condition.machine_state(found) == state
    assert condition.blocking(found) == words
    assert len(words.encode()) <= 80  # fits up/state's need


@pytest.mark.parametrize(
    ("values", "state", "words"),
    [
        ({}, "", ""),
        ({"OperationalMode": 3, "MachineryItemState": 2, "MachineryOperationMode": 3}, "", ""),
        (
            {"EmergencyStop": True, "ProtectiveStop": True},
            "fault",
            "emergency stop active: look at the cell, reset it there",
        ),
        ({"ProtectiveStop": True}, "paused", "protective stop active: look at the cell"),
        ({"OperationalMode": 1}, "maintenance", "robot in manual mode: set it to automatic"),
        ({"OperationalMode": 0}, "", ""),
        ({"MachineryItemState": 1}, "maintenance", "the cell says OutOfService"),
        (
            {"MachineryItemState": SimpleNamespace(Text="NotAvailable")},
            "maintenance",
            "the cell says NotAvailable",
        ),
        ({"MachineryItemState": "Nonsense"}, "", ""),
        ({"MachineryOperationMode": 2}, "maintenance", "the cell is in Setup"),
    ],
)
def test_what_blocks(values: dict[str, Any], state: str, words: str) -> None:
    check(values, state, words)


def test_only_what_is_said_is_measured() -> None:
    assert condition.measured(condition.read({})) == {"estop_n": 0, "pstop_n": 0}
    values = {"SpeedOverride": 62.5, "OnPath": True, "TaskProgramLoaded": False}
    measured = condition.measured(condition.read(values))
    assert measured["speed_ppm"] == 625_000
    assert (measured["on_path_n"], measured["program_n"]) == (1, 0)
    assert split(measured) == (measured, [])  # all of it is in the field registry


@pytest.mark.parametrize("speed", [None, "fast", -1.0, 1e9, float("nan")])
def test_nonsense_speed_is_not_said(speed: Any) -> None:
    assert condition.read({"SpeedOverride": speed}).speed_ppm == -1

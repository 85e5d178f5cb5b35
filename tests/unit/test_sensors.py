"""Sensors beside a machine: raw readings in, measured values and events out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from firmware import config
from firmware.sensors import Sensors
from protocols.errors import WireError
from protocols.telemetry import split


def sensors(**settings: Any) -> Sensors:
    return Sensors([{"pin": "4", **settings}])


def test_a_runout_switch_is_believed_when_it_is_steady() -> None:
    made = sensors(kind="runout", ch=1)
    for now, level in ((0, 0), (100, 1), (300, 0), (400, 1), (800, 1)):
        made.feed(0, level, now)
    assert made.events == []  # it bounced
    made.feed(0, 1, 900)
    made.feed(0, 1, 2000)
    assert made.events == [("runout", 1)]  # once
    made.feed(0, 0, 3000)
    made.feed(0, 1, 4000)
    made.feed(0, 1, 4600)
    assert len(made.events) == 2


def test_an_encoder_measures_and_sees_filament_that_does_not_follow() -> None:
    made = sensors(kind="encoder", um_per_pulse=2880)
    made.feed(0, 100, 0)
    made.push([10_000])
    made.feed(0, 103, 10)
    assert made.values() == {"filament_um": 8640} and made.events == []
    made.push([30_000])
    made.feed(0, 103, 20)
    made.feed(0, 103, 30)
    assert made.events == [("slip", 0)]
    made.feed(0, 110, 40)
    made.push([60_000])
    made.feed(0, 110, 50)
    assert len(made.events) == 2


def test_a_scale_takes_the_median_and_drops_what_cannot_be() -> None:
    made = sensors(kind="scale", zero=1000, ug_per_count=500)
    for raw in (3000, 3010, 0x7FFFFF, 2**25, 9000, 0x800000, 2990):
        made.feed(0, raw, 0)
    assert made.values() == {}
    made.feed(0, 3005, 0)
    assert made.values() == {"spool_mg": (3005 - 1000) * 500 // 1000}
    for _ in range(5):
        made.feed(0, 2**24 - 5000, 0)  # below zero: lifted
    assert made.values() == {"spool_mg": 0}
    assert made._all[0].refused_n == 3


def test_an_energy_meter_counts_over_a_reset_of_its_counter() -> None:
    made = sensors(kind="energy", pulses_per_kwh=1000)
    made.feed(0, 50, 0)
    made.feed(0, 52, 36_000)
    assert made.values() == {"energy_mwh": 2000, "power_mw": 200_000}
    made.feed(0, 0, 40_000)
    made.feed(0, 1, 76_000)
    assert made.values() == {"energy_mwh": 3000, "power_mw": 100_000}


def test_everything_measured_is_in_the_field_registry() -> None:
    made = Sensors(
        [{"pin": "1", "kind": kind} for kind in ("encoder", "scale", "energy", "runout")]
    )
    for number, raw in ((0, 1), (1, 5), (1, 5), (1, 5), (1, 5), (1, 5), (2, 7)):
        made.feed(number, raw, 0)
    good, refused = split(made.values())
    assert sorted(good) == ["energy_mwh", "filament_um", "power_mw", "spool_mg"] and not refused


SETTINGS: dict[str, Any] = {
    "site": "s",
    "machine": "m",
    "broker": {"host": "h"},
    "serial": {"port": "p"},
    "dialect": "marlin",
    "flash": "f",
}


def test_sensors_are_set_up_in_the_settings_of_the_machine() -> None:
    wanted = [{"kind": "scale", "pin": "16,17", "zero": -400, "ug_per_count": 512}]
    read = config.read(json.dumps({**SETTINGS, "sensors": wanted}).encode())
    assert Sensors(read["sensors"]).channels == [0]
    with pytest.raises(WireError) as error:
        config.read(json.dumps({**SETTINGS, "sensors": [{"kind": "nose", "pin": "1"}]}).encode())
    assert "kind" in str(error.value)

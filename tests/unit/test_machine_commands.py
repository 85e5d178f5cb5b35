"""The command's verbs for machines: what they write, and what they say when something is wrong."""

import argparse
import json
from pathlib import Path

import pytest

from fabcommons import machine_enrol, settings_files
from fabcommons.cli import main
from fabcommons.firmware_files import BASE
from fabcommons.image import ANY, build
from firmware import config

TOLD = {"site": "workshop", "machine": "printer-1", "broker": {"host": "", "port": 8883}}


def options(tmp_path, **given):
    base = {"tcp": None, "serial": "/dev/ttyUSB0", "baud": 250000, "dialect": "marlin"}
    base |= {"usb": None, "url": "http://pi.local:8010", "folder": tmp_path, "update_key": None}
    return argparse.Namespace(**{**base, **given})


def told():
    return json.loads(json.dumps(TOLD))


def test_what_the_site_told_is_completed_where_the_machine_is(tmp_path):
    made = machine_enrol.complete(options(tmp_path), told())
    assert made["broker"]["host"] == "pi.local"
    path = tmp_path / "printer-1.json"
    settings_files.write(path, made)
    assert path.stat().st_mode & 0o077 == 0
    assert config.load(str(path))["serial"] == {"port": "/dev/ttyUSB0", "baud": 250000}


def test_a_board_gets_loader_slot_and_settings_last(tmp_path):
    key = tmp_path / "wifi"
    key.write_text("secret words\n")
    board = {"usb": "/dev/ttyACM0", "pins": "esp32-s3", "wifi": "shop", "wifi_key_file": key}
    settings = machine_enrol.complete(options(tmp_path, **board, update_key="ab" * 64), told())
    asked = []
    flash = tmp_path / "flash"
    flash.mkdir()
    machine_enrol.flash_board("/dev/ttyACM0", settings, flash, asked.append)
    copied = [Path(words[-2]).name for words in asked[:-1]]
    assert copied == ["a", "slots.py", "flash.py", "main.py", "config.json"]
    assert asked[-1] == ["connect", "/dev/ttyACM0", "reset"]
    slot = {str(path.relative_to(flash / "a")) for path in (flash / "a").rglob("*.*")}
    assert slot == set(build(ANY).files)
    assert all((flash / name).is_file() for name in BASE)
    read = config.load(str(flash / "config.json"))
    assert (read["wifi"]["password"], read["update"]["root"]) == ("secret words", "")


def wrong():
    yield ["machine", "enrol"], "name a machine to make a code for, or --code"
    yield ["machine", "enrol", "--code", "K7QF2M9XTB"], "--dialect marlin or --dialect grbl"
    yield ["machine", "enrol", "--code", "X", "--dialect", "grbl"], "--serial, --tcp or --usb"
    yield ["machine", "run", "--folder", "{tmp}"], "holds no machine; make one with"
    yield ["machine", "run", "a", "--site", "x"], "go together"
    yield ["firmware", "build", "--version", "1", "--out", "{tmp}/x"], "--version 1: must be three"
    yield ["firmware", "sign", "{tmp}", "--key", "{tmp}/none.pem"], "fabcommons firmware keygen"


@pytest.mark.parametrize(("words", "said"), list(wrong()))
def test_errors_say_what_to_do(words, said, tmp_path, capsys):
    assert main([word.format(tmp=tmp_path) for word in words]) == 2
    assert said in capsys.readouterr().err


def test_settings_that_are_wrong_name_file_and_field(tmp_path, capsys):
    good = machine_enrol.complete(options(tmp_path), told())
    (tmp_path / "m.json").write_text(json.dumps({**good, "dialect": "klingon"}))
    assert main(["machine", "run", "m", "--folder", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "m.json" in said and "dialect" in said


def test_two_machines_cannot_have_one_port(tmp_path, capsys):
    good = machine_enrol.complete(options(tmp_path), told())
    settings_files.write(tmp_path / "one.json", good)
    settings_files.write(tmp_path / "two.json", {**good, "machine": "printer-2"})
    assert main(["machine", "run", "--folder", str(tmp_path)]) == 2
    assert "serial.port /dev/ttyUSB0" in capsys.readouterr().err


def test_a_key_is_never_overwritten(tmp_path, capsys):
    path = tmp_path / "key.pem"
    assert main(["firmware", "keygen", str(path)]) == 0
    assert path.stat().st_mode & 0o077 == 0
    before = path.read_bytes()
    assert main(["firmware", "keygen", str(path)]) == 2
    assert path.read_bytes() == before
    assert "PRIVATE" not in capsys.readouterr().out

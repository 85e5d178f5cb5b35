"""Several machines in one process, and a serial line that is unplugged and plugged in again."""

import asyncio
import itertools
import json

import pytest

from fabcommons import machine_run
from fabcommons.cli import main
from firmware import config, start
from firmware.app import Platform

TWO = ["machine", "run", "p-1", "p-2", "--site", "s", "--serial", "/dev/a", "--serial", "/dev/b"]


def test_each_serial_port_is_a_machine_of_one_process(tmp_path, monkeypatch):
    seen = {}

    def run(folder, names):
        for name in names:
            settings = config.load(str(folder / f"{name}.json"))
            seen[name] = (settings["serial"]["port"], settings["flash"])
        return 0

    monkeypatch.setattr(machine_run, "run", run)
    assert main([*TWO, "--dialect", "marlin", "--flash", str(tmp_path)]) == 0
    assert seen == {
        "p-1": ("/dev/a", str(tmp_path / "p-1")),
        "p-2": ("/dev/b", str(tmp_path / "p-2")),
    }


@pytest.mark.parametrize(
    "arguments", [TWO, [*TWO[:2], *TWO[3:], "--dialect", "marlin"], [*TWO[:6], "--tcp", "h:1"]]
)
def test_what_does_not_go_together_is_said(arguments, capsys):
    assert main(arguments) == 2
    assert "--" in capsys.readouterr().err


class Plug:
    """A serial line that is pulled out; two tries later it is there again."""

    def __init__(self):
        self.opened = 0
        self.is_back = asyncio.Event()

    def open(self, settings):
        self.opened += 1
        if self.opened in (2, 3):
            raise OSError(2, "no such device")
        return self

    async def read(self):
        if self.opened == 1:
            raise OSError("line was closed")
        self.is_back.set()
        await asyncio.Event().wait()

    def write(self, data):
        pass

    def close(self):
        pass


def test_a_line_that_was_unplugged_is_taken_up_again(tmp_path, monkeypatch):
    monkeypatch.setattr("firmware.app.REOPEN_S", 0.01)

    async def life():
        plug = Plug()
        numbers = itertools.count(1)
        platform = Platform(lambda: next(numbers), lambda: f"i{next(numbers)}", plug.open, "test")
        settings = {
            "site": "s",
            "machine": "m",
            "broker": {"host": "127.0.0.1", "port": 1},
            "serial": {"port": "/dev/x"},
            "dialect": "marlin",
            "flash": str(tmp_path),
        }
        app = start.app(config.read(json.dumps(settings).encode()), platform)
        running = asyncio.create_task(app.run())
        await asyncio.wait_for(plug.is_back.wait(), 60)
        assert plug.opened == 4
        assert "serial line" in app.agent.need
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(life())

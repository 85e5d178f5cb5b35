"""Writer and database killed at random under load: what was acknowledged is all there.

``FAB_KILLS`` kills (4 by default) at 2,000 lines/s, on 1.x for real and on /api/v2/write through a
shim in front of the same engine.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.influx import Address, Client, InfluxSink, Limits
from support.influx import Faults, Influxd, Shim
from support.waiting import until

KILLS = int(os.environ.get("FAB_KILLS", "4"))
WRITER = Path(__file__).resolve().parents[1] / "support" / "lines_writer.py"
SMOKE = Path(__file__).resolve().parents[2] / "scripts" / "smoke-influx"
PER_S = "2000"


class Writer:
    """The writer's process, started anew after each kill."""

    def __init__(self, url: str, api: str, folder: Path) -> None:
        self._words = [url, api, str(folder / "sink"), str(folder / "acked"), PER_S]
        self.acked = folder / "acked"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, str(WRITER), *self._words])

    def count(self) -> int:
        """Lines acknowledged; a last number that was torn is not."""
        text = self.acked.read_text() if self.acked.exists() else ""
        whole = text[: text.rfind("\n") + 1].split()
        return int(whole[-1]) + 1 if whole else 0

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(30)
        if self.acked.exists():
            text = self.acked.read_text()
            self.acked.write_text(text[: text.rfind("\n") + 1])


@pytest.fixture
def influxd(tmp_path: Path) -> Iterator[Influxd]:
    server = Influxd(tmp_path / "influxd")
    server.ask("CREATE DATABASE fab")
    yield server
    server.close()


def torment(writer: Writer, influxd: Influxd) -> int:
    """Kill the writer, and the database half the time before or after; lines acknowledged."""
    dice = random.Random(7)
    for _ in range(KILLS):
        more = writer.count() + dice.randrange(200, 2000)
        until(lambda more=more: writer.count() >= more, 90)
        for victim in dice.sample((influxd, writer, influxd), 2):
            victim.kill()
            victim.start()
    last = writer.count() + 500
    until(lambda: writer.count() >= last, 90)
    return writer.count()


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_what_was_acknowledged_is_all_there(influxd: Influxd, tmp_path: Path, api: str) -> None:
    shim = Shim(influxd.url)
    url = shim.url if api == "v2" else influxd.url
    writer = Writer(url, api, tmp_path)
    try:
        torment(writer, influxd)
    finally:
        writer.kill()
    acked = writer.count()
    v2 = Address(url, "v2", bucket="fab", org="-", token="t")
    address = v2 if api == "v2" else Address(url, "v1", database="fab")
    rest = InfluxSink(Client(address), tmp_path / "sink", Limits(64_000_000, 0.02, 0.2))
    until(lambda: rest.state().waiting_bytes == 0, 90)
    rest.close()
    shim.close()
    there = {int(row[1]) for row in influxd.ask("SELECT nozzle_mc FROM machine")}
    assert acked > KILLS * 200
    assert set(range(acked)) - there == set()
    assert not (tmp_path / "sink" / "rejected.log").exists()


REFUSALS: dict[str, tuple[int, bytes]] = {
    "2.x, bad line": (
        400,
        b'{"code":"invalid","message":"unable to parse \'x\': missing fields"}',
    ),
    "2.x, field type": (
        422,
        b'{"code":"unprocessable entity","message":"failure writing points: field type conflict"}',
    ),
    "3.x, bad line": (
        400,
        b'{"error":"partial write of line protocol occurred","data":[{"error_message":"Expected'
        b' at least one space character","line_number":1,"original_line":"x"}]}',
    ),
}
WRONG: dict[str, tuple[int, bytes]] = {
    "2.x, token": (401, b'{"code":"unauthorized","message":"unauthorized access"}'),
    "2.x, bucket": (404, b'{"code":"not found","message":"bucket \\"fab\\" not found"}'),
    "3.x, token": (403, b'{"error":"the request was not authorized"}'),
}


@pytest.fixture
def faults() -> Iterator[Faults]:
    server = Faults()
    yield server
    server.close()


def sink_of(faults: Faults, folder: Path) -> InfluxSink:
    address = Address(faults.url, "v2", bucket="fab", org="o", token="t")
    return InfluxSink(Client(address), folder, Limits(1_000_000, 0.02, 0.1))


@pytest.mark.parametrize("kind", sorted(REFUSALS))
def test_a_refusal_of_2_and_3_costs_the_bad_line_alone(
    faults: Faults, tmp_path: Path, kind: str
) -> None:
    status, faults.body = REFUSALS[kind]
    faults.say = lambda lines: status if "bad" in lines else 204
    sink = sink_of(faults, tmp_path)
    good: list[Any] = [f"machine,id=p v={n} {n}" for n in range(1, 65)]
    sink.write([*good[:40], "bad", *good[40:]])
    until(lambda: sink.state().waiting_bytes == 0, 60)
    state = sink.state()
    sink.close()
    assert sorted(faults.stored) == sorted(good)
    assert (state.sent, state.rejected, state.dropped) == (64, 1, 0)
    assert "bad" in (tmp_path / "rejected.log").read_text()


@pytest.mark.parametrize("kind", sorted(WRONG))
def test_wrong_settings_keep_everything_and_tell_the_servers_words(
    faults: Faults, tmp_path: Path, kind: str
) -> None:
    status, faults.body = WRONG[kind]
    faults.say = lambda lines: status
    sink = sink_of(faults, tmp_path)
    sink.write(["machine,id=p v=1 1"])
    until(lambda: sink.state().state == "misconfigured", 60)
    assert str(status) in sink.state().error
    faults.say = lambda lines: 204
    until(lambda: sink.state().sent == 1, 60)
    sink.close()
    assert (sink.state().rejected, sink.state().dropped) == (0, 0)


def test_the_smoke_script_finds_what_it_wrote(influxd: Influxd) -> None:
    def tried(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(SMOKE), "--url", influxd.url, "--database", name]
        return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)

    done = tried("fab")
    assert (done.returncode, done.stdout) == (0, "1000 of 1000 points came back\n"), done.stderr
    missing = tried("nowhere")
    assert missing.returncode == 1
    assert "misconfigured" in missing.stderr


def test_a_shim_refuses_what_1_8_refuses(influxd: Influxd) -> None:
    shim = Shim(influxd.url)
    client = Client(Address(shim.url, "v2", bucket="nowhere", org="-", token="t"))
    assert client.post(["machine,id=p v=1 1"]).kind == "misconfigured"
    shim.close()

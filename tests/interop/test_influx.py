"""The copy of telemetry against a real InfluxDB 1.6, and against every way a server can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.influx import Address, Client, InfluxSink, Limits
from protocols.telemetry import line
from support.influx import Faults, Influxd
from support.waiting import until

QUICK = Limits(first_wait_s=0.02, most_wait_s=0.1)
T0 = 1_790_000_000_000


@pytest.fixture
def influxd(tmp_path: Path) -> Iterator[Influxd]:
    server = Influxd(tmp_path / "influxd")
    server.ask("CREATE DATABASE fab")
    yield server
    server.close()


@pytest.fixture
def faults() -> Iterator[Faults]:
    server = Faults()
    yield server
    server.close()


@pytest.fixture
def open_sink(tmp_path: Path) -> Iterator[Callable[..., InfluxSink]]:
    """Open sinks on one folder; all are closed at the end."""
    opened: list[InfluxSink] = []

    def make(url: str, limits: Limits = QUICK, **more: Any) -> InfluxSink:
        address = Address(url, "v1", database="fab", **more)
        opened.append(InfluxSink(Client(address), tmp_path / "sink", limits))
        return opened[-1]

    yield make
    for sink in opened:
        sink.close()


def points(first: int, count: int) -> list[str]:
    return [
        line("lab", "p-1", "printer", T0 + n, {"nozzle_mc": n}) for n in range(first, first + count)
    ]


def test_lines_arrive_as_they_were(influxd: Influxd, open_sink: Any) -> None:
    sink = open_sink(influxd.url)
    values = {"nozzle_mc": 215_000, "bed_mc": -50_000, "heap_free_b": 2**40}
    sink.write([line("lab", "p-1", "printer", T0, values)])
    until(lambda: sink.state().sent == 1, 20)
    rows = influxd.ask("SELECT bed_mc, heap_free_b, id, kind, nozzle_mc, site FROM machine")
    assert rows == [[T0, -50_000, 2**40, "p-1", "printer", 215_000, "lab"]]
    until(lambda: sink.state().waiting_bytes == 0, 20)
    assert sink.state() == ("ok", 1, 0, 0, 0, "")


def test_a_killed_server_misses_nothing_that_was_acknowledged(
    influxd: Influxd, open_sink: Any
) -> None:
    sink = open_sink(influxd.url)
    for n in range(100):
        if n in (30, 70):
            influxd.kill()
        if n in (50, 90):
            influxd.start()
        sink.write(points(n * 100, 100))
        if n in (20, 60):
            until(lambda: sink.state().sent > 0, 20)
        if n == 40:
            until(lambda: sink.state().state == "down", 20)
    until(lambda: sink.state().waiting_bytes == 0, 30)
    assert influxd.count() == 10_000
    assert (sink.state().state, sink.state().dropped, sink.state().rejected) == ("ok", 0, 0)


def test_what_is_on_disk_is_sent_after_a_restart(influxd: Influxd, open_sink: Any) -> None:
    influxd.kill()
    sink = open_sink(influxd.url)
    sink.write(points(0, 500))
    until(lambda: sink.state().state == "down", 20)
    sink.close()
    influxd.start()
    again = open_sink(influxd.url)
    until(lambda: again.state().sent == 500, 20)
    assert influxd.count() == 500


def test_poison_is_put_aside_and_the_rest_arrives(
    influxd: Influxd, open_sink: Any, tmp_path: Path
) -> None:
    sink = open_sink(influxd.url)
    sink.write(points(0, 1))
    until(lambda: sink.state().sent == 1, 20)
    conflict = f'machine,id=p-1,kind=printer,site=lab nozzle_mc="hot" {T0 + 7}'
    sink.write([*points(1, 300), "no line at all", *points(301, 300), conflict])
    until(lambda: sink.state().waiting_bytes == 0, 20)
    assert influxd.count() == 601
    assert (sink.state().sent, sink.state().rejected) == (601, 2)
    log = (tmp_path / "sink" / "rejected.log").read_text()
    assert "no line at all" in log
    assert "field type conflict" in log


def test_a_missing_database_or_password_loses_nothing(tmp_path: Path, open_sink: Any) -> None:
    server = Influxd(tmp_path / "influxd", auth=True)
    server.login("fab", "right")
    try:
        wrong = open_sink(server.url, user="fab", password="wrong")
        wrong.write(points(0, 10))
        until(lambda: wrong.state().state == "misconfigured", 20)
        assert wrong.state().error.startswith("401")
        wrong.close()
        right = open_sink(server.url, user="fab", password="right")
        until(lambda: right.state().error.startswith("404"), 20)
        server.ask("CREATE DATABASE fab")
        until(lambda: right.state().sent == 10, 20)
        assert (server.count(), right.state().state) == (10, "ok")
    finally:
        server.close()


@pytest.mark.parametrize(
    ("status", "state"),
    [(401, "misconfigured"), (403, "misconfigured"), (404, "misconfigured"),
     (429, "down"), (500, "down"), (503, "down"), (0, "down")],
)  # fmt: skip
def test_every_failure_is_named_and_survived(
    faults: Faults, open_sink: Any, status: int, state: str
) -> None:
    faults.say = lambda lines: status
    sink = open_sink(faults.url, timeout_s=0.3)
    sink.write(points(0, 20))
    until(lambda: sink.state().state == state, 20)
    sink.write(points(20, 20))
    until(lambda: faults.posts > 2, 20)
    assert sink.state().sent == 0
    faults.say = lambda lines: 204
    until(lambda: sink.state().sent == 40, 20)
    assert sorted(set(faults.stored)) == sorted(points(0, 40))
    assert sink.state().rejected == sink.state().dropped == 0


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_whole_batches_gets_all_but_the_bad_line(
    faults: Faults, open_sink: Any, status: int
) -> None:
    """As 2.x and 3.x do."""
    bad = points(333, 1)[0]
    faults.say = lambda lines: status if bad in lines else 204
    sink = open_sink(faults.url)
    sink.write(points(0, 1000))
    until(lambda: sink.state().waiting_bytes == 0, 20)
    assert faults.stored == [text for text in points(0, 1000) if text != bad]
    assert (sink.state().sent, sink.state().rejected) == (999, 1)
    assert faults.posts < 30


def test_too_large_a_body_is_halved(faults: Faults, open_sink: Any) -> None:
    faults.say = lambda lines: 413 if len(lines) > 100 else 204
    sink = open_sink(faults.url)
    sink.write(points(0, 1000))
    until(lambda: sink.state().waiting_bytes == 0, 20)
    assert (faults.stored, sink.state().rejected) == (points(0, 1000), 0)


def test_a_full_spool_lets_the_oldest_go_and_counts_it(faults: Faults, open_sink: Any) -> None:
    faults.say = lambda lines: 503
    sink = open_sink(faults.url, Limits(80_000, 0.02, 0.1))
    sink.write(points(0, 1))
    until(lambda: sink.state().state == "down", 20)
    for n in range(100):
        sink.write(points(1 + n * 10, 10))
        assert sink.state().waiting_bytes <= 80_000
    dropped = sink.state().dropped
    assert dropped > 0
    faults.say = lambda lines: 204
    until(lambda: sink.state().waiting_bytes == 0, 20)
    assert set(faults.stored) == set(points(0, 1) + points(dropped + 1, 1000 - dropped))


def test_both_interfaces_ask_as_documented(faults: Faults, tmp_path: Path) -> None:
    cases = (
        (Address(faults.url, "v1", database="fab", user="u", password="p"),
         "/write?db=fab&precision=ms", "Basic dTpw"),
        (Address(faults.url, "v2", bucket="b", org="o", token="t"),
         "/api/v2/write?org=o&bucket=b&precision=ms", "Token t"),
        (Address(faults.url, "v1", database="fab"), "/write?db=fab&precision=ms", ""),
    )  # fmt: skip
    for address, path, credentials in cases:
        assert Client(address).post(points(0, 2)).kind == "sent"
        assert faults.asked[-1] == (path, credentials)
    assert faults.stored == points(0, 2) * 3

"""Rollups and backfill into a real InfluxDB 1.6, which is asked for the same by itself."""

from __future__ import annotations

import fcntl
import json
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from controller import telemetry
from controller.adapters.broker import free_port
from controller.adapters.clock import ManualClock
from controller.adapters.influx import Address, Client, InfluxSink, Limits
from controller.adapters.site_file import InfluxEntry, MachineEntry, SiteFile, read_site
from controller.adapters.store import Store, Tx
from controller.app import LAST_AT
from controller.rollups import FIVE_MS, HOUR_MS, Desk, RollupCopy
from controller.values import Machine
from fabcommons import cli
from fabcommons.running import Place, RunningSite
from fabcommons.telemetry import setup_commands
from support.influx import Faults, Influxd
from support.postgres import store_place
from support.waiting import until

T0 = 1_790_000_000_000 // HOUR_MS * HOUR_MS
EVERY_MS = 20_000
NAMES = ("fab_raw", "fab_5m", "fab_1h")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    found = Influxd(tmp_path_factory.mktemp("influxd"))
    yield found
    found.close()


@pytest.fixture
def influxd(server: Influxd) -> Influxd:
    """A server without databases."""
    for name in NAMES:
        server.series(f'DROP DATABASE "{name}"')
    return server


def make_databases(influxd: Influxd) -> None:
    for name in NAMES:
        influxd.series(f'CREATE DATABASE "{name}"')


def readings(hours: int) -> list[telemetry.Sample]:
    """Two machines; one is silent for the second half of each hour."""
    return [
        (machine, at, {"nozzle_mc": 200_000 + (at // 7) % 1000, "z_um": -(at % 977)})
        for at in range(T0, T0 + hours * HOUR_MS, EVERY_MS)
        for machine in ("p-1", "p-2")
        if machine == "p-1" or at % HOUR_MS < HOUR_MS // 2
    ]


def fill(store: Store, samples: list[telemetry.Sample]) -> None:
    with store.write() as tx:
        for machine in ("p-1", "p-2"):
            if tx.machines.get(machine) is None:
                tx.machines.add(Machine(machine, "printer", "mqtt", machine, {}))
        tx.telemetry.add(samples)
        tx.site.raise_to(LAST_AT, max((at for _, at, _ in samples), default=0) + 60_000)


def points(influxd: Influxd, name: str) -> dict[tuple[str, int], dict[str, float]]:
    """(machine, at): fields."""
    return {
        (one["tags"]["id"], row[0]): {
            field: value
            for field, value in zip(one["columns"][1:], row[1:], strict=True)
            if value is not None and field not in ("kind", "site")
        }
        for one in influxd.series('SELECT * FROM "machine" GROUP BY "id"', name)
        for row in one["values"]
    }


def asked(influxd: Influxd, window: str) -> dict[tuple[str, int], dict[str, float]]:
    """The same as rollups, made by InfluxDB of the raw points it has."""
    wanted = {"min": "min", "max": "max", "sum": "sum", "n": "count"}
    chosen = ", ".join(
        f'{call}("{field}") AS "{field}_{part}"'
        for field in ("nozzle_mc", "z_um")
        for part, call in wanted.items()
    )
    where = f"time >= {T0}ms AND time < {T0 + 24 * HOUR_MS}ms"
    query = f'SELECT {chosen} FROM "machine" WHERE {where} GROUP BY time({window}), "id" fill(none)'
    return {
        (one["tags"]["id"], row[0]): dict(zip(one["columns"][1:], row[1:], strict=True))
        for one in influxd.series(query, "fab_raw")
        for row in one["values"]
    }


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, lines: list[str]) -> None:
        self.lines += lines

    def state(self) -> telemetry.SinkState:
        return telemetry.SinkState("ok")


def desk(store: Store, clock: ManualClock) -> Desk:
    def submit(run: Callable[[Tx], int]) -> int:
        with store.write() as tx:
            return run(tx)

    return Desk("lab", clock, store.read, submit)


def test_closed_buckets_are_what_influxdb_makes_of_the_raw_points(
    influxd: Influxd, tmp_path: Path, store_at: Path | str
) -> None:
    make_databases(influxd)
    clock = ManualClock(T0)
    store = Store(store_at, clock.now_ms)
    fill(store, [])
    sinks = [
        InfluxSink(Client(Address(influxd.url, "v1", database=name)), tmp_path / name, Limits())
        for name in ("fab_5m", "fab_1h")
    ]
    copies = [
        RollupCopy(desk(store, clock), sink, every)
        for sink, every in zip(sinks, (FIVE_MS, HOUR_MS), strict=True)
    ]
    samples = readings(3)
    influxd.store("fab_raw", telemetry.lines("lab", {"p-1": "printer", "p-2": "printer"}, samples))
    for copy in copies:
        copy.look()
    while samples:
        clock.advance_ms(7 * 60_000)
        gone = [one for one in samples if one[1] <= clock.now_ms()]
        samples = samples[len(gone) :]
        fill(store, gone)
        for copy in copies:
            copy.look()
    clock.advance_ms(HOUR_MS)
    for copy in copies:
        copy.look()
    until(lambda: not any(sink.state().waiting_bytes for sink in sinks), 60)
    for sink in sinks:
        sink.close()
    store.close()
    assert len(points(influxd, "fab_5m")) == 36 + 18
    assert points(influxd, "fab_5m") == asked(influxd, "5m")
    assert points(influxd, "fab_1h") == asked(influxd, "1h")
    assert [sink.state().rejected for sink in sinks] == [0, 0]


def test_a_bucket_is_sent_once_it_is_closed_and_again_after_a_crash(store_at: Path | str) -> None:
    clock = ManualClock(T0 + 60_000)
    store = Store(store_at, clock.now_ms)
    fill(store, [("p-1", T0 - 1, {"nozzle_mc": 1}), ("p-1", T0 + 1, {"nozzle_mc": 2})])
    sink = Kept()
    copy = RollupCopy(desk(store, clock), sink, FIVE_MS)
    copy.look()
    clock.advance_ms(240_000)
    copy.look()
    assert sink.lines == []  # closed, but for the grace
    clock.advance_ms(10_000)

    def dies(_run: Any) -> int:
        raise OSError("cut off")

    with pytest.raises(OSError, match="cut off"):
        RollupCopy(desk(store, clock)._replace(submit=dies), sink, FIVE_MS).look()
    copy.look()
    copy.look()
    line = (
        "machine,id=p-1,kind=printer,site=lab "
        f"nozzle_mc_max=2.0,nozzle_mc_min=2.0,nozzle_mc_n=1.0,nozzle_mc_sum=2.0 {T0}"
    )
    assert sink.lines == [line, line]
    store.close()


def test_a_running_site_sends_its_rollups(influxd: Influxd, tmp_path: Path) -> None:
    make_databases(influxd)
    settings = SiteFile(
        site="lab",
        broker="amqtt",
        http=f"127.0.0.1:{free_port()}",
        clock_rate=1000,
        machines=[MachineEntry("p-1", "printer")],
        influx=InfluxEntry(influxd.url, "v1", database="fab_raw", hours=""),
    )
    with RunningSite(settings, Place(tmp_path, tmp_path)) as running:
        numbers = iter(range(10_000))

        def arrived() -> bool:
            record = {"bn": "b1", "n": next(numbers), "m": {"nozzle_mc": 215_000}}
            running.site.receive("p-1", "up/tele", record)
            return bool(points(influxd, "fab_5m"))

        until(arrived, 90)
    (machine, at), fields = next(iter(points(influxd, "fab_5m").items()))
    assert (machine, at % FIVE_MS, fields["nozzle_mc_max"]) == ("p-1", 0, 215_000)
    assert fields["nozzle_mc_sum"] == fields["nozzle_mc_n"] * 215_000
    assert (tmp_path / "influx" / "5m" / "spool").is_dir()
    assert not (tmp_path / "influx" / "1h").exists()


@pytest.fixture
def store_at(tmp_path: Path) -> Path | str:
    """Where the store of a test is: a file, or PostgreSQL when that is asked for."""
    return store_place(tmp_path / "site.db")


@pytest.fixture
def settings(influxd: Influxd, tmp_path: Path, store_at: Path | str) -> Path:
    """A site's settings and its store with three hours of telemetry."""
    path = tmp_path / "site.yml"
    path.write_text(
        f"site: lab\nstore: '{store_at}'\n"
        f"clock_rate: 2\ninflux: {{url: '{influxd.url}', api: v1, database: fab_raw}}\n"
    )
    store = Store(store_at, lambda: T0)
    fill(store, readings(3))
    store.close()
    return path


def backfill(settings: Path, *more: str) -> int:
    return cli.main(["telemetry", "backfill", str(settings), *more])


def test_backfilling_twice_makes_no_doubles(
    influxd: Influxd, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_databases(influxd)
    assert backfill(settings, "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    counts = {name: one["lines"] for name, one in told["databases"].items()}
    assert counts == {"fab_raw": 810, "fab_5m": 54, "fab_1h": 6}
    assert points(influxd, "fab_raw") == {}
    assert not (settings.parent / "influx").exists()
    for _ in range(2):
        assert backfill(settings) == 0
        assert "fab_5m: 54 lines sent, 0 refused" in capsys.readouterr().out
        assert {name: len(points(influxd, name)) for name in NAMES} == counts
    assert points(influxd, "fab_5m") == asked(influxd, "5m")
    assert points(influxd, "fab_1h") == asked(influxd, "1h")


def test_backfill_takes_whole_buckets_of_the_time_asked_for(
    influxd: Influxd, settings: Path
) -> None:
    make_databases(influxd)
    begin, end = T0 + HOUR_MS + 7 * 60_000, T0 + 2 * HOUR_MS + 60_000
    iso = [datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in (begin, end)]
    assert backfill(settings, "--from", iso[0], "--to", iso[1]) == 0
    ats = {name: sorted({at for _, at in points(influxd, name)}) for name in NAMES}
    assert (ats["fab_raw"][0], ats["fab_raw"][-1]) == (begin, end - EVERY_MS)
    assert (ats["fab_5m"][0], ats["fab_5m"][-1]) == (T0 + HOUR_MS + FIVE_MS, end - 60_000 - FIVE_MS)
    assert ats["fab_1h"] == [T0 + HOUR_MS]


def test_what_is_missing_is_named_and_made_by_setup(
    influxd: Influxd, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backfill(settings) == 1
    assert "database not found" in (told := capsys.readouterr().err) and "setup" in told
    assert cli.main(["telemetry", "setup", str(settings)]) == 0
    commands = capsys.readouterr().out
    for _ in range(2):  # it may be run again
        run(influxd, commands)
    kept = {
        name: influxd.series(f'SHOW RETENTION POLICIES ON "{name}"')[0]["values"] for name in NAMES
    }
    assert {name: rows[0][:3] for name, rows in kept.items()} == {
        "fab_raw": ["autogen", "720h0m0s", "24h0m0s"],
        "fab_5m": ["autogen", "8760h0m0s", "168h0m0s"],
        "fab_1h": ["autogen", "0s", "168h0m0s"],
    }
    assert all(len(rows) == 1 for rows in kept.values())
    assert read_site(settings).influx is not None


def run(influxd: Influxd, commands: str) -> None:
    """Run what setup printed: by a shell where curl is, else only its queries."""
    if shutil.which("curl"):
        subprocess.run(["sh", "-e"], input=commands, text=True, check=True, capture_output=True)
        return
    for command in commands.splitlines():
        influxd.series(shlex.split(command)[-1].removeprefix("q="))


def test_setup_speaks_each_generation(capsys: pytest.CaptureFixture[str]) -> None:
    entry = InfluxEntry("http://db:8086", "v2", bucket="raw", org="shop", hours="")
    assert setup_commands(entry, "v2") == [
        "# InfluxDB 2",
        "influx bucket create --host http://db:8086 --org shop --name raw"
        " --retention 30d --shard-group-duration 1d",
        "influx bucket create --host http://db:8086 --org shop --name fab_5m"
        " --retention 365d --shard-group-duration 7d",
        "# InfluxDB 3 (org is ignored; these instead)",
        "# influxdb3 create database --host http://db:8086 --retention-period 30d raw",
        "# influxdb3 create database --host http://db:8086 --retention-period 365d fab_5m",
    ]
    assert cli.main(["telemetry", "setup", "--api", "v1"]) == 0
    assert capsys.readouterr().out.count("CREATE DATABASE") == 3
    login = setup_commands(InfluxEntry("http://db", user="me", password_env="PW"), "v1")[0]
    assert login.startswith('curl -fsS -u "me:$PW" http://db/query')


def test_backfill_gives_up_on_silence_and_ends_what_it_began(
    influxd: Influxd, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_databases(influxd)
    faults = Faults()
    faults.say = lambda lines: 503
    good = settings.read_text()
    try:
        settings.write_text(good.replace(influxd.url, faults.url))
        assert backfill(settings, "--patience", "0.2") == 1
        assert "503" in capsys.readouterr().err
    finally:
        faults.close()
    settings.write_text(good)
    lock = (settings.parent / "influx" / "backfill" / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert backfill(settings) == 1
    assert "another backfill" in capsys.readouterr().err
    lock.close()
    assert backfill(settings) == 0
    assert len(points(influxd, "fab_5m")) == 54


@pytest.mark.parametrize(
    ("text", "said"),
    [("site: x\n", "has no influx"),
     ("site: x\ninflux: {url: 'http://h', api: v1, database: fab_5m}\n", "must differ"),
     ("site: x\ninflux: {url: 'http://h', api: v1, database: d}\n", "nothing in this store")],
)  # fmt: skip
def test_what_cannot_be_filled_is_said(
    tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "site.yml"
    path.write_text(text)
    assert backfill(path) != 0
    assert said in capsys.readouterr().err

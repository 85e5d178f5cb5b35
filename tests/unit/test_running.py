"""A running site: needs laid into its folder, telemetry copied, a clock that never goes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.broker import free_port
from controller.adapters.clock import FloorClock, SystemClock
from controller.adapters.feeds import Drop
from controller.adapters.site_file import (
    CommunityEntry,
    InfluxEntry,
    MachineEntry,
    SiteFile,
    SiteFileError,
    read_site,
)
from controller.adapters.store import Store
from controller.last import last_at
from fabcommons import doctor
from fabcommons.client import CliError
from fabcommons.running import Place, RunningSite
from support.influx import Faults
from support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"community": "north", "design": "cable-clip", "part": "cable-clip", "quantity": 1}


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[RunningSite]:
    """A site without machines, with one community and one real design."""
    found = SiteFile(
        site="drop",
        broker="amqtt",
        http=f"127.0.0.1:{free_port()}",
        communities=[CommunityEntry("north", "North")],
        designs=[str(ROOT / "designs" / "cable-clip")],
        **settings,
    )
    with RunningSite(found, Place(folder, folder)) as site:
        yield site


def needs(site: RunningSite) -> list[Any]:
    with site.site.read() as tx:
        return tx.needs.all()


def lay(folder: Path, name: str, text: str) -> Callable[[], bool]:
    """Lay a file into the drop; a question whether it was taken."""
    (folder / name).write_text(text)
    return lambda: not (folder / name).exists()


def test_files_laid_into_the_folder_become_needs_once(tmp_path: Path) -> None:
    rows = "community,design,part,quantity\nnorth,cable-clip,cable-clip,2\nmars,x,x,1\n"
    with running(tmp_path, need_drop="drop") as site:
        drop = tmp_path / "drop"
        until(lay(drop, "a.json", json.dumps([GOOD])), 20)
        until(lay(drop, "b.csv", rows), 20)
        assert [need.quantity for need in needs(site)] == [1, 2]
        rejected = json.loads((drop / "b.csv.rejected").read_text())
        assert rejected["line"] == 2
        assert "mars is not known" in rejected["reason"]
        until(lay(drop, "b.csv", rows), 20)
        assert len(needs(site)) == 2
        until(lambda: _letters(site) == 2, 20)
        with site.site.read() as tx:
            letter = tx.dead.page(1)[0]
        assert (letter.topic, letter.code) == ("need_drop/b.csv", "need-refused")
    with running(tmp_path, need_drop="drop") as site:
        until(lay(drop, "b.csv", rows), 20)
        assert len(needs(site)) == 2


def _letters(site: RunningSite) -> int:
    with site.site.read() as tx:
        return tx.dead.count()


def test_a_file_being_written_is_left_alone_and_one_that_fails_holds_up_no_other(
    tmp_path: Path,
) -> None:
    told: list[tuple[str, int]] = []

    def state(requests: Any) -> list[Any]:
        if requests[0].community == "broken":
            raise RuntimeError("the store is away")
        return []

    drop = Drop(tmp_path / "in", state, lambda taken: told.append((taken.path.name, taken.refused)))
    (tmp_path / "in" / "a.json").write_text(json.dumps([{**GOOD, "community": "broken"}]))
    (tmp_path / "in" / "b.json").write_text("[")
    drop.look()
    (tmp_path / "in" / "b.json").write_text(json.dumps([GOOD]))
    drop.look()
    assert told == []
    drop.look()
    drop.look()
    assert told == [("b.json", 0)]
    assert (tmp_path / "in" / "a.json").exists()


@pytest.mark.parametrize(
    "bad",
    [
        {"quantity": 10**30},
        {"quantity": "9" * 5000},
        {"due_at": 10**30},
        {"note": "\ud800"},
        {"key": None},
        {"community": ["north"]},
    ],
)
def test_no_value_in_a_line_gets_past_the_check(
    floor: Any, small_floor: Any, tmp_path: Path, bad: dict[str, Any]
) -> None:
    from controller import needs as stated

    clamp = {"community": "north", "design": "clamp", "part": "clamp", "quantity": 1}
    told: list[tuple[int, int]] = []
    drop = Drop(
        tmp_path / "in",
        lambda lines: floor.do(stated.state_batch, lines, small_floor.print_only),
        lambda taken: told.append((taken.accepted, taken.refused)),
    )
    (tmp_path / "in" / "a.json").write_text(json.dumps([clamp, {**clamp, **bad}]))
    drop.look()
    drop.look()
    assert told == [(1, 1)]


def test_telemetry_is_copied_and_its_state_is_shown(tmp_path: Path) -> None:
    server = Faults()
    printer = MachineEntry("printer-1", "printer")
    influx = InfluxEntry(server.url, "v1", database="fab")
    try:
        with running(tmp_path, machines=[printer], influx=influx) as site:
            values = {"nozzle_mc": 215_000, "colour": 3}
            now_ms = site.site.clock.now_ms()
            record = {"bn": "b1", "n": 1, "t": now_ms, "m": values}
            site.site.receive("printer-1", "up/tele", record)
            site.site.receive("nobody", "up/tele", record)
            until(lambda: bool(server.stored), 20)
            until(lambda: doctor.influx(site.url).text.startswith("ok: 1 lines"), 20)
            server.say = lambda lines: 401
            site.site.receive("printer-1", "up/tele", {**record, "n": 2})
            until(lambda: doctor.influx(site.url).state == doctor.BAD, 20)
            with site.site.read() as tx:
                assert tx.telemetry.last("printer-1")[0].value == 215_000
    finally:
        server.close()
    assert server.stored == [
        f"machine,id=printer-1,kind=printer,site=drop nozzle_mc=215000.0 {now_ms}"
    ]
    assert doctor.influx(f"http://127.0.0.1:{free_port()}").state == doctor.HINT


def test_a_secret_that_is_named_but_absent_stops_the_start(tmp_path: Path) -> None:
    influx = InfluxEntry("http://x", "v2", bucket="b", org="o", token_env="FAB_NO_SUCH_TOKEN")
    with (
        pytest.raises(CliError, match="token_env: the environment has no FAB_NO_SUCH_TOKEN"),
        running(tmp_path, influx=influx),
    ):
        pass


def test_settings_of_the_copy_name_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "site.yml"
    path.write_text("site: x\ninflux: {url: 'x:1', api: v3, user: me, max_mb: 1}\n")
    with pytest.raises(SiteFileError) as found:
        read_site(path)
    for field in ("url", "api", "password_env", "max_mb"):
        assert f"influx.{field}" in str(found.value)
    path.write_text("site: x\ninflux: {url: 'http://x:1', password: secret}\n")
    with pytest.raises(SiteFileError, match="password"):
        read_site(path)


def test_a_floor_ahead_of_the_real_time_stays_ahead_over_a_restart(tmp_path: Path) -> None:
    ahead_ms = SystemClock().now_ms() + 3_600_000
    store = Store(tmp_path / "site.db", lambda: ahead_ms)
    with store.write() as tx:
        tx.site.put("last_at", str(ahead_ms))
    store.close()
    with running(tmp_path, clock_rate=2) as site:
        assert site.site.clock.now_ms() >= ahead_ms
        with site.site.read() as tx:
            first = tx.now_ms
    assert last_at(tmp_path / "site.db") > ahead_ms
    with running(tmp_path, clock_rate=2) as site:
        assert site.site.clock.now_ms() >= first


def test_a_floor_clock_starts_no_earlier_than_it_is_told() -> None:
    assert FloorClock(60, 5_000, not_before_ms=9_000).now_ms() >= 9_000
    assert FloorClock(60, 50_000, not_before_ms=9_000).now_ms() >= 50_000
    assert last_at(Path("/nowhere/site.db")) == 0

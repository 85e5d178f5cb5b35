"""Telemetry in the store: closed hours are packed, rollups agree with raw, retention is exact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import telemetry
from controller.adapters.clock import ManualClock
from controller.adapters.store import Store, Tx
from controller.adapters.store.packing import pack, unpack
from controller.adapters.store.telemetry import HOUR_MS
from controller.app import Parts, Site, SiteConfig
from controller.telemetry import Keep, TelemetryBuffer
from controller.values import Machine
from dashboards.readings import Span, fleet, readings, series
from support.postgres import store_place
from support.waiting import until

T0 = 1_790_000_000_000 // (24 * HOUR_MS) * 24 * HOUR_MS
DAY_MS = 24 * HOUR_MS
values = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(-(2**50), 2**50))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    found = Store(store_place(tmp_path / "site.db"), clock.now_ms)
    with found.write() as tx:
        for name in ("p-1", "p-2"):
            tx.machines.add(Machine(name, "printer", "mqtt", name, {}))
    yield found
    found.close()


def sample(at: int) -> dict[str, int]:
    return {"nozzle_mc": 200_000 + at // 1000 % 977, "z_um": at // 1000 % 89 - 40}


def fill(store: Store, begin_at: int, end_at: int, every_ms: int = 60_000) -> None:
    with store.write() as tx:
        tx.telemetry.add(
            (name, at, sample(at))
            for at in range(begin_at, end_at, every_ms)
            for name in ("p-1", "p-2")
        )


def tidy(store: Store, keep: Keep = telemetry.KEEP) -> int:
    """Do all upkeep there is; how many transactions that took."""
    steps = 0
    with store.write() as tx:
        more = telemetry.tidy(tx, keep)
    while more:
        steps += 1
        with store.write() as tx:
            more = telemetry.tidy(tx, keep)
    return steps


@given(st.lists(st.tuples(st.integers(0, 2**45), values), max_size=30))
def test_what_is_packed_comes_out_again(samples: list[tuple[int, dict[str, int]]]) -> None:
    wanted: dict[int, dict[str, int]] = {}
    for at, found in samples:
        wanted.setdefault(at, {}).update(found)
    assert unpack(pack(samples)) == sorted(wanted.items())


def test_an_hour_of_six_fields_every_ten_seconds_packs_small() -> None:
    hour = [
        (T0 + n * 10_000, {name: 200_000 + n * 37 % 1009 for name in "abcdef"}) for n in range(360)
    ]
    assert len(pack(hour)) / 360 < 20


def test_closed_hours_are_packed_and_read_as_before(store: Store, clock: ManualClock) -> None:
    fill(store, T0, T0 + 5 * HOUR_MS)
    clock.advance_ms(5 * HOUR_MS + 90_000)
    with store.read() as tx:
        before = tx.telemetry.raw("p-1", T0, T0 + DAY_MS)
        rows = tx.telemetry.raw_between(T0 + 90_000, T0 + 2 * HOUR_MS + 1)
    assert tidy(store) == 10
    with store.read() as tx:
        assert tx.telemetry.raw("p-1", T0, T0 + DAY_MS) == before
        assert len(before) == 300
        assert tx.telemetry.raw_between(T0 + 90_000, T0 + 2 * HOUR_MS + 1) == rows
        assert tx.telemetry.first_at() == (T0, T0)


def test_hours_are_the_sum_of_their_readings(store: Store, clock: ManualClock) -> None:
    fill(store, T0, T0 + 5 * HOUR_MS + 30 * 60_000)
    clock.advance_ms(5 * HOUR_MS + 30 * 60_000)
    expected = hours_of(range(T0, T0 + 5 * HOUR_MS + 30 * 60_000, 60_000))
    with store.read() as tx:
        assert tx.telemetry.hours("p-1", "nozzle_mc", (T0, T0 + DAY_MS)) == expected
    tidy(store)
    with store.read() as tx:
        assert tx.telemetry.hours("p-1", "nozzle_mc", (T0, T0 + DAY_MS)) == expected


def test_a_late_reading_is_packed_with_its_hour(store: Store, clock: ManualClock) -> None:
    fill(store, T0, T0 + 3 * HOUR_MS)
    clock.advance_ms(4 * HOUR_MS)
    tidy(store)
    late_at = T0 + HOUR_MS + 1
    with store.write() as tx:
        tx.telemetry.add([("p-1", late_at, {"nozzle_mc": 7})])
    for _ in range(2):  # as a row, and packed
        with store.read() as tx:
            points = tx.telemetry.hours("p-1", "nozzle_mc", (T0, T0 + DAY_MS))
            assert [p[4] for p in points] == [60, 61, 60]
            assert [p[1] for p in points].index(7) == 1
            found = tx.telemetry.raw("p-1", T0 + HOUR_MS, T0 + 2 * HOUR_MS)
            assert (late_at, {"nozzle_mc": 7}) in found
            assert len(found) == 61
        tidy(store)


def hours_of(times: range) -> list[tuple[int, int, int, int, int]]:
    by_hour: dict[int, list[int]] = {}
    for at in times:
        by_hour.setdefault(at - at % HOUR_MS, []).append(sample(at)["nozzle_mc"])
    return [(at, min(v), max(v), sum(v), len(v)) for at, v in sorted(by_hour.items())]


def test_what_is_too_old_goes_in_small_steps_and_hours_stay(
    store: Store, clock: ManualClock
) -> None:
    fill(store, T0, T0 + 4 * DAY_MS, 600_000)
    clock.advance_ms(4 * DAY_MS + HOUR_MS)
    steps = tidy(store, Keep(raw_days=1, five_minute_days=2))
    assert steps > 2 * 24 * 4  # an hour or a day of a machine each
    kept = (clock.now_ms() - DAY_MS, clock.now_ms() - 2 * DAY_MS)
    with store.read() as tx:
        raw_at, five_at = tx.telemetry.first_at()
        assert raw_at is not None and five_at is not None
        assert kept[0] <= raw_at < kept[0] + HOUR_MS
        assert kept[1] <= five_at < kept[1] + HOUR_MS
        assert len(tx.telemetry.hours("p-2", "z_um", (T0, T0 + 9 * DAY_MS))) == 4 * 24


def test_a_chart_takes_the_readings_that_fit_its_length(store: Store, clock: ManualClock) -> None:
    fill(store, T0, T0 + 30 * HOUR_MS)
    clock.advance_ms(30 * HOUR_MS)
    tidy(store)
    with store.read() as tx:
        lengths = {h: series(tx, "p-1", Span("z_um", tx.now_ms - h * HOUR_MS)) for h in (2, 24)}
        assert [(len(p), every) for p, every in lengths.values()] == [(120, 8000), (288, 300_000)]
        points, every_ms = series(tx, "p-1", Span("z_um", T0 - 30 * DAY_MS))
        assert (len(points), every_ms) == (30, HOUR_MS)
        for found in (lengths[24][0], points[-24:]):  # the same day either way
            assert sum(p[4] for p in found) == 24 * 60
            assert sum(p[3] for p in found) == sum(p[3] for p in points[-24:])
        view = readings(tx, "p-1", Span("z_um", T0, T0 + HOUR_MS))
        assert view.get("every_s") == 4
        assert view.get("mean") == [sample(at)["z_um"] for at in range(T0, T0 + HOUR_MS, 60_000)]
        every = fleet(tx, Span("z_um", T0, T0 + HOUR_MS))["machines"]
        assert {name: len(one["mean"]) for name, one in every.items()} == {"p-1": 12, "p-2": 12}


def test_a_wrong_clock_is_clamped_and_counted() -> None:
    buffer = TelemetryBuffer(rate=10)
    head = {"bn": "b", "n": 0, "m": {"nozzle_mc": 1}}
    for n, said in enumerate(
        (None, T0 + 600_000, T0 + 600_001, T0 - DAY_MS + 1, T0 - DAY_MS, 2**53)
    ):
        buffer.add("p-1", {**head, "n": n, "t": said}, T0)
    assert [at for _, at, _ in buffer.take()] == [
        T0, T0 + 600_000, T0, T0 - DAY_MS + 1, T0, T0,
    ]  # fmt: skip
    assert (buffer.clamped, buffer.taken, buffer.lost) == (3, 6, 0)


def test_a_site_packs_by_itself(tmp_path: Path, clock: ManualClock) -> None:
    clock.advance_ms(2 * HOUR_MS)
    config = SiteConfig("lab", store_place(tmp_path / "site.db"), tidy_every_s=0.05)
    site = Site.open(config, Parts(clock=clock))

    def seed(tx: Tx) -> None:
        tx.machines.add(Machine("p-1", "printer", "mqtt", "p-1", {}))
        tx.telemetry.add([("p-1", T0 + n * 1000, {"z_um": n}) for n in range(100)])

    def packed() -> bool:
        with site.read() as tx:
            return tx.telemetry.unpacked("p-1") == 0 and len(tx.telemetry.raw("p-1", 0, 2**60)) > 99

    try:
        site.submit(seed)
        until(packed, 60)
    finally:
        site.close()

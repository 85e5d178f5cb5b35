"""Snapshot and patches; streams that resume, resnapshot, stay quiet and end."""

import asyncio
import json
from typing import Any

from dashboards import feed as feed_module
from dashboards.api import make_hub
from dashboards.events import RESNAPSHOT, Clock, Hub
from dashboards.feed import Feed
from dashboards.patch import apply


class Floor:
    """A document that a test changes."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {"machines": {"p": {"percent": 0}}}

    def build(self) -> Any:
        return json.loads(json.dumps(self.document))

    def percent(self, n: int) -> None:
        self.document["machines"]["p"]["percent"] = n


def test_snapshot_and_patches_give_the_newest_floor() -> None:
    floor = Floor()
    feed = Feed(floor.build)
    first = feed.refresh()
    for n in range(1, 6):
        floor.percent(n)
        feed.refresh()
    shown: Any = first.floor
    for patch in feed.since(first.seq) or []:
        shown = apply(shown, json.loads(patch.data))
    assert shown == floor.document


def test_no_change_is_no_patch() -> None:
    feed = Feed(Floor().build)
    assert feed.refresh().seq == feed.refresh().seq == 0
    assert feed.since(0) == []


def test_a_reader_left_behind_must_take_a_new_snapshot() -> None:
    floor = Floor()
    feed = Feed(floor.build)
    feed.refresh()
    for n in range(feed_module.RING_PATCHES + 2):
        floor.percent(n + 1)
        feed.refresh()
    assert feed.since(0) is None
    kept = feed.since(2)
    assert kept is not None and len(kept) == feed_module.RING_PATCHES
    assert feed.since(10**9) is None


def test_the_ring_is_bounded_in_bytes_too() -> None:
    floor = Floor()
    feed = Feed(floor.build)
    feed.refresh()
    for n in range(5):
        floor.document["machines"]["p"]["why"] = str(n) * 300_000
        feed.refresh()
    kept = [p for seq in range(6) for p in (feed.since(seq) or [])]
    assert sum(len(p.data) for p in set(kept)) <= feed_module.RING_BYTES
    assert feed.since(4) is not None and feed.since(0) is None


def test_a_position_of_another_process_is_not_continued() -> None:
    feed, other = Feed(Floor().build), Feed(Floor().build)
    other.boot = "ffff" if feed.boot != "ffff" else "0000"
    assert feed.parse_position(feed.position(7)) == 7
    for text in (other.position(7), "", "7", f"{feed.boot}.-1", f"{feed.boot}.x", "٣.٣"):
        assert feed.parse_position(text) is None


def test_a_slow_build_does_not_hold_up_readers() -> None:
    import threading

    begun, go = threading.Event(), threading.Event()

    def build() -> Any:
        begun.set()
        go.wait(5)
        return {}

    feed = Feed(build)
    thread = threading.Thread(target=feed.refresh)
    thread.start()
    assert begun.wait(5)
    assert feed.since(0) == []  # would wait for the build if it shared its lock
    go.set()
    thread.join()


def clock() -> Clock:
    return Clock(1_760_000_000_000, 60)


async def read(hub: Any, position: str, changes: list[Any], until: int) -> list[bytes]:
    """Chunks of one stream, changing the floor by one step after each chunk."""
    got: list[bytes] = []
    async for chunk in hub.stream(position, clock):
        got.append(chunk)
        if len(got) >= until:
            break
        if changes:
            changes.pop(0)()
    return got


def test_a_stream_sends_time_then_only_what_changed(desk: Any) -> None:
    hub = make_hub(desk, heartbeat_s=5)
    position = hub.feed.position(hub.feed.refresh().seq)
    desk.follow(hub.changed)
    hub.start()

    def progress() -> None:
        desk.change(lambda tx: tx.orders.change("o-1", done_ppm=520_000))

    got = asyncio.run(read(hub, position, [progress], 2))
    hub.stop()
    assert got[0] == b"retry: 2000\nevent: clock\ndata: [1760000000000,60]\n\n"
    head, data = got[1].split(b"\n")[:2]
    assert head == f"id: {hub.feed.boot}.1".encode()
    assert json.loads(data[6:]) == {"machines": {"printer-1": {"percent": 52}}}
    assert len(got[1]) <= 150


def test_a_stream_resumes_where_the_page_was(desk: Any) -> None:
    hub = make_hub(desk)
    position = hub.feed.position(hub.feed.refresh().seq)
    for ppm in (520_000, 530_000):
        desk.change(lambda tx, ppm=ppm: tx.orders.change("o-1", done_ppm=ppm))
        hub.feed.refresh()
    got = asyncio.run(read(hub, position, [], 2))
    assert got[1].count(b"id: ") == 2 and b'"percent":53' in got[1]


def test_an_unknown_position_is_told_to_resnapshot_and_ends(desk: Any) -> None:
    hub = make_hub(desk)
    got = asyncio.run(read(hub, "gone.7", [], 99))
    assert got[1:] == [RESNAPSHOT]
    assert hub.pages == 0


def test_an_idle_floor_costs_heartbeats_only(desk: Any) -> None:
    hub = make_hub(desk, heartbeat_s=0.01)
    position = hub.feed.position(hub.feed.refresh().seq)
    got = asyncio.run(read(hub, position, [], 5))
    assert all(chunk.startswith(b"event: clock") for chunk in got[1:])
    assert max(len(chunk) for chunk in got[1:]) <= 45


def test_looking_without_finding_does_not_put_off_the_heartbeat(desk: Any) -> None:
    feed = make_hub(desk).feed
    hub = Hub(feed, heartbeat_s=0.6, look_s=0.01)
    position = feed.position(feed.refresh().seq)
    hub.start()
    got = asyncio.run(asyncio.wait_for(read(hub, position, [], 3), 10))
    hub.stop()
    assert [chunk[:12] for chunk in got[1:]] == [b"event: clock"] * 2


def test_stop_ends_every_stream(desk: Any) -> None:
    hub = make_hub(desk, heartbeat_s=60)
    position = hub.feed.position(hub.feed.refresh().seq)
    got = asyncio.run(read(hub, position, [hub.stop], 99))
    assert len(got) <= 2


def test_the_feed_outlives_a_failing_store(desk: Any) -> None:
    hub = make_hub(desk, heartbeat_s=60)
    position = hub.feed.position(hub.feed.refresh().seq)
    build, broken = hub.feed._build, [True]

    def flaky() -> Any:
        if broken.pop() if broken else False:
            raise OSError("disk gone")
        return build()

    hub.feed._build = flaky
    desk.change(lambda tx: tx.orders.change("o-1", done_ppm=990_000))
    hub.start()
    got = asyncio.run(read(hub, position, [], 2))
    hub.stop()
    assert hub.failures == 1 and b'"percent":99' in got[1]

"""``GET /metrics``: what the site can tell cheaply, for Prometheus to scrape."""

from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from controller.adapters.notify import PostState
from controller.telemetry import SinkState
from dashboards.desk import Desk, Workings
from dashboards.events import Hub
from dashboards.exposition import CONTENT_TYPE, Family, Sample, exposition
from protocols.orders import ORDER_STATES

NEED_STATES = ("stated", "accepted", "making", "delivered", "refused", "withdrawn")
SINK_STATES = ("off", "ok", "down", "misconfigured")


class Stored(NamedTuple):
    """Counts of the store: states with how many are in each, and totals."""

    machines: tuple[tuple[str, str, bool], ...]  # kind, state, online
    orders: Mapping[str, int]
    needs: Mapping[str, int]
    dead_letters: int
    inbox_events: int
    searches_lost: int


def read_stored(desk: Desk) -> Stored:
    """Counts from one short read."""
    with desk.read() as tx:
        return Stored(
            machines=tuple((m.kind, m.state, m.online) for m in tx.machines.all()),
            orders=tx.orders.count_by_state(),
            needs=tx.needs.count_by_state(),
            dead_letters=tx.dead.count(),
            inbox_events=tx.inbox.count(),
            searches_lost=int(tx.plans.made().get("lost", 0)),
        )


def stored_families(stored: Stored) -> list[Family]:
    """The floor itself. A state nobody is in is told as 0, so that a rule on it has a series."""
    machines = Counter((kind, state) for kind, state, _ in stored.machines)
    online = Counter(kind for kind, _, is_online in stored.machines if is_online)
    kinds = sorted({kind for kind, _, _ in stored.machines})
    return [
        Family(
            "fabcommons_machines",
            "gauge",
            "Machines by kind and the state they reported last.",
            tuple(Sample(n, {"kind": k, "state": s}) for (k, s), n in sorted(machines.items())),
        ),
        Family(
            "fabcommons_machines_online",
            "gauge",
            "Machines that are connected, by kind.",
            tuple(Sample(online[kind], {"kind": kind}) for kind in kinds),
        ),
        _by_state("fabcommons_job_orders", "Job orders by state.", ORDER_STATES, stored.orders),
        _by_state("fabcommons_needs", "Needs by state.", NEED_STATES, stored.needs),
        _total("dead_letters", "Messages that could not be understood.", stored.dead_letters),
        _total("inbox_events", "Events of machines committed.", stored.inbox_events),
        _total("planner_searches_lost", "Searches that died or were late.", stored.searches_lost),
    ]


def working_families(now: Workings) -> list[Family]:
    """The process behind the floor."""
    return [
        _gauge("writer_queue_items", "Items waiting for the one writer.", now.queue_items),
        _total("writer_commits", "Transactions committed.", now.commits),
        _total("writer_failures", "Items, commits and effects that failed.", now.failures),
        _gauge("store_failing", "1 while the store does not commit.", int(now.store_failing)),
        _total("telemetry_readings", "Sets of readings taken.", now.readings),
        _total("telemetry_refused", "Fields refused by the registry.", now.readings_refused),
        _total("telemetry_lost", "Sets of readings lost on the way.", now.readings_lost),
        _total("telemetry_dropped", "Sets dropped: the buffer was full.", now.readings_dropped),
        _total("telemetry_clamped", "Sets whose clock was wrong.", now.readings_clamped),
        _total("changes_dropped", "Changes dropped for slow subscribers.", now.changes_dropped),
    ]


def post_families(posts: tuple[PostState, ...]) -> list[Family]:
    """Messages to people, by place and what became of them."""
    ends = ("sent", "failed", "dropped")
    samples = [
        Sample(getattr(post, end), {"place": post.name, "end": end})
        for post in posts
        for end in ends
    ]
    waiting = tuple(Sample(post.waiting, {"place": post.name}) for post in posts)
    name = "fabcommons_notifications"
    return [
        Family(f"{name}_total", "counter", "Messages to people by what became.", tuple(samples)),
        Family(f"{name}_waiting", "gauge", "Messages to people on their way.", waiting),
    ]


def sink_families(sink: SinkState) -> list[Family]:
    """The copy of telemetry in InfluxDB."""
    return [
        Family(
            "fabcommons_influx_state",
            "gauge",
            "1 for the state the copy of telemetry is in.",
            tuple(Sample(int(sink.state == state), {"state": state}) for state in SINK_STATES),
        ),
        _gauge("influx_spool_bytes", "Bytes waiting on disk.", sink.waiting_bytes),
        _total("influx_lines_sent", "Lines the server took.", sink.sent),
        _total("influx_lines_rejected", "Lines the server refused.", sink.rejected),
        _total("influx_lines_dropped", "Lines dropped: the spool was full.", sink.dropped),
    ]


def page_families(hub: Hub, built: str) -> list[Family]:
    """Open pages, and what runs."""
    return [
        _gauge("pages_open", "Pages connected by server-sent events.", hub.pages),
        _total("feed_failures", "Times the floor could not be read for pages.", hub.failures),
        Family(
            "fabcommons_build_info",
            "gauge",
            "Always 1; the version is the label.",
            (Sample(1, {"version": built}),),
        ),
    ]


def router(desk: Desk, hub: Hub) -> APIRouter:
    """The endpoint; text, so not in the interface's description."""
    built = version("fabcommons")

    def metrics() -> Response:
        """Numbers of this site in Prometheus' text format 0.0.4."""
        now = desk.workings()
        families = [
            *stored_families(read_stored(desk)),
            *working_families(now),
            *post_families(now.posts),
            *sink_families(desk.influx()),
            *page_families(hub, built),
        ]
        return Response(exposition(families), media_type=CONTENT_TYPE)

    routes = APIRouter()
    routes.add_api_route("/metrics", metrics, include_in_schema=False, response_class=Response)
    return routes


def _by_state(name: str, meaning: str, states: Iterable[str], counts: Mapping[str, int]) -> Family:
    named = sorted({*states, *counts})
    samples = tuple(Sample(counts.get(state, 0), {"state": state}) for state in named)
    return Family(name, "gauge", meaning, samples)


def _gauge(name: str, meaning: str, value: int) -> Family:
    return Family(f"fabcommons_{name}", "gauge", meaning, (Sample(value),))


def _total(name: str, meaning: str, value: int) -> Family:
    return Family(f"fabcommons_{name}_total", "counter", meaning, (Sample(value),))

"""Numbers for Prometheus, read back by Prometheus' own parser."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from dashboards.exposition import Family, Sample, exposition


def numbers(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(text: str, name: str, **labels: str) -> float:
    return numbers(text)[name, frozenset(labels.items())]


def test_a_scrape_tells_the_floor(served: Any, desk: Any) -> None:
    answer = served.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.text
    assert of(text, "fabcommons_machines", kind="printer", state="idle") == 2
    assert of(text, "fabcommons_machines", kind="printer", state="busy") == 1
    assert of(text, "fabcommons_machines_online", kind="printer") == 3
    assert of(text, "fabcommons_job_orders", state="RUNNING") == 2
    assert of(text, "fabcommons_job_orders", state="UNKNOWN") == 0
    assert of(text, "fabcommons_needs", state="making") == 2
    assert of(text, "fabcommons_needs", state="delivered") == 1
    assert of(text, "fabcommons_dead_letters_total") == 1
    assert of(text, "fabcommons_writer_queue_items") == 3
    assert of(text, "fabcommons_writer_commits_total") == 7
    assert of(text, "fabcommons_telemetry_refused_total") == 2
    assert of(text, "fabcommons_influx_state", state="off") == 1
    assert of(text, "fabcommons_influx_state", state="ok") == 0
    assert of(text, "fabcommons_notifications_total", place="email-0", end="sent") == 5
    assert of(text, "fabcommons_notifications_total", place="email-0", end="dropped") == 2
    assert of(text, "fabcommons_notifications_waiting", place="email-0") == 1
    assert of(text, "fabcommons_pages_open") == 0
    assert of(text, "fabcommons_build_info", version=version("fabcommons")) == 1
    desk.change(lambda tx: tx.inbox.add(("printer-1", "j1", 1), "{}", "0", 1))
    desk.change(lambda tx: tx.plans.note({"lost": 4}))
    text = served.get("/metrics").text
    assert of(text, "fabcommons_inbox_events_total") == 1
    assert of(text, "fabcommons_planner_searches_lost_total") == 4


def test_every_family_says_what_it_is(shared: Any) -> None:
    for family in text_string_to_metric_families(shared.get("/metrics").text):
        assert family.name.startswith("fabcommons_")
        assert family.documentation and family.type in ("gauge", "counter")


def test_pages_are_counted(served: Any) -> None:
    seq = served.get("/api/floor").json()["seq"]
    with served.stream("GET", "/api/events", params={"since": seq}) as stream:
        lines = stream.iter_lines()  # kept, for its end is the stream's
        next(lines)
        assert of(served.get("/metrics").text, "fabcommons_pages_open") == 1


def test_any_label_survives_the_way() -> None:
    odd = 'back\\slash "quote"\nnew line {}, = é'
    text = exposition([Family("x_total", "counter", odd, (Sample(1.5, {"a": odd, "b": ""}),))])
    assert numbers(text) == {("x_total", frozenset({("a", odd), ("b", "")})): 1.5}
    assert exposition([]) == ""

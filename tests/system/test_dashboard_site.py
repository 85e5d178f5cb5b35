"""The pages over a real site, broker and scripted machine: a need stated over HTTP to a part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dashboards.server import PageServer
from dashboards.site_desk import SiteDesk

pytestmark = pytest.mark.system


@pytest.fixture
def page(site_floor: Any) -> Iterator[httpx.Client]:
    server = PageServer(SiteDesk(site_floor.site), port=0)
    headers = {"X-Fabcommons": "1"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client
    server.close()


class PageServerOf:
    """A second page server over a site, as a context manager giving a client."""

    def __init__(self, site: Any) -> None:
        self._server = PageServer(SiteDesk(site), port=0)
        self._client = httpx.Client(base_url=self._server.url, headers={"X-Fabcommons": "1"})

    def __enter__(self) -> httpx.Client:
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._server.close()


def finish_a_print(printer: Any, want: dict[str, Any]) -> None:
    at = {"order": want["order"], "ep": want["ep"]}
    printer.event("finished", **at, ok=True, lines=10, len_um=[1000], run_ms=5000)
    printer.state(st="idle", ready=False)
    printer.until_acked()


def start_a_print(printer: Any) -> dict[str, Any]:
    printer.hello()
    printer.state(ready=True)
    want: dict[str, Any] = printer.until_want("offer")
    at = {"order": want["order"], "ep": want["ep"]}
    printer.event("claim", **at)
    grant = printer.until_want("grant", want["ep"])
    printer.event("started", **at, sha=grant["prog"]["sha"])
    printer.state(st="busy", ready=False, order={**at, "st": "running", "done_ppm": 250_000})
    printer.until_acked()
    return want


def until(page: httpx.Client, test: Any) -> dict[str, Any]:
    """The floor once ``test`` holds of it, following the event stream and not a clock."""
    view = page.get("/api/floor").json()
    with page.stream("GET", "/api/events", params={"since": view["seq"]}) as stream:
        lines = stream.iter_lines()
        while not test(view["floor"]):
            next(lines)
            view = page.get("/api/floor").json()
    floor: dict[str, Any] = view["floor"]
    return floor


def test_from_a_need_over_http_to_a_settled_part(page: httpx.Client, printer: Any) -> None:
    need = {"community": "north", "design": "clamp", "quantity": 1, "stated_by": "a test"}
    line = page.post("/api/needs", json=need).json()["lines"][0]
    assert line["state"] == "stated"

    want = start_a_print(printer)
    floor = until(page, lambda f: f["machines"]["printer-1"]["state"] == "running")
    tile = floor["machines"]["printer-1"]
    assert (tile["order"], tile["need"]) == (want["order"], line["need"])
    assert tile["community"] == "North"

    paused = page.post("/api/machines/printer-1/pause", json={"saw": tile["saw"]})
    assert paused.status_code == 200
    printer.until_command("pause")

    finish_a_print(printer, want)
    floor = until(page, lambda f: "clear:printer-1" in f["attention"])
    card = floor["attention"]["clear:printer-1"]
    assert card["order"] == want["order"]

    body = {"result": "good", "pieces": 1, "who": "a test", "saw": card["saw"]}
    assert page.post("/api/machines/printer-1/clear", json=body).status_code == 200
    printer.until_command("clear")
    printer.state(ready=True)
    until(page, lambda f: f["machines"]["printer-1"]["state"] == "ready")

    story = page.get(f"/api/needs/{line['need']}").json()
    order = story["operations"][0]["orders"][0]
    assert (order["result"], order["state"]) == ("good", "SUCCEEDED")
    assert any(entry["action"] == "produce" for entry in story["lines"])


def test_a_stop_reaches_the_wire_and_bad_asks_are_named(page: httpx.Client, printer: Any) -> None:
    never = page.post("/api/machines/mill-1/stop", json={})
    assert never.status_code == 409 and "switched on" in never.json()["problems"][0]["message"]
    printer.hello()
    printer.state(ready=True)
    until(page, lambda f: f["machines"]["printer-1"]["state"] == "ready")
    assert page.post("/api/machines/printer-1/stop").json()["code"] == "sent"
    assert printer.until_command("stop")["who"] == "someone at the page"
    bad = {"needs": [{"community": "mars", "design": "clamp"}, {"community": "north"}]}
    answer = page.post("/api/needs", json=bad)
    assert answer.status_code == 422
    assert [p["field"] for p in answer.json()["problems"]] == ["community", "design"]


def test_a_malformed_message_is_counted_on_the_page(page: httpx.Client, printer: Any) -> None:
    printer.raw("fab/1/floor/printer-1/up/ev", b"{not json")
    floor = until(page, lambda f: f["counters"]["dead_letters"] > 0)
    assert [r["topic"] for r in floor["refused"].values()] == ["fab/1/floor/printer-1/up/ev"]


def test_a_tap_twice_is_one_command_even_after_a_restart(
    page: httpx.Client, printer: Any, site_floor: Any
) -> None:
    need = {"community": "north", "design": "clamp", "quantity": 1, "stated_by": "a test"}
    page.post("/api/needs", json=need)
    start_a_print(printer)
    floor = until(page, lambda f: f["machines"]["printer-1"]["state"] == "running")
    saw = floor["machines"]["printer-1"]["saw"]
    ask = {"json": {"saw": saw}, "headers": {"Idempotency-Key": "tap-1"}}
    first = page.post("/api/machines/printer-1/pause", **ask)
    assert first.json() == {"id": "tap-1", "code": "sent"}
    assert printer.until_command("pause")["id"] == "tap-1"
    with PageServerOf(site_floor.site) as other:  # knows nothing of what the first server answered
        assert other.post("/api/machines/printer-1/pause", **ask).json() == first.json()
        used = other.post("/api/machines/printer-1/cancel", **ask)
        assert (used.status_code, used.json()["problems"][0]["code"]) == (409, "key-used")
    with site_floor.site.read() as tx:
        assert [command.id for command in tx.commands.page(10)] == ["tap-1"]


def test_what_was_seen_is_checked_where_it_is_written(site_floor: Any, printer: Any) -> None:
    from controller.commands import Asker, saw
    from controller.values import Refused

    printer.hello()
    printer.state(ready=True)
    seen = site_floor.until(lambda tx: (m := tx.machines.get("printer-1")).ready and saw(m))
    site_floor.site.submit(lambda tx: tx.machines.change("printer-1", ready=False))
    for act in (
        lambda: site_floor.site.command("printer-1", "pause", Asker("a test", "k1", seen)),
        lambda: site_floor.site.confirm_clear("printer-1", "good", 1, Asker("a test", "k2", seen)),
    ):
        with pytest.raises(Refused, match="has changed since"):
            act()
    with site_floor.site.read() as tx:
        assert tx.commands.page(10) == []

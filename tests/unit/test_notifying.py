"""Who is told what when: the decision, the settings, and a floor's cards as messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from controller.adapters.site_file import SiteFileError, read_site
from controller.notify_settings import quiet
from controller.notifying import EVENTS, MOST_HELD, Message, Rule, Told, decide, ended
from dashboards.telling import messages

ALL = frozenset(EVENTS)
NIGHT = Rule(ALL, quiet("22:00-07:00", "Europe/Berlin"))
ALWAYS = Rule(ALL)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


DAY, AT_NIGHT, MORNING = ms("2026-01-10T12:00"), ms("2026-01-10T23:00"), ms("2026-01-11T06:00")


def card(key: str, emergency: bool = False) -> Message:
    return Message(key, "needs-a-human", key, emergency=emergency)


def end(key: str, event: str = "done") -> Message:
    return Message(key, event, key)


def keys(told: Told, rule: Rule, floor: tuple[list[Message], list[Message]], at: int) -> Any:
    after, send = decide(told, rule, floor, at)
    return after, [one.key for one in send]


def test_a_card_is_told_once_until_it_is_gone() -> None:
    told, sent = keys(Told(), ALWAYS, ([card("clear:p1")], []), DAY)
    assert sent == ["clear:p1"]
    told, sent = keys(told, ALWAYS, ([card("clear:p1")], []), DAY)
    assert sent == []
    told, sent = keys(told, ALWAYS, ([], []), DAY)
    assert sent == []
    _, sent = keys(told, ALWAYS, ([card("clear:p1")], []), DAY)
    assert sent == ["clear:p1"]


def test_a_card_lasts_a_little_before_it_is_told() -> None:
    rule = ALWAYS._replace(settle_ms=30_000)
    floor = ([card("silent:p1"), card("fault:m1", True)], list[Message]())
    told, sent = keys(Told(), rule, floor, DAY)
    assert sent == ["fault:m1"]
    told, sent = keys(told, rule, floor, DAY + 29_999)
    assert sent == []
    assert keys(told, rule, floor, DAY + 30_000)[1] == ["silent:p1"]
    told, _ = keys(told, rule, ([], []), DAY + 30_000)  # heard again: it counts anew
    told, _ = keys(told, rule, floor, DAY + 40_000)
    assert keys(told, rule, floor, DAY + 50_000)[1] == []


def test_an_end_is_told_once() -> None:
    told, sent = keys(Told(), ALWAYS, ([], [end("done:n-1"), end("done:n-1")]), DAY)
    assert sent == ["done:n-1"]
    assert keys(told, ALWAYS, ([], [end("done:n-1")]), DAY)[1] == []


def test_only_what_was_asked_for() -> None:
    rule = Rule(frozenset({"failed"}))
    floor = ([card("clear:p1"), card("fault:m1", True)], [end("d"), end("f", "failed")])
    assert keys(Told(), rule, floor, DAY)[1] == ["f"]


def test_quiet_hours_hold_back_all_but_emergencies() -> None:
    floor = ([card("clear:p1"), card("clear:p2"), card("fault:m1", True)], [end("done:n-1")])
    told, sent = keys(Told(), NIGHT, floor, AT_NIGHT)
    assert sent == ["fault:m1"]
    told, sent = keys(told, NIGHT, (floor[0], []), AT_NIGHT)
    assert sent == []
    # p1 was cleared over night: nobody is woken up for it, nor told afterwards
    told, sent = keys(told, NIGHT, (floor[0][1:], []), MORNING)
    assert sent == ["clear:p2", "done:n-1"]
    assert keys(told, NIGHT, (floor[0][1:], []), MORNING)[1] == []


def test_emergencies_come_first() -> None:
    floor = ([card("a"), card("b", True)], [end("c")])
    assert keys(Told(), ALWAYS, floor, DAY)[1] == ["b", "a", "c"]


def test_what_is_held_is_bounded_and_counted() -> None:
    ends = [end(f"done:n-{n}") for n in range(MOST_HELD + 7)]
    told, _ = keys(Told(), NIGHT, ([], ends), AT_NIGHT)
    assert (len(told.held), told.dropped) == (MOST_HELD, 7)
    told, sent = keys(told, NIGHT, ([], []), MORNING)
    assert sent == [f"done:n-{n}" for n in range(7, MOST_HELD + 7)]
    assert (told.held, told.dropped) == ((), 7)


@pytest.mark.parametrize(
    ("hours", "zone", "at", "covered"),
    [
        ("22:00-07:00", "UTC", "2026-01-10T22:00", True),
        ("22:00-07:00", "UTC", "2026-01-10T21:59", False),
        ("22:00-07:00", "UTC", "2026-01-11T06:59", True),
        ("22:00-07:00", "UTC", "2026-01-11T07:00", False),
        ("12:00-13:30", "UTC", "2026-01-11T13:29", True),
        ("12:00-13:30", "UTC", "2026-01-11T13:30", False),
        ("22:00-07:00", "Europe/Berlin", "2026-01-10T21:00", True),  # winter: one hour ahead
        ("22:00-07:00", "Europe/Berlin", "2026-07-10T20:00", True),  # summer: two
        ("22:00-07:00", "Europe/Berlin", "2026-07-10T19:59", False),
        ("22:00-07:00", "Asia/Kolkata", "2026-07-10T01:29", True),  # five and a half
    ],
)
def test_quiet_hours_are_local(hours: str, zone: str, at: str, covered: bool) -> None:
    found = quiet(hours, zone)
    assert found is not None and found.covers(ms(at)) is covered


@given(st.lists(st.tuples(st.sets(st.sampled_from("abcd")), st.booleans()), max_size=30))
def test_never_twice_while_it_lasts_and_never_forgotten(steps: list[tuple[set[str], bool]]) -> None:
    told, known = Told(), set[str]()
    for there, is_night in steps:
        floor = ([card(k, k == "a") for k in sorted(there)], list[Message]())
        told, sent = keys(told, NIGHT, floor, AT_NIGHT if is_night else DAY)
        assert not set(sent) & known, "told twice"
        known = (known & there) | set(sent)
        assert known == there if not is_night else "a" in known or "a" not in there


# settings --------------------------------------------------------------------------------------
EMAIL = {
    "kind": "email",
    "host": "mail.example.org:587",
    "from": "a@example.org",
    "to": ["b@c.org"],
}
HOOK = {"kind": "webhook", "url": "https://example.org/hook"}


def read(tmp_path: Path, *entries: dict[str, Any]) -> Any:
    path = tmp_path / "site.yml"
    path.write_text(yaml.safe_dump({"site": "lab", "notify": list(entries)}))
    return read_site(path)


def test_sound_settings(tmp_path: Path) -> None:
    hours = {"quiet_hours": "22:00-07:00", "timezone": "Europe/Berlin", "events": ["failed"]}
    found = read(tmp_path, EMAIL | hours, HOOK).notify
    assert found[0].smtp() == ("mail.example.org", 587)
    assert found[0].rule() == Rule(frozenset({"failed"}), NIGHT.quiet)
    assert found[1].rule() == ALWAYS


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        (EMAIL | {"host": "mail.example.org"}, "host"),
        (EMAIL | {"from": "x"}, "from"),
        (EMAIL | {"to": []}, "to"),
        (EMAIL | {"to": ["b@c.org", "no\nbody@x"]}, "to[1]"),
        (EMAIL | {"user": "u"}, "password_env"),
        (EMAIL | {"password_env": "P"}, "user"),
        (EMAIL | {"tls": False}, "tls"),
        (EMAIL | {"url": "http://x"}, "url"),
        (HOOK | {"url": "ftp://x"}, "url"),
        (HOOK | {"url": "https://u:p@x/"}, "url"),
        (HOOK | {"to": ["b@c.org"]}, "to"),
        (HOOK | {"events": []}, "events"),
        (HOOK | {"events": ["done", "party"]}, "events[1]"),
        (HOOK | {"quiet_hours": "22-7"}, "quiet_hours"),
        (HOOK | {"quiet_hours": "24:00-07:00"}, "quiet_hours"),
        (HOOK | {"quiet_hours": "07:00-07:00"}, "quiet_hours"),
        (HOOK | {"quiet_hours": "22:00-07:00", "timezone": "Mars"}, "timezone"),
    ],
)
def test_errors_name_the_field(tmp_path: Path, entry: dict[str, Any], field: str) -> None:
    with pytest.raises(SiteFileError) as raised:
        read(tmp_path, HOOK, entry)
    assert f": notify[1].{field}: " in str(raised.value)


# the floor -------------------------------------------------------------------------------------
def test_cards_of_a_floor_are_messages(desk: Any) -> None:
    with desk.read() as tx:
        found = {one.key: one for one in messages(tx, 1)}
    fault = found["fault:mill-1"]
    assert (fault.title, fault.emergency) == ("mill-1 has a fault", True)
    assert "a limit switch was hit" in fault.text
    clear = found["clear:printer-2"]
    assert (clear.emergency, clear.page) == (False, "/machines/printer-2")
    assert next(iter(found)) == "fault:mill-1"


def test_ends_come_from_notices(desk: Any) -> None:
    with desk.store.write() as tx:
        tx.orders.change("o-1", state="FAILED", outcome_why="thermal runaway")
        for kind, subject in (("need", "n-3"), ("need", "n-1"), ("order", "o-1"), ("order", "o-2")):
            tx.notice(kind, subject, "words")
        found = ended(tx, tx.effects.notices)
    assert [(one.key, one.event) for one in found] == [
        ("done:n-3", "done"),
        ("failed:o-1", "failed"),
    ]
    assert found[1].text == "thermal runaway"
    assert replace(found[0], at=0).title == "1 x clamp for north is delivered"

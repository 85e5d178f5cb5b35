"""Adapters of machines people already own: dialogues, garbage, the table, the site file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.hosts import mapping, moonraker, mtconnect, octoprint, prusalink
from controller.adapters.hosts.contract import (
    JOB_STATES,
    Garbled,
    Job,
    Lost,
    Reading,
    Refusal,
    file_name,
    parse_name,
)
from controller.adapters.hosts.mapping import Asked, Held, Known, Part
from controller.adapters.hosts.registry import KINDS
from controller.adapters.hosts.wires import Answer, Ask, judge
from controller.adapters.site_file import SiteFileError, read_site
from controller.links import HOSTS
from protocols.messages import encode
from support.host_dialogue import play

DIALOGUES = sorted((Path(__file__).parent.parent / "dialogues/hosts").glob("*.txt"))


@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
def test_dialogue(path: Path) -> None:
    assert play(path) >= 5


def test_every_program_with_a_wire_has_a_dialogue() -> None:
    spoken = {path.name.partition("-")[0] for path in DIALOGUES}
    assert spoken == set(HOSTS) - {"folder"}


# garbage --------------------------------------------------------------------------------------

_LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_JSON = st.recursive(
    _LEAF,
    lambda of: st.lists(of, max_size=3) | st.dictionaries(st.text(max_size=5), of),
    max_leaves=8,
)


def answers(path: Path) -> list[Any]:
    """Every JSON answer of a dialogue."""
    found: list[Any] = []
    for line in path.read_text().splitlines():
        mark, _, text = line.partition(" ")
        text = text.partition(" ")[2] if mark == "<" else text
        if mark in ("<", "<<") and text.startswith("{"):
            found.append(json.loads(text))
    return found


SAID = {p.name.partition("-")[0]: answers(p) for p in DIALOGUES}


def spoilt(document: Any, spoil: Any) -> Any:
    """The document with one place in it replaced by something else."""
    paths: list[list[Any]] = []

    def walk(value: Any, path: list[Any]) -> None:
        paths.append(path)
        for name, inner in value.items() if isinstance(value, dict) else ():
            walk(inner, [*path, name])

    walk(document, [])
    path = spoil.draw(st.sampled_from(paths))
    put = spoil.draw(_JSON)
    if not path:
        return put
    copy = json.loads(json.dumps(document))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = put
    return copy


def read_any(kind: str, documents: list[Any]) -> Reading:
    one, two, three = documents
    if kind == "moonraker":
        rows = moonraker.fields.items(one, "jobs")
        jobs = moonraker.history_jobs(rows)
        return moonraker.reading(
            moonraker.fields.find(two, "status"), jobs, moonraker.open_rows(rows)
        )
    if kind == "octoprint":
        return octoprint.reading("fc-o1-1.gcode", one, two, three)
    return prusalink.reading(one, two, "fc-o1-1.gcode")


@pytest.mark.parametrize("kind", ["moonraker", "octoprint", "prusalink"])
@settings(max_examples=150, deadline=None)
@given(spoil=st.data())
def test_a_spoilt_answer_is_a_reading_or_one_typed_error(kind: str, spoil: Any) -> None:
    documents = [spoil.draw(st.sampled_from(SAID[kind])) for _ in range(3)]
    at = spoil.draw(st.integers(0, 2))
    documents[at] = spoilt(documents[at], spoil)
    try:
        seen = read_any(kind, documents)
    except Garbled as error:
        assert str(error)
        return
    assert all(job.state in JOB_STATES for job in seen.jobs.values())
    assert all(isinstance(value, int) for value in seen.values.values())


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200) | st.text(max_size=80).map(lambda t: f"<a>{t}</a>".encode()))
def test_a_spoilt_agent_is_one_typed_error(body: bytes) -> None:
    with pytest.raises(Garbled):
        mtconnect.read(body)


def test_an_agent_cannot_blow_up_the_reader() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><MTConnectStreams/>'
    with pytest.raises(Garbled, match="entities"):
        mtconnect.read(bomb)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None),
        (404, Refusal),
        (409, Refusal),
        (401, Refusal),
        (500, Lost),
        (503, Lost),
        (429, Lost),
    ],
)
def test_what_an_http_status_means(status: int, error: Any) -> None:
    answer = Answer(status, b"words")
    if error is None:
        assert judge(Ask("GET", "/x"), answer, (401,)) is answer
        return
    with pytest.raises(error) as raised:
        judge(Ask("GET", "/x"), answer, (401,))
    assert getattr(raised.value, "barred", False) == (status == 401)


# the table ------------------------------------------------------------------------------------

SURE, UNSURE = Known(True), Known(False)
NAME = "fc-o7-9.gcode"
RUNS, HOLDS = Job("running", done_ppm=500_000), Job("paused", why="runout")
DONE, FAILED = Job("ended", ok=True, used_um=(1_000_000,)), Job("ended", why="heater")
WAITS, BROKEN = Job("waiting"), Job("broken", why="interrupted")
ASKED = Asked(NAME, "k1")


def held(state: str, **changes: Any) -> Held:
    begun = state in ("RUNNING", "PAUSED", "UNKNOWN")
    parts = (Part(0, "spool-1", 3_000_000, 3000),)
    made = Held("o7", 9, state, NAME, begun, False, "0" * 64, 0, parts, {}, ASKED)
    return made._replace(**changes)


def seen(job: Job | None, run: str = "k1", **changes: Any) -> Reading:
    made = Reading("idle", {} if job is None else {NAME: job}, run=run)
    return made._replace(**changes)


@pytest.mark.parametrize(
    ("state", "look", "known", "expected"),
    [
        ("OFFERED", seen(None), SURE, "claim"),
        ("OFFERED", seen(DONE), SURE, "declined"),
        ("OFFERED", seen(None, fault="hot"), SURE, "declined"),
        ("GRANTED", seen(None), SURE, ""),
        ("GRANTED", seen(None, "k2"), SURE, "material interrupted"),
        ("GRANTED", seen(None, ""), SURE, "material interrupted"),
        ("GRANTED", seen(None, ""), UNSURE, ""),
        ("GRANTED", seen(None, "", blind=True), SURE, ""),
        ("GRANTED", seen(None, ""), Known(True, "no paper", True), "declined"),
        ("GRANTED", seen(None, ""), Known(True, "no paper", False), "material interrupted"),
        ("GRANTED", seen(WAITS), SURE, ""),
        ("GRANTED", seen(RUNS), SURE, "started material"),
        ("GRANTED", seen(HOLDS), SURE, "started paused"),
        ("GRANTED", seen(DONE), SURE, "started material finished"),
        ("GRANTED", seen(BROKEN), SURE, "started material interrupted"),
        ("RUNNING", seen(RUNS), SURE, "material"),
        ("RUNNING", seen(HOLDS), SURE, "paused"),
        ("RUNNING", seen(FAILED), SURE, "finished"),
        ("RUNNING", seen(WAITS), SURE, "material interrupted"),
        ("RUNNING", seen(None, "", blind=True), SURE, ""),
        ("PAUSED", seen(RUNS), SURE, "material resumed"),
        ("PAUSED", seen(HOLDS), SURE, ""),
        ("IN_DOUBT", seen(DONE), SURE, "started material finished"),
        ("UNKNOWN", seen(None, "k2"), SURE, ""),
        ("UNKNOWN", seen(DONE), SURE, "material finished"),
        ("SUCCEEDED", seen(DONE), SURE, ""),
    ],
)
def test_events(state: str, look: Reading, known: Known, expected: str) -> None:
    events = mapping.derive(held(state), look, known)
    assert " ".join(e["ty"] for e in events) == expected
    for number, event in enumerate(events):
        encode("up/ev", {"v": 1, "jid": "h-9", "s": number + 1, "tq": "none", **event})


@pytest.mark.parametrize(
    ("state", "changes", "look", "known", "expected"),
    [
        ("GRANTED", {"asked": None}, seen(None, ""), SURE, "start"),
        ("GRANTED", {}, seen(None), SURE, "start"),
        ("GRANTED", {}, seen(None), UNSURE, ""),
        ("GRANTED", {}, seen(None, "k2"), SURE, ""),
        ("GRANTED", {}, seen(None, ""), SURE, ""),
        ("GRANTED", {}, seen(WAITS, ""), SURE, "start"),
        ("GRANTED", {}, seen(RUNS), SURE, ""),
        ("GRANTED", {"stop_asked": True}, seen(WAITS), SURE, ""),
        ("IN_DOUBT", {}, seen(None), SURE, "start"),
        ("IN_DOUBT", {"begun": True}, seen(None), SURE, ""),
        ("RUNNING", {}, seen(None), SURE, ""),
        ("RUNNING", {"stop_asked": True}, seen(RUNS), SURE, "cancel"),
        ("UNKNOWN", {}, seen(None), SURE, ""),
    ],
)
def test_calls(state: str, changes: Any, look: Reading, known: Known, expected: str) -> None:
    assert mapping.next_call(held(state, **changes), look, known) == expected


@given(
    state=st.sampled_from(("OFFERED", "GRANTED", "RUNNING", "PAUSED", "IN_DOUBT", "UNKNOWN")),
    job=st.sampled_from((None, RUNS, HOLDS, DONE, FAILED, WAITS, BROKEN)),
    run=st.sampled_from(("", "k1", "k2")),
    begun=st.booleans(),
    asked=st.sampled_from((None, ASKED)),
    blind=st.booleans(),
)
def test_a_start_is_only_asked_where_it_is_proven_that_none_happened(
    state: str, job: Job | None, run: str, begun: bool, asked: Any, blind: bool
) -> None:
    order, look = held(state, begun=begun, asked=asked), seen(job, run, blind=blind)
    if mapping.next_call(order, look, SURE) == "start":
        proven = job is WAITS or asked is None or run == asked.run
        assert proven and not begun and (job is None or job is WAITS)


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (Job("ended", ok=True, used_um=(500_000,)), (1500, 0, "host")),
        (Job("ended", ok=True, used_um=(500_000,), estimated=True), (1500, 0, "estimate")),
        (Job("ended", ok=True), (3000, 3000, "estimate")),
        (Job("running", done_ppm=500_000), (1500, 1500, "estimate")),
        (Job("ended"), (1200, 1200, "estimate")),  # by what was told last
    ],
)
def test_filament_says_how_it_is_known(job: Job, expected: Any) -> None:
    order = held("RUNNING", done_ppm=400_000)
    events = mapping.derive(order, seen(job), SURE)
    (drawn,) = [e for e in events if e["ty"] == "material"]
    assert (drawn["cum_mg"], drawn["unc_mg"], drawn["src"]) == expected


def test_names() -> None:
    assert parse_name(file_name("o12", 12, ".gcode")) == ("o12", 12)
    assert parse_name("sub/fc-o12-12.ngc") == ("o12", 12)
    for name in ("benchy.gcode", "fc-o12.gcode", "fc-o12-0.gcode", "xfc-o1-1.gcode", ""):
        assert parse_name(name) is None


# the site file --------------------------------------------------------------------------------

GOOD: dict[str, dict[str, str]] = {
    "moonraker": {"url": "http://voron.local:7125"},
    "octoprint": {"url": "http://octopi.local", "key_env": "KEY"},
    "prusalink": {"url": "http://mk4.local", "user": "maker", "password_env": "PW"},
    "mtconnect": {"url": "http://agent.local:5000/haas", "folder": "laid"},
    "folder": {"folder": "/media/usb"},
}


def site(tmp_path: Path, **fields: str) -> Path:
    path = tmp_path / "site.yml"
    machine = {"id": "m-1", "kind": "printer", **fields}
    path.write_text(yaml.safe_dump({"site": "shop", "machines": [machine]}))
    return path


@pytest.mark.parametrize("link", KINDS)
def test_settings_of_each_link_are_taken(link: str, tmp_path: Path) -> None:
    assert read_site(site(tmp_path, link=link, **GOOD[link])).machines[0].link == link


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"link": "moonraker"}, "machines[0].url: is needed with link moonraker, e.g. http://"),
        ({"link": "octoprint", "url": "http://x"}, "machines[0].key_env: is needed"),
        ({"link": "folder"}, "machines[0].folder: is needed with link folder, e.g. /media"),
        ({"link": "moonraker", "url": "voron"}, "url: must begin with http://"),
        ({"link": "moonraker", "url": "http://x", "folder": "y"}, "folder: is not used"),
        ({"link": "prusalink", "url": "http://x", "user": "y"}, "password_env: name the environ"),
        ({"link": "mqtt", "key_env": "K"}, "machines[0].key_env: is not used with link mqtt"),
        ({"link": "bambu"}, "link: must be one of mqtt, opcua, person, moonraker"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(fields: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(SiteFileError) as raised:
        read_site(site(tmp_path, **fields))
    assert words in str(raised.value)

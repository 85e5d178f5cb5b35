"""The HTTP interface over a real socket: snapshot, commands, errors, programs by ranges, limits."""

import json
import threading
from typing import Any

import httpx
import pytest

from dashboards.guards import MAX_BODY_BYTES


def problems(answer: httpx.Response) -> list[dict[str, str]]:
    assert 400 <= answer.status_code < 500, answer.text
    found: list[dict[str, str]] = answer.json()["problems"]
    return found


# reading --------------------------------------------------------------------------------------
def test_snapshot_holds_the_whole_floor(served: httpx.Client) -> None:
    view = served.get("/api/floor").json()
    assert (view["site"], view["rate"]) == ("lab", 1)
    assert set(view["floor"]) >= {"machines", "attention", "needs", "lots", "notices", "counters"}
    assert view["floor"]["machines"]["printer-1"]["state"] == "running"


def test_a_stream_over_the_wire_continues_the_snapshot(served: httpx.Client, desk: Any) -> None:
    seq = served.get("/api/floor").json()["seq"]
    with served.stream("GET", "/api/events", params={"since": seq}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        while "event: clock" not in next(lines):
            pass
        desk.change(lambda tx: tx.orders.change("o-1", done_ppm=520_000))
        data = next(line for line in lines if line.startswith("data: {"))
    assert json.loads(data[6:]) == {"machines": {"printer-1": {"percent": 52}}}


def test_a_need_is_told_from_start_to_finish(served: httpx.Client, desk: Any) -> None:
    from controller.values import EconomicEvent

    def consume(tx: Any) -> None:
        for n, (measure, mass_mg) in enumerate((("measured", 4198), ("uncertain", 40))):
            tx.ledger.append(
                EconomicEvent(
                    key=f"k{n}",
                    action="consume",
                    provider="lab",
                    receiver="lab",
                    happened_at=1,
                    lot="petg-1",
                    mass_mg=mass_mg,
                    order_id="o-1",
                    need="n-1",
                    operation="op-1",
                    measure=measure,
                )
            )

    desk.change(consume)
    story = served.get("/api/needs/n-1").json()
    first = story["operations"][0]
    assert first["estimated_mg"] == 4210
    assert (first["orders"][0]["measured_mg"], first["orders"][0]["uncertain_mg"]) == (4198, 40)
    assert first["orders"][0]["words"] == "running"
    assert story["operations"][2]["state"] == "waiting"
    assert [line["mass_mg"] for line in story["lines"]] == [4198, 40]
    assert served.get("/api/ledger", params={"order": "o-1"}).json()[0]["measure"] == "uncertain"


def test_a_moment_in_a_sentence_travels_as_ms_utc_too(served: httpx.Client, desk: Any) -> None:
    text = "on the ballot of round r1, which closes 2025-10-11 08:53 UTC"
    told = {"code": "on-ballot", "params": {"round": "r1", "at_when": 1_760_172_780_000}}
    desk.change(lambda tx: tx.needs.change("n-2", reason=text))
    desk.change(lambda tx: tx.operations.change("op-6", reason=text))
    desk.change(lambda tx: tx.orders.change("o-1", outcome_why=text))
    story = served.get("/api/needs/n-2").json()
    assert (story["reason"], story["said"]) == (text, told)
    assert next(op for op in story["operations"] if op["id"] == "op-6")["said"] == told
    order = served.get("/api/needs/n-1").json()["operations"][0]["orders"][0]
    assert (order["why"], order["said"]) == (text, told)
    waits = {wait["id"]: wait for wait in served.get("/api/timeline").json()["waits"]}
    assert (waits["op-6"]["reason"], waits["op-6"]["said"]) == (text, told)
    planned = {op["id"]: op for op in served.get("/api/schedule").json()["operations"]}
    assert planned["op-6"]["said"] == told
    ran = served.get("/api/machines/printer-1").json()["orders"][0]
    assert (ran["why"], ran["said"]) == (text, told)


def test_lists_and_readings(served: httpx.Client, desk: Any, dash_floor: Any) -> None:
    assert len(served.get("/api/machines").json()) == 7
    assert served.get("/api/lots").json()["mdf-1"]["pieces"] == 12
    assert len(served.get("/api/needs").json()) == 3
    making = served.get("/api/needs", params={"state": "making"}).json()
    assert set(making) == {"n-1", "n-2"} and making["n-2"]["steps"]["print"]["waiting"] == 2
    t = dash_floor.T0
    desk.change(lambda tx: tx.telemetry.add([("printer-1", t, {"nozzle_mc": 239_800})]))
    view = served.get("/api/readings/printer-1", params={"name": "nozzle_mc"}).json()
    assert view["last"][0]["value"] == 239_800 and view["last"][0]["unit"] == "mdegC"
    assert view["mean"] == [239_800] and view["times_s"] == [t // 3_600_000 * 3600]
    every = served.get("/api/readings", params={"name": "nozzle_mc"}).json()["machines"]
    assert every["printer-1"]["mean"] == [239_800]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/needs/none", "need"),
        ("/api/readings/none", "machine"),
        ("/api/readings/printer-1?name=mood", "name"),
        ("/api/ledger?limit=0", "limit"),
        ("/api/readings/printer-1?since_at=x", "since_at"),
        ("/programs/nothex", "sha256"),
        ("/programs/" + "0" * 64, "sha256"),
    ],
)
def test_what_is_not_there_is_named(shared: httpx.Client, path: str, field: str) -> None:
    assert problems(shared.get(path))[0]["field"] == field


# needs ----------------------------------------------------------------------------------------
def test_a_need_stated_twice_under_one_key_is_one_need(served: httpx.Client) -> None:
    need = {"community": "north", "design": "clamp", "quantity": 3}
    first, again = (
        served.post("/api/needs", json=need, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    )
    assert first.status_code == 200 and first.json() == again.json()
    assert first.json()["lines"][0]["state"] == "accepted"


def test_each_line_of_a_batch_succeeds_or_fails_alone(served: httpx.Client, desk: Any) -> None:
    good = {"community": "north", "design": "clamp"}
    lines = [good, {**good, "quantity": 0}, {**good, "community": "mars"}, {**good, "colour": 1}, 7]
    answer = served.post("/api/needs", json={"needs": lines}).json()
    assert answer["accepted"] == 1
    fields = [line.get("problem", {}).get("field") for line in answer["lines"]]
    assert fields == [None, "quantity", "community", "colour", None]
    assert "problem" in answer["lines"][4]
    assert len(desk.asked[-1][1]) == 2  # only what is well-formed reached the controller
    assert desk.asked[-1][1][0].part == ""  # the controller names the part its design makes


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"needs": []}',
        b'{"needs": 3}',
        b'{"community": "north"}',
        b'{"community": "north", "design": "clamp", "quantity": 1e9}',
        b'{"community": "north", "design": "clamp", "quantity": true}',
        b'{"community": ["north"], "design": "clamp"}',
        b'{"community": "north", "design": "../../etc/passwd"}',
        b'{"community": "north", "design": "clamp", "due_at": -1}',
        b'{"community": "north", "design": "clamp", "need_class": "vip"}',
        b'{"community": "north", "design": "clamp", "note": "\\ud800"}',
        b"\xff\xfe",
        b'{"needs": [' + b"{}," * 1000 + b"{}]}",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
)
def test_no_bad_body_is_a_server_error(shared: httpx.Client, body: bytes) -> None:
    answer = shared.post("/api/needs", content=body, headers={"content-type": "application/json"})
    assert all(p["message"] for p in problems(answer))


def test_a_body_too_large_is_refused_by_its_length_and_while_it_comes(
    shared: httpx.Client,
) -> None:
    big = b'{"note": "' + b"x" * MAX_BODY_BYTES + b'"}'
    json_type = {"content-type": "application/json"}
    assert shared.post("/api/needs", content=big, headers=json_type).status_code == 413
    pieces = (big[n : n + 65_536] for n in range(0, len(big), 65_536))
    assert shared.post("/api/needs", content=pieces, headers=json_type).status_code == 413


# commands -------------------------------------------------------------------------------------
def test_clearing_a_bed_records_the_result_with_the_same_request(
    served: httpx.Client, desk: Any
) -> None:
    saw = served.get("/api/machines").json()["printer-2"]["saw"]
    body = {"result": "bad", "pieces": 0, "who": "simulated technician", "saw": saw}
    answer = served.post("/api/machines/printer-2/clear", json=body)
    assert answer.status_code == 200
    verb, machine, outcome, person = desk.asked[-1]
    assert (verb, machine, outcome.result) == ("clear", "printer-2", "bad")
    assert person.who == "simulated technician"


def test_a_command_for_a_state_that_is_gone_is_refused(served: httpx.Client, desk: Any) -> None:
    saw = served.get("/api/machines").json()["printer-1"]["saw"]
    desk.change(lambda tx: tx.machines.change("printer-1", state="idle", order_id=None))
    answer = served.post("/api/machines/printer-1/pause", json={"saw": saw})
    assert answer.status_code == 409 and problems(answer)[0]["field"] == "saw"
    assert desk.asked == []


def test_a_command_sent_twice_is_done_once(served: httpx.Client, desk: Any) -> None:
    saw = served.get("/api/machines").json()["printer-1"]["saw"]
    answers = [
        served.post(
            "/api/machines/printer-1/pause", json={"saw": saw}, headers={"Idempotency-Key": "p1"}
        )
        for _ in range(3)
    ]
    assert {a.status_code for a in answers} == {200}
    assert len({a.text for a in answers}) == 1 and len(desk.asked) == 1


def test_every_verb_reaches_the_desk(served: httpx.Client, desk: Any) -> None:
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("/api/machines/printer-1/pause", {}, "pause"),
        ("/api/machines/printer-1/resume", {}, "resume"),
        ("/api/machines/printer-1/cancel", {}, "cancel"),
        ("/api/machines/printer-1/load", {"ch": 1, "lot": "petg-2"}, "load"),
        ("/api/machines/printer-1/release", {}, "release"),
        ("/api/orders/o-1/resolve", {"result": "good"}, "resolve"),
        ("/api/operations/op-6/retry", {}, "retry"),
        ("/api/machines/printer-1/stop", {}, "stop"),
    ]
    for path, body, verb in calls:
        assert served.post(path, json=body).status_code == 200, path
        assert desk.asked[-1][0] == verb


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/machines/none/pause", {}, "machine"),
        ("/api/machines/printer-1/explode", {}, "do"),
        ("/api/machines/printer-1/load", {"ch": 99, "lot": "petg-2"}, "ch"),
        ("/api/machines/printer-1/load", {}, "lot"),
        ("/api/machines/printer-2/clear", {"result": "fine"}, "result"),
        ("/api/machines/printer-2/clear", {"pieces": -1}, "pieces"),
        ("/api/machines/printer-2/clear", {"peices": 1}, "peices"),
        ("/api/orders/o-1/resolve", {}, "result"),
    ],
)
def test_a_bad_command_names_its_field(
    shared: httpx.Client, path: str, body: dict[str, Any], field: str
) -> None:
    before = shared.get("/api/machines").json()
    assert problems(shared.post(path, json=body))[0]["field"] == field
    assert shared.get("/api/machines").json() == before


def test_an_emergency_stop_waits_for_no_database(served: httpx.Client, desk: Any) -> None:
    hung, release = threading.Event(), threading.Event()

    def hang(*_: object) -> Any:
        hung.set()
        release.wait(20)
        raise TimeoutError

    desk.control = hang
    desk.read, real = hang, desk.read
    threads = [
        threading.Thread(target=lambda: served.get("/api/lots", timeout=30)) for _ in range(60)
    ]
    for thread in threads:
        thread.start()
    assert hung.wait(10)
    try:
        answer = httpx.post(
            served.base_url.join("/api/machines/printer-1/stop"), headers=served.headers, timeout=2
        )
        assert answer.status_code == 200
        assert desk.asked == [("stop", "printer-1", "someone at the page")]
    finally:
        desk.read = real
        release.set()
        for thread in threads:
            thread.join()


def test_a_store_that_does_not_answer_is_503_and_says_so(served: httpx.Client, desk: Any) -> None:
    def slow(*_: object) -> Any:
        raise TimeoutError

    desk.control = slow
    answer = served.post("/api/machines/printer-1/pause", json={})
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
    assert "try again" in answer.json()["problems"][0]["message"]


def test_a_batch_may_be_all_or_nothing(served):
    good = {"community": "north", "design": "clamp", "quantity": 1}
    body = {"needs": [good, {**good, "quantity": 0}], "all_or_nothing": True}
    answer = served.post("/api/needs", json=body)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["message"].startswith("line 2: ")
    assert served.post("/api/needs", json={**body, "all_or_nothing": False}).status_code == 200

"""The public record: JSON, page, label, the ledger as JSON-LD, discrepancies and their end."""

import re

import pytest

from controller.commons.records import OrderDiscrepancy, Round, RoundDecision
from controller.ledger.conformance import breaches, triples
from controller.ledger.post import post
from controller.values import EconomicEvent
from dashboards import labels
from support.dash_floor import MINUTE, T0


@pytest.fixture
def floor(served, desk):
    """A desk whose first need has lines in the ledger, a decision and a doubt."""

    def fill(tx):
        lines = (
            EconomicEvent("c", "consume", "printer-1", "printer-1", T0, lot="petg-1", mass_mg=4310,
                          order_id="o-1", need="n-1", operation="op-1"),
            EconomicEvent("w", "work", "sam <b>", "printer-1", T0, order_id="o-1", need="n-1"),
            EconomicEvent("q", "cite", "Ana", "north", T0, need="n-1", note="Table clamp 1"),
        )  # fmt: skip
        for line in lines:
            post(tx, line)
        tx.orders.change("o-1", started_at=T0, ended_at=T0 + 10 * MINUTE, result="good")
        tx.needs.change("n-1", accepted_because="its <supporters> paid")
        tx.telemetry.add([("printer-1", T0 + n * MINUTE, {"power_mw": 120_000}) for n in range(10)])
        tx.rounds.add(Round(
            "r1", "counted", T0, T0, {}))  # fmt: skip
        tx.rounds.put_decision(RoundDecision("r1", "n-1", "accepted", "shares", "accepted: paid"))
        doubt = OrderDiscrepancy("o-1", "mass", 1000, 4310, "4310 mg were drawn", T0)
        tx.ledger.put_discrepancy(doubt)

    desk.change(fill)
    return served


def test_a_record_says_what_was_measured_who_decided_and_who_is_credited(floor):
    record = floor.get("/api/records/n-1").json()
    assert (record["measured_mg"], record["uncertain_mg"]) == (4310, 0)
    assert record["energy_mwh"] == 20_000  # 120 W for ten minutes
    assert record["decisions"] == [
        {"round": "r1", "state": "accepted", "stage": "shares", "reason": "accepted: paid"}
    ]
    assert record["contributors"] == [{"name": "Ana", "why": "Table clamp 1"}]
    assert "energy_mwh" not in floor.get("/api/records/n-2").json()


def test_a_page_shows_it_and_escapes_what_people_wrote(floor):
    answer = floor.get("/records/n-1")
    assert answer.headers["content-type"].startswith("text/html")
    assert "its &lt;supporters&gt; paid" in answer.text and "<supporters>" not in answer.text
    assert "4.310 g measured" in answer.text and "20.0 Wh" in answer.text
    assert "sam &lt;b&gt;" in answer.text
    assert floor.get("/records/style.css").headers["content-type"].startswith("text/css")
    assert floor.get("/records/n-99").status_code == 404


def test_a_label_leads_to_the_record(floor):
    answer = floor.get("/records/n-1/label.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    url = f"{floor.base_url}/records/n-1".replace("//records", "/records")
    dark = sum(map(sum, labels.qr(url).matrix))
    assert answer.content.count(b" re f") == dark
    assert b"(Table clamp) Tj" in answer.content
    assert floor.get("/records/n-1/label.png").content.startswith(b"\x89PNG")


def test_a_label_is_a_sound_pdf_whatever_the_words():
    made = labels.pdf("http://127.0.0.1/records/n1", ["(a\\b)\n" * 9, "ž→🙂", *"123456"])
    begin = int(re.search(rb"startxref\n(\d+)", made)[1])
    assert made[begin:].startswith(b"xref\n0 6\n")
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", made), 1):
        assert made[int(place) :].startswith(b"%d 0 obj" % number)
    length, stream = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", made, re.S).groups()
    assert int(length) == len(stream) and stream.count(b"Tj") == 6


def test_the_ledger_is_read_page_by_page_as_json_ld(floor):
    seen, after = [], 0
    while True:
        answer = floor.get("/api/ledger.jsonld", params={"after": after, "limit": 2})
        assert answer.headers["content-type"] == "application/ld+json"
        document = answer.json()
        assert breaches(triples(document)) == []
        events = [n for n in document["@graph"] if n["type"] == "EconomicEvent"]
        if not events:
            break
        seen += events
        after = int(answer.headers["x-last-event"])
    assert [event["action"] for event in seen] == ["vf:consume", "vf:work", "vf:cite"]
    assert "@context" in floor.get("/api/ledger/context.jsonld").json()


def test_a_discrepancy_stays_open_until_a_person_settles_it(floor):
    (doubt,) = floor.get("/api/discrepancies").json()
    assert (doubt["order"], doubt["found_mg"]) == ("o-1", 4310)
    refused = floor.post("/api/discrepancies/o-1", json={"who": "sam", "weighed_mg": 4000})
    assert "named no lot" in refused.text  # nothing came out of the order yet
    answer = floor.post("/api/discrepancies/o-1", json={"who": "sam"}).json()
    assert (answer["resolved_by"], answer["note"]) == ("sam", "as it is")
    assert floor.get("/api/discrepancies").json() == []
    assert len(floor.get("/api/discrepancies", params={"resolved": True}).json()) == 1
    assert floor.post("/api/discrepancies/o-1", json={}).status_code == 404


def test_a_record_speaks_the_readers_language_and_dates_by_machine(floor):
    german = floor.get("/records/n-1", headers={"accept-language": "de-AT,en;q=0.5"})
    assert '<html lang="de">' in german.text and german.headers["vary"] == "Accept-Language"
    assert "4,310 g gemessen" in german.text and "Wie es gemacht wurde" in german.text
    english = floor.get("/records/n-1?lang=en", headers={"accept-language": "de"})
    assert '<html lang="en">' in english.text and "4.310 g measured" in english.text
    assert re.search(
        r'<time datetime="[\d-]+T[\d:]+\+00:00">[\d-]+ [\d:]+ UTC</time>', english.text
    )
    script = floor.get("/records/local.js")
    assert script.headers["content-type"].startswith("text/javascript") and "time" in script.text

"""The ledger as a file from the command line: whole, conformant, and checked by others' eyes."""

from __future__ import annotations

import json

import pytest
import rdflib

from controller.ledger.post import correct, post
from controller.values import EconomicEvent
from fabcommons import ledger_files
from fabcommons.cli import main


@pytest.fixture
def exported(served, desk, tmp_path, monkeypatch):
    """An exported ledger of several pages, with a correction on another page than its event."""

    def fill(tx):
        first = post(tx, EconomicEvent("x1", "raise", "a", "b", 1, lot="mdf-1", mass_mg=5))
        for number in range(6):
            post(tx, EconomicEvent(f"y{number}", "raise", "a", "b", 1, lot="mdf-1", mass_mg=1))
        correct(tx, first, -5, 0, "wrong spool")
        return len(tx.ledger.all())

    monkeypatch.setattr(ledger_files, "PAGE", 2)
    desk.count = desk.submit(fill)
    out = tmp_path / "ledger.jsonld"
    assert main(["ledger", "export", "--url", str(served.base_url), "--out", str(out)]) == 0
    return out


def test_every_event_is_exported_once_with_what_it_says(exported, desk, capsys) -> None:
    graph = json.loads(exported.read_text())["@graph"]
    events = [node for node in graph if node["type"] == "EconomicEvent"]
    assert len(events) == desk.count
    assert len({node["id"] for node in graph}) == len(graph)
    assert all("action" in node for node in events)
    assert main(["ledger", "check", str(exported)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("conformant: ")
    assert len(rdflib.Graph().parse(exported, format="json-ld")) > 50


def test_a_breach_is_named_and_fails(exported, capsys) -> None:
    document = json.loads(exported.read_text())
    document["@graph"][0]["provider"] = document["@graph"][0]["resourceInventoriedAs"]
    exported.write_text(json.dumps(document))
    assert main(["ledger", "check", str(exported)]) == 1
    assert "vf:provider is EconomicResource, should be Agent" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no JSON"),
        ("[]", "there is no list @graph"),
        ('{"@graph": [{"type": "Gift"}]}', "@graph[0]"),
        ('{"@graph": [3]}', "@graph[0]"),
    ],
)
def test_what_is_no_export_is_told(tmp_path, capsys, content, words) -> None:
    path = tmp_path / "x.jsonld"
    path.write_text(content)
    assert main(["ledger", "check", str(path)]) != 0
    assert words in capsys.readouterr().err


def test_the_command_without_a_verb_still_prints_events(exported, served, capsys) -> None:
    assert main(["ledger", "--url", str(served.base_url), "--limit", "3"]) == 0
    assert "action" in capsys.readouterr().out
